// What a kernel prints when something ends or goes wrong, by branch and build, and the abstract
// reason that each text stands for.

import type { BranchName, Build } from "./branches/branch.ts";
import { cite, type Source } from "./sources.ts";
import type { PanicReason } from "./types/outcome.ts";

/** The reasons of console texts: why EL2 died, or what the host made of a refusal. */
export type ConsoleReason =
  | PanicReason
  | "HYP_PANIC"
  | "MODULE_FAILED"
  | "EL2_INIT_FAILED"
  | "EL2_MAP_FAILED"
  | "FIRMWARE_WIPED"
  | "RECLAIM_MISMATCH"
  | "INJECTED_ABORT"
  | "BOOT_PROTECTED";

/** One text. The two builds name the same check differently: compare the reason. */
export interface ConsoleText {
  readonly on: readonly BranchName[];
  readonly builds: readonly Build[];
  readonly text: RegExp;
  readonly reason: ConsoleReason;
  readonly source: Source;
}

const ANDROID14: readonly BranchName[] = ["android14-6.1"];
const LTS: readonly BranchName[] = ["mainline-6.1", "mainline-6.12"];
const MEASURED: readonly BranchName[] = [...ANDROID14, ...LTS, "mainline-7.3"];
const BOTH: readonly Build[] = ["production", "el2debug"];

const row = (
  on: readonly BranchName[],
  builds: readonly Build[],
  text: RegExp,
  reason: ConsoleReason,
  at: string,
): ConsoleText => ({ on, builds, text, reason, source: cite("measured", at) });

/** Every text, the hypervisor's death first. */
export const CONSOLE_TEXTS: readonly ConsoleText[] = [
  row(
    LTS,
    BOTH,
    /^hyp BUG at: __kvm_nvhe_handle_host_mem_abort$/,
    "HOST_ABORT_UNHANDLED",
    "peek, poke: the host touched a page that it does not own",
  ),
  row(ANDROID14, ["el2debug"], /^hyp BUG at: mm\.c:126$/, "BAD_HCALL_ADDRESS", "mod-regbadk"),
  row(
    ANDROID14,
    ["production"],
    /^hyp panic at: address without a symbol$/,
    "BAD_HCALL_ADDRESS",
    "mod-regbadk, mod-regnoload: noticed when it is called",
  ),
  row(ANDROID14, ["el2debug"], /^hyp BUG at: mm\.c:211$/, "UNMAP_NOT_OWNED", "textonly-fail"),
  row(
    ANDROID14,
    ["production"],
    /^hyp BUG at: __kvm_nvhe___pkvm_unmap_module_page$/,
    "UNMAP_NOT_OWNED",
    "textonly-fail",
  ),
  row(
    ANDROID14,
    ["production"],
    /^hyp BUG at: __kvm_nvhe_do_donate$/,
    "DONATE_MAP_FAILED",
    "ops: a debug build answers -34",
  ),
  row(
    ANDROID14,
    ["el2debug"],
    /^hyp BUG at: pkvm\.c:853$/,
    "TEARDOWN_WHILE_LOADED",
    "life-teardown-loaded",
  ),
  row(
    ANDROID14,
    ["production"],
    /^hyp BUG at: __kvm_nvhe___pkvm_start_teardown_vm$/,
    "TEARDOWN_WHILE_LOADED",
    "life-teardown-loaded",
  ),
  row(MEASURED, BOTH, /^Kernel panic - not syncing: HYP panic$/, "HYP_PANIC", "peek, ops"),
  row(MEASURED, BOTH, /^HYP panic: ESR$/, "HYP_PANIC", "peek, ops: the syndrome of that panic"),
  row(
    ANDROID14,
    BOTH,
    /^Failed to load pkvm module .*: \d+$/,
    "MODULE_FAILED",
    "mod-missing, mod-twice: 256 times what modprobe exits with",
  ),
  row(ANDROID14, BOTH, /^Failed to init EL2 module: -\d+$/, "EL2_INIT_FAILED", "mod-failinit"),
  row(
    ANDROID14,
    BOTH,
    /^Failed to map EL2 module page: -\d+$/,
    "EL2_MAP_FAILED",
    "mod-doubleload: the pages are not the host's any more",
  ),
  row(
    ANDROID14,
    BOTH,
    /^Clearing unused pKVM firmware memory$/,
    "FIRMWARE_WIPED",
    "machines: fw-modok, fw-nomod",
  ),
  row(
    ANDROID14,
    BOTH,
    /^Failed to de-privilege the host kernel: -22$/,
    "PROT_FINALIZE_TWICE",
    "machines: a module finalised its CPU early",
  ),
  row(
    ANDROID14,
    BOTH,
    /^WARNING in _kvm_host_prot_finalize$/,
    "PROT_FINALIZE_TWICE",
    "machines: the host's side of the same",
  ),
  row(
    ANDROID14,
    BOTH,
    /^WARNING in (?:pkvm_host_reclaim_page|pkvm_destroy_hyp_vm)$/,
    "RECLAIM_MISMATCH",
    "machines: after an unaligned MEM_RELINQUISH",
  ),
  row(
    ANDROID14,
    BOTH,
    /^host oops: access to hypervisor-protected memory$/,
    "INJECTED_ABORT",
    "machines: it hit the host's kernel",
  ),
  row(
    [...ANDROID14, "mainline-7.3"],
    BOTH,
    /^(?:Segmentation fault|terminating on signal)/,
    "INJECTED_ABORT",
    "machines: it hit a process of the host",
  ),
  row(
    MEASURED,
    BOTH,
    /^Protected [nh]VHE mode initialized successfully$/,
    "BOOT_PROTECTED",
    "base, every kernel",
  ),
];

/** The row of a text that a kernel printed; undefined for a text that stands for nothing. */
export const consoleTextOf = (
  text: string,
  on?: { readonly branch: BranchName; readonly build: Build },
): ConsoleText | undefined =>
  CONSOLE_TEXTS.find(
    (one) =>
      one.text.test(text) &&
      (on === undefined || (one.on.includes(on.branch) && one.builds.includes(on.build))),
  );
