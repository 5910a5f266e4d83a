// Looks for a rule that a fault in the model breaks: walks, directed boots, then random scenarios.

import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import fc from "fast-check";
import { checkSteps, type Violation } from "../../../counterexamples/check.ts";
import { runChecked } from "../../../counterexamples/run-checked.ts";
import { shrink } from "../../../counterexamples/shrink.ts";
import { stepLine } from "../../../counterexamples/step-line.ts";
import type { Scenario } from "../../../model/scenario.ts";
import type { ModelStep } from "../../../model/step.ts";
import { EXAMPLES } from "../../../properties/arbitraries/examples.ts";
import {
  FAILING_LOADS,
  GOOD_BOOTS,
  probed,
} from "../../../properties/arbitraries/failing-loads.ts";
import { SYSTEMS, scenario } from "../../../properties/arbitraries/scenario.ts";
import { play, WALKS, type Walk } from "../../../properties/support/walks.ts";
import { findingOf, type RuleId } from "../../../spec/findings.ts";
import type { Hunted } from "./mutant.ts";

/** Model steps after which a hunt gives up. */
export const STEP_BUDGET = 1_000_000;
/** Random scenarios of each system. */
const RANDOM_RUNS = 150;
const SEED = 20261123;
/** NON-SPEC: instructions of one entry of module code. */
const INSTRUCTIONS = 20_000;

const ROOT = fileURLToPath(new URL("../../..", import.meta.url));

const FILES: ReadonlyMap<string, Uint8Array> = new Map(
  EXAMPLES.map(({ file }) => [file, readFileSync(`${ROOT}${file}`)]),
);

/** What a way did, and the rules that nobody expects to be broken on it. */
export interface Gone {
  readonly steps: readonly ModelStep[];
  readonly violations: readonly Violation[];
}

export const isWalk = (way: Walk | Scenario): way is Walk => "why" in way;

/** Goes one way, on the model as it is loaded. */
export function go(way: Walk | Scenario): Gone {
  const steps = isWalk(way) ? play(way) : undefined;
  const gone: Gone =
    steps === undefined
      ? runChecked(way as Scenario, FILES, { budget: INSTRUCTIONS })
      : { steps, violations: checkSteps(steps).violations };
  const breaks = isWalk(way) ? way.breaks : [];
  const violations = gone.violations.filter(
    ({ rule }) => !breaks.includes(rule) && findingOf(rule, way.system) === undefined,
  );
  return { steps: gone.steps, violations };
}

const breaks = (way: Walk | Scenario, rule: RuleId): boolean =>
  go(way).violations.some((violation) => violation.rule === rule);

/** Without its boot a walk would break rules that a right model breaks as well. */
const BOOT_ACTIONS: ReadonlySet<string> = new Set(["parse_early_param", "kvm_arm_init"]);

/** A shorter way that breaks the same rule. */
function shorten(way: Walk | Scenario, rule: RuleId): Walk | Scenario {
  if (!isWalk(way)) return shrink(way, (candidate) => breaks(candidate, rule)).scenario;
  let current = way;
  for (let at = way.actions.length - 1; at >= 0; at--) {
    if (BOOT_ACTIONS.has(current.actions[at]?.kind ?? "")) continue;
    const fewer = { ...current, actions: current.actions.toSpliced(at, 1) };
    if (breaks(fewer, rule)) current = fewer;
  }
  return current;
}

/** A way with its name. */
export type Named = readonly [name: string, way: Walk | Scenario];

/** Every way, the cheap ones first. */
export function* waysInOrder(): Generator<Named> {
  for (const walk of WALKS) yield [`walk: ${walk.name}`, walk];
  for (const boot of [...FAILING_LOADS, ...GOOD_BOOTS])
    for (const system of SYSTEMS) yield [`boot: ${boot.name}`, probed(system, boot)];
  for (const system of SYSTEMS) {
    const runs = fc.sample(scenario(system, EXAMPLES), { seed: SEED, numRuns: RANDOM_RUNS });
    for (const one of runs) yield ["random scenario", one];
  }
}

/** The kill with its shrunk witness. */
function killedBy([name, way]: Named, rule: RuleId, searched: number): Hunted {
  const witness = shorten(way, rule);
  const { steps, violations } = go(witness);
  const violation = violations.find((one) => one.rule === rule);
  const end = violation?.step ?? steps.length - 1;
  return {
    kind: "killed",
    by: rule,
    sentence: violation?.sentence ?? "",
    way: name,
    witness,
    steps: steps.slice(0, end + 1).map(stepLine),
    searched,
  };
}

/** Hunts until one of the rules is broken. */
export function hunt(spokenOfBy: readonly RuleId[]): Hunted {
  let searched = 0;
  const others = new Set<RuleId>();
  for (const [name, way] of waysInOrder()) {
    if (searched >= STEP_BUDGET) break;
    try {
      const { steps, violations } = go(way);
      searched += steps.length;
      const kill = violations.find(({ rule }) => spokenOfBy.includes(rule));
      for (const { rule } of violations) others.add(rule);
      if (kill !== undefined) return killedBy([name, way], kill.rule, searched);
    } catch {
      // A fault must be found by its rule: that the model stops itself is not enough.
    }
  }
  return { kind: "survived", searched, others: [...others].toSorted() };
}
