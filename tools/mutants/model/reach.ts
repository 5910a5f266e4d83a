// Which ways and which tests run what a fault changes: recorded once, kept in out/.

import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, globSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { Worker } from "node:worker_threads";
import type { Mutant } from "../cpu/candidates.ts";
import { readSource } from "../cpu/tokens.ts";
import { includes, meets, type Ran, type Stretches } from "./coverage.ts";
import type { FaultTask, Reached } from "./fault-worker.ts";
import { KEPT } from "./kept.ts";

const project = join(import.meta.dirname, "../../..");
const TESTS = ["properties/**/*.{test,prop}.ts", "counterexamples/**/*.test.ts"];

const sha = (text: string | Uint8Array): string =>
  createHash("sha256").update(text).digest("hex").slice(0, 16);

const hashOf = (path: string): string => sha(readFileSync(join(project, path)));

type Hashes = Readonly<Record<string, string>>;

const modelHashes = (): Hashes =>
  Object.fromEntries(globSync("model/**/*.ts", { cwd: project }).map((f) => [f, hashOf(f)]));

export interface WaysRecord extends Reached {
  readonly model: Hashes;
}

interface TestRecord {
  readonly test: string;
  readonly ran: Ran;
}

interface TestsRecord {
  readonly model: Hashes;
  readonly tests: Readonly<Record<string, { readonly hash: string; readonly ran: Ran }>>;
}

/** What is known of the tests: what they run, what they import, and what that imports. */
export interface TestReach {
  readonly recorded: TestsRecord;
  readonly load: Ran;
  readonly imports: ReadonlyMap<string, ReadonlySet<string>>;
}

const readJson = <T>(name: string): T | undefined => {
  const path = join(KEPT, name);
  return existsSync(path) ? (JSON.parse(readFileSync(path, "utf8")) as T) : undefined;
};

function keep<T>(name: string, value: T): T {
  writeFileSync(join(KEPT, name), JSON.stringify(value));
  return value;
}

/** Goes every way once, without a fault. */
function recordWays(): Promise<WaysRecord> {
  console.error("what each way runs");
  const model = modelHashes();
  const workerData: FaultTask = { kind: "reach" };
  return new Promise((resolve, reject) => {
    const worker = new Worker(new URL("fault-worker.ts", import.meta.url), { workerData });
    worker.on("error", reject);
    worker.on("message", (reached: Reached) =>
      resolve(keep("ways.json", { ...reached, model }) as WaysRecord),
    );
  });
}

/** Runs vitest with the configuration of faults; gives what it wrote, and its exit code. */
export function runVitest(
  env: Readonly<Record<string, string>>,
  paths: readonly string[],
  seconds: number,
): Promise<{ readonly code: number | null; readonly output: string }> {
  const vitest = join(project, "node_modules/vitest/vitest.mjs");
  const config = join(import.meta.dirname, "vitest.config.ts");
  const args = ["run", "--config", config, "--bail=1", "--reporter=dot", "--silent"];
  args.push("--passWithNoTests", ...paths);
  const limited = `ulimit -t ${seconds}; exec "$@"`;
  return new Promise((resolve, reject) => {
    const child = spawn("sh", ["-c", limited, "sh", process.execPath, vitest, ...args], {
      cwd: project,
      env: { ...process.env, ...env, CI: "1", NO_COLOR: "1", NODE_NO_WARNINGS: "1" },
      stdio: ["ignore", "pipe", "pipe"],
    });
    let output = "";
    const read = (text: string) => {
      output += text;
    };
    child.stdout.setEncoding("utf8").on("data", read);
    child.stderr.setEncoding("utf8").on("data", read);
    child.on("error", reject);
    child.on("close", (code) => resolve({ code, output }));
  });
}

/** Processor time of all tests, many times what they take. */
const ALL_TESTS_SECONDS = 3600;

/** Runs every test once, without a fault. */
async function recordTests(): Promise<TestsRecord> {
  console.error("what each test runs");
  const model = modelHashes();
  const REACH = join(KEPT, "tests");
  mkdirSync(REACH, { recursive: true });
  const { code, output } = await runVitest({ REACH }, [], ALL_TESTS_SECONDS);
  if (code !== 0) throw new Error(`without any fault: ${output.slice(-2000)}`);
  return keepTests(model);
}

function keepTests(model: Hashes): TestsRecord {
  const records = globSync("*.json", { cwd: join(KEPT, "tests") })
    .map((file) => readJson<TestRecord>(`tests/${file}`)!)
    .sort((a, b) => (a.test < b.test ? -1 : 1))
    .map(({ test, ran }) => [test, { hash: hashOf(test), ran }] as const);
  return keep("tests.json", { model, tests: Object.fromEntries(records) });
}

const imported = /\bfrom\s+"(\.[^"]+\.ts)"/g;

