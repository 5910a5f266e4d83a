// What a search covered, in a few lines: what was exercised, what never was, how far it went.

import { type Coverage, neverExercised } from "../../counterexamples/coverage.ts";
import { GUARDS, TRANSITIONS } from "../../model/transitions.ts";
import { CLAUSES, INVARIANTS } from "../../spec/registry.ts";
import { ERRNO } from "../../spec/types/errno.ts";
import type { Ended } from "../search/exhaustive/bfs.ts";
import { idsInShort, pairsShare } from "./coverage-lines.ts";
import { wrapped } from "./found-lines.ts";
import { faultLines } from "./named-faults.ts";

const grouped = (count: number): string => count.toLocaleString("en-US");

/** The bound in words. */
const endText: Readonly<Record<Ended, string>> = {
  "all states": "all",
  depth: "up to the depth asked for",
  states: "up to the number asked for",
  memory: "up to the memory allowed",
  interrupted: "interrupted",
  found: "up to the first violation",
};

/** At most so many lines of a list. */
const limited = (lines: readonly string[], most: number): readonly string[] =>
  lines.length <= most ? lines : [...lines.slice(0, most - 1), `${lines[most - 1]} …`.slice(0, 80)];

/** Rules and guards by name, and the share that was exercised. */
export function exercisedLines(coverage: Coverage): readonly string[] {
  const never = neverExercised(coverage);
  const rules = CLAUSES.length + INVARIANTS.length;
  const share = (all: number, missed: readonly string[]) => `${all - missed.length}/${all}`;
  const list = (what: string, names: readonly string[], most: number): readonly string[] =>
    names.length === 0 ? [] : limited(wrapped(`never ${what}: `, names.join(", ")), most);
  return [
    `rules ${share(rules, never.rules)}   guards ${share(GUARDS.length, never.guards)}   ` +
      `transitions ${share(TRANSITIONS.length, never.transitions)}   ` +
      `error codes ${share(Object.keys(ERRNO).length, never.errnos)}` +
      (coverage.pairs.size === 0 ? "" : `   pairs ${pairsShare(coverage)}`),
    ...list("rule", idsInShort(never.rules), 6),
    ...list(
      "transition",
      never.transitions.filter((name) => !name.includes("@")),
      3,
    ),
  ];
}

/** What a search came to, however it ran. */
export interface SearchDone {
  readonly ended: Ended;
  readonly states: number;
  readonly transitions: number;
  /** States of each level. */
  readonly levels: readonly number[];
  readonly coverage: Coverage;
}

/** The block after every search. */
export function coverageBlock(
  { states, transitions, levels, ended, coverage }: SearchDone,
  seconds: number,
): readonly string[] {
  const rate = seconds > 0 ? Math.round(transitions / seconds) : 0;
  const stops = [...coverage.unmodelled.keys()].sort();
  return [
    `states ${grouped(states)} (${endText[ended]})   depth ${levels.length - 1}   ` +
      `steps ${grouped(transitions)}   ${seconds.toFixed(1)} s   ${grouped(rate)} steps/s`,
    ...exercisedLines(coverage),
    ...limited(faultLines(coverage), 3),
    ...(stops.length === 0 ? [] : limited(wrapped("not modelled: ", stops.join("; ")), 2)),
  ];
}
