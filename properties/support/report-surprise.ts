// What a test says of a rule that is broken where nobody expects it: the shortest way there.

import { checkSteps, type Violation } from "../../counterexamples/check.ts";
import { runChecked } from "../../counterexamples/run-checked.ts";
import { shrink } from "../../counterexamples/shrink.ts";
import { stepLine } from "../../counterexamples/step-line.ts";
import type { Scenario } from "../../model/scenario.ts";
import type { ModelStep } from "../../model/step.ts";
import { BUDGET, EXAMPLE_FILES, isWalk, type Surprise } from "./explore.ts";
import { play } from "./walks.ts";

/** The steps up to the violation, numbered. */
const told = (steps: readonly ModelStep[], { step }: Violation): readonly string[] =>
  steps.slice(0, step + 1).map((one, n) => `${n + 1} ${stepLine(one)}`);

function reportScenario(scenario: Scenario, { rule, sentence }: Violation): readonly string[] {
  const run = (candidate: Scenario) => runChecked(candidate, EXAMPLE_FILES, { budget: BUDGET });
  const broken = (candidate: Scenario) =>
    run(candidate).violations.find((violation) => violation.rule === rule);
  const shrunk = shrink(scenario, (candidate) => broken(candidate) !== undefined);
  const violation = broken(shrunk.scenario);
  return [
    `${rule} is broken: ${violation?.sentence ?? sentence}`,
    `smallest of ${shrunk.from} parts in ${shrunk.runs} runs: ${shrunk.scenario.boot.commandLine}`,
    ...(violation === undefined ? [] : told(run(shrunk.scenario).steps, violation)),
  ];
}

/** Shrinks a scenario, and tells the way step by step up to the violation. */
export function reportSurprise({ way, violation }: Surprise): string {
  const { branch, build, documented } = way.system;
  const lines = isWalk(way)
    ? [
        `${violation.rule} is broken: ${violation.sentence}`,
        `walk: ${way.name}`,
        ...told(play(way), checkSteps(play(way)).violations[0] ?? violation),
      ]
    : reportScenario(way, violation);
  return [`on ${documented ? "documented" : branch}, ${build}`, ...lines].join("\n");
}
