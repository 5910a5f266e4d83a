// What a number of runs exercised, and what they never did.

import type { ModelStep } from "../model/step.ts";
import { GUARDS, TRANSITIONS } from "../model/transitions.ts";
import type { RuleId } from "../spec/findings.ts";
import { CLAUSES, INVARIANTS } from "../spec/registry.ts";
import { ERRNO, errnoName } from "../spec/types/errno.ts";
import type { Outcome } from "../spec/types/outcome.ts";
import { signed } from "../spec/types/outcome.ts";
import { type Risk, rulesAtRisk } from "./risk.ts";

/** How often each thing happened; grows with every run. */
export interface Coverage {
  runs: number;
  steps: number;
  instructions: number;
  /** Rules by id: steps or states that they said something about. */
  readonly applied: Map<RuleId, number>;
  /** Transitions by name. */
  readonly transitions: Map<string, number>;
  /** Guards that refused, by `TRANSITION/CLAUSE`. */
  readonly refusals: Map<string, number>;
  /** Errnos answered, by name. */
  readonly errnos: Map<string, number>;
  /** Kinds of outcome, panics with their reason. */
  readonly outcomes: Map<string, number>;
  /** Pairs of transitions of which the second came right after the first: `FIRST > SECOND`. */
  readonly pairs: Map<string, number>;
  /** What the model does not know and a run stopped at. */
  readonly unmodelled: Map<string, number>;
  /** Guards that refused, and the rules that would miss them. */
  readonly risk: Risk;
  /** Rules that were broken. */
  readonly broken: Set<RuleId>;
}

export const createCoverage = (): Coverage => ({
  runs: 0,
  steps: 0,
  instructions: 0,
  applied: new Map(),
  transitions: new Map(),
  refusals: new Map(),
  errnos: new Map(),
  outcomes: new Map(),
  pairs: new Map(),
  unmodelled: new Map(),
  risk: new Map(),
  broken: new Set(),
});

const add = <K>(tally: Map<K, number>, key: K, times = 1): void => {
  tally.set(key, (tally.get(key) ?? 0) + times);
};

/** The largest errno. Source: MAX_ERRNO, linux/err.h. */
const MAX_ERRNO = 4095n;

/** The errno that an outcome carries, by name. */
export function errnoOf(outcome: Outcome): string | undefined {
  const raw =
    outcome.kind === "returned" ? outcome.value : outcome.kind === "hcall" ? outcome.x1 : undefined;
  if (raw === undefined) return undefined;
  const value = signed(raw);
  return value < 0n && value >= -MAX_ERRNO ? errnoName(Number(value)) : undefined;
}

/** Counts one step, or one that was made several times. */
export function countStep(coverage: Coverage, step: ModelStep, times = 1): void {
  const { outcome, transition, refusedBy, through = [] } = step;
  coverage.steps += times;
  for (const name of [...through, transition]) add(coverage.transitions, name, times);
  if (refusedBy !== undefined) add(coverage.refusals, `${transition}/${refusedBy}`, times);
  const errno = errnoOf(outcome);
  if (errno !== undefined) add(coverage.errnos, errno, times);
  const panics = outcome.kind === "hyp-panic" || outcome.kind === "host-panic";
  add(coverage.outcomes, panics ? `${outcome.kind} ${outcome.reason}` : outcome.kind, times);
  if (outcome.kind === "unmodelled") add(coverage.unmodelled, outcome.what, times);
}

/** Counts which transition came right after which in one run. */
export function countPairs({ pairs }: Coverage, steps: readonly ModelStep[]): void {
  for (const [n, { transition }] of steps.entries()) {
    const before = steps[n - 1];
    if (before !== undefined) add(pairs, `${before.transition} > ${transition}`);
  }
}

/** Counts how often the rules applied in a run. */
export function countApplied(coverage: Coverage, applied: ReadonlyMap<RuleId, number>): void {
  for (const [id, times] of applied) add(coverage.applied, id, times);
}

/** What was never exercised, by name. */
export interface Never {
  readonly rules: readonly string[];
  readonly errnos: readonly string[];
  readonly transitions: readonly string[];
  readonly guards: readonly string[];
}

/** What of the specification and of the model these runs never came to. */
export function neverExercised(coverage: Coverage): Never {
  return {
    rules: [...CLAUSES, ...INVARIANTS]
      .filter(({ id }) => !coverage.applied.has(id))
      .map(({ id }) => id),
    errnos: Object.keys(ERRNO).filter((name) => !coverage.errnos.has(`-${name}`)),
    transitions: TRANSITIONS.filter(({ name }) => !coverage.transitions.has(name)).map(
      ({ name }) => name,
    ),
    guards: GUARDS.filter(({ key }) => !coverage.refusals.has(key)).map(({ key }) => key),
  };
}

/** Invariants that held while something could have broken them, and those that nothing touched. */
export interface AtRisk {
  readonly invariants: readonly string[];
  readonly weak: readonly string[];
}

/** Of the invariants that applied: those that broke or that a missing guard breaks, and others. */
export function atRisk({ applied, broken, risk }: Coverage): AtRisk {
  const touched = new Set([...broken, ...rulesAtRisk(risk)]);
  const seen = INVARIANTS.map(({ id }) => id).filter((id) => applied.has(id));
  return {
    invariants: seen.filter((id) => touched.has(id)),
    weak: seen.filter((id) => !touched.has(id)),
  };
}
