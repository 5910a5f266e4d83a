// One HVC of the host: which id reaches what, what is unknown, and how EL2 code comes back.

import { branchOf, hostSmcccId, protFinalizeNumber } from "../branches/branches.ts";
import { clause, type Step, type StepClause } from "../clause.ts";
import { cite } from "../sources.ts";
import type { El2Exception, Hvc } from "../types/action.ts";
import type { Hyp } from "../types/hyp.ts";
import { SMCCC_RET_SUCCESS } from "../types/outcome.ts";
import {
  dynamicIndex,
  functionId,
  hintSpoils,
  reachedHcall,
  registered,
  SVE_HINT,
  staticNumber,
} from "./hypercall.ts";
import {
  all,
  changesNothing,
  changesOnly,
  ensure,
  isUnknown,
  spell,
  unknown,
  type Verdict,
} from "./phrases.ts";

type HvcStep = Step<Hvc>;

/**
 * What the stub vectors answer to anything that they do not know. Source: HVC_STUB_ERR, asm/virt.h.
 */
const HVC_STUB_ERR = 0xbadca11n;
/** Ids below it are calls of the stub vectors. Source: HVC_STUB_HCALL_NR, asm/virt.h. */
const HVC_STUB_HCALL_NR = 4n;

const number = (step: HvcStep): number | undefined =>
  staticNumber(branchOf(step.pre.config), functionId(step));

/** Whether the id names a function that is registered and is not NULL. */
const isRegistered = (step: HvcStep): boolean =>
  step.pre.boot.hypUp && (registered(step) ?? 0n) !== 0n;

const enters = (step: HvcStep): Verdict =>
  ensure(
    step.outcome.kind === "enters" && step.outcome.address === registered(step),
    `EL2 did not enter 0x${registered(step)?.toString(16)}: ${spell(step.outcome)}`,
  );

const unknownAndUntouched = (step: HvcStep): Verdict =>
  all(unknown(step.outcome), changesNothing(step));

/** The exception class of a syndrome. Source: DDI0487 D24.2.40 ESR_EL2, EC. */
const exceptionClass = ({ action }: Step<El2Exception>): bigint => (action.esr >> 26n) & 0x3fn;
/** Instruction Abort taken without a change in Exception level. */
const INSTRUCTION_ABORT_SAME_EL = 0x21n;

const endsWith = (post: Hyp, kind: string): Verdict =>
  ensure(post.end?.kind === kind, `the system goes on: ${post.end?.kind ?? "no end"}`);

