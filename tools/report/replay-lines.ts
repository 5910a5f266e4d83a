// How a replay ended: the rule is broken as stored, or where the way first differs and why.

import type { Violation } from "../../counterexamples/check.ts";
import type { Divergence } from "../../counterexamples/replay.ts";
import type { ModelStep } from "../../model/step.ts";
import type { ClauseId } from "../../spec/clause.ts";
import type { RuleId } from "../../spec/findings.ts";
import { clauseOf } from "../../spec/registry.ts";
import { wrapped } from "./found-lines.ts";

/** What a replay is about and what it showed. */
export interface ReplayEnd {
  readonly clause: RuleId;
  readonly verdict: string;
  /** Steps that are stored. */
  readonly stored: number;
  readonly violation: Violation | undefined;
  readonly divergence: Divergence | undefined;
  readonly steps: readonly ModelStep[];
  /** Where the run stopped because the model knows no more. */
  readonly unmodelled?: string | undefined;
}

/** Which rule of the model made the step as it is now. */
function madeBy(step: ModelStep | undefined): readonly string[] {
  if (step === undefined) return ["the run ends before it"];
  const { transition, refusedBy } = step;
  if (refusedBy === undefined) return [`${transition} does it, and refuses nothing`];
  return [
    `${transition} refuses it by ${refusedBy}: ${clauseOf(refusedBy as ClauseId)?.statement}`,
  ];
}

/** The first step that is not as stored: what it was, what it is, and why. */
function divergenceLines({ steps, divergence }: ReplayEnd): readonly string[] {
  if (divergence === undefined) return [];
  const { step, stored, now } = divergence;
  return [
    ...wrapped("  was  ", stored ?? "no step: the stored way ends before it"),
    ...wrapped("  now  ", now ?? "no step: the way ends before it"),
    ...madeBy(steps[step]).flatMap((line) => wrapped("  why  ", line)),
  ];
}

/** The end of a replay in lines of at most 80 columns. */
export function replayEndLines(end: ReplayEnd): readonly string[] {
  const { clause, verdict, stored, violation, divergence, unmodelled } = end;
  const way =
    divergence === undefined
      ? `all ${stored} steps are as stored`
      : `from step ${divergence.step + 1} on the way there is not as stored`;
  const is = divergence === undefined ? "is" : "is still";
  const rule =
    violation === undefined
      ? `${clause} is no longer broken`
      : `${clause} ${is} broken at step ${violation.step + 1}`;
  const stop = unmodelled === undefined ? [] : wrapped("  stop ", `not modelled: ${unmodelled}`);
  return [...wrapped("", `${verdict}: ${rule}; ${way}`), ...divergenceLines(end), ...stop];
}
