// A counterexample as a person reads it in a terminal: under 25 lines, 80 columns.

import type { Counterexample } from "../../counterexamples/counterexample.ts";
import type { ClauseId, Invariant } from "../../spec/clause.ts";
import { findingOf, type RuleId } from "../../spec/findings.ts";
import { clauseOf, invariantOf } from "../../spec/registry.ts";
import { rulePlace } from "./rule-place.ts";
import { placeLine } from "./source-place.ts";

export const COLUMNS = 80;
/** One counterexample is shorter than a terminal's 25 lines. */
export const LINES_MAX = 24;
const STEPS_MAX = 12;
const STEPS_MIN = 3;

/** A word in pieces that fit beside an indentation: the list of modules has no blanks. */
function pieces(word: string, room: number): readonly string[] {
  const count = Math.max(1, Math.ceil(word.length / room));
  return Array.from({ length: count }, (_, n) => word.slice(n * room, (n + 1) * room));
}

/** The text in lines of at most 80 columns, the later ones indented. */
export function wrapped(first: string, text: string): string[] {
  const indent = " ".repeat(first.length);
  const lines: string[] = [];
  let line = first;
  for (const word of text.split(" ").flatMap((it) => pieces(it, COLUMNS - first.length))) {
    if (line.length + word.length > COLUMNS && line.trim() !== "" && line !== first) {
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

/** What the rule says, and where it stands. */
export function statementAt(rule: RuleId, statement: string): string {
  const place = rulePlace(rule);
  return place === undefined ? statement : `${statement} (${place})`;
}

/** The steps that matter for reading: the last ones, numbered as in the run, in so many lines. */
function stepLines(steps: readonly string[], room: number): string[] {
  const isAll = steps.length <= room && steps.length <= STEPS_MAX;
  const from = isAll ? 0 : steps.length - Math.min(STEPS_MAX, room - 1);
  const shown = steps.slice(from).map((text, n) => {
    const number = `${from + n + 1}`.padStart(4);
    const mark = from + n === steps.length - 1 ? ">" : " ";
    return cut(` ${mark}${number}  ${text}`);
  });
  return isAll ? shown : [`        ${from} earlier steps`, ...shown];
}

/** The first lines of a text, and a mark where that is not all. */
export const capped = (lines: readonly string[], cap: number): readonly string[] =>
  lines.length <= cap
    ? lines
    : [...lines.slice(0, cap - 1), `${(lines[cap - 1] ?? "").slice(0, COLUMNS - 1)}…`];

/** How to see it again: a long path has a line of its own, which the shell joins. */
export function replayLines(path: string, margin = "  "): readonly string[] {
  const command = `${margin}replay  npx pkvm-spec replay`;
  const line = `${command} ${path}`;
  return line.length <= COLUMNS ? [line] : [`${command} \\`, `${margin}        ${path}`];
}

/** What stands above and below the steps, no text in more than `cap` lines. */
function around(it: Counterexample, path: string, heading: string, cap: number) {
  const { system, boot, actions } = it.scenario;
  const rule = ruleText(it.clause);
  const known = findingOf(it.clause, system);
  const name = system.documented ? "documented" : system.branch;
  const text = (first: string, words: string | undefined): readonly string[] =>
    words === undefined || words === "" ? [] : capped(wrapped(first, words), cap);
  const faults = boot.faults.map(({ call, nth, errno }) =>
    cut(`      fault: ${call} ${nth} is -${errno}`),
  );
  return {
    above: [
      cut(`${heading}  ${it.clause}   ${name}, ${system.build}`),
      ...text("      ", it.sentence),
      ...text("      at ", it.at && placeLine(it.at)),
      ...text("      ", boot.commandLine),
      ...capped(faults, cap),
    ],
    below: [
      ...text("  rule    ", statementAt(it.clause, rule.statement)),
      ...text("  source  ", rule.source),
      ...text("  known   ", known?.instead),
      ...text("  any     ", it.found.free?.join(", ")),
      `  size    ${it.found.from} parts -> ${actions.length} actions, ${it.found.runs} runs`,
      ...replayLines(path),
    ],
  };
}

/**
 * The whole report of one counterexample; `path` is where it is stored, `heading` a word for it.
 */
export function foundLines(it: Counterexample, path: string, heading: string): readonly string[] {
  const roomIn = ({ above, below }: ReturnType<typeof around>): number =>
    LINES_MAX - above.length - below.length;
  const whole = around(it, path, heading, LINES_MAX);
  const told = roomIn(whole) > STEPS_MIN ? whole : around(it, path, heading, 2);
  return [...told.above, ...stepLines(it.steps, roomIn(told)), ...told.below];
}
