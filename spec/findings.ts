// What is known to be broken: which rule, on which systems, and what happens instead.

import { type BranchName, BUILDS, type Build } from "./branches/branch.ts";
import { BRANCHES, VENDOR_BRANCHES } from "./branches/branches.ts";
import type { ClauseId, Invariant } from "./clause.ts";
import { INTENT_FINDINGS } from "./intent-findings.ts";
import { MODULE_FINDINGS } from "./module-findings.ts";
import { cite, type Evidence, type Source } from "./sources.ts";
import type { SystemConfig } from "./types/hyp.ts";

export type RuleId = ClauseId | Invariant["id"];

/** One rule that some system does not keep. */
export interface Finding {
  readonly rule: RuleId;
  /** What happens instead, in one sentence. */
  readonly instead: string;
  /** Who breaks it: the kernel, whatever the modules are; or a module, with the kernel's help. */
  readonly by: "kernel" | "module";
  readonly branches: readonly BranchName[];
  readonly builds: readonly Build[];
  /** Whether the documented system breaks it as well, because the page does not speak of it. */
  readonly documented: boolean;
  /** `measured` only where a real kernel was seen to do it. */
  readonly evidence: Evidence;
  readonly source: readonly Source[];
}

const UP_TO_6_12: readonly BranchName[] = ["android14-6.1", "android15-6.6", "android16-6.12"];

/** Branches that overwrite the firmware before the system ends. */
const POISONING: readonly BranchName[] = VENDOR_BRANCHES.filter(
  (name) => BRANCHES[name].smc.poisonsFirmware,
);

