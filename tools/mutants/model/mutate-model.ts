// `npm run mutants`: puts the named faults into the model, one at a time, and hunts for each.

import { readFileSync, writeFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { go } from "./hunt.ts";
import type { Hunted, NamedMutant } from "./mutant.ts";
import { NAMED } from "./named.ts";
import { countsText, type Result, tableText } from "./named-table.ts";
import { huntAll } from "./workers.ts";

const project = join(import.meta.dirname, "../../..");
const TABLE = "model/MUTANTS.md";
const usage = "npm run mutants -- model [--only M1,M2,…] [--jobs N] [--check]";

/** The file with the change in it; it must be there exactly once. */
export function changedText({ id, change: { file, from, to } }: NamedMutant): string {
  const text = readFileSync(join(project, file), "utf8");
  const parts = text.split(from);
  if (parts.length !== 2) {
    throw new Error(`${id}: its place is ${parts.length - 1} times in ${file}, not once`);
  }
  return parts.join(to);
}

/** The right model keeps the rule on the witness; otherwise it shows nothing. */
function heldWithout(hunted: Hunted): boolean {
  if (hunted.kind !== "killed") return true;
  return !go(hunted.witness).violations.some(({ rule }) => rule === hunted.by);
}

function line({ id }: NamedMutant, hunted: Hunted, seconds: number): string {
  const how =
    hunted.kind === "killed"
      ? `killed by ${hunted.by}, ${hunted.steps.length} steps, ${hunted.searched} searched`
      : hunted.kind === "survived"
        ? `SURVIVED ${hunted.searched} steps; breaks ${hunted.others.join(" ") || "nothing"}`
        : `STOPPED: ${hunted.why}`;
  return `${id.padEnd(4)} ${how}, ${seconds.toFixed(1)} s`;
}

function readOptions(args: readonly string[]): {
  only: readonly string[];
  jobs: number;
  check: boolean;
} {
  const { values } = parseArgs({
    args: [...args],
    options: {
      only: { type: "string", default: "" },
      jobs: { type: "string" },
      // Compares the table that is committed in place of writing it.
      check: { type: "boolean", default: false },
    },
  });
  const jobs = Number(values.jobs ?? availableParallelism());
  const only = values.only.split(",").filter((id) => id !== "");
  const unknown = only.find((id) => !NAMED.some((mutant) => mutant.id === id));
  if (!Number.isInteger(jobs) || jobs < 1) throw new Error(usage);
  if (unknown !== undefined) throw new Error(`no fault is called ${unknown}; ${usage}`);
  return { only, jobs, check: values.check };
}

/** Writes the table, or says whether the committed one is the same. */
function settleTable(text: string, check: boolean): boolean {
  const path = join(project, TABLE);
  if (!check) {
    writeFileSync(path, text);
    return true;
  }
  const isSame = readFileSync(path, "utf8") === text;
  if (!isSame) console.log(`${TABLE} is stale: npm run mutants writes it`);
  return isSame;
}

/** Runs the command; gives the exit code: 0 when every fault is killed by a rule that names it. */
export async function mutateModel(args: readonly string[]): Promise<number> {
  const { only, jobs, check } = readOptions(args);
  const mutants = NAMED.filter(({ id }) => only.length === 0 || only.includes(id));
  const hunts = mutants.map((mutant) => ({
    mutant,
    file: mutant.change.file,
    text: changedText(mutant),
    spokenOfBy: mutant.spokenOfBy,
  }));
  const hunted = await huntAll(hunts, jobs, ({ mutant }, one, seconds) => {
    console.log(line(mutant, one, seconds));
  });
  const results: readonly Result[] = mutants.map((mutant, n) => ({ mutant, hunted: hunted[n]! }));
  const idle = results.filter((result) => !heldWithout(result.hunted));
  for (const { mutant } of idle)
    console.log(`${mutant.id}: its witness breaks the rule without it`);
  console.log(countsText(results));
  const alive = results.filter((result) => result.hunted.kind !== "killed");
  const isFresh = only.length > 0 || settleTable(tableText(results), check);
  return alive.length === 0 && idle.length === 0 && isFresh ? 0 : 1;
}
