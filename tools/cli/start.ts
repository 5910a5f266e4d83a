// `npm start`: boots the page's module, calls it, then searches boot orders and failed loads.

import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Command } from "commander";
import { type Counterexample, formatCounterexample } from "../../counterexamples/counterexample.ts";
import { replay } from "../../counterexamples/replay.ts";
import type { ModuleFiles } from "../../counterexamples/run-checked.ts";
import { readme, readStored } from "../../counterexamples/stored.ts";
import { EXAMPLES } from "../../properties/arbitraries/examples.ts";
import { GUEST_IMAGES } from "../../properties/arbitraries/guests.ts";
import { SYSTEMS } from "../../properties/arbitraries/scenario.ts";
import type { SystemConfig } from "../../spec/types/hyp.ts";
import { coverageLines, neverLines } from "../report/coverage-lines.ts";
import { coverageJson } from "../report/search-json.ts";
import { type Broken, createExplored, type Explored, explore } from "../search/explore.ts";
import { counterexampleOf } from "../search/found.ts";
import { START_BUDGET, startScenarios } from "../search/start-scenarios.ts";
import { EXIT, exiting, quiet, runMain } from "./exit.ts";
import { makeFolder } from "./make-folder.ts";
import { interruption, progress } from "./progress.ts";
import { runText } from "./run.ts";
import { subjectOf } from "./subject.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const FOLDER = "counterexamples";
const OPTIONS = { budget: START_BUDGET };

/** Whether only JSON is to be printed. */
let isQuiet = false;
const print = (...lines: readonly string[]): void => {
  if (!isQuiet) process.stdout.write(`${lines.join("\n")}\n`);
};

const nameOf = ({ documented, branch, build }: SystemConfig): string =>
  `${documented ? "documented" : branch}, ${build}`;

/** Of two builds that break the same rule, production stands for both. */
function distinct(explored: Explored): readonly Broken[] {
  const chosen = new Map<string, Broken>();
  for (const broken of explored.broken.values()) {
    const { system } = broken.scenario;
    const key = `${broken.violation.rule} ${system.documented}`;
    const before = chosen.get(key);
    if (before === undefined || before.scenario.system.build !== "production") {
      chosen.set(key, broken);
    }
  }
  return [...chosen.values()];
}

/** Whether what is stored under that name is as short and still breaks its rule in the same way. */
function keeps(stored: Counterexample | undefined, found: Counterexample, files: ModuleFiles) {
  if (stored === undefined || stored.steps.length > found.steps.length) return false;
  const { violation, divergence } = replay(stored, files);
  return violation !== undefined && divergence === undefined;
}

/** Writes the counterexamples that are new, or better than what is stored, and the table of all. */
function store(found: readonly Counterexample[], files: ModuleFiles): void {
  const folder = join(ROOT, FOLDER);
  makeFolder(folder);
  const stored = new Map(
    readStored(folder).map(({ counterexample: it }) => [it.name, it] as const),
  );
  for (const one of found) {
    if (keeps(stored.get(one.name), one, files)) continue;
    writeFileSync(join(folder, `${one.name}.json`), formatCounterexample(one));
  }
  writeFileSync(join(folder, "README.md"), readme(readStored(folder)));
}

/** Shrinks what was found, and says so. */
function shrunkAll(explored: Explored, files: ModuleFiles): readonly Counterexample[] {
  const line = progress();
  const found = distinct(explored).flatMap((broken) => {
    line.at(`shrinking ${broken.violation.rule}`);
    const it = counterexampleOf(broken, files, OPTIONS, "npm start");
    return it === undefined ? [] : [it];
  });
  line.clear();
  return found.sort((a, b) => (a.name < b.name ? -1 : Number(a.name > b.name)));
}

/** The search over all example modules and systems. */
async function search(files: ModuleFiles, stopped: () => boolean): Promise<Explored> {
  const line = progress();
  const explored = createExplored();
  for (const system of SYSTEMS) {
    await explore(
      startScenarios(system),
      files,
      OPTIONS,
      {
        progress: (done) => line.at(`${nameOf(system)}: ${done} boots`),
        stopped,
      },
      explored,
    );
    line.clear();
    print(`  ${nameOf(system).padEnd(30)} ${explored.coverage.runs} boots so far`);
    if (explored.interrupted) break;
  }
  return explored;
}

const row = (it: Counterexample): string =>
  `  ${it.verdict.padEnd(9)} ${it.clause.padEnd(7)} ${it.sentence}`.slice(0, 110);

/** What was found and covered as one JSON object. */
const startJson = (found: readonly Counterexample[], { booted, coverage }: Explored): string =>
  JSON.stringify(
    {
      format: 1,
      found: found.map((it) => ({ ...it.scenario.system, rule: it.clause, verdict: it.verdict })),
      booted: Object.fromEntries([...booted].sort()),
      coverage: coverageJson(coverage),
    },
    null,
    2,
  );

async function start(flags: { readonly json?: boolean }): Promise<number> {
  isQuiet = flags.json === true;
  const page = subjectOf(join(ROOT, "examples/page/pkvm_module.ko"), {});
  print(
    "1. The module of the Android page boots, and the host calls it",
    "",
    runText(page).text,
    "",
  );
  const paths = [...EXAMPLES.map(({ file }) => file), ...GUEST_IMAGES];
  const files = new Map(paths.map((file) => [file, readFileSync(join(ROOT, file))]));
  print(`2. Boot orders, failed loads and calls, over ${EXAMPLES.length} modules`);
  const ctrlC = interruption();
  const explored = await search(files, ctrlC.asked);
  const found = shrunkAll(explored, files);
  ctrlC.release();
  store(found, files);
  const { booted, coverage } = explored;
  const violations = found.filter(({ verdict }) => verdict === "violation");
  print(
    "",
    "modules that booted, and how often:",
    ...[...booted].sort().map(([name, times]) => `  ${name.padEnd(32)} ${times}`),
    "",
    ...coverageLines(coverage),
    "",
    `found: ${found.length - violations.length} findings, ${violations.length} violations`,
    ...found.flatMap((it) => [row(it), `            ${FOLDER}/${it.name}.json`]),
    "A finding is a rule that the branch is known to break; it is expected, and exit is 0.",
    "",
    ...neverLines(coverage),
    ...(explored.interrupted ? ["", "interrupted: what was found so far is kept"] : []),
  );
  if (isQuiet) process.stdout.write(`${startJson(found, explored)}\n`);
  if (explored.interrupted) return EXIT.interrupted;
  return violations.length > 0 ? EXIT.violation : EXIT.holds;
}

const command = quiet(new Command("npm start"))
  .description("boots the page's module, then searches boot orders, failed loads and calls")
  .option("--json", "print one JSON object: what was found, what was covered, what never was");
await runMain(command.action(exiting(start)), process.argv);
