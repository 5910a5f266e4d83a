// What an SMC of the host asks for, and the words of the clauses about it.

import { branchOf } from "../branches/branches.ts";
import type { Step } from "../clause.ts";
import { isFfa, isPsci, SMCCC_CALL_HINTS } from "../smccc.ts";
import type { Smc } from "../types/action.ts";
import type { Hyp } from "../types/hyp.ts";
import type { Outcome } from "../types/outcome.ts";
import { all, ensure, equal, spell, type Verdict } from "./phrases.ts";

export type SmcStep = Step<Smc>;

/** Whether SMCs of the host come to EL2. */
export const isTrapped = ({ boot }: Hyp): boolean => boot.hypUp && boot.mode === "protected";

/** Whether an SMC gets past the first checks of its branch. */
export function isLetIn({ pre, action }: SmcStep): boolean {
  const { immediateRefused, upperBitsRefused } = branchOf(pre.config).smc;
  const byImmediate = immediateRefused && (action.imm ?? 0) !== 0;
  return !byImmediate && !(upperBitsRefused && argument(action, 0) >= 1n << 32n);
}

/** x0 to x17 of the SMC; what is not given is 0. */
export const argument = ({ x }: Smc, n: number): bigint => x[n] ?? 0n;
/** The same as 32 bits. */
export const word = (action: Smc, n: number): bigint => argument(action, n) % (1n << 32n);

/** The id that pKVM acts on; undefined where pKVM does not see the SMC, or refuses to look. */
export function idOf(step: SmcStep): bigint | undefined {
  if (!isTrapped(step.pre) || !isLetIn(step)) return undefined;
  const id = word(step.action, 0);
  const hinted = branchOf(step.pre.config).smc.hintMasked && (id & SMCCC_CALL_HINTS) !== 0n;
  return hinted ? id - SMCCC_CALL_HINTS : id;
}

/** Whether a step is a PSCI call of one of these ids. */
export const isPsciCall =
  (...ids: readonly bigint[]) =>
  (step: SmcStep): boolean => {
    const id = idOf(step);
    return id !== undefined && isPsci(id) && ids.includes(id);
  };

/** Whether a step is an FF-A call to a proxy of this kind. */
export const isFfaCall =
  (policy: string, isSo: (id: bigint, action: Smc) => boolean) =>
  (step: SmcStep): boolean => {
    const id = idOf(step);
    if (id === undefined || !isFfa(id)) return false;
    return branchOf(step.pre.config).smc.ffa === policy && isSo(id, step.action);
  };

/** x0 to x3 are these. */
export const leaves = (outcome: Outcome, ...x: readonly bigint[]): Verdict =>
  ensure(
    outcome.kind === "registers" && equal(outcome.x, x),
    `the registers are not ${x.map((value) => value.toString(16)).join(" ")}: ${spell(outcome)}`,
  );

/** pKVM answers by itself. */
export const unasked = (outcome: Outcome): Verdict =>
  ensure(
    outcome.kind !== "registers" || outcome.asked === undefined,
    "the firmware was asked although pKVM answers",
  );

/** pKVM answers these registers, and the firmware does not hear of it. */
export const answersItself = (outcome: Outcome, ...x: readonly bigint[]): Verdict =>
  all(leaves(outcome, ...x), unasked(outcome));

/** What the firmware was asked. */
export const askedOf = (outcome: Outcome): readonly bigint[] | undefined =>
  outcome.kind === "registers" ? outcome.asked : undefined;

/** The firmware was asked exactly this. */
export const asksFirmware = (outcome: Outcome, x: readonly bigint[]): Verdict =>
  ensure(equal(askedOf(outcome), x), `the firmware was not asked as it should be`);
