// `check FILE.ko`: the rules of the specification over one module; exit 0, 1 or 2.

import { mkdirSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import type { Command } from "commander";
import { type Counterexample, formatCounterexample } from "../../counterexamples/counterexample.ts";
import type { Coverage } from "../../counterexamples/coverage.ts";
import { type CheckedRun, runChecked } from "../../counterexamples/run-checked.ts";
import { sectionNamed } from "../../model/elf/read.ts";
import { BUILDS } from "../../spec/branches/branch.ts";
import { findingOf } from "../../spec/findings.ts";
import type { ModuleState } from "../../spec/types/module.ts";
import { type Disassembler, openDisassembler } from "../disassembler.ts";
import { coverageLine, neverLines } from "../report/coverage-lines.ts";
import { foundLines } from "../report/found-lines.ts";
import { endLine } from "../report/log-lines.ts";
import { codePlaceOf, placeTeller } from "../report/source-place.ts";
import { type Broken, createExplored, type Explored, explore } from "../search/explore.ts";
import { counterexampleOf, type Places } from "../search/found.ts";
import { type Checked, directed, random } from "../search/module-scenarios.ts";
import { compared, readBaseline, staleLine, writeBaseline } from "./baseline.ts";
import { EXIT, exiting, UsageError } from "./exit.ts";
import { interruption, progress } from "./progress.ts";
import { type Subject, type SubjectFlags, subjectOf, subjectOptions } from "./subject.ts";

interface CheckFlags extends SubjectFlags {
  readonly runs?: string;
  readonly seed?: string;
  readonly out?: string;
  readonly coverage?: boolean;
  readonly baseline?: string;
  readonly writeBaseline?: string;
}

/** NON-SPEC: a handler that takes longer counts as one that never returns, unless --budget says. */
const BUDGET = 100_000;

/** Rules that the kernel breaks whatever the modules are: no module can mend them. */
const byKernel = ({ violation, scenario }: Broken): boolean =>
  findingOf(violation.rule, scenario.system)?.by === "kernel";

/** What the boot that was asked for leads to, before anything is made to fail. */
function firstBoot(subject: Subject): CheckedRun {
  const { system, boot, files, stubs, el2Only, budget } = subject;
  return runChecked({ system, boot, actions: [] }, files, { budget, stubs, el2Only, watch: true });
}

/** Why a module is not up after the boot that was asked for; undefined when it is. */
function notUp(subject: Subject, { run }: CheckedRun): string | undefined {
  if (run.final.end !== undefined || run.unmodelled !== undefined) return endLine(run);
  for (const { name, module } of subject.modules) {
    const state: ModuleState | undefined = run.final.modules.get(name);
    const wantsEl2 = (sectionNamed(module.elf, ".hyp.text")?.size ?? 0) > 0;
    if (state === undefined || state.state === "freed") {
      const refused = run.log.flatMap((event) =>
        event.kind === "step" &&
        event.step.action.kind === "load_module" &&
        event.step.action.name === name
          ? [event.step.action.refused?.why ?? ""]
          : [],
      );
      const why = refused.find((text) => text !== "") ?? `its init returned ${state?.initResult}`;
      return `${name} does not load: ${why}`;
    }
    if (wantsEl2 && state.el2 !== "initialised") return `the EL2 half of ${name} is not loaded`;
  }
  return undefined;
}

/** Pages that the EL2 halves take. */
function el2PagesOf({ run }: CheckedRun): number {
  const modules = [...run.final.modules.values()];
  return modules.reduce(
    (sum, { sections }) => sum + sections.reduce((pages, { pfns }) => pages + pfns.length, 0),
    0,
  );
}

async function searchModule(
  subject: Subject,
  first: CheckedRun,
  flags: CheckFlags,
  stopped: () => boolean,
  { siteOf }: Places,
): Promise<Explored> {
  const runs = wholeNumber("--runs", flags.runs ?? "200");
  const seed = wholeNumber("--seed", flags.seed ?? "1");
  const { files, stubs, el2Only, budget } = subject;
  const explored = createExplored();
  const line = progress();
  const builds = flags.build === undefined ? BUILDS : [subject.system.build];
  for (const build of builds) {
    const checked: Checked = {
      system: { ...subject.system, build },
      boot: subject.boot,
      names: subject.modules.map(({ name }) => name),
      el2Pages: el2PagesOf(first),
      registered: first.run.final.dispatch.dynamicHcalls.length,
    };
    const scenarios = [...directed(checked), ...random(checked, seed, runs)];
    const report = (done: number): void => line.at(`${build}: ${done} of ${scenarios.length}`);
    const options = { budget, stubs, el2Only, watch: true };
    await explore(scenarios, files, options, { progress: report, stopped, siteOf }, explored);
    line.clear();
    if (explored.interrupted) break;
  }
  return explored;
}

function wholeNumber(flag: string, text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 0 || value > 1_000_000) {
    throw new UsageError(`${flag} ${text}: a number from 0 to 1000000 is wanted`);
  }
  return value;
}

