// `npm run mutants -- cpu`: puts faults into copies of the core and looks whether anything notices.

import { globSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { candidates, type Mutant, quota } from "./candidates.ts";
import { type Before, failures, judge, replay, runTests, type Verdict } from "./judge.ts";
import { createSandbox, remove, type Sandbox } from "./sandbox.ts";
import { EVERY_TEST, everySet, killerOf } from "./suites.ts";
import { readSurvivors, reasonFor, type Survivor } from "./survivors.ts";
import { countsOf, countsText, fates, keyOf, rate, type Tried, tableText } from "./table.ts";
import { readSource, type Source } from "./tokens.ts";

const project = join(import.meta.dirname, "../../..");
const TABLE = "cpu/MUTANTS.md";
const RATE_MIN = 0.98;
/** Faults of one file that are refused in a row before the rest of its quota is given up. */
const REFUSED_MAX = 60;

const usage = `npm run mutants -- cpu [--seed N] [--jobs N] [--faults N]
  [--update | --only PART-OF-PATH | --only alive]`;
/** `--only alive`: the faults that the committed table says are alive, and no others. */
const ALIVE = "alive";

interface Options {
  readonly seed: string;
  readonly jobs: number;
  readonly only: string;
  /** Faults of each file, in place of its quota. */
  readonly faults: number | undefined;
  /** Only new faults are tried, and those that the table says are alive without a reason. */
  readonly update: boolean;
}

function readOptions(args: readonly string[]): Options {
  const { values } = parseArgs({
    args: [...args],
    options: {
      seed: { type: "string", default: "1" },
      jobs: { type: "string", default: "2" },
      only: { type: "string", default: "" },
      faults: { type: "string" },
      update: { type: "boolean", default: false },
    },
  });
  const [jobs, faults] = [Number(values.jobs), Number(values.faults ?? 1)];
  if (!Number.isInteger(jobs) || jobs < 1 || !Number.isInteger(faults) || faults < 1)
    throw new Error(usage);
  return {
    seed: values.seed,
    jobs,
    only: values.only,
    update: values.update,
    faults: values.faults === undefined ? undefined : faults,
  };
}

/** What is tried of one file: faults in this order until so many of them compile. */
interface Planned {
  readonly source: Source;
  readonly mutants: readonly Mutant[];
  readonly count: number;
}

function planOf({ seed, only, faults, update }: Options): readonly Planned[] {
  const known = readFates();
  if (only !== ALIVE)
    return readSources(only).map((source) => {
      const [mutants, count] = [candidates(source, seed), faults ?? quota(source)];
      // Where the table has enough of a file, those that once did not compile are left out.
      const tabled = update ? mutants.filter((mutant) => known.has(keyOf(mutant))) : [];
      return { source, mutants: tabled.length >= count ? tabled : mutants, count };
    });
  return readSources("").flatMap((source) => {
    const mutants = candidates(source, seed).filter((mutant) => {
      const key = keyOf(mutant);
      return known.has(key) && known.get(key) === undefined;
    });
    return mutants.length === 0 ? [] : [{ source, mutants, count: mutants.length }];
  });
}

/** What the committed table says: what killed a fault before is the first to be asked again. */
const readFates = () => fates(readFileSync(join(project, TABLE), "utf8"));

function knownBefore({ known, without }: Run, mutant: Mutant): Before {
  const key = keyOf(mutant);
  const by = known.get(key);
  return { without, compiles: known.has(key), killer: by === undefined ? by : killerOf(by) };
}

interface Run {
  readonly options: Options;
  readonly without: readonly string[];
  readonly survivors: readonly Survivor[];
  /** The faults of each file that are tried, and how many of them. */
  readonly plan: readonly Planned[];
  /** What the committed table says of each fault. */
  readonly known: ReadonlyMap<string, string | undefined>;
  done: number;
}

function progress(run: Run, { mutant, verdict }: Tried): void {
  run.done++;
  const { file, line, operator, before, after } = mutant;
  const total = run.plan.reduce((sum, { count }) => sum + count, 0);
  const place = `[${run.done}/${total}] ${file}:${line} ${operator}`;
  if (verdict.kind !== "survived") {
    console.error(`${place}: ${verdict.by.slice(0, 120)}`);
    return;
  }
  const reason = reasonFor(run.survivors, mutant);
  console.error(`${place}: ALIVE (${reason?.kind ?? "no reason"})\n  - ${before}\n  + ${after}`);
}

/** What need not be tried again: what the table says is dead, or alive for a reason. */
function tabled({ known, survivors }: Run, mutant: Mutant): Verdict | undefined {
  const key = keyOf(mutant);
  const by = known.get(key);
  if (by !== undefined) return { kind: "killed", by };
  const explained = known.has(key) && reasonFor(survivors, mutant) !== undefined;
  return explained ? { kind: "survived" } : undefined;
}

/** Tries the faults of one file in order until its quota of faults that compile is reached. */
async function tryFile(run: Run, sandbox: Sandbox, planned: Planned): Promise<readonly Tried[]> {
  const { source, mutants, count } = planned;
  const tried: Tried[] = [];
  let refused = 0;
  for (const mutant of mutants) {
    if (tried.length >= count || refused > REFUSED_MAX) break;
    const known = run.options.update ? tabled(run, mutant) : undefined;
    if (known !== undefined) {
      tried.push({ mutant, verdict: known });
      continue;
    }
    const verdict = await judge(sandbox, mutant, source.text, knownBefore(run, mutant));
    if (verdict.kind === "refused") {
      refused++;
      continue;
    }
    refused = 0;
    tried.push({ mutant, verdict });
    progress(run, { mutant, verdict });
  }
  return tried;
}

/** Each sandbox takes the next file until none is left. */
async function tryAll(run: Run, sandboxes: readonly Sandbox[]) {
  const results = new Map<string, readonly Tried[]>();
  const waiting = [...run.plan];
  const lane = async (sandbox: Sandbox): Promise<void> => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift())
      results.set(next.source.file, await tryFile(run, sandbox, next));
  };
  await Promise.all(sandboxes.map(lane));
  return run.plan.flatMap(({ source }) => results.get(source.file) ?? []);
}

