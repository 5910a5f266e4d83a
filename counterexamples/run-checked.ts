// Runs a scenario on the machine and holds every step of it against the specification.

import type { Run } from "../model/log.ts";
import { runScenario } from "../model/machine/run-scenario.ts";
import type { Scenario } from "../model/scenario.ts";
import type { ModelStep } from "../model/step.ts";
import { findingOf, type RuleId } from "../spec/findings.ts";
import type { SystemConfig } from "../spec/types/hyp.ts";
import { checkSteps, type Violation } from "./check.ts";
import { type Coverage, countApplied, countPairs, countStep } from "./coverage.ts";
import { countRisk } from "./risk.ts";

/** Instructions that one entry of module code may take, where nobody says otherwise. */
export const BUDGET = 1_000_000;

/** How a scenario is run; a guard in `omit` is left out of the model. */
export interface CheckOptions {
  readonly budget?: number;
  readonly el2Only?: boolean;
  readonly stubs?: ReadonlyMap<string, bigint>;
  readonly omit?: ReadonlySet<string>;
  /** Look at every instruction of module code at EL2. */
  readonly watch?: boolean;
  /** Make each call a second time with other secrets. */
  readonly secrets?: boolean;
}

/** A run with what is wrong with it. */
export interface CheckedRun {
  readonly run: Run;
  readonly steps: readonly ModelStep[];
  readonly violations: readonly Violation[];
  readonly applied: ReadonlyMap<RuleId, number>;
}

/** The files of a run: the bytes of each module by the name that the initramfs gives it. */
export type ModuleFiles = ReadonlyMap<string, Uint8Array>;

/** Runs and checks; counts into `coverage` when one is given. */
export function runChecked(
  scenario: Scenario,
  files: ModuleFiles,
  options: CheckOptions = {},
  coverage?: Coverage,
): CheckedRun {
  const run = runScenario(scenario, files, { budget: BUDGET, ...options });
  const steps = run.log.flatMap((event) => (event.kind === "step" ? [event.step] : []));
  const { violations, applied } = checkSteps(steps);
  if (coverage !== undefined) {
    coverage.runs += 1;
    coverage.instructions += run.instructions;
    for (const step of steps) countStep(coverage, step);
    countPairs(coverage, steps);
    countApplied(coverage, applied);
    for (const { rule } of violations) coverage.broken.add(rule);
    if (options.omit === undefined) for (const step of steps) countRisk(coverage.risk, step);
  }
  return { run, steps, violations, applied };
}

/**
 * What a broken rule means: a finding, where the system is known to break it; otherwise a
 * violation.
 */
export const verdictOf = (rule: RuleId, config: SystemConfig): "finding" | "violation" =>
  findingOf(rule, config) === undefined ? "violation" : "finding";
