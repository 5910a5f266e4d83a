// The order in which an instruction can fail, as one list; the interpreter asks in this order.
//
// Source: DDI0487 D1.3.5.6 Prioritization of Synchronous exceptions taken to AArch64 state.
//
//   1. Interrupts, taken between instructions               pendingBefore, here
//   2. Software step                                        pendingBefore, here
//   3. PC alignment                                         fetchWord in mmu/access.ts
//   4. Instruction Abort                                    fetchWord
//   5. Illegal Execution state                              pendingAfterFetch, here
//   6. Branch Target                                        pendingAfterFetch, here
//   7. Software breakpoint, UNDEFINED, traps, calls         the instruction itself
//   8. SP alignment                                         readMem and writeMem callers
//   9. Data Abort, in the order of mmu/access.ts:
//      alignment not caused by the memory type; stage 1 walk from the first level on, where a
//      walk that fails in stage 2 comes before the level that it looks up; alignment caused by
//      the memory type of stage 1; stage 1 permission; stage 2 walk; alignment caused by stage 2;
//      stage 2 permission; tag check; external abort

import type { Core } from "../state.ts";
import type { Exception } from "./exception.ts";
import { branchTargetException, illegalState } from "./generate.ts";
import { acknowledge, pendingInterrupt } from "./interrupts.ts";
import { advanceSoftwareStep, pendingSoftwareStep } from "./software-step.ts";

/**
 * The exception to take instead of the next instruction, before it is fetched. Where there is
 * none, software step moves on.
 */
export function pendingBefore(core: Core): Exception | undefined {
  const interrupt = pendingInterrupt(core);
  if (interrupt !== undefined) {
    acknowledge(core, interrupt);
    return interrupt;
  }
  const step = pendingSoftwareStep(core);
  if (step === undefined) advanceSoftwareStep(core);
  return step;
}

/**
 * Whether `pendingBefore` can find anything at all. All that it looks at changes only by an MSR,
 * an exception, an exception return, or from outside of `run`.
 */
export function mayBePending(core: Core): boolean {
  const { pending, sysreg } = core;
  const virtual = 0b111n << 6n; // HCR_EL2.{VSE,VI,VF}
  return (
    pending.irq ||
    pending.fiq ||
    pending.serror ||
    (sysreg.MDSCR_EL1 & 1n) !== 0n ||
    (sysreg.HCR_EL2 & virtual) !== 0n
  );
}

/** The exception to take once the word is fetched. `landingPad`: the word accepts this BTYPE. */
export function pendingAfterFetch(
  core: Core,
  guarded: boolean,
  landingPad: boolean,
): Exception | undefined {
  if (core.pstate.IL === 1) return illegalState(core);
  if (guarded && core.pstate.BTYPE !== 0 && !landingPad) return branchTargetException(core);
  return undefined;
}
