// From a broken rule to a stored counterexample: shrunk, told step by step, judged.

import type { Violation } from "../../counterexamples/check.ts";
import type { Counterexample, SourcePlace } from "../../counterexamples/counterexample.ts";
import {
  type CheckedRun,
  type CheckOptions,
  type ModuleFiles,
  runChecked,
  verdictOf,
} from "../../counterexamples/run-checked.ts";
import { shrink } from "../../counterexamples/shrink.ts";
import { freeOf } from "../../counterexamples/simplify.ts";
import { stepLine } from "../../counterexamples/step-line.ts";
import type { Run } from "../../model/log.ts";
import type { ModelStep } from "../../model/step.ts";
import type { Broken } from "./explore.ts";

/** The system as part of a file's name. */
const systemName = ({ scenario }: Broken): string => {
  const { documented, branch, build } = scenario.system;
  const name = documented ? "documented" : branch;
  return build === "production" ? name : `${name}-${build}`;
};

/** How places in modules are told: in words for people, and in one word to tell two apart. */
export interface Places {
  readonly placeOf: (step: ModelStep, run: Run) => SourcePlace | undefined;
  readonly siteOf: (violation: Violation, checked: CheckedRun) => string;
}

const NOWHERE: Places = { placeOf: () => undefined, siteOf: () => "" };

/** Shrinks and writes down what was found; undefined if it does not break again. */
export function counterexampleOf(
  broken: Broken,
  files: ModuleFiles,
  options: CheckOptions & { readonly budget: number },
  by: string,
  places: Places = NOWHERE,
): Counterexample | undefined {
  const { rule, step: latest } = broken.violation;
  // Leaving something out must not make the way longer.
  const breaks = (scenario: Broken["scenario"]) => {
    const checked = runChecked(scenario, files, options);
    return checked.violations.some(
      (one) =>
        one.rule === rule && one.step <= latest && places.siteOf(one, checked) === broken.site,
    );
  };
  if (!breaks(broken.scenario)) return undefined;
  const shrunk = shrink(broken.scenario, breaks);
  const checked = runChecked(shrunk.scenario, files, options);
  const { violations, steps, run } = checked;
  const violation = violations.find(
    (one) => one.rule === rule && places.siteOf(one, checked) === broken.site,
  );
  if (violation === undefined) return undefined;
  const at = places.placeOf(steps[violation.step]!, run);
  return {
    name: `${rule.toLowerCase()}-${systemName(broken)}`,
    verdict: verdictOf(rule, shrunk.scenario.system),
    clause: rule,
    sentence: violation.sentence,
    ...(at === undefined ? {} : { at }),
    scenario: shrunk.scenario,
    options: {
      budget: options.budget,
      el2Only: options.el2Only ?? false,
      stubs: Object.fromEntries(options.stubs ?? []),
      ...(options.watch === true ? { watch: true } : {}),
      ...(options.secrets === true ? { secrets: true } : {}),
    },
    found: {
      by,
      from: shrunk.from,
      runs: shrunk.runs,
      free: freeOf(shrunk.scenario, breaks),
    },
    steps: steps.slice(0, violation.step + 1).map(stepLine),
  };
}
