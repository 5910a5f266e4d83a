// What a run put at risk: each refusal is made once more without its guard, and the rules that
// notice are remembered.

import { type ModelStep, step } from "../model/step.ts";
import type { GuardKey } from "../model/transition.ts";
import { findingOf, type RuleId } from "../spec/findings.ts";
import { judgeState, judgeStep } from "../spec/registry.ts";
import type { Hyp } from "../spec/types/hyp.ts";

/** Refusals of one guard that are tried until a rule notices. */
const TRIES_MAX = 3;

/** What is known of one guard: how often it was tried, and which rules would miss it. */
export interface GuardRisk {
  tries: number;
  readonly noticedBy: Set<RuleId>;
}

export type Risk = Map<GuardKey, GuardRisk>;

const offences = (hyp: Hyp): ReadonlySet<string> =>
  new Set(judgeState(hyp).flatMap(({ rule, wrong }) => wrong.map((text) => `${rule.id} ${text}`)));

/** The rules that a step breaks, beyond what was broken before it and what is known anyway. */
function brokenBy(done: ModelStep): readonly RuleId[] {
  const before = offences(done.pre);
  const ofStep = judgeStep(done).filter(({ wrong }) => wrong.length > 0);
  const ofState = judgeState(done.post).filter(({ rule, wrong }) =>
    wrong.some((text) => !before.has(`${rule.id} ${text}`)),
  );
  return [...ofStep, ...ofState]
    .map(({ rule }) => rule.id as RuleId)
    .filter((rule) => findingOf(rule, done.pre.config) === undefined);
}

/** Makes a refused step once more without the guard, as long as nothing has noticed. */
export function countRisk(risk: Risk, { pre, action, transition, refusedBy }: ModelStep): void {
  if (refusedBy === undefined) return;
  const key = `${transition}/${refusedBy}` as GuardKey;
  const known = risk.get(key) ?? { tries: 0, noticedBy: new Set<RuleId>() };
  risk.set(key, known);
  if (known.noticedBy.size > 0 || known.tries >= TRIES_MAX) return;
  known.tries += 1;
  for (const rule of brokenBy(step(pre, action, { omit: new Set([key]) }))) {
    known.noticedBy.add(rule);
  }
}

/** Every rule that some missing guard breaks. */
export const rulesAtRisk = (risk: Risk): ReadonlySet<RuleId> =>
  new Set([...risk.values()].flatMap(({ noticedBy }) => [...noticedBy]));

/** Guards that refused, and whose absence no rule noticed in the step itself. */
export const unnoticedGuards = (risk: Risk): readonly GuardKey[] =>
  [...risk].filter(([, { noticedBy }]) => noticedBy.size === 0).map(([key]) => key);
