// From a broken rule to a stored counterexample: shrunk, told step by step, judged.

import type { Counterexample } from "../../counterexamples/counterexample.ts";
import {
  type CheckOptions,
  type ModuleFiles,
  runChecked,
  verdictOf,
} from "../../counterexamples/run-checked.ts";
import { shrink } from "../../counterexamples/shrink.ts";
import { stepLine } from "../../counterexamples/step-line.ts";
import type { Broken } from "./explore.ts";

/** The system as part of a file's name. */
const systemName = ({ scenario }: Broken): string => {
  const { documented, branch, build } = scenario.system;
  const name = documented ? "documented" : branch;
  return build === "production" ? name : `${name}-${build}`;
};

/** Shrinks and writes down what was found; undefined if it does not break again. */
export function counterexampleOf(
  broken: Broken,
  files: ModuleFiles,
  options: CheckOptions & { readonly budget: number },
  by: string,
): Counterexample | undefined {
  const { rule, step: latest } = broken.violation;
  // Leaving something out must not make the way longer.
  const breaks = (scenario: Broken["scenario"]) =>
    runChecked(scenario, files, options).violations.some(
      ({ rule: other, step }) => other === rule && step <= latest,
    );
  if (!breaks(broken.scenario)) return undefined;
  const shrunk = shrink(broken.scenario, breaks);
  const { violations, steps } = runChecked(shrunk.scenario, files, options);
  const violation = violations.find((one) => one.rule === rule);
  if (violation === undefined) return undefined;
  return {
    name: `${rule.toLowerCase()}-${systemName(broken)}`,
    verdict: verdictOf(rule, shrunk.scenario.system),
    clause: rule,
    sentence: violation.sentence,
    scenario: shrunk.scenario,
    options: {
      budget: options.budget,
      el2Only: options.el2Only ?? false,
      stubs: Object.fromEntries(options.stubs ?? []),
    },
    found: { by, from: shrunk.from, runs: shrunk.runs },
    steps: steps.slice(0, violation.step + 1).map(stepLine),
  };
}
