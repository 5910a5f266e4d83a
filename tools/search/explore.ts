// Runs many scenarios and keeps, for each rule that breaks, the smallest way there.

import type { Violation } from "../../counterexamples/check.ts";
import { type Coverage, createCoverage } from "../../counterexamples/coverage.ts";
import {
  type CheckedRun,
  type CheckOptions,
  type ModuleFiles,
  runChecked,
} from "../../counterexamples/run-checked.ts";
import { sizeOf } from "../../counterexamples/shrink.ts";
import type { Scenario } from "../../model/scenario.ts";
import type { RuleId } from "../../spec/findings.ts";

/** A broken rule, and the shortest scenario seen that breaks it on that system. */
export interface Broken {
  readonly scenario: Scenario;
  readonly violation: Violation;
  /** The place, as the exploration was told to name it. */
  readonly site: string;
}

/** What an exploration saw; it grows while it runs. */
export interface Explored {
  readonly coverage: Coverage;
  /** By rule, system and place. */
  readonly broken: Map<string, Broken>;
  /** Modules that booted, with the times they did. */
  readonly booted: Map<string, number>;
  /** Whether it was ended early. */
  interrupted: boolean;
}

/** How an exploration reports and is stopped. */
export interface ExploreHooks {
  /** Where a rule broke, in a word: two places of one rule are two findings. */
  readonly siteOf?: (violation: Violation, checked: CheckedRun) => string;
  /** Told of every run. */
  readonly seen?: (scenario: Scenario, checked: CheckedRun) => void;
  readonly progress?: (done: number, explored: Explored) => void;
  readonly stopped?: () => boolean;
}

export const createExplored = (): Explored => ({
  coverage: createCoverage(),
  broken: new Map(),
  booted: new Map(),
  interrupted: false,
});

const keyOf = (rule: RuleId, { system }: Scenario, site: string): string =>
  `${rule} ${system.documented ? "documented" : system.branch} ${system.build} ${site}`;

/** What another CPU does inside an action is harder to follow than two actions in turn. */
const INSIDE = 2;

/** What is short to read: few steps up to the violation, then few parts. */
const lengthOf = ({ scenario, violation }: Broken): number => {
  const inside = scenario.actions.reduce(
    (sum, action) => sum + ("meanwhile" in action ? (action.meanwhile ?? []).length : 0),
    0,
  );
  return violation.step * 1000 + sizeOf(scenario) + INSIDE * inside;
};

/** Remembers a violation if it is the first of its rule there, or shorter than the one before. */
export function remember(
  explored: Explored,
  scenario: Scenario,
  violation: Violation,
  site: string,
): void {
  const key = keyOf(violation.rule, scenario, site);
  const known = explored.broken.get(key);
  if (known !== undefined && lengthOf(known) <= lengthOf({ scenario, violation, site })) return;
  explored.broken.set(key, { scenario, violation, site });
}

/** Counts the modules whose EL2 half runs at the end. */
function countBooted({ booted }: Explored, { run }: CheckedRun): void {
  for (const { name, state, el2 } of run.final.modules.values()) {
    if (state !== "live" || el2 !== "initialised") continue;
    booted.set(name, (booted.get(name) ?? 0) + 1);
  }
}

/** How many runs go by before signals are looked at. */
const RUNS_A_TURN = 16;

/** Runs every scenario in turn. */
export async function explore(
  scenarios: Iterable<Scenario>,
  files: ModuleFiles,
  options: CheckOptions,
  hooks: ExploreHooks = {},
  explored: Explored = createExplored(),
): Promise<Explored> {
  let done = 0;
  for (const scenario of scenarios) {
    if (hooks.stopped?.() === true) {
      explored.interrupted = true;
      break;
    }
    const checked = runChecked(scenario, files, options, explored.coverage);
    countBooted(explored, checked);
    hooks.seen?.(scenario, checked);
    for (const violation of checked.violations) {
      const site = hooks.siteOf?.(violation, checked) ?? "";
      remember(explored, scenario, violation, site);
    }
    done += 1;
    if (done % RUNS_A_TURN === 0) {
      hooks.progress?.(done, explored);
      await new Promise((resume) => setImmediate(resume));
    }
  }
  return explored;
}
