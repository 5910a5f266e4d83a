// `npm run mutants -- operators`: seeded faults in every file of the model, and what notices each.

import { globSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import type { Mutant } from "../cpu/candidates.ts";
import type { Verdict } from "../cpu/judge.ts";
import { readSurvivors, reasonFor } from "../cpu/survivors.ts";
import { countsOf, countsText, type Tried, tableText } from "../cpu/table.ts";
import { readSource } from "../cpu/tokens.ts";
import { noticedByTests } from "./fault-tests.ts";
import { faultsThatCompile } from "./fault-types.ts";
import type { Hunted } from "./mutant.ts";
import { huntAll } from "./workers.ts";

const project = join(import.meta.dirname, "../../..");
const TABLE = "model/FAULTS.md";
const usage = "npm run mutants -- operators [--seed N] [--jobs N] [--only PART-OF-PATH]";

const HEADING = [
  "# Seeded faults in every file of the model, and what notices each",
  "",
  "Written by `npm run mutants -- operators`; tools/mutants/model/operators.ts has the kinds of",
  "mistake. A fault is one change of one file that still compiles. It is killed by a rule that",
  "breaks on a walk, a boot or a random scenario, by a stop of the model itself, or by a test:",
  "recorded traces, stored counterexamples, and the tests of its folder.",
];

function readOptions(args: readonly string[]) {
  const { values } = parseArgs({
    args: [...args],
    options: {
      seed: { type: "string", default: "1" },
      jobs: { type: "string", default: "2" },
      only: { type: "string", default: "" },
    },
  });
  const jobs = Number(values.jobs);
  if (!Number.isInteger(jobs) || jobs < 1) throw new Error(usage);
  return { seed: values.seed, jobs, only: values.only };
}

const ofHunt = (hunted: Hunted): Verdict => {
  if (hunted.kind === "killed") return { kind: "killed", by: `${hunted.by} on ${hunted.way}` };
  if (hunted.kind === "crashed") return { kind: "killed", by: `the model stops: ${hunted.why}` };
  return { kind: "survived" };
};

/** Hunts for all, then asks the tests about those that no rule noticed. */
async function judgeAll(mutants: readonly Mutant[], jobs: number): Promise<readonly Tried[]> {
  let done = 0;
  const say = ({ file, line, operator }: Mutant, verdict: Verdict): void => {
    const by = verdict.kind === "survived" ? "ALIVE so far" : verdict.by.slice(0, 100);
    console.error(`[${++done}/${mutants.length}] ${file}:${line} ${operator}: ${by}`);
  };
  const hunts = mutants.map((mutant) => ({ ...mutant, mutant, spokenOfBy: [] }));
  const hunted = await huntAll(hunts, jobs, ({ mutant }, one) => say(mutant, ofHunt(one)));
  const tried: Tried[] = [];
  for (const [n, mutant] of mutants.entries()) {
    let verdict = ofHunt(hunted[n]!);
    if (verdict.kind === "survived") {
      verdict = await noticedByTests(mutant);
      const { file, line, before, after } = mutant;
      const by = verdict.kind === "killed" ? verdict.by : `ALIVE\n  - ${before}\n  + ${after}`;
      console.error(`${file}:${line}: ${by}`);
    }
    tried.push({ mutant, verdict });
  }
  return tried;
}

/** Runs the command; gives the exit code: 0 when every survivor has a reason. */
export async function mutateOperators(args: readonly string[]): Promise<number> {
  const { seed, jobs, only } = readOptions(args);
  const sources = globSync("model/**/*.ts", { cwd: project })
    .sort()
    .filter((file) => file.includes(only))
    .map((file) => readSource(file, readFileSync(join(project, file), "utf8")))
    .filter(({ tokens }) => tokens.length > 0);
  if (sources.length === 0) throw new Error(`no file of model/ is called ${only}`);
  const mutants = await faultsThatCompile(sources, seed);
  console.error(`${mutants.length} faults compile, in ${sources.length} files`);
  const survivors = readSurvivors(new URL("survivors.json", import.meta.url));
  const tried = await judgeAll(mutants, jobs);
  console.log(countsText(countsOf(tried, survivors)));
  if (only === "") {
    writeFileSync(join(project, TABLE), tableText(tried, survivors, seed, HEADING));
  }
  const open = tried.filter(
    ({ mutant, verdict }) =>
      verdict.kind === "survived" && reasonFor(survivors, mutant) === undefined,
  );
  return open.length === 0 ? 0 : 1;
}
