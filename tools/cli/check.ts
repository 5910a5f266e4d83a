// `check FILE.ko`: the rules of the specification over one module; exit 0, 1 or 2.

import { existsSync, writeFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import type { Command } from "commander";
import { type Counterexample, formatCounterexample } from "../../counterexamples/counterexample.ts";
import type { Coverage } from "../../counterexamples/coverage.ts";
import { BUILDS } from "../../spec/branches/branch.ts";
import { openDisassembler } from "../disassembler.ts";
import { boundLine, checkJson, noteLines } from "../report/check-report.ts";
import { coverageLine, neverLines } from "../report/coverage-lines.ts";
import { foundLines, wrapped } from "../report/found-lines.ts";
import { type CheckResult, checkModule, type Limits } from "../search/check-module.ts";
import { compared, readBaseline, staleLine, writeBaseline } from "./baseline.ts";
import { EXIT, exiting, UsageError } from "./exit.ts";
import { makeFolder } from "./make-folder.ts";
import { interruption, progress } from "./progress.ts";
import { type Subject, type SubjectFlags, subjectOf, subjectOptions } from "./subject.ts";

interface CheckFlags extends SubjectFlags {
  readonly runs?: string;
  readonly seed?: string;
  readonly out?: string;
  readonly coverage?: boolean;
  readonly calls?: string;
  readonly depth?: string;
  readonly baseline?: string;
  readonly writeBaseline?: string;
  readonly json?: boolean;
}

/** NON-SPEC: a handler that takes longer counts as one that never returns, unless --budget says. */
const BUDGET = 100_000;

function wholeNumber(flag: string, text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 0 || value > 1_000_000) {
    throw new UsageError(`${flag} ${text}: a number from 0 to 1000000 is wanted`);
  }
  return value;
}

/** Stores what was found where the user wants it. */
function save(found: readonly Counterexample[], folder: string): readonly string[] {
  makeFolder(folder);
  return found.map((it) => {
    const path = join(folder, `${it.name}.json`);
    writeFileSync(path, formatCounterexample(it));
    return relative(process.cwd(), path);
  });
}

/** A folder that is not there is told before the check, not after it. */
function wantFolder(folder: string): void {
  if (!existsSync(folder)) throw new UsageError(`${folder}: no such folder`);
}

const limitsOf = (flags: CheckFlags, { system }: Subject): Limits => ({
  runs: wholeNumber("--runs", flags.runs ?? "200"),
  seed: wholeNumber("--seed", flags.seed ?? "1"),
  calls: wholeNumber("--calls", flags.calls ?? "20000"),
  depth: wholeNumber("--depth", flags.depth ?? "3"),
  build: flags.build === undefined ? undefined : system.build,
});

