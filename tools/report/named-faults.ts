// Which named faults broke which rule, as `npm run mutants` found and model/MUTANTS.md keeps it.

import { readFileSync } from "node:fs";
import type { Coverage } from "../../counterexamples/coverage.ts";
import type { RuleId } from "../../spec/findings.ts";
import { wrapped } from "./found-lines.ts";

const TABLE = new URL("../../model/MUTANTS.md", import.meta.url);
/** A line of the table: the fault, what is wrong, and the rule that it broke. */
const ROW = /^\| (M\d+) \| .* \| ([A-Z]+-\d+) \| \d+ \| \d+ \|$/;

/** By rule: the faults that broke it. */
export function namedFaults(
  text: string = readFileSync(TABLE, "utf8"),
): ReadonlyMap<RuleId, readonly string[]> {
  const faults = new Map<RuleId, readonly string[]>();
  for (const line of text.split("\n")) {
    const [, fault, rule] = ROW.exec(line) ?? [];
    if (fault === undefined || rule === undefined) continue;
    faults.set(rule as RuleId, [...(faults.get(rule as RuleId) ?? []), fault]);
  }
  return faults;
}

/** Of rules that applied, those that a named fault broke, with the faults. */
export function brokenByFaults(applied: Iterable<RuleId>): readonly (readonly [RuleId, string])[] {
  const faults = namedFaults();
  return [...applied].sort().flatMap((rule) => {
    const by = faults.get(rule);
    return by === undefined ? [] : [[rule, by.join(" ")] as const];
  });
}

/** What named faults put at risk, in a few lines. */
export function faultLines({ applied }: Coverage): readonly string[] {
  const broken = brokenByFaults(applied.keys());
  const list = broken.map(([rule, faults]) => `${rule} (${faults})`);
  return [
    `broken by a named fault of model/MUTANTS.md: ${broken.length}/${applied.size} rules`,
    ...(list.length === 0 ? [] : wrapped("by fault: ", list.join(", "))),
  ];
}
