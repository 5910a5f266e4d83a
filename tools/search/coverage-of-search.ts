// What a search exercised, counted in transitions: rules, transitions, refusals, errnos, pairs.

import { type Coverage, countStep, createCoverage } from "../../counterexamples/coverage.ts";
import type { ModelStep } from "../../model/step.ts";
import type { RuleId } from "../../spec/findings.ts";
import { moveAt, readState } from "./exhaustive/state-set.ts";
import type { WorldSearch } from "./find-violation.ts";

const add = <K>(tally: Map<K, number>, key: K, times: number): void => {
  tally.set(key, (tally.get(key) ?? 0) + times);
};

/** What a search has looked at. */
type Looked = Pick<WorldSearch, "explorer" | "set" | "head">;

/** The coverage of a search so far. */
export function coverageOf(search: Looked): Coverage {
  const { explorer } = search;
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
  countTreePairs(search, coverage);
  return coverage;
}

/**
 * Pairs of transitions along the tree of first ways: what follows the transition by which a state
 * was reached first. Others that lead there as well are not counted.
 */
function countTreePairs({ explorer, set, head }: Looked, { pairs }: Coverage): void {
  const row = new Uint32Array(set.width);
  const transitionOf = new Map<number, Map<string, number>>();
  for (let index = 0; index < head; index += 1) {
    const into = moveAt(set, index);
    if (into < 0 || explorer.moves[into]?.action === undefined) continue;
    readState(set, index, row);
    const from = transitionOf.get(into) ?? new Map<string, number>();
    transitionOf.set(into, from);
    for (const mover of explorer.searched.movers.keys()) {
      for (const move of explorer.movesOf(mover, row)) {
        const name = explorer.stepOf(row, move).label?.transition;
        if (name !== undefined) add(from, name, 1);
      }
    }
  }
  for (const [into, followers] of transitionOf) {
    const first = transitionNames(explorer.entries, into);
    for (const [second, times] of followers)
      for (const name of first) add(pairs, `${name} > ${second}`, times);
  }
}

/** Transitions that a move was seen to be. */
const transitionNames = (
  entries: WorldSearch["explorer"]["entries"],
  move: number,
): ReadonlySet<string> =>
  new Set(
    entries.flatMap((entry) =>
      entry.move === move && entry.changed.length > 0 && entry.label !== undefined
        ? [entry.label.transition]
        : [],
    ),
  );