export const DISPATCH: readonly StepClause[] = [
  clause({
    id: "DISP-1",
    kind: "kernel",
    statement: "Without pKVM at EL2 the stub vectors answer 0xbadca11 to every id of pKVM.",
    source: [
      cite("linux", "arch/arm64/kernel/hyp-stub.S; HVC_STUB_ERR, asm/virt.h"),
      cite("measured", "mod-kvmoff, mod-notprotected: x0 = 0xbadca11, x1.. as given"),
    ],
    on: ["hvc"],
    applies: (step) => !step.pre.boot.hypUp && functionId(step) >= HVC_STUB_HCALL_NR,
    holds: (step) =>
      all(
        ensure(
          step.outcome.kind === "hcall" &&
            step.outcome.x0 === HVC_STUB_ERR &&
            step.outcome.x1 === undefined,
          `the stub did not answer: ${spell(step.outcome)}`,
        ),
        changesNothing(step),
      ),
  }),
  clause({
    id: "DISP-2",
    kind: "kernel",
    statement: "Once the key is set every id below __pkvm_prot_finalize is unknown.",
    source: [
      cite("android14-6.1", "handle_host_hcall, hyp/nvhe/hyp-main.c: hcall_min"),
      cite("measured", "base: ids 0xc6000001 to 0xc6000010"),
    ],
    on: ["hvc"],
    applies: (step) =>
      step.pre.boot.hypUp &&
      step.pre.boot.key &&
      (number(step) ?? Infinity) < protFinalizeNumber(branchOf(step.pre.config)),
    holds: unknownAndUntouched,
  }),
  clause({
    id: "DISP-3",
    kind: "kernel",
    statement: "Number 0 is an empty slot of the table and unknown.",
    source: [
      cite("android14-6.1", "handle_host_hcall: __kvm_hyp_init has no handler after init"),
      cite("measured", "base: 0xc6000000"),
    ],
    on: ["hvc"],
    applies: (step) => step.pre.boot.hypUp && number(step) === 0,
    holds: unknownAndUntouched,
  }),
  clause({
    id: "DISP-4",
    kind: "kernel",
    statement: "An id that names no entry of the table and nothing registered is unknown.",
    source: [
      cite("android14-6.1", "handle_host_hcall, hyp/nvhe/hyp-main.c"),
      cite("measured", "base: past the last id, SMC32 and PSCI ids, stub ids 0 to 4"),
    ],
    on: ["hvc"],
    applies: (step) =>
      step.pre.boot.hypUp && number(step) === undefined && registered(step) === undefined,
    holds: unknownAndUntouched,
  }),
  clause({
    id: "DISP-5",
    kind: "kernel",
    statement: "The ids of the table count in all their 64 bits.",
    source: [
      cite("android14-6.1", "handle_host_hcall: id is an unsigned long"),
      cite("measured", "base: 0x1c6000012 is unknown"),
    ],
    on: ["hvc"],
    applies: (step) => {
      const id = functionId(step);
      const low = staticNumber(branchOf(step.pre.config), BigInt.asUintN(32, id));
      return step.pre.boot.hypUp && id >> 32n !== 0n && low !== undefined;
    },
    holds: unknownAndUntouched,
  }),
  clause({
    id: "DISP-6",
    kind: "kernel",
    statement: "On 6.1 any id with the SVE hint is unknown, registered or in the table.",
    source: [
      cite("android14-6.1", "handle_host_hcall: the dynamic path looks at x0 with the hint"),
      cite("SMCCC", "2.5: the hint is no part of the function"),
      cite("measured", "directed: 0xc6010009 is unknown"),
    ],
    on: ["hvc"],
    applies: (step) => {
      const branch = branchOf(step.pre.config);
      const low = BigInt.asUintN(32, functionId(step) & ~SVE_HINT);
      const isOurs = low >= hostSmcccId(0) && low < hostSmcccId(1 << 16);
      return step.pre.boot.hypUp && hintSpoils(branch, functionId(step)) && isOurs;
    },
    holds: unknownAndUntouched,
  }),
  clause({
    id: "DISP-7",
    kind: "kernel",
    statement: "A registered id enters exactly the function that was registered under it.",
    source: [
      cite("android14-6.1", "handle_host_dynamic_hcall, hyp/nvhe/modules.c"),
      cite("measured", "mod-ok, mod-two, rmmod"),
    ],
    on: ["hvc"],
    applies: isRegistered,
    holds: enters,
  }),
  clause({
    id: "DISP-8",
    kind: "kernel",
    statement: "An id from the dynamic base on that nobody has registered is unknown.",
    source: [
      cite("android14-6.1", "handle_host_dynamic_hcall: index >= count"),
      cite("measured", "mod-missing: 0xc6000080 to 0xc6000087, x1.. as given"),
    ],
    on: ["hvc"],
    applies: (step) => {
      const index = dynamicIndex(branchOf(step.pre.config), functionId(step));
      return (
        step.pre.boot.hypUp &&
        index !== undefined &&
        index >= step.pre.dispatch.dynamicHcalls.length &&
        number(step) === undefined
      );
    },
    holds: unknownAndUntouched,
  }),
  clause({
    id: "DISP-9",
    kind: "kernel",
    statement: "An id under which NULL was registered is unknown.",
    source: [
      cite("android14-6.1", "handle_host_dynamic_hcall: hfn is tested"),
      cite("measured", "production mod-regbad0: registered as 128, x0 = -1 when called"),
    ],
    on: ["hvc"],
    applies: (step) => step.pre.boot.hypUp && registered(step) === 0n,
    holds: unknownAndUntouched,
  }),
  clause({
    id: "DISP-10",
    kind: "kernel",
    statement: "Only the low 32 bits of a registered id count.",
    source: [
      cite("android14-6.1", "handle_host_dynamic_hcall: the difference is cut to an int"),
      cite("measured", "mod-ok: 0x1c6000080 and 0xffffffffc6000080 reach the handler"),
    ],
    on: ["hvc"],
    applies: (step) => isRegistered(step) && functionId(step) >> 32n !== 0n,
    holds: enters,
  }),
  clause({
    id: "DISP-11",
    kind: "kernel",
    statement: "The immediate of the HVC instruction is not looked at.",
    source: [
      cite("android14-6.1", "__host_hvc, hyp/nvhe/host.S; handle_trap, hyp/nvhe/hyp-main.c"),
      cite("measured", "mod-ok: HVC #5 reaches the handler"),
    ],
    on: ["hvc"],
    applies: (step) =>
      step.action.imm !== 0 && (isRegistered(step) || reachedHcall(step) !== undefined),
    holds: ({ outcome }) => ensure(!isUnknown(outcome), "the id became unknown"),
  }),
  clause({
    id: "DISP-12",
    kind: "kernel",
    statement: "An unknown id leaves every register but x0 as it was.",
    source: [
      cite("android14-6.1", "handle_host_hcall, hyp/nvhe/hyp-main.c: inval"),
      cite("measured", "base: changed is x0 alone"),
    ],
    on: ["hvc"],
    applies: ({ outcome }) => isUnknown(outcome),
    holds: ({ outcome }) => unknown(outcome),
  }),
  clause({
    id: "DISP-13",
    kind: "kernel",
    statement: "An unknown id changes nothing in the system.",
    source: [cite("android14-6.1", "handle_host_hcall, hyp/nvhe/hyp-main.c: inval")],
    on: ["hvc"],
    applies: ({ outcome }) => isUnknown(outcome),
    holds: (step) => changesNothing(step),
  }),
  clause({
    id: "DISP-14",
    kind: "kernel",
    statement: "Registered ids go on working after the key is set.",
    source: [
      cite("android14-6.1", "handle_host_hcall: the dynamic path precedes the range test"),
      cite("measured", "mod-ok: called before and after boot"),
    ],
    on: ["hvc"],
    applies: (step) => step.pre.boot.key && isRegistered(step),
    holds: enters,
  }),
  clause({
    id: "DISP-15",
    kind: "kernel",
    statement: "The host gets x0 and x1 as the handler leaves them, and nothing else changes.",
    source: [
      cite("android14-6.1", "__host_enter_restore_full, hyp/nvhe/host.S"),
      cite("measured", "mod-ok: a handler that writes 0x7777 to x0 is believed"),
    ],
    on: ["handler_returned"],
    applies: () => true,
    holds: (step) =>
      all(
        ensure(
          step.outcome.kind === "hcall" &&
            step.outcome.x0 === (step.action.x[0] ?? 0n) &&
            step.outcome.x1 === (step.action.x[1] ?? 0n),
          `the host got something else: ${spell(step.outcome)}`,
        ),
        changesNothing(step),
      ),
  }),
  clause({
    id: "DISP-16",
    kind: "kernel",
    statement: "An exception from EL2 to EL2 stops the system.",
    source: [
      cite("android14-6.1", "__kvm_hyp_host_vector, hyp/nvhe/host.S; hyp_panic, switch.c"),
      cite("measured", "mod-regbadk: Kernel panic - not syncing: HYP panic"),
    ],
    on: ["el2_exception"],
    applies: () => true,
    holds: (step) =>
      all(
        ensure(step.outcome.kind === "hyp-panic", `no panic: ${spell(step.outcome)}`),
        endsWith(step.post, "hyp-panic"),
        changesOnly(step, "end"),
      ),
  }),
  clause({
    id: "DISP-17",
    kind: "kernel",
    statement: "EL2 code that does not come back takes its CPU with it.",
    source: [cite("android14-6.1", "EL2 runs with DAIF masked and has no watchdog: host.S")],
    on: ["budget_spent"],
    applies: () => true,
    holds: (step) =>
      all(
        ensure(step.outcome.kind === "hang", `no hang: ${spell(step.outcome)}`),
        endsWith(step.post, "hang"),
        changesOnly(step, "end"),
      ),
  }),
  clause({
    id: "DISP-18",
    kind: "kernel",
    statement: "An id of the table that is let in is answered as known.",
    source: [
      cite("android14-6.1", "handle_host_hcall: x0 = SMCCC_RET_SUCCESS before the handler"),
      cite("measured", "base: x0 = 0 whatever x1 says"),
    ],
    on: ["hvc"],
    applies: (step) => reachedHcall(step) !== undefined && step.outcome.kind === "hcall",
    holds: ({ outcome }) =>
      ensure(
        outcome.kind === "hcall" && outcome.x0 === SMCCC_RET_SUCCESS,
        `a known id was refused: ${spell(outcome)}`,
      ),
  }),
  clause({
    id: "DISP-19",
    kind: "kernel",
    statement: "Entering EL2 code of a module changes nothing by itself.",
    source: [
      cite("android14-6.1", "handle_host_dynamic_hcall, hyp/nvhe/modules.c: no lock, no state"),
    ],
    on: ["hvc"],
    applies: ({ outcome }) => outcome.kind === "enters",
    holds: (step) => changesNothing(step),
  }),
  clause({
    id: "DISP-20",
    kind: "kernel",
    statement: "A registered address that EL2 cannot execute is noticed only when it is called.",
    source: [
      cite("android14-6.1", "handle_host_dynamic_hcall: hfn is called as it is"),
      cite("measured", "production mod-regbadk: ESR 0x86000004; mod-regnoload: 0x86000005"),
    ],
    on: ["el2_exception"],
    applies: (step) =>
      step.action.entered === "handler" && exceptionClass(step) === INSTRUCTION_ABORT_SAME_EL,
    holds: ({ outcome }) =>
      ensure(
        outcome.kind === "hyp-panic" && outcome.reason === "BAD_HCALL_ADDRESS",
        `it counts as something else: ${spell(outcome)}`,
      ),
  }),
];
