// Holds a run against the specification: steps against the clauses, states against the invariants.

import type { ClauseKind, Invariant, Step, StepClause } from "../spec/clause.ts";
import type { RuleId } from "../spec/findings.ts";
import { type Judgement, judgeState, judgeStep } from "../spec/registry.ts";
import type { Hyp } from "../spec/types/hyp.ts";

/** Who says what is right of a step and of a state: the registry, or a test. */
export interface Judge {
  readonly step: (step: Step) => readonly Judgement<StepClause>[];
  readonly state: (hyp: Hyp) => readonly Judgement<Invariant>[];
}

const REGISTRY: Judge = { step: judgeStep, state: judgeState };

/** One rule that one step broke. */
export interface Violation {
  readonly rule: RuleId;
  readonly kind: ClauseKind;
  /** Index of the step in its run, from 0. */
  readonly step: number;
  /** What is wrong. */
  readonly sentence: string;
}

/** What a whole run says of the rules: what is broken, and how often each rule applied. */
export interface Verdict {
  readonly violations: readonly Violation[];
  readonly applied: ReadonlyMap<RuleId, number>;
}

/**
 * Checks the steps of one run. An offence against an invariant is reported where it appears, once.
 */
export function checkSteps(steps: Iterable<Step>, judge: Judge = REGISTRY): Verdict {
  const violations: Violation[] = [];
  const applied = new Map<RuleId, number>();
  const known = new Map<RuleId, readonly string[]>();
  let at = -1;
  let states: readonly Judgement<Invariant>[] = [];

  const judged = (
    judgements: readonly Judgement<StepClause | Invariant>[],
    isNew: (id: RuleId, sentence: string) => boolean,
  ): void => {
    for (const { rule, wrong } of judgements) {
      applied.set(rule.id, (applied.get(rule.id) ?? 0) + 1);
      for (const sentence of wrong) {
        if (!isNew(rule.id, sentence)) continue;
        violations.push({ rule: rule.id, kind: rule.kind, step: at, sentence });
      }
    }
  };
  for (const step of steps) {
    at += 1;
    judged(judge.step(step), () => true);
    // A step that changed nothing leaves a state that was judged before.
    if (at === 0 || step.post !== step.pre) states = judge.state(step.post);
    judged(states, (id, sentence) => !(known.get(id) ?? []).includes(sentence));
    for (const { rule, wrong } of states) known.set(rule.id, wrong);
  }
  return { violations, applied };
}
