// `npm run mutants -- operators`: seeded faults in every file of the model, and what notices each.

import { globSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import type { Mutant } from "../cpu/candidates.ts";
import type { Verdict } from "../cpu/judge.ts";
import { readSurvivors, reasonFor } from "../cpu/survivors.ts";
import { countsOf, countsText, keyOf, type Tried, tableText } from "../cpu/table.ts";
import { readSource } from "../cpu/tokens.ts";
import { noticedByTests } from "./fault-tests.ts";
import { faultsThatCompile } from "./fault-types.ts";
import { noticedOnWays } from "./fault-ways-run.ts";
import { forgetAlive, type Judged, readJudged, remember, verdictOf } from "./judged.ts";
import { readTests, readWays } from "./reach.ts";

const project = join(import.meta.dirname, "../../..");
const TABLE = "model/FAULTS.md";
const usage = `npm run mutants -- operators [--seed N] [--jobs N] [--only PART-OF-PATH]
  [--ways: no tests] [--again: also what was alive without a reason]
  [--table: of what is known, trying nothing]`;

const HEADING = [
  "# Seeded faults in every file of the model, and what notices each",
  "",
  "Written by `npm run mutants -- operators`; tools/mutants/model/operators.ts has the kinds of",
  "mistake. A fault is one change of one file that still compiles: one for every 75 lines of a",
  "file, and at least one, the operators taking turns in an order that the seed fixes. It is",
  "killed by the first that notices it: a rule that breaks on a walk, a stored counterexample or",
  "a recorded trace that comes out otherwise, a rule on a boot or a random scenario, a stop of",
  "the model itself; or else a test that runs the place, those of some seconds only. What was not",
  "tried to the end stands at the end.",
];

function readOptions(args: readonly string[]) {
  const { values } = parseArgs({
    args: [...args],
    options: {
      seed: { type: "string", default: "1" },
      jobs: { type: "string", default: "1" },
      only: { type: "string", default: "" },
      ways: { type: "boolean", default: false },
      again: { type: "boolean", default: false },
      table: { type: "boolean", default: false },
    },
  });
  const jobs = Number(values.jobs);
  if (!Number.isInteger(jobs) || jobs < 1) throw new Error(usage);
  return { ...values, jobs };
}

/** What is the same for every fault. */
interface Run {
  readonly mutants: readonly Mutant[];
  readonly judged: Judged;
  readonly jobs: number;
}

/** Asks about each of some faults, `jobs` at a time, and keeps the answers. */
async function ask(
  { judged, jobs }: Run,
  mutants: readonly Mutant[],
  whom: "ways" | "tests",
  noticed: (mutant: Mutant) => Promise<Verdict>,
): Promise<void> {
  let [next, done] = [0, 0];
  const lane = async (): Promise<void> => {
    for (let at = next++; at < mutants.length; at = next++) {
      const mutant = mutants[at]!;
      const verdict = await noticed(mutant);
      remember(judged, mutant, verdict, whom === "ways");
      const { file, line, operator, before, after } = mutant;
      const alive = `ALIVE after the ${whom}\n  - ${before}\n  + ${after}`;
      const fate = verdict.kind === "survived" ? alive : verdict.by;
      const place = `[${whom} ${++done}/${mutants.length}] ${file}:${line} ${operator}`;
      console.error(`${place}: ${fate.slice(0, 400)}`);
    }
  };
  await Promise.all(Array.from({ length: jobs }, lane));
}

/** Ways first, then tests for what no way noticed; what is known already is not asked again. */
async function judgeAll(run: Run, waysOnly: boolean): Promise<readonly Tried[]> {
  const ways = await readWays();
  const unknown = run.mutants.filter((mutant) => verdictOf(run.judged, mutant) === undefined);
  await ask(run, unknown, "ways", (mutant) => noticedOnWays(ways, mutant));
  const alive = run.mutants.filter((mutant) => verdictOf(run.judged, mutant) === "ways");
  if (!waysOnly && alive.length > 0) {
    const tests = await readTests(ways);
    await ask(run, alive, "tests", (mutant) => noticedByTests(tests, mutant));
  }
  return triedOf(run);
}

/** The faults that were tried to the end, each with what became of it. */
const triedOf = ({ mutants, judged }: Pick<Run, "mutants" | "judged">): readonly Tried[] =>
  mutants.flatMap((mutant) => {
    const verdict = verdictOf(judged, mutant);
    return typeof verdict === "object" ? [{ mutant, verdict }] : [];
  });

/** What the table says of faults that not every way and every test was asked about. */
function leftText({ mutants, judged }: Run): string {
  const left = mutants.filter((mutant) => typeof verdictOf(judged, mutant) !== "object");
  if (left.length === 0) return "";
  const lines = left.map((mutant) => `- ${keyOf(mutant)}`);
  const count = `${left.length} more, which the numbers leave out: files changed, or tests wait.`;
  return ["## Not tried to the end", "", count, "", ...lines, ""].join("\n");
}

/** Runs the command; gives the exit code: 0 when every survivor has a reason. */
export async function mutateOperators(args: readonly string[]): Promise<number> {
  const { seed, jobs, only, ways, again, table } = readOptions(args);
  const sources = globSync("model/**/*.ts", { cwd: project })
    .sort()
    .filter((file) => file.includes(only))
    .map((file) => readSource(file, readFileSync(join(project, file), "utf8")))
    .filter(({ tokens }) => tokens.length > 0);
  if (sources.length === 0) throw new Error(`no file of model/ is called ${only}`);
  const mutants = await faultsThatCompile(sources, seed);
  console.error(`${mutants.length} faults compile, in ${sources.length} files`);
  const survivors = readSurvivors(new URL("survivors.json", import.meta.url));
  const run: Run = { mutants, judged: readJudged(), jobs };
  for (const mutant of again ? mutants : [])
    if (reasonFor(survivors, mutant) === undefined) forgetAlive(run.judged, mutant);
  const tried = table ? triedOf(run) : await judgeAll(run, ways);
  console.log(countsText(countsOf(tried, survivors)));
  if (only === "" && !ways) {
    const left = leftText(run);
    const text = tableText(tried, survivors, seed, HEADING);
    writeFileSync(join(project, TABLE), left === "" ? text : `${text}\n${left}`);
  }
  const open = tried.filter(
    ({ mutant, verdict }) =>
      verdict.kind === "survived" && reasonFor(survivors, mutant) === undefined,
  );
  return open.length === 0 ? 0 : 1;
}