/** Test files that fail without any fault: they can notice nothing. Vectors have to agree. */
async function failingBefore(sandbox: Sandbox): Promise<readonly string[]> {
  const vectors = await replay(sandbox, everySet);
  if (vectors.kind !== "survived") throw new Error(`without any fault: ${vectors.by}`);
  const report = await runTests(sandbox, [EVERY_TEST], { bail: false, without: [] });
  if (report === undefined) throw new Error("the tests do not end without any fault");
  return failures(sandbox, report).map(({ file }) => file);
}

function readSources(only: string): readonly Source[] {
  return globSync("cpu/**/*.ts", { cwd: project })
    .sort()
    .filter((file) => file.includes(only))
    .map((file) => readSource(file, readFileSync(join(project, file), "utf8")))
    .filter(({ tokens }) => tokens.length > 0);
}

/**
 * Saying how it went, and the exit code: 0 if enough faults died and every survivor has a reason.
 */
function conclude(run: Run, all: readonly Tried[]): number {
  const counts = countsOf(all, run.survivors);
  console.log(countsText(counts));
  const whole = run.options.only === "" && run.options.faults === undefined;
  if (whole) {
    const shown = run.survivors.filter((survivor) =>
      all.some(
        ({ mutant, verdict }) => verdict.kind === "survived" && reasonFor([survivor], mutant),
      ),
    );
    const idle = run.survivors.length - shown.length;
    if (idle > 0) console.log(`${idle} reasons in survivors.json are for faults not tried or dead`);
    writeFileSync(join(project, TABLE), tableText(all, run.survivors, run.options.seed));
  }
  return rate(counts) >= RATE_MIN && counts.unexplained === 0 ? 0 : 1;
}

/** Runs the command; gives the exit code. */
export async function mutateCpu(args: readonly string[]): Promise<number> {
  const options = readOptions(args);
  const plan = planOf(options);
  if (plan.length === 0) throw new Error(`no fault of cpu/ is called ${options.only}`);
  const sandboxes: Sandbox[] = [];
  const clean = (): void => sandboxes.forEach(remove);
  process.once("SIGINT", () => {
    clean();
    process.exit(130);
  });
  try {
    for (let n = 0; n < options.jobs; n++) sandboxes.push(createSandbox(project));
    const without = await failingBefore(sandboxes[0]!);
    for (const file of without) console.error(`${file} fails without any fault: left out`);
    const run: Run = {
      options,
      without,
      survivors: readSurvivors(),
      plan,
      known: readFates(),
      done: 0,
    };
    return conclude(run, await tryAll(run, sandboxes));
  } finally {
    clean();
  }
}
