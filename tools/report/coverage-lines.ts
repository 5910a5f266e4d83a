// What a number of runs checked, and what they never came to.

import { type Coverage, neverExercised } from "../../counterexamples/coverage.ts";
import { GUARDS, TRANSITIONS } from "../../model/transitions.ts";
import { CLAUSES, INVARIANTS } from "../../spec/registry.ts";
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
  return [...areas].flatMap(([area, list]) => wrapped(`  ${area.padEnd(5)}`, list.join(", ")));
}

const share = (all: number, never: number): string => `${all - never}/${all}`;

/** What was covered, in one line. */
export function coverageLine(coverage: Coverage): string {
  const never = neverExercised(coverage);
  const rules = share(CLAUSES.length + INVARIANTS.length, never.rules.length);
  const guards = share(GUARDS.length, never.guards.length);
  const transitions = share(TRANSITIONS.length, never.transitions.length);
  return (
    `rules ${rules}   guards ${guards}   transitions ${transitions}   ` +
    `errnos ${coverage.errnos.size}   runs ${coverage.runs}   steps ${coverage.steps}`
  );
}

/** What was covered in one line, and by name what was never exercised. */
export function neverLines(coverage: Coverage): readonly string[] {
  const never = neverExercised(coverage);
  const list = (name: string, ids: readonly string[]): string[] =>
    ids.length === 0 ? [] : wrapped(`  never ${name}: `, ids.join(", "));
  return [
    coverageLine(coverage),
    ...list("rule", never.rules),
    ...list("guard", never.guards),
    ...list("transition", never.transitions),
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