async function check(path: string, flags: CheckFlags): Promise<number> {
  const subject = subjectOf(path, { budget: String(BUDGET), ...flags });
  const limits = limitsOf(flags, subject);
  if (flags.writeBaseline !== undefined) wantFolder(dirname(flags.writeBaseline));
  const accepted = flags.baseline === undefined ? [] : readBaseline(flags.baseline);
  const { system, boot } = subject;
  const builds = flags.build ?? BUILDS.join(" and ");
  const print = (...lines: readonly string[]): void => {
    if (flags.json !== true) process.stdout.write(`${lines.join("\n")}\n`);
  };
  print(
    ...wrapped("check    ", subject.modules.map(({ file }) => file).join(", ")),
    `system   ${system.documented ? "documented" : system.branch}, ${builds}`,
    ...wrapped("cmdline  ", boot.commandLine),
    ...subject.notes.flatMap((note) => wrapped("note     ", note)),
  );
  const ctrlC = interruption();
  const line = progress();
  const hooks = { at: line.at, stopped: ctrlC.asked };
  const result = await checkModule(subject, limits, hooks, await openDisassembler());
  line.clear();
  ctrlC.release();
  const { found, explored } = result;
  if (flags.writeBaseline !== undefined) writeBaseline(flags.writeBaseline, found, accepted);
  const judged = compared(found, accepted, system.documented ? "documented" : system.branch);
  const { fresh, known, stale } = judged;
  const paths = fresh.length === 0 ? [] : save(fresh, flags.out ?? "out/counterexamples");
  fresh.forEach((it, n) => {
    print("", ...foundLines(it, paths[n] ?? "", "FAIL"));
  });
  const verdict = verdictLines(subject, fresh, result);
  const said = verdict.flatMap((it) => wrapped("", it));
  print("", ...said, ...result.notes.flatMap(noteLines));
  if (known.length > 0) {
    const rules = known.map(({ clause }) => clause).join(", ");
    print(...wrapped("accepted ", `${known.length} known findings: ${rules}`));
  }
  print(...stale.map(staleLine), ...wrapped("", boundLine(result)), "");
  print(...(flags.coverage === true ? neverLines : coverageLineOf)(explored.coverage));
  const exit = exitOf(result, fresh, flags.writeBaseline !== undefined);
  if (flags.json === true) {
    const { commandLine } = boot;
    const all = { system, commandLine, verdict, exit, fresh, accepted: known };
    process.stdout.write(`${checkJson({ ...all, bound: boundLine(result) }, result)}\n`);
  }
  return exit;
}

function exitOf(
  { explored, first, down }: CheckResult,
  fresh: readonly Counterexample[],
  accepts: boolean,
): number {
  if (explored.interrupted) return EXIT.interrupted;
  if (fresh.length === 0 && first.run.unmodelled !== undefined) return EXIT.usage;
  return (fresh.length > 0 && !accepts) || down !== undefined ? EXIT.violation : EXIT.holds;
}

const coverageLineOf = (coverage: Coverage): readonly string[] => [
  ...coverageLine(coverage),
  "(--coverage lists what was never exercised)",
];

function verdictLines(
  subject: Subject,
  found: readonly Counterexample[],
  { down, byKernel: kernel, explored }: CheckResult,
): string[] {
  const partial = subject.stubs.size > 0 || subject.el2Only ? " (partial)" : "";
  const stops = [...explored.coverage.unmodelled.keys()].sort();
  const rules = found.length === 1 ? "1 rule is" : `${found.length} rules are`;
  const verdict =
    found.length > 0
      ? `FAIL${partial}: ${rules} broken with this module`
      : down !== undefined
        ? `${down.startsWith("stopped") ? "UNKNOWN" : "FAIL"}${partial}: ${down}`
        : `HOLDS${partial}: nothing that was tried breaks a rule with this module`;
  return [
    verdict,
    ...(down !== undefined && found.length > 0 ? [down] : []),
    ...(kernel.length === 0
      ? []
      : [`the kernel's own, whatever the module: ${kernel.join(", ")} (see counterexamples/)`]),
    ...(stops.length === 0
      ? []
      : [`some runs stopped at what is not modelled: ${stops.join("; ")}`]),
    ...(explored.interrupted ? ["interrupted: this is what was tried until then"] : []),
  ];
}

/** Declares `check`. */
export function registerCheck(program: Command): void {
  subjectOptions(
    program
      .command("check <file.ko>")
      .description("check the rules over one module: boot orders, failed loads, calls"),
  )
    .option("--runs <n>", "random scenarios a build (default: 200)")
    .option("--seed <n>", "seed of the random scenarios (default: 1)")
    .option("--calls <n>", "calls of registered functions (default: 20000)")
    .option("--depth <n>", "host actions in a sequence (default: 3)")
    .option("--out <folder>", "where counterexamples go (default: out/counterexamples)")
    .option("--baseline <file.json>", "accept the findings of this file: only new ones fail")
    .option("--write-baseline <file.json>", "accept what is found, for --baseline")
    .option("--json", "print one JSON object")
    .option("--coverage", "list every rule, guard and transition that was never exercised")
    .action(exiting(check));
}
