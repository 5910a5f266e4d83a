// A counterexample as a person reads it in a terminal: under 25 lines, 80 columns.

import type { Counterexample } from "../../counterexamples/counterexample.ts";
import type { ClauseId, Invariant } from "../../spec/clause.ts";
import { findingOf, type RuleId } from "../../spec/findings.ts";
import { clauseOf, invariantOf } from "../../spec/registry.ts";
import { placeLine } from "./source-place.ts";

const COLUMNS = 80;
const STEPS_MAX = 12;

/** The text in lines of at most 80 columns, the later ones indented. */
export function wrapped(first: string, text: string): string[] {
  const indent = " ".repeat(first.length);
  const lines: string[] = [];
  let line = first;
  for (const word of text.split(" ")) {
    if (line.length + word.length + 1 > COLUMNS && line.trim() !== "" && line !== first) {
      lines.push(line.trimEnd());
      line = indent;
    }
    line += `${word} `;
  }
  return [...lines, line.trimEnd()];
}

const cut = (text: string): string =>
  text.length <= COLUMNS ? text : `${text.slice(0, COLUMNS - 1)}…`;

/** The sentence and the sources of a rule. */
function ruleText(id: RuleId): { readonly statement: string; readonly source: string } {
  const rule = id.startsWith("INV-")
    ? invariantOf(id as Invariant["id"])
    : clauseOf(id as ClauseId);
  const first = rule?.source[0];
  return {
    statement: rule?.statement ?? "a rule that is no longer there",
    source: first === undefined ? "" : `${first.text}: ${first.at}`,
  };
}

/** The steps that matter for reading: the last ones, numbered as in the run. */
function stepLines(steps: readonly string[]): string[] {
  const from = Math.max(0, steps.length - STEPS_MAX);
  const shown = steps.slice(from).map((text, n) => {
    const number = `${from + n + 1}`.padStart(4);
    const mark = from + n === steps.length - 1 ? ">" : " ";
    return cut(` ${mark}${number}  ${text}`);
  });
  return from === 0 ? shown : [`        ${from} earlier steps`, ...shown];
}

/** What can be anything; nothing where everything matters. */
const freeLines = (free: readonly string[]): readonly string[] =>
  free.length === 0 ? [] : wrapped("  any     ", free.join(", "));

/**
 * The whole report of one counterexample; `path` is where it is stored, `heading` a word for it.
 */
export function foundLines(it: Counterexample, path: string, heading: string): readonly string[] {
  const { system, boot, actions } = it.scenario;
  const rule = ruleText(it.clause);
  const known = findingOf(it.clause, system);
  const name = system.documented ? "documented" : system.branch;
  return [
    cut(`${heading}  ${it.clause}   ${name}, ${system.build}`),
    ...wrapped("      ", it.sentence),
    ...(it.at === undefined ? [] : wrapped("      at ", placeLine(it.at))),
    ...wrapped("      ", boot.commandLine),
    ...boot.faults.map(({ call, nth, errno }) => cut(`      fault: ${call} ${nth} is -${errno}`)),
    ...stepLines(it.steps),
    ...wrapped("  rule    ", rule.statement),
    ...wrapped("  source  ", rule.source),
    ...(known === undefined ? [] : wrapped("  known   ", known.instead)),
    ...freeLines(it.found.free ?? []),
    `  size    ${it.found.from} parts -> ${actions.length} actions, ${it.found.runs} runs`,
    `  replay  npx pkvm-spec replay ${path}`,
  ];
}
