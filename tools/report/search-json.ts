// What a search found and covered as one JSON object.

import { type Coverage, neverExercised } from "../../counterexamples/coverage.ts";
import { formatWalk, type StoredWalk } from "../../counterexamples/walk.ts";
import type { SearchOrder } from "../search/checkpoint.ts";
import { coverageOf } from "../search/coverage-of-search.ts";
import { type Ended, levelSizes } from "../search/exhaustive/bfs.ts";
import type { WorldSearch } from "../search/find-violation.ts";

const counts = <K extends string>(tally: ReadonlyMap<K, number>): Record<string, number> =>
  Object.fromEntries([...tally].sort(([a], [b]) => (a < b ? -1 : 1)));

/** A coverage as data: each name with how often it was exercised, and what never was. */
export const coverageJson = (coverage: Coverage): object => ({
  runs: coverage.runs,
  steps: coverage.steps,
  rules: counts(coverage.applied),
  transitions: counts(coverage.transitions),
  refusals: counts(coverage.refusals),
  errorCodes: counts(coverage.errnos),
  outcomes: counts(coverage.outcomes),
  actionPairs: counts(coverage.pairs),
  notModelled: counts(coverage.unmodelled),
  never: neverExercised(coverage),
});

/** The whole of a search. */
export function searchJson(
  search: WorldSearch,
  order: SearchOrder,
  ended: Ended,
  walks: readonly StoredWalk[],
  seconds: number,
): string {
  const { set, transitions } = search;
  const json = {
    format: 1,
    order,
    ended,
    states: set.size,
    levels: levelSizes(search),
    transitions,
    seconds,
    walks: walks.map((walk) => JSON.parse(formatWalk(walk)) as unknown),
    coverage: coverageJson(coverageOf(search)),
  };
  return JSON.stringify(json, null, 2);
}
