// What a number of runs checked, and what they never came to.

import { atRisk, type Coverage, neverExercised } from "../../counterexamples/coverage.ts";
import { unnoticedGuards } from "../../counterexamples/risk.ts";
import { GUARDS, TRANSITIONS } from "../../model/transitions.ts";
import { CLAUSES, INVARIANTS } from "../../spec/registry.ts";
import { ERRNO } from "../../spec/types/errno.ts";
import { wrapped } from "./found-lines.ts";

/** Rules by area with how often each applied: `LOAD-10 12`. */
function appliedLines({ applied }: Coverage): string[] {
  const areas = new Map<string, string[]>();
  for (const { id } of [...CLAUSES, ...INVARIANTS]) {
    const [area = ""] = id.split("-");
    const list = areas.get(area) ?? [];
    list.push(`${id} ${applied.get(id) ?? 0}`);
    areas.set(area, list);
  }
  return [...areas].flatMap(([area, list]) => wrapped(`  ${area.padEnd(5)} `, list.join(", ")));
}

const share = (all: number, never: number): string => `${all - never}/${all}`;
const grouped = (count: number): string => count.toLocaleString("en-US");

/** Pairs that came one after the other, of those that what was exercised could make. */
export function pairsShare({ pairs, transitions }: Coverage): string {
  const seconds = new Set([...pairs.keys()].flatMap((pair) => pair.split(" > ")));
  const names = new Set([...transitions.keys(), ...seconds]);
  return `${grouped(pairs.size)}/${grouped(names.size ** 2)}`;
}

/** What was covered, in two lines. */
export function coverageLine(coverage: Coverage): readonly string[] {
  const never = neverExercised(coverage);
  const { invariants, weak } = atRisk(coverage);
  const rules = share(CLAUSES.length + INVARIANTS.length, never.rules.length);
  const guards = share(GUARDS.length, never.guards.length);
  const transitions = share(TRANSITIONS.length, never.transitions.length);
  const codes = share(Object.keys(ERRNO).length, never.errnos.length);
  return [
    `rules ${rules}   guards ${guards}   transitions ${transitions}   error codes ${codes}`,
    `action pairs ${pairsShare(coverage)}   ` +
      `invariants put at risk ${invariants.length}/${invariants.length + weak.length}   ` +
      `runs ${grouped(coverage.runs)}   steps ${grouped(coverage.steps)}`,
  ];
}

/** Guards of one transition together: `host_share_hyp/OWN-1 OWN-2`. */
function byTransition(keys: readonly string[]): readonly string[] {
  const groups = new Map<string, string[]>();
  for (const key of keys) {
    const [transition = "", clause = ""] = key.split("/");
    const clauses = groups.get(transition) ?? [];
    groups.set(transition, clauses);
    clauses.push(clause);
  }
  return [...groups].map(([transition, clauses]) => `${transition}/${clauses.join(" ")}`);
}

/** Numbers with runs of three and more drawn together: `5 6 11-16`. */
function ranges(numbers: readonly number[]): string {
  const runs: (readonly [number, number])[] = [];
  for (const number of numbers.toSorted((a, b) => a - b)) {
    const last = runs.at(-1);
    if (last !== undefined && last[1] === number - 1) runs[runs.length - 1] = [last[0], number];
    else runs.push([number, number]);
  }
  return runs
    .map(([from, to]) =>
      from === to ? `${from}` : to === from + 1 ? `${from} ${to}` : `${from}-${to}`,
    )
    .join(" ");
}

/** Ids by area: `OWN-5 6 11-16`. */
export function idsInShort(ids: readonly string[]): readonly string[] {
  const areas = new Map<string, number[]>();
  for (const id of ids) {
    const [area = "", number] = id.split("-");
    const numbers = areas.get(area) ?? [];
    areas.set(area, numbers);
    numbers.push(Number(number));
  }
  return [...areas].map(([area, numbers]) => `${area}-${ranges(numbers)}`);
}

/** What was covered in short, and by name what was never exercised and what nothing tested. */
export function neverLines(coverage: Coverage): readonly string[] {
  const never = neverExercised(coverage);
  const list = (name: string, ids: readonly string[]): string[] =>
    ids.length === 0 ? [] : wrapped(`  ${name}: `, ids.join(", "));
  // What another branch does otherwise is not of these systems.
  const isOurs = (name: string): boolean => !name.includes("@");
  return [
    ...coverageLine(coverage),
    ...list("never rule", idsInShort(never.rules)),
    ...list("never guard", byTransition(never.guards.filter(isOurs))),
    ...list("never transition", never.transitions.filter(isOurs)),
    ...list("never error code", never.errnos),
    // Each refusal was made once more without its guard.
    ...list("weak: true without any one guard", idsInShort(atRisk(coverage).weak)),
    ...list("no rule misses", byTransition(unnoticedGuards(coverage.risk))),
    ...wrapped(
      "  not modelled, so not tried further: ",
      [...coverage.unmodelled.keys()].sort().join("; ") || "nothing",
    ),
  ];
}

/** Every rule with how often it applied. */
export const coverageLines = (coverage: Coverage): readonly string[] => [
  "clauses and invariants checked, and how often each applied:",
  ...appliedLines(coverage),
];