/** What every file of tests imports, directly or not. */
function importsOfTests(): ReadonlyMap<string, ReadonlySet<string>> {
  const direct = new Map<string, readonly string[]>();
  const ofFile = (file: string): readonly string[] => {
    const known = direct.get(file);
    if (known !== undefined) return known;
    const text = existsSync(join(project, file)) ? readFileSync(join(project, file), "utf8") : "";
    const found = [...text.matchAll(imported)].map(([, path = ""]) => join(dirname(file), path));
    direct.set(file, found);
    return found;
  };
  const all = globSync(TESTS, { cwd: project }).map((test) => {
    const seen = new Set<string>([test]);
    for (const file of seen) for (const next of ofFile(file)) seen.add(next);
    return [test, seen] as const;
  });
  return new Map(all);
}

/** What the ways run: as it was kept, or recorded now. */
export async function readWays(): Promise<WaysRecord> {
  mkdirSync(KEPT, { recursive: true });
  return readJson<WaysRecord>("ways.json") ?? (await recordWays());
}

/** What the tests run: as it was kept, or recorded now. */
export async function readTests({ load }: WaysRecord): Promise<TestReach> {
  const recorded = readJson<TestsRecord>("tests.json") ?? (await recordTests());
  return { recorded, load, imports: importsOfTests() };
}

const runs = (ran: Ran, { file, start }: Mutant): boolean => includes(ran[file] ?? [], start);

/** Whether every user of the file may see the fault: what ran at loading, or what is not known. */
const isEverywhere = (load: Ran, model: Hashes, mutant: Mutant): boolean =>
  runs(load, mutant) || model[mutant.file] !== hashOf(mutant.file);

/** The brackets around a character, innermost first. */
function around(file: string, at: number): readonly (readonly [number, number])[] {
  const { tokens, partner } = readSource(file, readFileSync(join(project, file), "utf8"));
  return tokens
    .flatMap(({ start }, i): (readonly [number, number])[] => {
      const end = tokens[partner[i]!]?.end ?? 0;
      return partner[i]! > i && start <= at && at < end ? [[start, end]] : [];
    })
    .reverse();
}

/** The names of all ways that run what the fault changes. */
function allWaysFor({ load, model, ways }: WaysRecord, mutant: Mutant): readonly string[] {
  const { file, start } = mutant;
  const names = (may: (stretches: Stretches) => boolean): readonly string[] =>
    Object.entries(ways).flatMap(([name, ran]) => (may(ran[file] ?? []) ? [name] : []));
  if (model[file] !== hashOf(file)) return Object.keys(ways);
  if (!runs(load, mutant)) return names((stretches) => includes(stretches, start));
  for (const [from, to] of around(file, start)) {
    const found = names((stretches) => meets(stretches, from, to));
    if (found.length > 0) return found;
  }
  return Object.keys(ways);
}

/** Of each kind of way this many are enough, by how their names begin; of others all. */
const ENOUGH: readonly (readonly [string, number])[] = [
  ["trace: ", 36],
  ["boot: ", 18],
  ["random scenario", 12],
];

/** Some of a list, from all over it. */
const spread = <T>(all: readonly T[], most: number): readonly T[] =>
  all.length <= most
    ? all
    : Array.from({ length: most }, (_, n) => all[Math.floor((n * all.length) / most)]!);

/**
 * The names of ways that run what the fault changes. Of what ran at loading, those that run a
 * function written with it: its guard, its transition; where there is none, all.
 */
export function waysFor(record: WaysRecord, mutant: Mutant): readonly string[] {
  const all = allWaysFor(record, mutant);
  const kindOf = (name: string) => ENOUGH.find(([kind]) => name.startsWith(kind));
  const others = all.filter((name) => kindOf(name) === undefined);
  const some = ENOUGH.map(([kind, most]) =>
    spread(
      all.filter((name) => name.startsWith(kind)),
      most,
    ),
  );
  return [others, ...some].flat();
}

const sizeOf = (ran: Ran): number =>
  Object.values(ran).reduce(
    (sum, stretches) => sum + stretches.reduce((total, at, n) => total + (n % 2 ? at : -at), 0),
    0,
  );

/** Conformance and stored counterexamples are among the ways. */
const AMONG_WAYS = new Set([
  "properties/conformance/conformance.test.ts",
  "counterexamples/replay.test.ts",
]);

/** The files of tests that run what the fault changes, the most particular first. */
export function testsFor(reach: TestReach, mutant: Mutant): readonly string[] {
  const { recorded, load, imports } = reach;
  const everywhere = isEverywhere(load, recorded.model, mutant);
  const found = [...imports].flatMap(([test, seen]) => {
    if (AMONG_WAYS.has(test)) return [];
    const record = recorded.tests[test];
    const known = record !== undefined && record.hash === hashOf(test) && !everywhere;
    const may = known ? runs(record.ran, mutant) : seen.has(mutant.file);
    return may ? [{ test, size: sizeOf(record?.ran ?? {}) }] : [];
  });
  return found.toSorted((a, b) => a.size - b.size).map(({ test }) => test);
}
