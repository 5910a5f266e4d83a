// `search --bound …`: every state of a small world, and the shortest way to each broken rule.

import { writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import type { Command } from "commander";
import { formatWalk, playWalk, type StoredWalk } from "../../counterexamples/walk.ts";
import { GUARDS } from "../../model/transitions.ts";
import { BRANCH_NAMES, BUILDS, type Build } from "../../spec/branches/branch.ts";
import { BRANCHES, isBranchName } from "../../spec/branches/branches.ts";
import { findingOf, type RuleId } from "../../spec/findings.ts";
import type { SystemConfig } from "../../spec/types/hyp.ts";
import { riskJson, riskLines } from "../report/risk-lines.ts";
import { searchJson } from "../report/search-json.ts";
import { coverageBlock, type SearchDone } from "../report/search-lines.ts";
import { walkLines } from "../report/walk-lines.ts";
import { loadSearch, type SearchOrder, saveSearch } from "../search/checkpoint.ts";
import { coverageOf } from "../search/coverage-of-search.ts";
import { type Bound, carryOn, type Ended, levelSizes } from "../search/exhaustive/bfs.ts";
import { pathTo } from "../search/exhaustive/path.ts";
import { startWorld, violationOn, type WorldSearch } from "../search/find-violation.ts";
import { searchInParallel } from "../search/parallel.ts";
import { storedWalk } from "../search/stored-walk.ts";
import { BOUND_KEYS, parseBound, sizeText } from "../search/world/bound.ts";
import { knowsVms } from "../search/world/vm-moves.ts";
import type { Move } from "../search/world/world.ts";
import { firmwareBytes } from "../search/world/world.ts";
import { EXIT, exiting, UsageError } from "./exit.ts";
import { makeFolder } from "./make-folder.ts";
import { interruption, type Progress, progress } from "./progress.ts";

interface SearchFlags {
  readonly bound?: string;
  readonly branch?: string;
  readonly build?: string;
  readonly omit?: readonly string[];
  readonly symmetry: boolean;
  readonly first?: boolean;
  readonly checkpoint?: string;
  readonly resume?: string;
  readonly out?: string;
  readonly json?: boolean;
  readonly risk?: boolean;
  readonly workers?: string;
}

/** The system that is asked for. */
function systemOf(
  { branch = "android14-6.1", build = "production" }: SearchFlags,
  cpuCount: number,
) {
  const documented = branch === "documented";
  const name = documented ? "android14-6.1" : branch;
  if (!isBranchName(name) || !BRANCHES[name].vendorModules) {
    const known = ["documented", ...BRANCH_NAMES.filter((one) => BRANCHES[one].vendorModules)];
    throw new UsageError(`--branch ${branch}: known are ${known.join(", ")}`);
  }
  if (!BUILDS.some((known) => known === build)) {
    throw new UsageError(`--build ${build}: ${BUILDS.join(" or ")} is wanted`);
  }
  return { branch: name, build: build as Build, documented, cpuCount } satisfies SystemConfig;
}

interface Job {
  readonly search: WorldSearch;
  readonly order: SearchOrder;
  readonly bound: Bound;
}

/** A new search, or one from disk. */
function jobOf(flags: SearchFlags): Job {
  const asked = parseBound(flags.bound ?? "");
  if (typeof asked === "string") throw new UsageError(`--bound ${asked}`);
  if (flags.resume !== undefined) {
    const loaded = loadSearch(flags.resume);
    if (typeof loaded === "string") throw new UsageError(`${flags.resume}: ${loaded}`);
    return { ...loaded, bound: asked.bound };
  }
  const omit = flags.omit ?? [];
  const unknown = omit.find((key) => !GUARDS.some((guard) => guard.key === key));
  if (unknown !== undefined) throw new UsageError(`--omit ${unknown}: no guard has that name`);
  const system = systemOf(flags, asked.size.cpus);
  if (asked.size.hypVms > 0 && !knowsVms(system)) {
    throw new UsageError(`--bound hypVms: VMs at EL2 are not modelled on ${system.branch}`);
  }
  const order = { system, size: asked.size, omit, useSymmetry: flags.symmetry };
  const options = omit.length === 0 ? {} : { omit: new Set(omit) };
  const search = startWorld(system, asked.size, options, flags.symmetry);
  return { search, order, bound: asked.bound };
}

/** How long the search goes on before signals are looked at. */
const SLICE_MS = 200;
/** Where there is no terminal, one line in so many slices says how far it is. */
const SLICES_A_LINE = 50;

/** Searches in slices, so that Ctrl-C is heard and progress is shown. */
async function runSearch(
  { search, order, bound }: Job,
  flags: SearchFlags,
  line: Progress,
  asked: () => boolean,
): Promise<Ended> {
  const isNew = (rule: string): boolean => findingOf(rule as RuleId, order.system) === undefined;
  const enough = ({ rule }: { readonly rule: string }) => flags.first === true && isNew(rule);
  for (let slice = 1; ; slice += 1) {
    const until = Date.now() + SLICE_MS;
    const ended = carryOn(search, bound, { enough, pause: () => Date.now() > until });
    if (ended !== "interrupted" || asked()) return ended;
    const { set, levels, transitions, head } = search;
    const text =
      `${set.size} states, ${set.size - head} to look at, depth ${levels.length - 2}, ` +
      `${transitions} transitions`;
    line.at(text);
    const isPlain = !process.stderr.isTTY && flags.json !== true;
    if (isPlain && slice % SLICES_A_LINE === 0) process.stderr.write(`${text}\n`);
    await new Promise((resume) => setImmediate(resume));
  }
}

/** Every broken rule as a walk, findings after violations. */
function walksOf(order: SearchOrder, ways: ReadonlyMap<string, readonly Move[]>, states: number) {
  const options = order.omit.length === 0 ? {} : { omit: new Set(order.omit) };
  const walks = [...ways].flatMap(([rule, moves]) => {
    const violation = violationOn(moves, rule, order.system, options);
    const walk = storedWalk({
      system: order.system,
      firmwareBytes,
      rule: violation.rule,
      actions: violation.actions,
      by: `search, depth ${moves.length}`,
      shortest: `none shorter exists in this world (${states} states searched, breadth first)`,
      ...options,
    });
    return walk === undefined ? [] : [walk];
  });
  const rank = ({ verdict }: StoredWalk): number => (verdict === "violation" ? 0 : 1);
  return walks.toSorted((a, b) => rank(a) - rank(b));
}

function save(walks: readonly StoredWalk[], folder: string): readonly string[] {
  if (walks.length > 0) makeFolder(folder);
  return walks.map((walk) => {
    const path = join(folder, `${walk.name}.json`);
    writeFileSync(path, formatWalk(walk));
    return relative(process.cwd(), path);
  });
}

const print = (lines: readonly string[]): void => {
  process.stdout.write(`${lines.join("\n")}\n`);
};

/** A search with the ways to what it found. */
interface Done extends SearchDone {
  readonly ways: ReadonlyMap<string, readonly Move[]>;
}

async function onOneThread(
  job: Job,
  flags: SearchFlags,
  line: Progress,
  asked: () => boolean,
): Promise<Done> {
  const ended = await runSearch(job, flags, line, asked);
  const { search } = job;
  if (flags.checkpoint !== undefined) saveSearch(flags.checkpoint, search, job.order);
  const { set, transitions, found } = search;
  // Before the ways are looked for, which asks the rules again.
  const coverage = coverageOf(search);
  const ways = [...found.values()].map((one) => [one.rule, pathTo(search, one)] as const);
  const levels = levelSizes(search);
  return { ended, levels, states: set.size, transitions, coverage, ways: new Map(ways) };
}

/** On several threads. */
async function onThreads(
  { order, bound }: Job,
  flags: SearchFlags,
  line: Progress,
  asked: () => boolean,
): Promise<Done> {
  const workers = /^[1-8]$/.test(flags.workers ?? "") ? Number(flags.workers) : Number.NaN;
  if (Number.isNaN(workers)) throw new UsageError(`--workers ${flags.workers}: 1 to 8 is wanted`);
  if (flags.checkpoint !== undefined || flags.resume !== undefined) {
    throw new UsageError(
      "--workers does not go with --checkpoint or --resume: each thread keeps its own states",
    );
  }
  const enough = (rule: string): boolean =>
    flags.first === true && findingOf(rule as RuleId, order.system) === undefined;
  return await searchInParallel(order, bound, workers, {
    pause: (text) => {
      line.at(text);
      return asked();
    },
    enough,
  });
}

async function search(flags: SearchFlags): Promise<number> {
  const job = jobOf(flags);
  const { system, size, omit } = job.order;
  const name = `${system.documented ? "documented" : system.branch}, ${system.build}`;
  if (flags.json !== true) print([`search   ${name}: ${sizeText(size)}`]);
  const [line, ctrlC, started] = [progress(), interruption(), process.cpuUsage()];
  const run = flags.workers === undefined ? onOneThread : onThreads;
  const done = await run(job, flags, line, ctrlC.asked);
  line.clear();
  const { user, system: kernel } = process.cpuUsage(started);
  const seconds = (user + kernel) / 1e6;
  const walks = walksOf(job.order, done.ways, done.states);
  ctrlC.release();
  const violations = walks.filter(({ verdict }) => verdict === "violation");
  const paths = save(violations, flags.out ?? "out/counterexamples");
  const risked = { system, size, coverage: done.coverage, broken: [...done.ways.keys()] };
  if (flags.json === true) {
    const risk = flags.risk === true ? riskJson(risked) : undefined;
    print([searchJson(done, job.order, walks, seconds, risk)]);
  } else {
    const known = walks.filter(({ verdict }) => verdict === "finding");
    violations.forEach((walk, n) => {
      print(["", ...walkLines(walk, playWalk(walk, new Set(omit)), paths[n] ?? "")]);
    });
    print([
      "",
      ...known.map(({ clause, actions, sentence }) =>
        `known ${clause}, ${actions.length} steps: ${sentence}`.slice(0, 80),
      ),
      ...coverageBlock(done, seconds),
      ...(flags.risk === true ? riskLines(risked) : []),
    ]);
  }
  if (violations.length > 0) return EXIT.violation;
  return done.ended === "interrupted" ? EXIT.interrupted : EXIT.holds;
}

const repeated = (value: string, before: readonly string[] | undefined): readonly string[] => [
  ...(before ?? []),
  value,
];

/** Declares `search`. */
export function registerSearch(program: Command): void {
  program
    .command("search")
    .description("search every state of a small world; 1 when a rule is broken unexpectedly")
    .option("--bound <k=n,…>", `size and end: ${BOUND_KEYS.join(", ")}`)
    .option("--branch <name>", "documented, or a kernel branch (default: android14-6.1)")
    .option("--build <name>", `${BUILDS.join(" or ")} (default: production)`)
    .option("--omit <guard>", "leave a guard out: TRANSITION/CLAUSE", repeated)
    .option("--no-symmetry", "keep states that differ only in names")
    .option("--first", "end at the first violation")
    .option("--checkpoint <file>", "where to keep the search when it ends")
    .option("--resume <file>", "carry a kept search on, with the ends of --bound")
    .option("--out <folder>", "where counterexamples go (default: out/counterexamples)")
    .option("--risk", "say which rules would notice a missing guard, one guard at a time")
    .option("--workers <n>", "search on so many threads, each a share of the states")
    .option("--json", "print one JSON object")
    .action(exiting(search));
}