export const FINDINGS: readonly Finding[] = [
  {
    rule: "DOC-10",
    by: "kernel",
    instead: "A protected VM is created and run after a failed load; only its firmware is gone.",
    branches: VENDOR_BRANCHES,
    builds: BUILDS,
    documented: false,
    evidence: "measured",
    source: [cite("measured", "mod-missing, mod-failinit, mod-twice, fw-missing-after-iommufin")],
  },
  {
    rule: "INV-1",
    by: "kernel",
    instead: "There is a protected VM after a failed load.",
    branches: VENDOR_BRANCHES,
    builds: BUILDS,
    documented: false,
    evidence: "measured",
    source: [cite("measured", "mod-missing, mod-failinit, mod-twice")],
  },
  {
    rule: "INV-4",
    by: "kernel",
    instead: "The firmware is zeros, and KVM goes on saying how large it is.",
    branches: ["android15-6.6"],
    builds: BUILDS,
    documented: false,
    evidence: "read",
    source: [cite("android15-6.6", "pkvm_firmware_rmem_clear: pvmfw_size is left as it was")],
  },
  {
    rule: "DOC-13",
    by: "module",
    instead: "A failing init of an EL2 half that lacks a section panics the hypervisor.",
    branches: UP_TO_6_12,
    builds: BUILDS,
    documented: false,
    evidence: "measured",
    source: [cite("measured", "textonly-fail: UNMAP_NOT_OWNED in both builds")],
  },
  {
    rule: "DOC-14",
    by: "module",
    instead: "The kernel frees the memory of a module that EL2 goes on executing.",
    branches: VENDOR_BRANCHES,
    builds: BUILDS,
    documented: false,
    evidence: "read",
    source: [cite("linux", "do_init_module, kernel/module/main.c")],
  },
  {
    rule: "INV-23",
    by: "module",
    instead: "EL2 owns pages that are back in the kernel's page allocator.",
    branches: VENDOR_BRANCHES,
    builds: BUILDS,
    documented: false,
    evidence: "read",
    source: [cite("linux", "do_init_module, kernel/module/main.c")],
  },
  {
    rule: "INV-34",
    by: "kernel",
    instead:
      "A SYSTEM_RESET2 that the firmware refuses leaves no image for guests, and the lock taken.",
    branches: POISONING,
    builds: BUILDS,
    documented: true,
    evidence: "read",
    source: [cite("android14-6.1", "psci_1_0_handler, psci_system_reset2, hyp/nvhe/psci-relay.c")],
  },
  {
    rule: "INV-5",
    by: "kernel",
    instead:
      "A VM boots zeros where its firmware was, because the wiped region is still advertised.",
    branches: ["android15-6.6"],
    builds: BUILDS,
    documented: true,
    evidence: "read",
    source: [cite("android15-6.6", "pkvm_firmware_rmem_clear, arch/arm64/kvm/pkvm.c")],
  },
  {
    rule: "INV-7",
    by: "module",
    instead: "A module finalises its CPU by the raw hypercall while others still load modules.",
    branches: VENDOR_BRANCHES,
    builds: BUILDS,
    documented: true,
    evidence: "measured",
    source: [
      cite("android14-6.1", "handle_host_hcall: no upper bound before the key is set"),
      cite("measured", "early finalise: the kernel later reports -22 on that CPU and boots on"),
    ],
  },
  {
    rule: "INV-9",
    by: "module",
    instead:
      "An op maps a page of the host's executable; the host unmaps one page at another's address.",
    branches: VENDOR_BRANCHES,
    builds: BUILDS,
    documented: true,
    evidence: "derived",
    source: [
      cite("android14-6.1", "__pkvm_create_private_mapping: nobody asks whose the page is"),
      cite("android14-6.1", "__pkvm_map_module_page: is_protected skips the donation"),
      cite("android14-6.1", "__pkvm_unmap_module_page: page and address are not compared"),
    ],
  },
  {
    rule: "INV-11",
    by: "module",
    instead: "A page that came back by such an unmapping is mapped again, otherwise.",
    branches: VENDOR_BRANCHES,
    builds: BUILDS,
    documented: true,
    evidence: "derived",
    source: [cite("android14-6.1", "__pkvm_unmap_module_page: page and address are not compared")],
  },
  {
    rule: "INV-16",
    by: "module",
    instead: "Address 0 is registered and gets an id.",
    branches: VENDOR_BRANCHES,
    builds: ["production"],
    documented: true,
    evidence: "measured",
    source: [cite("measured", "production mod-regbad0: id 128")],
  },
  {
    rule: "INV-17",
    by: "module",
    instead: "What an EL2 init registered before it failed stays registered and is unmapped.",
    branches: VENDOR_BRANCHES,
    builds: BUILDS,
    documented: true,
    evidence: "read",
    source: [cite("android14-6.1", "__pkvm_load_el2_module; hyp/nvhe/modules.c")],
  },
  {
    rule: "INV-18",
    by: "module",
    instead: "EL2 will call an address that it cannot execute.",
    branches: VENDOR_BRANCHES,
    builds: BUILDS,
    documented: true,
    evidence: "measured",
    source: [cite("measured", "production mod-regbadk: ESR 0x86000004; mod-regnoload: 0x86000005")],
  },
  {
    rule: "LIFE-19",
    by: "module",
    instead: "A module clears HCR_EL2.VM of its CPU, and the host reaches all memory again.",
    branches: VENDOR_BRANCHES,
    builds: BUILDS,
    documented: true,
    evidence: "read",
    source: [cite("android14-6.1", "__update_hcr_el2, hyp/nvhe/modules.c: no list of what may go")],
  },
  {
    rule: "INV-19",
    by: "module",
    instead:
      "A device of EL2's is given to the host by its protection; a page mapped early has two.",
    branches: VENDOR_BRANCHES,
    builds: BUILDS,
    documented: true,
    evidence: "read",
    source: [
      cite(
        "android14-6.1",
        "module_change_host_page_prot: MMIO is not tracked, modules are trusted",
      ),
      cite("android14-6.1", "__pkvm_linear_map_early: the entry's state is that of an owner"),
    ],
  },
  {
    rule: "INV-20",
    by: "module",
    instead: "A device of EL2's loses its mark when its protection is changed.",
    branches: VENDOR_BRANCHES,
    builds: BUILDS,
    documented: true,
    evidence: "read",
    source: [
      cite(
        "android14-6.1",
        "module_change_host_page_prot: MMIO is not tracked, modules are trusted",
      ),
      cite("android14-6.1", "__pkvm_linear_unmap_early: any page of EL2's is unmapped"),
    ],
  },
  {
    rule: "INV-26",
    by: "module",
    instead: "A module gives the host memory that a VM is made of; EL2 goes on using it.",
    branches: VENDOR_BRANCHES,
    builds: BUILDS,
    documented: true,
    evidence: "read",
    source: [cite("android14-6.1", "__pkvm_hyp_donate_host asks only whether the page is EL2's")],
  },
  {
    rule: "INV-29",
    by: "kernel",
    instead: "A page that is not reclaimed before its VM ends is nobody's for ever.",
    branches: ["android14-6.1"],
    builds: BUILDS,
    documented: true,
    evidence: "measured",
    source: [cite("measured", "life-map-p: the host read faults; life-map-np: share is -1")],
  },
  {
    rule: "VM-87",
    by: "kernel",
    instead: "A root that is not aligned is answered with 0, and there is no VM.",
    branches: ["android14-6.1"],
    builds: BUILDS,
    documented: true,
    evidence: "measured",
    source: [
      cite("measured", "life-p, vmbad: 0, and no VM is there"),
      cite("android14-6.1", "__pkvm_init_vm, hyp/nvhe/pkvm.c: leaves before an errno is set"),
    ],
  },
  {
    rule: "VM-88",
    by: "kernel",
    instead: "What was taken before the refusal comes back to the host zeroed: its bytes are lost.",
    branches: ["android14-6.1"],
    builds: BUILDS,
    documented: true,
    evidence: "read",
    source: [cite("android14-6.1", "map_donated_memory, unmap_donated_memory, hyp/nvhe/pkvm.c")],
  },
  {
    rule: "OWN-79",
    by: "module",
    instead: "The page is taken from the host, EL2 cannot map it, and the system stops.",
    branches: ["android14-6.1"],
    builds: ["production"],
    documented: true,
    evidence: "measured",
    source: [
      cite("measured", "production ops: hyp BUG at do_donate"),
      cite("android14-6.1", "do_donate, hyp/nvhe/mem_protect.c: WARN_ON, which EL2 dies of"),
    ],
  },
  {
    rule: "GUEST-28",
    by: "kernel",
    instead: "The page that the address lies in is shared, taken back or given back.",
    branches: ["android14-6.1"],
    builds: BUILDS,
    documented: true,
    evidence: "measured",
    source: [cite("measured", "pvm-peek: MEM_SHARE of 0x80022001 is 0 and the address in x1")],
  },
  {
    rule: "GUEST-29",
    by: "kernel",
    instead: "The host looks for the address as the guest gave it, warns, and keeps the page.",
    branches: ["android14-6.1"],
    builds: BUILDS,
    documented: true,
    evidence: "measured",
    source: [cite("measured", "machines: WARNING in pkvm_host_reclaim_page")],
  },
  ...INTENT_FINDINGS,
  ...MODULE_FINDINGS,
];

/** What is known of a rule's violation on a system; nothing: it is not expected there. */
export function findingOf(rule: RuleId, config: SystemConfig): Finding | undefined {
  return FINDINGS.find(
    (finding) =>
      finding.rule === rule &&
      finding.branches.includes(config.branch) &&
      finding.builds.includes(config.build) &&
      (finding.documented || !config.documented),
  );
}
