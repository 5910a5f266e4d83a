#!/usr/bin/env node
// `npm run oracle`: holds the model `mainline-6.1` against Debian's own kernel, live under QEMU.

import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { Command } from "commander";
import { EXIT, exiting, quiet, runMain, UsageError } from "./cli/exit.ts";
import { interruption, progress } from "./cli/progress.ts";
import { type Coverage, count, missing, reachedBy, WANTED } from "./oracle/coverage.ts";
import { DIRECTED } from "./oracle/directed.ts";
import { examine, type Finding } from "./oracle/examine.ts";
import { runFatal } from "./oracle/fatal.ts";
import { buildInitramfs } from "./oracle/initramfs.ts";
import { bootMachine, OracleError } from "./oracle/live-machine.ts";
import { bootModel } from "./oracle/model-machine.ts";
import { checkCommands, kernelPackages, TRACES_VERSION } from "./oracle/packages.ts";
import { recordDirected } from "./oracle/record-trace.ts";
import { replayTrace } from "./oracle/replay-trace.ts";
import { coverageLines, findingLines } from "./oracle/report.ts";
import type { Laboratory } from "./oracle/session.ts";
import { readRecorded, traceText } from "./oracle/trace-file.ts";

const OUT = fileURLToPath(new URL("../out/oracle/", import.meta.url));
const FOUND = join(OUT, "difference.jsonl");

const say = (text: string): boolean => process.stdout.write(`${text}\n`);

interface Options {
  readonly calls: number;
  readonly seed: number;
  readonly replay: readonly string[];
  readonly coverage: boolean;
  readonly record?: string;
}

interface Prepared {
  readonly laboratory: Laboratory;
  /** The package, as the headers of traces name it. */
  readonly kernel: string;
}

/** Gets the kernel and builds what it boots into. */
function prepare(at: (text: string) => void): Prepared {
  checkCommands();
  mkdirSync(OUT, { recursive: true });
  const kernel = kernelPackages(OUT, at);
  at(`building the module for ${kernel.release}`);
  const files = buildInitramfs(kernel);
  const { version, release } = kernel;
  const name = `linux-image-${release} ${version} (Debian), unmodified`;
  const traces = version === TRACES_VERSION ? "that of" : `not that of (${TRACES_VERSION})`;
  say(`kernel ${release}, Debian ${version}: ${traces} the stored traces`);
  return { laboratory: { boot: () => bootMachine(files), bootModel }, kernel: name };
}

function sayFinding(finding: Finding, kernel: string): void {
  for (const line of findingLines(finding)) say(line);
  mkdirSync(dirname(FOUND), { recursive: true });
  writeFileSync(FOUND, traceText(finding.sequences, kernel));
  say(`  again: npm run oracle -- --replay ${FOUND}`);
}

/** Directed and random sequences, then what is fatal. */
async function compare({ calls, seed, coverage }: Options): Promise<number> {
  const shown = progress();
  const interrupt = interruption();
  const coverageSoFar: Coverage = new Map();
  try {
    const { laboratory, kernel } = prepare(shown.at);
    const outcome = await examine(laboratory, {
      ...{
        directed: DIRECTED.map(({ steps }) => steps),
        calls,
        seed,
        interrupted: interrupt.asked,
        onProgress: shown.at,
      },
      onObserved: (observed) => {
        for (const one of observed) count(coverageSoFar, reachedBy(one));
      },
    });
    const fatal = await runFatal(laboratory, shown.at, interrupt.asked);
    for (const { name, observed, end } of fatal) {
      for (const one of observed) count(coverageSoFar, reachedBy(one));
      if (end?.kind === "ended") count(coverageSoFar, [`fatal: ${name}`]);
    }
    shown.clear();
    const findings = [outcome, ...fatal].flatMap(({ finding }) => finding ?? []);
    for (const finding of findings) sayFinding(finding, kernel);
    const absent = missing(coverageSoFar);
    const listed = coverage ? WANTED : interrupt.asked() ? [] : absent;
    for (const line of coverageLines(coverageSoFar, listed)) say(line);
    const { sequences, carrying, boots } = outcome;
    say(`${outcome.calls} calls in ${sequences} sequences, seed ${seed}, ${boots} boots`);
    say(`${carrying} sequences left something behind; ${fatal.length} fatal ones, a boot each`);
    say(`reached ${WANTED.length - absent.length} of ${WANTED.length}`);
    say(`${findings.length} differences`);
    if (interrupt.asked()) {
      say("interrupted");
      return EXIT.interrupted;
    }
    return findings.length > 0 || absent.length > 0 ? EXIT.violation : EXIT.holds;
  } finally {
    shown.clear();
    interrupt.release();
  }
}

/** Recorded traces on the real kernel and in the model. */
async function replay({ replay: files }: Options): Promise<number> {
  const shown = progress();
  const traces = files.map((file) => ({ file, recorded: readRecorded(file) }));
  const { laboratory } = prepare(shown.at);
  let differences = 0;
  for (const { file, recorded } of traces) {
    shown.at(file);
    const { steps, disagreements } = await replayTrace(laboratory, recorded);
    shown.clear();
    for (const { line, step, recorded, real, ours } of disagreements) {
      say(`${file}:${line}: ${step}`);
      say(`  recorded: ${recorded}\n  real:     ${real}\n  model:    ${ours}`);
    }
    say(`${file}: ${steps} steps, ${disagreements.length} differences`);
    differences += disagreements.length;
  }
  return differences > 0 ? EXIT.violation : EXIT.holds;
}

/** The answers of the real kernel to the directed sequences, in a file. */
async function record(file: string): Promise<number> {
  const shown = progress();
  const { laboratory, kernel } = prepare(shown.at);
  writeFileSync(file, await recordDirected(laboratory, kernel));
  shown.clear();
  say(`recorded: ${file}`);
  return EXIT.holds;
}

function whole(max: number): (text: string) => number {
  return (text) => {
    if (!/^\d{1,10}$/.test(text) || Number(text) > max)
      throw new UsageError(`not a number: ${text}`);
    return Number(text);
  };
}

/** Trouble with the tools or the machine is no difference: exit code 2. */
async function oracle(options: Options): Promise<number> {
  try {
    if (options.record !== undefined) return await record(options.record);
    return await (options.replay.length > 0 ? replay(options) : compare(options));
  } catch (error) {
    if (error instanceof OracleError) throw new UsageError(`oracle: ${error.message}`);
    throw error;
  }
}

const collect = (value: string, before: readonly string[]): readonly string[] => [...before, value];

const command = quiet(new Command("oracle"))
  .description("Holds the model against Debian's own arm64 kernel, live under QEMU.")
  .option("--calls <N>", "random calls, beside the directed ones", whole(1_000_000), 5000)
  .option("--seed <S>", "of the random sequences", whole(0x7fff_ffff), 1)
  .option("--coverage", "show everything that was reached, with counts", false)
  .option("--replay <FILE>", "run a recorded trace instead (again for more)", collect, [])
  .option("--record <FILE>", "write the kernel's answers to the directed sequences instead")
  .action(exiting(oracle));

await runMain(command, process.argv);
