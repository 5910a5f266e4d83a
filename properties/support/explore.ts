// A fixed amount of exploration that several tests share: directed boots, then seeded random ones.

import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import fc from "fast-check";
import { checkSteps, type Violation } from "../../counterexamples/check.ts";
import {
  type Coverage,
  countApplied,
  countStep,
  createCoverage,
} from "../../counterexamples/coverage.ts";
import { runChecked } from "../../counterexamples/run-checked.ts";
import { sizeOf } from "../../counterexamples/shrink.ts";
import type { Scenario } from "../../model/scenario.ts";
import type { ModelStep } from "../../model/step.ts";
import { findingOf } from "../../spec/findings.ts";
import { EXAMPLES } from "../arbitraries/examples.ts";
import { FAILING_LOADS, GOOD_BOOTS, probed } from "../arbitraries/failing-loads.ts";
import { SYSTEMS, scenario } from "../arbitraries/scenario.ts";
import { watchedCode } from "../arbitraries/watched-code.ts";
import { play, WALKS, type Walk } from "./walks.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));

/** Every example module by its path. */
export const EXAMPLE_FILES: ReadonlyMap<string, Uint8Array> = new Map(
  EXAMPLES.map(({ file }) => [file, readFileSync(`${ROOT}${file}`)]),
);

/** NON-SPEC: enough for the longest example; a handler that never returns costs this much. */
export const BUDGET = 20_000;

/** A violation that nobody expects, with what leads to it. */
export interface Surprise {
  readonly way: Scenario | Walk;
  readonly violation: Violation;
}

/** What the exploration saw. */
export interface Explored {
  readonly coverage: Coverage;
  readonly surprises: readonly Surprise[];
  /** For each guard, ways on which it refused: directed ones first, then small ones. */
  readonly refused: ReadonlyMap<string, readonly (Scenario | Walk)[]>;
}

/** Random scenarios that are kept for each guard. */
const WITNESS_MAX = 6;

/** Whether a way is a walk of the abstract model. */
export const isWalk = (way: Scenario | Walk): way is Walk => "why" in way;

/**
 * What is kept of the ways on which a guard refused: all that were directed, the smallest others.
 */
interface Witnesses {
  readonly directed: (Scenario | Walk)[];
  random: readonly Scenario[];
}

/** Remembers a way under each guard that refused on it. */
function remember(
  refused: Map<string, Witnesses>,
  steps: readonly ModelStep[],
  way: Scenario | Walk,
  isDirected: boolean,
): void {
  const guards = steps.flatMap(({ transition, refusedBy }) =>
    refusedBy === undefined ? [] : [`${transition}/${refusedBy}`],
  );
  for (const guard of new Set(guards)) {
    const known = refused.get(guard) ?? { directed: [], random: [] };
    refused.set(guard, known);
    if (isDirected || isWalk(way)) known.directed.push(way);
    else {
      known.random = [...known.random, way]
        .sort((a, b) => sizeOf(a) - sizeOf(b))
        .slice(0, WITNESS_MAX);
    }
  }
}

/**
 * Runs the walks, the directed boots and `runs` random scenarios on every system; guards in `omit`
 * are left out of the model.
 */
export function explore(seed: number, runs: number, omit?: ReadonlySet<string>): Explored {
  const options = { budget: BUDGET, watch: true, ...(omit === undefined ? {} : { omit }) };
  const coverage = createCoverage();
  const surprises: Surprise[] = [];
  const refused = new Map<string, Witnesses>();
  const saw = (
    way: Scenario | Walk,
    steps: readonly ModelStep[],
    violations: readonly Violation[],
    isDirected: boolean,
  ): void => {
    remember(refused, steps, way, isDirected);
    for (const violation of violations) {
      const known = isWalk(way) && way.breaks.includes(violation.rule);
      if (known || findingOf(violation.rule, way.system) !== undefined) continue;
      surprises.push({ way, violation });
    }
  };
  for (const walk of WALKS) {
    const steps = play(walk, omit);
    const { violations, applied } = checkSteps(steps);
    for (const step of steps) countStep(coverage, step);
    countApplied(coverage, applied);
    saw(walk, steps, violations, true);
  }
  for (const system of SYSTEMS) {
    const boots = [...FAILING_LOADS, ...GOOD_BOOTS].map((one) => probed(system, one));
    const directed = [...boots, ...watchedCode(system)];
    const random = fc.sample(scenario(system, EXAMPLES), { seed, numRuns: runs });
    for (const way of [...directed, ...random]) {
      const { steps, violations } = runChecked(way, EXAMPLE_FILES, options, coverage);
      saw(way, steps, violations, directed.includes(way));
    }
    for (const way of watchedCode(system)) {
      const varied = { ...options, secrets: true };
      const { steps, violations } = runChecked(way, EXAMPLE_FILES, varied, coverage);
      saw(way, steps, violations, false);
    }
  }
  const ways = [...refused].map(([guard, { directed, random }]) => {
    return [guard, [...directed, ...random]] as const;
  });
  return { coverage, surprises, refused: new Map(ways) };
}

let shared: Explored | undefined;

/** The exploration that the tests of one worker share. Its seed is fixed: every day is the same. */
export function explored(): Explored {
  shared ??= explore(20261123, 150);
  return shared;
}
