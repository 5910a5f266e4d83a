// Holds a run against the specification: steps against the clauses, states against the invariants.

import type { ClauseKind, Invariant, Step, StepClause } from "../spec/clause.ts";
import type { ActionKind } from "../spec/types/action.ts";
import type { Hyp } from "../spec/types/hyp.ts";

/** What a run is held against. */
export interface Rules {
  readonly clauses: readonly StepClause[];
  readonly invariants: readonly Invariant[];
}

export type RuleId = StepClause["id"] | Invariant["id"];

/** One rule that one step broke. */
export interface Violation {
  readonly rule: RuleId;
  readonly kind: ClauseKind;
  /** Index of the step in its run, from 0. */
  readonly step: number;
  /** What is wrong. */
  readonly sentence: string;
}

/** A checker of one run, step by step; it counts how often each rule applied. */
export interface Checker {
  /** The rules that the next step breaks. */
  readonly check: (step: Step) => readonly Violation[];
  readonly applied: ReadonlyMap<RuleId, number>;
}

type ByKind = ReadonlyMap<ActionKind, readonly StepClause[]>;
const indexes = new WeakMap<readonly StepClause[], ByKind>();

/** The clauses by the kind of action that they speak of. */
function byKind(clauses: readonly StepClause[]): ByKind {
  const known = indexes.get(clauses);
  if (known !== undefined) return known;
  const index = new Map<ActionKind, StepClause[]>();
  for (const clause of clauses) {
    for (const kind of clause.on) index.set(kind, [...(index.get(kind) ?? []), clause]);
  }
  indexes.set(clauses, index);
  return index;
}

const count = (tally: Map<RuleId, number>, id: RuleId): void => {
  tally.set(id, (tally.get(id) ?? 0) + 1);
};

/** The offenders of one invariant; a state it says nothing about has none. */
const offenders = (invariant: Invariant, hyp: Hyp): readonly string[] =>
  invariant.applies(hyp) ? invariant.violations(hyp) : [];

/** Starts to check a run. An offence against an invariant is reported where it appears, once. */
export function createChecker({ clauses, invariants }: Rules): Checker {
  const index = byKind(clauses);
  const applied = new Map<RuleId, number>();
  const known = new Map<RuleId, readonly string[]>();
  let at = -1;

  const checkClauses = (step: Step): Violation[] =>
    (index.get(step.action.kind) ?? [])
      .filter((clause) => clause.applies(step))
      .flatMap((clause) => {
        count(applied, clause.id);
        const verdict = clause.holds(step);
        return verdict === true
          ? []
          : [{ rule: clause.id, kind: clause.kind, step: at, sentence: verdict }];
      });

  const checkInvariants = ({ pre, post }: Step): Violation[] =>
    invariants.flatMap((invariant) => {
      const { id, kind } = invariant;
      if (invariant.applies(post)) count(applied, id);
      // What does not change cannot break: most steps leave the state as it is.
      if (post === pre && known.has(id)) return [];
      const before = known.get(id) ?? [];
      const now = offenders(invariant, post);
      known.set(id, now);
      return now
        .filter((sentence) => !before.includes(sentence))
        .map((sentence) => ({ rule: id, kind, step: at, sentence }));
    });

  return {
    applied,
    check: (step) => {
      at += 1;
      return [...checkClauses(step), ...checkInvariants(step)];
    },
  };
}

/** What a whole run says of the rules. */
export interface Verdict {
  readonly violations: readonly Violation[];
  readonly applied: ReadonlyMap<RuleId, number>;
}

/** Checks a list of steps. */
export function checkSteps(rules: Rules, steps: Iterable<Step>): Verdict {
  const checker = createChecker(rules);
  const violations: Violation[] = [];
  for (const step of steps) violations.push(...checker.check(step));
  return { violations, applied: checker.applied };
}
