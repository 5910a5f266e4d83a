// What a search exercised, counted in transitions: rules, transitions, refusals, errnos, pairs.

import { type Coverage, countStep, createCoverage } from "../../counterexamples/coverage.ts";
import type { ModelStep } from "../../model/step.ts";
import type { RuleId } from "../../spec/findings.ts";
import type { WorldSearch } from "./find-violation.ts";

const add = <K>(tally: Map<K, number>, key: K, times: number): void => {
  tally.set(key, (tally.get(key) ?? 0) + times);
};

/** The coverage of a search so far. */
export function coverageOf({ explorer }: WorldSearch): Coverage {
  const coverage = createCoverage();
  for (const { label, hits, move } of explorer.entries) {
    const action = explorer.moves[move]?.action;
    if (label === undefined || action === undefined) continue;
    // Counting reads the answer and the rule that gave it, and no state.
    countStep(coverage, { ...label, action } as ModelStep, hits);
  }
  for (const { judged, hits } of explorer.judgements) {
    for (const id of judged.applied) add(coverage.applied, id as RuleId, hits);
  }
  for (const [id, hits] of explorer.stateRuleHits()) {
    if (hits > 0) add(coverage.applied, id as RuleId, hits);
  }
  return coverage;
}
