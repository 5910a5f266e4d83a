// The Android page sentence by sentence, and the clause that states each promise of it.

/** A sentence that promises something about a running system. */
export interface PagePromise {
  readonly sentence: string;
  readonly clauses: readonly string[];
}

/** In the order of the page. */
export const PROMISES: readonly PagePromise[] = [
  {
    sentence:
      "At a minimum, this code must declare an init function accepting a reference to the pkvm_module_ops struct:",
    clauses: ["DOC-1"],
  },
  {
    sentence:
      "The pKVM vendor module API is a struct encapsulating callbacks to the pKVM hypervisor.",
    clauses: ["DOC-2"],
  },
  {
    sentence: "This struct follows the same ABI rules as GKI interfaces.",
    clauses: ["DOC-2"],
  },
  {
    sentence:
      "This code's init section must contain a call to pkvm_load_el2 module to load the EL2 hypervisor code from step 1.",
    clauses: ["DOC-3", "DOC-4"],
  },
  {
    sentence: "As with GKI vendor modules, pKVM vendor modules can be loaded using modprobe.",
    clauses: ["DOC-5"],
  },
  {
    sentence: "However, for security reasons, loading must occur before deprivileging.",
    clauses: ["DOC-6"],
  },
  {
    sentence:
      "To load a pKVM module, you must ensure your modules are included in the root filesystem (initramfs) and you must add the following to your kernel command-line:",
    clauses: ["DOC-7"],
  },
  { sentence: "kvm-arm.protected_modules=mod1,mod2,mod3,...", clauses: ["DOC-7"] },
  {
    sentence:
      "pKVM vendor modules stored in the initramfs inherit the signature and protection of initramfs.",
    clauses: ["DOC-8"],
  },
  {
    sentence:
      "If one of the pKVM vendor modules fails to load, the system is considered insecure and it won't be possible to start a protected virtual machine.",
    clauses: ["DOC-9", "DOC-10", "DOC-13"],
  },
  {
    sentence:
      "An hypervisor call (HVC) is an instruction that lets the kernel to call the hypervisor.",
    clauses: ["DOC-11"],
  },
  {
    sentence:
      "With the introduction of pKVM vendor modules, an HVC can be used to call for a function to run at EL2 (in the hypervisor module) from EL1 (the kernel module):",
    clauses: ["DOC-11"],
  },
  { sentence: "In the EL2 code (el2.c), declare the EL2 handler:", clauses: ["DOC-12"] },
  {
    sentence: "In your EL1 code (el1.c), register the EL2 handler in your pKVM vendor module:",
    clauses: ["DOC-15"],
  },
  { sentence: "if (ret < 0) return ret;", clauses: ["DOC-14"] },
  { sentence: "In your EL1 code (el1.c), call the HVC:", clauses: ["DOC-11"] },
];

/**
 * The page's other sentences: what to write into which file, and headings. They are instructions for building, say
 * nothing of a running system, and are tried by building the page's own module.
 */
export const INSTRUCTIONS: readonly string[] = [
  "Implement a pKVM vendor module",
  "This page explains how to implement a protected kernel-based virtual machine (pKVM) vendor module.",
  "When you are done with these steps, you should have a directory tree similar to:",
  "Add the EL2 hypervisor code (el2.c).",
  "Create the hyp/Makefile to build the hypervisor code:",
  "Add the EL1 kernel code (el1.c).",
  "Finally, create the root makefile to tie the EL1 and EL2 code together:",
  "Load a pKVM module",
  "Call an EL2 (hypervisor) function from EL2 (kernel module)",
];
