// The file of `check --baseline`: findings that are known and accepted, so that only new ones fail.

import { writeFileSync } from "node:fs";
import { z } from "zod";
import type { Counterexample } from "../../counterexamples/counterexample.ts";
import { BRANCH_NAMES } from "../../spec/branches/branch.ts";
import { UsageError } from "./exit.ts";
import { readInput } from "./read-input.ts";

/** Raised when a file of an older form can no longer be read as it is. */
const FORMAT = 1;
const ENTRIES_MAX = 10_000;
const word = z.string().min(1).max(256);

/**
 * One accepted finding. It is known by its rule and by the function that breaks it, and not by line
 * or arguments, which change while the finding stays.
 */
const entry = z.strictObject({
  rule: z.string().regex(/^[A-Z]+-\d+$/, "a rule is like MOD-1"),
  system: z.enum(["documented", ...BRANCH_NAMES]),
  /** Absent for a finding that is not about one place. */
  module: word.optional(),
  function: word.optional(),
  /** Why it is accepted: for people. */
  reason: z.string().max(4096),
});

const file = z.strictObject({
  format: z.literal(FORMAT, `this version reads format ${FORMAT}`),
  accepted: z.array(entry).max(ENTRIES_MAX),
});

/** An accepted finding. */
export type Accepted = z.infer<typeof entry>;

/** Reads a baseline; anything that does not fit is one line with its place. */
export function readBaseline(path: string): readonly Accepted[] {
  let json: unknown;
  try {
    json = JSON.parse(readInput(path).toString("utf8"));
  } catch (thrown) {
    if (thrown instanceof SyntaxError) throw new UsageError(`${path}: not JSON`);
    throw thrown;
  }
  const parsed = file.safeParse(json);
  if (parsed.success) return parsed.data.accepted;
  const issue = parsed.error.issues[0];
  const where = issue === undefined || issue.path.length === 0 ? "" : `${issue.path.join(".")}: `;
  throw new UsageError(`${path}: ${where}${(issue?.message ?? "does not fit").slice(0, 160)}`);
}

/** What a finding is known by. */
const entryOf = (it: Counterexample): Accepted => ({
  rule: it.clause,
  system: it.scenario.system.documented ? "documented" : it.scenario.system.branch,
  ...(it.at === undefined ? {} : { module: it.at.module, function: it.at.function }),
  reason: it.sentence,
});

const same = (a: Accepted, b: Accepted): boolean =>
  a.rule === b.rule && a.system === b.system && a.module === b.module && a.function === b.function;

/** Findings apart: those that the baseline accepts, the new ones, and what it accepts in vain. */
export interface Compared {
  readonly fresh: readonly Counterexample[];
  readonly known: readonly Counterexample[];
  /** Entries for this system that nothing found any more. */
  readonly stale: readonly Accepted[];
}

/**
 * Holds findings of one system against a baseline. An entry accepts one finding: a second one in
 * the same function is new.
 */
export function compared(
  found: readonly Counterexample[],
  accepted: readonly Accepted[],
  system: Accepted["system"],
): Compared {
  const left = [...accepted];
  const fresh: Counterexample[] = [];
  const known: Counterexample[] = [];
  for (const it of found) {
    const at = left.findIndex((one) => same(one, entryOf(it)));
    if (at >= 0) left.splice(at, 1);
    (at >= 0 ? known : fresh).push(it);
  }
  return { fresh, known, stale: left.filter((one) => one.system === system) };
}

/** Writes a baseline that accepts what was found; reasons that people gave before are kept. */
export function writeBaseline(
  path: string,
  found: readonly Counterexample[],
  before: readonly Accepted[],
): void {
  const left = [...before];
  const accepted = found.map((it) => {
    const at = left.findIndex((one) => same(one, entryOf(it)));
    return at >= 0 ? left.splice(at, 1)[0]! : entryOf(it);
  });
  writeFileSync(path, `${JSON.stringify({ format: FORMAT, accepted }, undefined, 2)}\n`);
}

/** A stale entry in a line. */
export const staleLine = ({ rule, module, function: name }: Accepted): string =>
  `stale    ${rule}${name === undefined ? "" : ` in ${name} of ${module}`}: not found any more`;
