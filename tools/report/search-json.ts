// What a search found and covered as one JSON object.

import { atRisk, type Coverage, neverExercised } from "../../counterexamples/coverage.ts";
import { formatWalk, type StoredWalk } from "../../counterexamples/walk.ts";
import type { SearchOrder } from "../search/checkpoint.ts";
import { brokenByFaults } from "./named-faults.ts";
import type { SearchDone } from "./search-lines.ts";

const counts = <K extends string>(tally: ReadonlyMap<K, number>): Record<string, number> =>
  Object.fromEntries([...tally].sort(([a], [b]) => (a < b ? -1 : 1)));

/** Guards that refused, with the rules that would miss them. */
const noticed = ({ risk }: Coverage): Record<string, readonly string[]> =>
  Object.fromEntries([...risk].map(([key, { noticedBy }]) => [key, [...noticedBy].sort()]));

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
  // A search of states asks this only when it is told to: `--risk`.
  ...(coverage.runs === 0
    ? {}
    : { invariantsAtRisk: atRisk(coverage), guardsNoticedBy: noticed(coverage) }),
});

/** The whole of a search; `risk` where it was asked for. */
export function searchJson(
  done: SearchDone,
  order: SearchOrder,
  walks: readonly StoredWalk[],
  seconds: number,
  risk: object | undefined,
): string {
  const { ended, states, levels, transitions, coverage } = done;
  const json = {
    format: 1,
    order,
    ended,
    states,
    levels,
    transitions,
    seconds,
    walks: walks.map((walk) => JSON.parse(formatWalk(walk)) as unknown),
    coverage: coverageJson(coverage),
    brokenByNamedFaults: Object.fromEntries(brokenByFaults(coverage.applied.keys())),
    ...(risk === undefined ? {} : { risk }),
  };
  return JSON.stringify(json, null, 2);
}
