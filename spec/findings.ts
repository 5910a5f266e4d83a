// What is known to be broken: which rule, on which systems, and what happens instead.

import { BRANCH_NAMES, type BranchName, BUILDS, type Build } from "./branches/branch.ts";
import type { ClauseId, Invariant } from "./clause.ts";
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

export const FINDINGS: readonly Finding[] = [
  {
    rule: "DOC-10",
    by: "kernel",
    instead: "A protected VM is created and run after a failed load; only its firmware is gone.",
    branches: BRANCH_NAMES,
    builds: BUILDS,
    documented: false,
    evidence: "measured",
    source: [cite("measured", "mod-missing, mod-failinit, mod-twice, fw-missing-after-iommufin")],
  },
  {
    rule: "INV-1",
    by: "kernel",
    instead: "There is a protected VM after a failed load.",
    branches: BRANCH_NAMES,
    builds: BUILDS,
    documented: false,
    evidence: "measured",
    source: [cite("measured", "mod-missing, mod-failinit, mod-twice")],
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
    branches: BRANCH_NAMES,
    builds: BUILDS,
    documented: false,
    evidence: "read",
    source: [cite("linux", "do_init_module, kernel/module/main.c")],
  },
  {
    rule: "INV-23",
    by: "module",
    instead: "EL2 owns pages that are back in the kernel's page allocator.",
    branches: BRANCH_NAMES,
    builds: BUILDS,
    documented: false,
    evidence: "read",
    source: [cite("linux", "do_init_module, kernel/module/main.c")],
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
    branches: BRANCH_NAMES,
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
    branches: BRANCH_NAMES,
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
    branches: BRANCH_NAMES,
    builds: BUILDS,
    documented: true,
    evidence: "derived",
    source: [cite("android14-6.1", "__pkvm_unmap_module_page: page and address are not compared")],
  },
  {
    rule: "INV-16",
    by: "module",
    instead: "Address 0 is registered and gets an id.",
    branches: BRANCH_NAMES,
    builds: ["production"],
    documented: true,
    evidence: "measured",
    source: [cite("measured", "production mod-regbad0: id 128")],
  },
  {
    rule: "INV-17",
    by: "module",
    instead: "What an EL2 init registered before it failed stays registered and is unmapped.",
    branches: BRANCH_NAMES,
    builds: BUILDS,
    documented: true,
    evidence: "read",
    source: [cite("android14-6.1", "__pkvm_load_el2_module; hyp/nvhe/modules.c")],
  },
  {
    rule: "INV-18",
    by: "module",
    instead: "EL2 will call an address that it cannot execute.",
    branches: BRANCH_NAMES,
    builds: BUILDS,
    documented: true,
    evidence: "measured",
    source: [cite("measured", "production mod-regbadk: ESR 0x86000004; mod-regnoload: 0x86000005")],
  },
  {
    rule: "LIFE-19",
    by: "module",
    instead: "A module clears HCR_EL2.VM of its CPU, and the host reaches all memory again.",
    branches: BRANCH_NAMES,
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
    branches: BRANCH_NAMES,
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
    branches: BRANCH_NAMES,
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
    branches: BRANCH_NAMES,
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
  {
    rule: "MOD-1",
    by: "module",
    instead: "EL2 code of a module faults, and the hypervisor stops the machine.",
    branches: BRANCH_NAMES,
    builds: BUILDS,
    documented: true,
    evidence: "measured",
    source: [cite("measured", "production mod-regbadk, mod-regnoload")],
  },
  {
    rule: "MOD-2",
    by: "module",
    instead: "A handler does not end, and its CPU is lost.",
    branches: BRANCH_NAMES,
    builds: BUILDS,
    documented: true,
    evidence: "derived",
    source: [cite("android14-6.1", "hyp/nvhe: interrupts are masked at EL2, nothing preempts it")],
  },
  {
    rule: "MOD-3",
    by: "module",
    instead: "EL1 code of a module brings the kernel down.",
    branches: BRANCH_NAMES,
    builds: BUILDS,
    documented: true,
    evidence: "read",
    source: [cite("linux", "die, arch/arm64/kernel/traps.c; panic, kernel/panic.c")],
  },
  {
    rule: "MOD-4",
    by: "module",
    instead: "A handler answers another x0, and the EL1 code that called it warns.",
    branches: BRANCH_NAMES,
    builds: BUILDS,
    documented: true,
    evidence: "derived",
    source: [
      cite("android14-6.1", "handle_host_dynamic_hcall: x0 is written before the handler runs"),
    ],
  },
  {
    rule: "MOD-5",
    by: "module",
    instead:
      "A module touches memory of the host, or of the hypervisor, that nothing holds for it.",
    branches: BRANCH_NAMES,
    builds: BUILDS,
    documented: true,
    evidence: "read",
    source: [cite("android14-6.1", "hyp/nvhe/mm.c: ownership is not asked at an access")],
  },
  {
    rule: "MOD-6",
    by: "module",
    instead: "A module built for another branch calls what its slots hold here, or nothing.",
    branches: BRANCH_NAMES,
    builds: BUILDS,
    documented: true,
    evidence: "read",
    source: [cite("android14-6.1", "struct pkvm_module_ops: no size, no version")],
  },
  {
    rule: "MOD-7",
    by: "module",
    instead: "A page stays mapped in the fixmap, and the next one that is mapped may not be seen.",
    branches: BRANCH_NAMES,
    builds: BUILDS,
    documented: true,
    evidence: "read",
    source: [cite("android14-6.1", "hyp_fixmap_map: nothing is invalidated, hyp/nvhe/mm.c")],
  },
  {
    rule: "MOD-8",
    by: "module",
    instead: "An EL2 init that fails leaves its handlers registered.",
    branches: BRANCH_NAMES,
    builds: BUILDS,
    documented: true,
    evidence: "read",
    source: [cite("android14-6.1", "hyp/nvhe/modules.c: no registration is ever undone")],
  },
  {
    rule: "MOD-9",
    by: "module",
    instead: "An EL1 init fails over a loaded EL2 half, whose memory is freed under it.",
    branches: BRANCH_NAMES,
    builds: BUILDS,
    documented: true,
    evidence: "read",
    source: [cite("linux", "do_init_module, kernel/module/main.c")],
  },
  {
    rule: "MOD-10",
    by: "module",
    instead: "An EL1 init succeeds without its EL2 half, and calls go to whoever has the id.",
    branches: BRANCH_NAMES,
    builds: BUILDS,
    documented: true,
    evidence: "measured",
    source: [cite("measured", "mod-regnoload, mod-regbadk: loaded without an EL2 half")],
  },
  {
    rule: "MOD-11",
    by: "module",
    instead: "A module maps its code a second time, writable.",
    branches: BRANCH_NAMES,
    builds: BUILDS,
    documented: true,
    evidence: "read",
    source: [cite("android14-6.1", "__pkvm_create_private_mapping: pages are not compared")],
  },
  {
    rule: "MOD-12",
    by: "module",
    instead: "A call takes more each time that it is repeated, and never gives it back.",
    branches: BRANCH_NAMES,
    builds: BUILDS,
    documented: true,
    evidence: "read",
    source: [cite("android14-6.1", "hyp_page_ref_inc: the pins of a page are counted in 16 bits")],
  },
  {
    rule: "MOD-13",
    by: "module",
    instead: "A module gives the host bytes of the hypervisor in a register.",
    branches: BRANCH_NAMES,
    builds: BUILDS,
    documented: true,
    evidence: "read",
    source: [cite("android14-6.1", "handle_host_dynamic_hcall: whatever the handler left there")],
  },
  {
    rule: "MOD-14",
    by: "module",
    instead: "A module gives the host bytes of the hypervisor in shared memory.",
    branches: BRANCH_NAMES,
    builds: BUILDS,
    documented: true,
    evidence: "read",
    source: [cite("android14-6.1", "handle_host_dynamic_hcall: whatever the handler left there")],
  },
  {
    rule: "MOD-15",
    by: "module",
    instead: "A handler goes on as if an op had done what it has not.",
    branches: BRANCH_NAMES,
    builds: BUILDS,
    documented: true,
    evidence: "read",
    source: [cite("android14-6.1", "struct pkvm_module_ops: errnos, or NULL")],
  },
  {
    rule: "MOD-16",
    by: "module",
    instead: "An early mapping is left, and EL2 stops at the finalisation of the first CPU.",
    branches: BRANCH_NAMES,
    builds: BUILDS,
    documented: true,
    evidence: "read",
    source: [cite("android14-6.1", "__pkvm_prot_finalize: EL2 stops at a count that is not zero")],
  },
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