/** Tells places by the module files; a function of a module is a site. */
function placesIn({ modules, files }: Subject, disassemble: Disassembler): Places {
  const names = new Map(modules.map(({ name, file }) => [name, file]));
  const tell = placeTeller(names, files, disassemble);
  const placeOf: Places["placeOf"] = (step, run) => {
    const place = codePlaceOf(step, run);
    return place && tell(place, run);
  };
  const siteOf: Places["siteOf"] = ({ step }, { steps, run }) => {
    const place = placeOf(steps[step]!, run);
    return place === undefined ? "" : `${place.module}.${place.function}`;
  };
  return { placeOf, siteOf };
}

/** One counterexample a rule and place: production stands for both builds. */
function chosen(explored: Explored): readonly Broken[] {
  const bySite = new Map<string, Broken>();
  for (const broken of explored.broken.values()) {
    if (byKernel(broken)) continue;
    const key = `${broken.violation.rule} ${broken.site}`;
    if (!bySite.has(key)) bySite.set(key, broken);
  }
  return [...bySite.values()];
}

/** Names that differ: the second of a rule carries its function. */
function withNames(found: readonly Counterexample[]): readonly Counterexample[] {
  return found.map((it, n) => {
    const isSecond = found.slice(0, n).some(({ name }) => name === it.name);
    if (!isSecond) return it;
    const site = (it.at?.function ?? "elsewhere").replaceAll(/[^\w.-]/g, "_").slice(0, 60);
    return { ...it, name: `${it.name}-${site}` };
  });
}

/** Stores what was found where the user wants it. */
function save(found: readonly Counterexample[], folder: string): readonly string[] {
  mkdirSync(folder, { recursive: true });
  return found.map((it) => {
    const path = join(folder, `${it.name}.json`);
    writeFileSync(path, formatCounterexample(it));
    return relative(process.cwd(), path);
  });
}

async function check(path: string, flags: CheckFlags): Promise<number> {
  const subject = subjectOf(path, { budget: String(BUDGET), ...flags });
  const accepted = flags.baseline === undefined ? [] : readBaseline(flags.baseline);
  const { system, boot } = subject;
  const print = (...lines: readonly string[]): void => {
    process.stdout.write(`${lines.join("\n")}\n`);
  };
  const builds = flags.build ?? BUILDS.join(" and ");
  print(
    `check    ${subject.modules.map(({ file }) => file).join(", ")}`,
    `system   ${system.documented ? "documented" : system.branch}, ${builds}`,
    `cmdline  ${boot.commandLine}`,
    ...subject.notes.map((note) => `note     ${note}`),
  );
  const first = firstBoot(subject);
  const down = notUp(subject, first);
  const ctrlC = interruption();
  const places = placesIn(subject, await openDisassembler());
  const explored = await searchModule(subject, first, flags, ctrlC.asked, places);
  const { budget, stubs, el2Only } = subject;
  const options = { budget, stubs, el2Only, watch: true };
  const by = `check, seed ${flags.seed ?? 1}`;
  const found = withNames(
    chosen(explored).flatMap((broken) => {
      const it = counterexampleOf(broken, subject.files, options, by, places);
      return it === undefined ? [] : [it];
    }),
  );
  ctrlC.release();
  if (flags.writeBaseline !== undefined) writeBaseline(flags.writeBaseline, found, accepted);
  const judged = compared(found, accepted, system.documented ? "documented" : system.branch);
  const { fresh, known, stale } = judged;
  const paths = fresh.length === 0 ? [] : save(fresh, flags.out ?? "out/counterexamples");
  fresh.forEach((it, n) => {
    print("", ...foundLines(it, paths[n] ?? "", "FAIL"));
  });
  const kernel = [...new Set([...explored.broken.values()].filter(byKernel).map(ruleOf))].sort();
  print("", ...verdictLines(subject, fresh, down, kernel, explored));
  if (known.length > 0) {
    print(
      `accepted ${known.length} known findings: ${known.map(({ clause }) => clause).join(", ")}`,
    );
  }
  print(...stale.map(staleLine).concat(flags.coverage === true ? [] : ""));
  print(...(flags.coverage === true ? neverLines : coverageLineOf)(explored.coverage));
  if (explored.interrupted) return EXIT.interrupted;
  if (fresh.length === 0 && first.run.unmodelled !== undefined) return EXIT.usage;
  const accepts = flags.writeBaseline !== undefined;
  return (fresh.length > 0 && !accepts) || down !== undefined ? EXIT.violation : EXIT.holds;
}

const coverageLineOf = (coverage: Coverage): readonly string[] => [
  coverageLine(coverage),
  "(--coverage lists what was never exercised)",
];

const ruleOf = ({ violation }: Broken): string => violation.rule;

function verdictLines(
  subject: Subject,
  found: readonly Counterexample[],
  down: string | undefined,
  kernel: readonly string[],
  explored: Explored,
): string[] {
  const partial = subject.stubs.size > 0 || subject.el2Only ? " (partial)" : "";
  const stops = [...explored.coverage.unmodelled.keys()].sort();
  const verdict =
    found.length > 0
      ? `FAIL${partial}: ${found.length} rules are broken with this module`
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
    .option("--out <folder>", "where counterexamples go (default: out/counterexamples)")
    .option("--baseline <file.json>", "accept the findings of this file: only new ones fail")
    .option("--write-baseline <file.json>", "accept what is found, for --baseline")
    .option("--coverage", "list every rule, guard and transition that was never exercised")
    .action(exiting(check));
}
