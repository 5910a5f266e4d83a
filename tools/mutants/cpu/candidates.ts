// Which faults of a source are tried, and in what order: fixed by the seed and by the text around
// them.

import { createHash } from "node:crypto";
import type { Edit, Operator } from "./edit.ts";
import { expressionOperators } from "./expression-operators.ts";
import { structureOperators } from "./structure-operators.ts";
import type { Source } from "./tokens.ts";

/** One fault. */
export interface Mutant {
  readonly file: string;
  /** The line on which it begins, from 1. */
  readonly line: number;
  /** The character at which it begins, from 0. */
  readonly start: number;
  readonly operator: string;
  /** The lines that it changes, before and after, without indentation. */
  readonly before: string;
  readonly after: string;
  /** The whole file with the fault. */
  readonly text: string;
}

export const operators = [...expressionOperators, ...structureOperators];

/** A number that depends on all of the words. */
function rank(...words: readonly string[]): string {
  return createHash("sha256").update(words.join("\0")).digest("hex");
}

const oneLine = (text: string): string => text.replaceAll(/\s+/g, " ").trim();

function mutantOf({ file, text }: Source, operator: string, edit: Edit): Mutant {
  const from = text.lastIndexOf("\n", edit.start - 1) + 1;
  const newline = text.indexOf("\n", edit.end);
  const to = newline < 0 ? text.length : newline;
  const line = text.slice(0, edit.start).split("\n").length;
  const [head, tail] = [text.slice(0, edit.start), text.slice(edit.end)];
  return {
    file,
    line,
    start: edit.start,
    operator,
    before: oneLine(text.slice(from, to)),
    after: oneLine(text.slice(from, edit.start) + edit.replacement + text.slice(edit.end, to)),
    text: head + edit.replacement + tail,
  };
}

/** All faults that one operator makes in a source, in the order of the seed, one on each line. */
function ordered(source: Source, operator: Operator, seed: string): Mutant[] {
  const mutants = operator
    .edits(source)
    .map((edit) => mutantOf(source, operator.name, edit))
    .filter(({ before, after }) => before !== after)
    .map((mutant) => ({
      mutant,
      key: rank(seed, mutant.file, mutant.operator, mutant.before, mutant.after),
    }))
    .sort((a, b) => (a.key < b.key ? -1 : 1))
    .map(({ mutant }) => mutant);
  const lines = new Set<number>();
  return mutants.filter(({ line }) => {
    const isNew = !lines.has(line);
    lines.add(line);
    return isNew;
  });
}

/** The faults of a source, the operators taking turns, so that the first few are of many kinds. */
export function candidates(
  source: Source,
  seed: string,
  kinds: readonly Operator[] = operators,
): readonly Mutant[] {
  const queues = kinds
    .map((operator) => ({
      key: rank(seed, source.file, operator.name),
      queue: ordered(source, operator, seed),
    }))
    .sort((a, b) => (a.key < b.key ? -1 : 1))
    .map(({ queue }) => queue);
  const taken: Mutant[] = [];
  const changes = new Set<string>();
  const longest = Math.max(0, ...queues.map((queue) => queue.length));
  for (let round = 0; round < longest; round++) {
    for (const queue of queues) {
      const mutant = queue[round];
      if (mutant === undefined || changes.has(mutant.text)) continue;
      changes.add(mutant.text);
      taken.push(mutant);
    }
  }
  return taken;
}

/** Lines of a file for each fault in it. */
const LINES_PER_MUTANT = 30;
const FEWEST = 2;

/** How many faults of a file are tried: by its length, and at least two. */
export function quota({ text, tokens }: Source): number {
  if (tokens.length === 0) return 0;
  const lines = text.split("\n").filter((line) => /\S/.test(line)).length;
  return Math.max(FEWEST, Math.round(lines / LINES_PER_MUTANT));
}
