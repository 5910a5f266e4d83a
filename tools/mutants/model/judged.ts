// What was found out about faults, kept in out/ so that a run that was stopped goes on.

import { appendFileSync, existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Mutant } from "../cpu/candidates.ts";
import type { Verdict } from "../cpu/judge.ts";
import { hashOf, KEPT } from "./kept.ts";
import { judgesHash } from "./reach.ts";

const FILE = join(KEPT, "judged.jsonl");

/** A fault by its text. One that is alive was so before `judges`, or before the ways alone. */
interface Line {
  readonly key: string;
  readonly verdict: Verdict;
  readonly judges?: string;
  readonly waysOnly?: true;
}

/** What is known. */
export interface Judged {
  readonly known: Map<string, Line>;
  readonly judges: string;
}

/** Reads all that was kept; a later line about a fault takes the place of an earlier one. */
export function readJudged(): Judged {
  const text = existsSync(FILE) ? readFileSync(FILE, "utf8") : "";
  const lines = text
    .split("\n")
    .filter((line) => line.endsWith("}"))
    .map((line) => JSON.parse(line) as Line);
  return { known: new Map(lines.map((line) => [line.key, line])), judges: judgesHash() };
}

/**
 * What became of a fault, as far as it is still true: one that was alive may be noticed by what was
 * added since, unless there is a reason for it to live. "ways": the tests are still to be asked.
 */
export function verdictOf(
  { known, judges }: Judged,
  mutant: Mutant,
  hasReason: boolean,
): Verdict | "ways" | undefined {
  const line = known.get(hashOf(mutant));
  if (line === undefined || line.verdict.kind === "killed") return line?.verdict;
  if (line.judges !== judges && !hasReason) return undefined;
  return line.waysOnly ? "ways" : line.verdict;
}

/** Keeps a verdict; `waysOnly` of a fault that no way noticed. */
export function remember(judged: Judged, mutant: Mutant, verdict: Verdict, waysOnly = false): void {
  const { known, judges } = judged;
  const key = hashOf(mutant);
  const alive = verdict.kind === "survived";
  const line: Line = {
    ...{ key, verdict },
    ...(alive ? { judges } : {}),
    ...(alive && waysOnly ? { waysOnly } : {}),
  };
  known.set(key, line);
  appendFileSync(FILE, `${JSON.stringify(line)}\n`);
}
