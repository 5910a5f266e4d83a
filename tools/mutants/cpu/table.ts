// The table of all faults tried: cpu/MUTANTS.md.

import type { Mutant } from "./candidates.ts";
import type { Verdict } from "./judge.ts";
import { reasonFor, type Survivor } from "./survivors.ts";

/** A fault that compiles and loads, and what became of it. */
export interface Tried {
  readonly mutant: Mutant;
  readonly verdict: Verdict;
}

export interface Counts {
  readonly tried: number;
  readonly killed: number;
  readonly equivalent: number;
  readonly elsewhere: number;
  readonly unexplained: number;
}

/** How many faults died, and how many of the others have which reason. */
export function countsOf(all: readonly Tried[], survivors: readonly Survivor[]): Counts {
  const alive = all.filter(({ verdict }) => verdict.kind === "survived");
  const kinds = alive.map(({ mutant }) => reasonFor(survivors, mutant)?.kind);
  return {
    tried: all.length,
    killed: all.length - alive.length,
    equivalent: kinds.filter((kind) => kind === "equivalent").length,
    elsewhere: kinds.filter((kind) => kind === "elsewhere").length,
    unexplained: kinds.filter((kind) => kind === undefined).length,
  };
}

/** Killed faults among those that are not equivalent to the right program. */
export function rate({ tried, killed, equivalent }: Counts): number {
  return killed / (tried - equivalent);
}

const percent = (share: number): string => `${(Math.floor(share * 1000) / 10).toFixed(1)} %`;

export function countsText(counts: Counts): string {
  const { tried, killed, equivalent, elsewhere, unexplained } = counts;
  return [
    `${tried} faults, ${killed} killed (${percent(killed / tried)}),`,
    `${equivalent} equivalent, ${elsewhere} killed elsewhere, ${unexplained} without a reason;`,
    `${percent(rate(counts))} of those that are not equivalent are killed`,
  ].join(" ");
}

const shownMax = 60;
const shorten = (text: string): string =>
  text.length <= shownMax ? text : `${text.slice(0, shownMax - 1)}…`;
/** Code in a cell of a table. */
const code = (text: string): string =>
  text === "" ? "(nothing)" : `\`${text.replaceAll("|", "\\|").replaceAll("`", "'")}\``;

/** The part of two lines in which they differ, with a little of what is around it. */
export function difference(before: string, after: string): readonly [string, string] {
  const margin = 12;
  let head = 0;
  while (head < before.length && before[head] === after[head]) head++;
  let tail = 0;
  const most = Math.min(before.length, after.length) - head;
  while (tail < most && before.at(-1 - tail) === after.at(-1 - tail)) tail++;
  const cut = (text: string): string => {
    const from = Math.max(0, head - margin);
    const to = Math.min(text.length, text.length - tail + margin);
    return shorten(text.slice(from, to).trim());
  };
  return [cut(before), cut(after)];
}

/** What names a fault in the table whatever its line: file, operator, change. */
export function keyOf({ file, operator, ...mutant }: Mutant): string {
  const [before, after] = difference(mutant.before, mutant.after);
  return `${file} | ${operator} | ${code(before)} → ${code(after)}`;
}

const cell = String.raw`((?:[^|\\]|\\.)+)`;
const rowPattern = new RegExp(
  String.raw`^\| ((?:cpu|model)/\S+) \| \d+ \| ([\w ]+) \| ${cell} \| ${cell} \|$`,
);
const ALIVE = "**alive**";

/** What a table says about each fault: who killed it, or undefined where it is alive. */
export function fates(text: string): ReadonlyMap<string, string | undefined> {
  const rows = text.split("\n").flatMap((line): [string, string | undefined][] => {
    const [, file, operator, change, by = ""] = rowPattern.exec(line) ?? [];
    if (file === undefined) return [];
    return [
      [
        `${file} | ${operator} | ${change}`,
        by.startsWith(ALIVE) ? undefined : by.replaceAll("\\|", "|"),
      ],
    ];
  });
  return new Map(rows);
}

function changeOf({ file, ...change }: Pick<Mutant, "file" | "before" | "after">): string {
  const [before, after] = difference(change.before, change.after);
  return `${file}, ${code(before)} → ${code(after)}`;
}

/** What the document says of a fault that is alive for a reason. */
export function aliveLine(survivor: Survivor): string {
  return `- ${changeOf(survivor)}: ${survivor.kind}: ${survivor.reason}`;
}

function row({ mutant, verdict }: Tried, survivors: readonly Survivor[]): string {
  const [before, after] = difference(mutant.before, mutant.after);
  const fate =
    verdict.kind === "survived"
      ? `${ALIVE}: ${reasonFor(survivors, mutant)?.kind ?? "no reason yet"}`
      : verdict.by.replaceAll("|", "\\|").replaceAll("`", "'").slice(0, 110);
  const change = `${code(before)} → ${code(after)}`;
  return `| ${mutant.file} | ${mutant.line} | ${mutant.operator} | ${change} | ${fate} |`;
}

/** What the document says first. */
const HEADING = [
  "# Faults put into the core, and what notices each",
  "",
  "Written by `npm run mutants -- cpu`; tools/mutants/cpu/ says how. A fault is one change of",
  "one file that still compiles and loads. It is killed when a recorded vector or a test fails",
  "that does not fail without it, or when something no longer ends. Operators leave alone what",
  "nothing could notice: imports, types, the texts of errors, the order of what is a set. Files",
  "that are not in the table have nothing else.",
];

/** The whole document. */
export function tableText(
  all: readonly Tried[],
  survivors: readonly Survivor[],
  seed: string,
  heading: readonly string[] = HEADING,
): string {
  const counts = countsOf(all, survivors);
  const alive = all.filter(({ verdict }) => verdict.kind === "survived");
  const reasons = alive.map(({ mutant }) => {
    const reason = reasonFor(survivors, mutant);
    return reason === undefined ? `- ${changeOf(mutant)}: no reason yet` : aliveLine(reason);
  });
  return [
    ...heading,
    "",
    `Seed ${seed}: ${countsText(counts)}.`,
    "",
    "## Alive",
    "",
    ...(reasons.length > 0 ? reasons : ["None."]),
    "",
    "## All",
    "",
    "| file | line | operator | change | killed by |",
    "| --- | --- | --- | --- | --- |",
    ...all.map((tried) => row(tried, survivors)),
    "",
  ].join("\n");
}
