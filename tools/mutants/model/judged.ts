// What was found out about faults, kept in out/ so that a run that was stopped goes on.

import { appendFileSync, existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Mutant } from "../cpu/candidates.ts";
import type { Verdict } from "../cpu/judge.ts";
import { hashOf, KEPT } from "./kept.ts";

const FILE = join(KEPT, "judged.jsonl");

/** A fault by its text; `waysOnly` where the tests are still to be asked. */
interface Line {
  readonly key: string;
  readonly verdict: Verdict;
  readonly waysOnly?: true;
}

/** What is known, by the hash of the fault. */
export type Judged = Map<string, Line>;

/** Reads all that was kept; a later line about a fault takes the place of an earlier one. */
export function readJudged(): Judged {
  const text = existsSync(FILE) ? readFileSync(FILE, "utf8") : "";
  const lines = text
    .split("\n")
    .filter((line) => line.endsWith("}"))
    .map((line) => JSON.parse(line) as Line);
  return new Map(lines.map((line) => [line.key, line]));
}

/** What became of a fault; "ways": no way noticed it, and the tests are still to be asked. */
export function verdictOf(judged: Judged, mutant: Mutant): Verdict | "ways" | undefined {
  const line = judged.get(hashOf(mutant));
  return line?.waysOnly ? "ways" : line?.verdict;
}

/** Keeps a verdict; `waysOnly` of a fault that no way noticed. */
export function remember(
  judged: Judged,
  mutant: Mutant,
  verdict: Verdict,
  waysOnly: boolean,
): void {
  const key = hashOf(mutant);
  const line: Line = {
    ...{ key, verdict },
    ...(verdict.kind === "survived" && waysOnly ? { waysOnly } : {}),
  };
  judged.set(key, line);
  appendFileSync(FILE, `${JSON.stringify(line)}\n`);
}

/** Forgets that a fault was alive: something was added since that may notice it. */
export function forgetAlive(judged: Judged, mutant: Mutant): void {
  if (judged.get(hashOf(mutant))?.verdict.kind === "survived") judged.delete(hashOf(mutant));
}
