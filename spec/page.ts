// The Android page in its own words: the sentences that promise something of a running system.

/** One sentence that is too long for a line. */
const words = (...parts: readonly string[]): string => parts.join(" ");

/** In the order of the page, as it was when the project began. */
export const PAGE = {
  init: words(
    "At a minimum, this code must declare an init function accepting a reference to the",
    "pkvm_module_ops struct:",
  ),
  ops: "The pKVM vendor module API is a struct encapsulating callbacks to the pKVM hypervisor.",
  abi: "This struct follows the same ABI rules as GKI interfaces.",
  load: words(
    "This code's init section must contain a call to pkvm_load_el2 module to load the EL2",
    "hypervisor code from step 1.",
  ),
  modprobe: "As with GKI vendor modules, pKVM vendor modules can be loaded using modprobe.",
  window: "However, for security reasons, loading must occur before deprivileging.",
  included: words(
    "To load a pKVM module, you must ensure your modules are included in the root filesystem",
    "(initramfs) and you must add the following to your kernel command-line:",
  ),
  list: "kvm-arm.protected_modules=mod1,mod2,mod3,...",
  signature: words(
    "pKVM vendor modules stored in the initramfs inherit the signature and protection of",
    "initramfs.",
  ),
  failedLoad: words(
    "If one of the pKVM vendor modules fails to load, the system is considered insecure and it",
    "won't be possible to start a protected virtual machine.",
  ),
  hvc: "An hypervisor call (HVC) is an instruction that lets the kernel to call the hypervisor.",
  call: words(
    "With the introduction of pKVM vendor modules, an HVC can be used to call for a function to",
    "run at EL2 (in the hypervisor module) from EL1 (the kernel module):",
  ),
  handler: "In the EL2 code (el2.c), declare the EL2 handler:",
  register: "In your EL1 code (el1.c), register the EL2 handler in your pKVM vendor module:",
  failedInit: "if (ret < 0) return ret;",
  callHvc: "In your EL1 code (el1.c), call the HVC:",
} as const;

/** A sentence of the page, by the name that it has here. */
export type PageSentence = keyof typeof PAGE;
