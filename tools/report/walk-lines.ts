// A walk that breaks a rule as a person reads it in a terminal: under 25 lines, 80 columns.

import type { StoredWalk } from "../../counterexamples/walk.ts";
import type { ModelStep } from "../../model/step.ts";
import { findingOf } from "../../spec/findings.ts";
import { clauseOf, invariantOf } from "../../spec/registry.ts";
import { COLUMNS, capped, LINES_MAX, replayLines, statementAt, wrapped } from "./found-lines.ts";
import { stepRows } from "./step-rows.ts";

/** Rows that a walk has at most. */
const ROWS_MAX = 12;
const MARGIN = "      ";

/** A text of at most two lines behind its label. */
const labelled = (label: string, text: string | undefined): readonly string[] =>
  text === undefined || text === "" ? [] : capped(wrapped(`${MARGIN}${label.padEnd(8)}`, text), 2);

/** What stands below the steps. */
function below(walk: StoredWalk, path: string): readonly string[] {
  const { clause, system, found, actions } = walk;
  const rule = clauseOf(clause as never) ?? invariantOf(clause as never);
  const source = rule?.source[0];
  const statement = rule?.statement ?? "a rule that is no longer there";
  const shrunk =
    found.runs === 0
      ? `${actions.length} actions`
      : `${found.from} actions -> ${actions.length} in ${found.runs} runs`;
  const shortest = found.shortest === "" ? "" : `; ${found.shortest}`;
  return [
    ...labelled("rule", statementAt(clause, statement)),
    ...labelled("source", source && `${source.text}: ${source.at}`),
    ...labelled("known", findingOf(clause, system)?.instead),
    ...labelled("any", found.free.join(", ")),
    ...labelled("size", `${shrunk}${shortest}`),
    ...replayLines(path, MARGIN),
  ];
}

/** The whole report; `path` is where the walk is stored, `steps` are those of its replay. */
export function walkLines(
  walk: StoredWalk,
  steps: readonly ModelStep[],
  path: string,
): readonly string[] {
  const { clause, system, found, sentence, verdict } = walk;
  const name = `${system.documented ? "documented" : system.branch}, ${system.build}`;
  const head = `${verdict === "finding" ? "FOUND" : "FAIL "} ${clause}   ${name}   `;
  const by = `found by ${found.by}`.slice(0, COLUMNS - head.length);
  const above = [
    `${head}${by.padStart(COLUMNS - head.length)}`,
    ...capped(wrapped(MARGIN, sentence), 2),
    "",
  ];
  const told = below(walk, path);
  // A line for the heads of the columns, one that says how many steps came before, one empty.
  const room = LINES_MAX - above.length - told.length - 3;
  return [...above, ...stepRows(steps, Math.min(ROWS_MAX, room)), "", ...told];
}
