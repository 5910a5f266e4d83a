// The scenarios that `npm start` runs on a system: the same every time, in the same order.

import fc from "fast-check";
import type { Scenario } from "../../model/scenario.ts";
import { EXAMPLES } from "../../properties/arbitraries/examples.ts";
import { FAILING_LOADS, GOOD_BOOTS, probed } from "../../properties/arbitraries/failing-loads.ts";
import { guestScenarios } from "../../properties/arbitraries/guests.ts";
import { oddCalls } from "../../properties/arbitraries/hypercalls.ts";
import { scenario } from "../../properties/arbitraries/scenario.ts";
import type { SystemConfig } from "../../spec/types/hyp.ts";

const SEED = 20261123;
const RANDOM_RUNS = 150;
/** Calls that no kernel makes need fewer: there is little else in their scenarios. */
const ODD_RUNS = 100;
/** Instructions of one entry of module code. */
export const START_BUDGET = 20_000;

/** Directed boots, one failing stage each; guests; then random boots, and random odd calls. */
export function* startScenarios(system: SystemConfig): Generator<Scenario> {
  for (const directed of [...FAILING_LOADS, ...GOOD_BOOTS]) yield probed(system, directed);
  yield* guestScenarios(system);
  yield* fc.sample(scenario(system, EXAMPLES), { seed: SEED, numRuns: RANDOM_RUNS });
  yield* fc.sample(oddCalls(system), { seed: SEED, numRuns: ODD_RUNS });
}
