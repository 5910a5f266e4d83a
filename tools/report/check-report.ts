// What a check found beside broken rules, for people, and all of it as one JSON object.

import { type Counterexample, formatCounterexample } from "../../counterexamples/counterexample.ts";
import type { AddressNote, CheckResult } from "../search/check-module.ts";
import { wrapped } from "./found-lines.ts";
import { coverageJson } from "./search-json.ts";
import { placeLine } from "./source-place.ts";

/** A note: it fails nothing, since pKVM itself gives the host addresses of EL2 as tokens. */
export const noteLines = ({ at, register, what }: AddressNote): readonly string[] => [
  ...wrapped("note     ", `${at.function} returns in x${register} an ${what}`),
  ...wrapped("         at ", placeLine(at)),
];

/** What is said of a check beside its result. */
export interface CheckSaid {
  readonly system: object;
  readonly commandLine: string;
  /** The lines of the verdict. */
  readonly verdict: readonly string[];
  readonly exit: number;
  /** What was found and is not accepted, and what is. */
  readonly fresh: readonly Counterexample[];
  readonly accepted: readonly Counterexample[];
  readonly bound: string;
}

const asData = (found: readonly Counterexample[]): readonly unknown[] =>
  found.map((it) => JSON.parse(formatCounterexample(it)) as unknown);

/** The whole of a check. */
export function checkJson(said: CheckSaid, result: CheckResult): string {
  const json = {
    format: 1,
    ...said,
    fresh: asData(said.fresh),
    accepted: asData(said.accepted),
    notes: result.notes.map(({ at, register, what }) => ({ register: `x${register}`, what, at })),
    down: result.down ?? null,
    byKernel: result.byKernel,
    coverage: coverageJson(result.explored.coverage),
  };
  return JSON.stringify(json, null, 2);
}
