// A walk that breaks a rule as a person reads it in a terminal: under 25 lines, 80 columns.

import type { StoredWalk } from "../../counterexamples/walk.ts";
import type { ModelStep } from "../../model/step.ts";
import { findingOf } from "../../spec/findings.ts";
import { clauseOf, invariantOf } from "../../spec/registry.ts";
import { wrapped } from "./found-lines.ts";
import { stepRows } from "./step-rows.ts";

/** Rows that leave room for the rest. */
const ROWS_MAX = 9;
const COLUMNS = 80;

const two = (lines: readonly string[]): readonly string[] =>
  lines.length <= 2 ? lines : [lines[0] ?? "", `${(lines[1] ?? "").slice(0, COLUMNS - 1)}…`];

/** The whole report; `path` is where the walk is stored, `steps` are those of its replay. */
export function walkLines(
  walk: StoredWalk,
  steps: readonly ModelStep[],
  path: string,
): readonly string[] {
  const { clause, system, found, sentence, verdict } = walk;
  const rule = clauseOf(clause as never) ?? invariantOf(clause as never);
  const source = rule?.source[0];
  const known = findingOf(clause, system);
  const word = verdict === "finding" ? "FOUND" : "FAIL ";
  const name = `${system.documented ? "documented" : system.branch}, ${system.build}`;
  const head = `${word} ${clause}   ${name}`;
  return [
    `${head}${found.by.padStart(COLUMNS - head.length)}`,
    ...two(wrapped("      ", sentence)),
    "",
    ...stepRows(steps, ROWS_MAX),
    "",
    ...two(wrapped("      rule    ", rule?.statement ?? "a rule that is no longer there")),
    ...(source === undefined ? [] : two(wrapped("      source  ", `${source.text}: ${source.at}`))),
    ...(known === undefined ? [] : two(wrapped("      known   ", known.instead))),
    ...(walk.omit === undefined
      ? []
      : two(wrapped("      without ", `${walk.omit.join(", ")}: left out of the model`))),
    ...(found.free.length === 0 ? [] : two(wrapped("      any     ", found.free.join(", ")))),
    ...two(
      wrapped(
        "      size    ",
        `${found.from} actions -> ${walk.actions.length} in ${found.runs} runs${
          found.shortest === "" ? "" : `; ${found.shortest}`
        }`,
      ),
    ),
    `      replay  npx pkvm-spec replay ${path}`,
  ];
}
