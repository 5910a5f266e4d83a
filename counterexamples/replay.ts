// Replays a stored counterexample: is the rule still broken, and did the way there change?

import type { Violation } from "./check.ts";
import type { Counterexample } from "./counterexample.ts";
import { type CheckedRun, type CheckOptions, type ModuleFiles, runChecked } from "./run-checked.ts";
import { stepLine } from "./step-line.ts";

/** The first step that is no longer as it was stored; a side that had no such step is undefined. */
export interface Divergence {
  readonly step: number;
  readonly stored: string | undefined;
  readonly now: string | undefined;
}

/** What a replay showed. */
export interface Replayed {
  readonly checked: CheckedRun;
  /** The first violation of the stored rule, if it is still broken. */
  readonly violation: Violation | undefined;
  readonly divergence: Divergence | undefined;
}

/** The options of a run as they are stored. */
export const optionsOf = ({ options }: Counterexample): CheckOptions => ({
  budget: options.budget,
  el2Only: options.el2Only,
  stubs: new Map(Object.entries(options.stubs)),
  ...(options.watch === true ? { watch: true } : {}),
  ...(options.secrets === true ? { secrets: true } : {}),
});

/**
 * Runs the scenario again and compares it with what was stored, up to the step that broke the rule.
 */
export function replay(counterexample: Counterexample, files: ModuleFiles): Replayed {
  const checked = runChecked(counterexample.scenario, files, optionsOf(counterexample));
  const violation = checked.violations.find(({ rule }) => rule === counterexample.clause);
  const end = violation === undefined ? checked.steps.length : violation.step + 1;
  const lines = checked.steps.slice(0, end).map(stepLine);
  return { checked, violation, divergence: divergenceOf(counterexample.steps, lines) };
}

function divergenceOf(stored: readonly string[], now: readonly string[]): Divergence | undefined {
  const length = Math.max(stored.length, now.length);
  for (let step = 0; step < length; step += 1) {
    if (stored[step] !== now[step]) return { step, stored: stored[step], now: now[step] };
  }
  return undefined;
}

/** What a person is told of a replay, in one line. */
export function replayLine({ clause, steps }: Counterexample, replayed: Replayed): string {
  const { violation, divergence, checked } = replayed;
  const still = violation !== undefined;
  if (still && divergence === undefined) {
    return `${clause} is broken at step ${violation.step + 1}: ${violation.sentence}`;
  }
  const where =
    divergence === undefined
      ? `all ${steps.length} steps are as stored`
      : `step ${divergence.step + 1} was "${divergence.stored ?? "not there"}" and is now ` +
        `"${divergence.now ?? "not there"}"`;
  if (still) return `${clause} is still broken, but the way there changed: ${where}`;
  const stop =
    checked.run.unmodelled === undefined ? "" : `; the run stopped at ${checked.run.unmodelled}`;
  return `${clause} is no longer broken: ${where}${stop}`;
}
