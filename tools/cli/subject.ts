// What `run` and `check` are given: module files, a system, a command line; read and checked once.

import { relative } from "node:path";
import type { Command } from "commander";
import { type ModuleFile, readModule } from "../../model/elf/load.ts";
import { branchOfVermagic } from "../../model/elf/modinfo.ts";
import { COMMAND_LINE_SIZE } from "../../model/kernel/command-line.ts";
import type { BootPlan, InitramfsModule } from "../../model/scenario.ts";
import { BRANCH_NAMES, BUILDS, type Build } from "../../spec/branches/branch.ts";
import { BRANCHES, isBranchName } from "../../spec/branches/branches.ts";
import type { Evidence } from "../../spec/sources.ts";
import type { SystemConfig } from "../../spec/types/hyp.ts";
import { UsageError } from "./exit.ts";
import { readInput } from "./read-input.ts";

/** The options that `run` and `check` share, as commander gives them. */
export interface SubjectFlags {
  readonly branch?: string;
  readonly build?: string;
  readonly cmdline?: string;
  readonly with?: readonly string[];
  readonly stub?: readonly string[];
  readonly el2Only?: boolean;
  readonly cpus?: string;
  readonly budget?: string;
}

/** A module file that could be read. */
export interface SubjectModule {
  readonly name: string;
  readonly file: string;
  readonly module: ModuleFile;
}

/** Everything that a run needs besides what the host does. */
export interface Subject {
  readonly modules: readonly SubjectModule[];
  readonly files: ReadonlyMap<string, Uint8Array>;
  readonly system: SystemConfig;
  readonly boot: BootPlan;
  readonly stubs: ReadonlyMap<string, bigint>;
  readonly el2Only: boolean;
  readonly budget: number;
  /**
   * What a reader must know of these choices: where the branch came from, that a verdict is
   * partial.
   */
  readonly notes: readonly string[];
}

const repeated = (value: string, before: readonly string[] | undefined): readonly string[] => [
  ...(before ?? []),
  value,
];

/** Declares the shared options. */
export function subjectOptions(command: Command): Command {
  return command
    .option("--branch <name>", "documented, or a kernel branch (default: from the vermagic)")
    .option("--build <name>", `${BUILDS.join(" or ")} (default: production)`)
    .option("--cmdline <text>", "the kernel's command line, whole")
    .option("--with <file.ko>", "another module in the initramfs, loaded first", repeated)
    .option("--stub <NAME=VALUE>", "a kernel function that answers VALUE", repeated)
    .option("--el2-only", "load only the EL2 half, as a correct EL1 half would")
    .option("--cpus <n>", "CPUs, 1 to 4 (default: 2)")
    .option("--budget <n>", "instructions of one entry of module code (default: 1000000)");
}

/** Reads one module file. */
function readSubject(path: string): SubjectModule & { readonly bytes: Uint8Array } {
  const bytes = readInput(path);
  const read = readModule(bytes);
  if (!read.ok) throw new UsageError(`${path}: ${read.error}`);
  const { module } = read;
  if (!/^[\w-]{1,55}$/.test(module.name)) {
    throw new UsageError(`${path}: ${JSON.stringify(module.name)} is no name of a module`);
  }
  return { name: module.name, file: relative(process.cwd(), path), module, bytes };
}

function numberOf(flag: string, text: string, min: number, max: number): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < min || value > max) {
    throw new UsageError(`${flag} ${text}: a number from ${min} to ${max} is wanted`);
  }
  return value;
}

/** NAME=VALUE, the value in decimal or with 0x. */
function stubOf(text: string): readonly [string, bigint] {
  const match = /^(\w+)=(-?\d+|0x[0-9a-fA-F]{1,16})$/.exec(text);
  if (match === null) throw new UsageError(`--stub ${text}: NAME=VALUE is wanted, as in foo=0`);
  return [match[1] ?? "", BigInt.asUintN(64, BigInt(match[2] ?? "0"))];
}

/** How what a run says is known, for the branch as a whole. */
const evidenceNote = (branch: string, evidence: Evidence): string =>
  evidence === "measured"
    ? `evidence: measured (${branch} was run)`
    : `evidence: ${evidence}; ${branch} was never run, \`branches --diff\` says what is known how`;

/** Which system, and how we know. */
function systemOf(
  flags: SubjectFlags,
  { module }: SubjectModule,
): { system: SystemConfig; notes: string[] } {
  const build = flags.build ?? "production";
  if (!BUILDS.some((known) => known === build)) {
    throw new UsageError(`--build ${build}: ${BUILDS.join(" or ")} is wanted`);
  }
  const cpuCount = numberOf("--cpus", flags.cpus ?? "2", 1, 4);
  const documented = flags.branch === "documented";
  const notes: string[] = [];
  let branch = documented ? "android14-6.1" : flags.branch;
  if (branch === undefined) {
    branch = branchOfVermagic(module.info.vermagic ?? "");
    if (branch === undefined) {
      throw new UsageError(
        `the vermagic ${JSON.stringify(module.info.vermagic ?? "")} names no branch; say --branch`,
      );
    }
    notes.push(`branch ${branch}, from the vermagic`);
  }
  if (!isBranchName(branch)) {
    const known = ["documented", ...BRANCH_NAMES].join(", ");
    throw new UsageError(`--branch ${branch}: known are ${known}`);
  }
  const { vendorModules, evidence } = BRANCHES[branch];
  if (!vendorModules) throw new UsageError(`--branch ${branch}: it has no vendor modules`);
  notes.push(evidenceNote(branch, evidence));
  return { system: { branch, build: build as Build, documented, cpuCount }, notes };
}

function commandLineOf(flags: SubjectFlags, names: readonly string[]): string {
  const line =
    flags.cmdline ?? `kvm-arm.mode=protected kvm-arm.protected_modules=${names.join(",")}`;
  if (Buffer.byteLength(line) >= COMMAND_LINE_SIZE) {
    throw new UsageError(
      `--cmdline: ${Buffer.byteLength(line)} bytes; arm64 keeps ${COMMAND_LINE_SIZE - 1}`,
    );
  }
  return line;
}

/** Modules that say that they are for another branch: a kernel would refuse them. */
const otherBranches = (modules: readonly SubjectModule[], branch: string): readonly string[] =>
  modules.flatMap(({ name, module }) => {
    const its = branchOfVermagic(module.info.vermagic ?? "");
    return its === undefined || its === branch ? [] : [`${name} says that it is for ${its}`];
  });

/** What modules depend on and nobody gives: modprobe goes on without it. */
const missingNeeds = (modules: readonly SubjectModule[]): readonly string[] =>
  modules.flatMap(({ name, module }) =>
    module.info.depends
      .filter((need) => !modules.some((other) => other.name === need.replaceAll("-", "_")))
      .map((need) => `${name} depends on ${need}, which no --with gives: it is left out`),
  );

/** Reads the files and settles every choice; anything wrong is one sentence. */
export function subjectOf(path: string, flags: SubjectFlags): Subject {
  const others = (flags.with ?? []).map(readSubject);
  const subject = readSubject(path);
  const modules = [...others, subject];
  const names = modules.map(({ name }) => name);
  const twice = names.find((name, at) => names.indexOf(name) !== at);
  if (twice !== undefined) throw new UsageError(`two files are both module ${twice}`);
  const { system, notes } = systemOf(flags, subject);
  const stubs = new Map((flags.stub ?? []).map(stubOf));
  const el2Only = flags.el2Only === true;
  const partial = stubs.size > 0 || el2Only;
  const initramfs: readonly InitramfsModule[] = modules.map(({ name, file, module }) => ({
    name,
    file,
    needs: module.info.depends,
  }));
  return {
    modules,
    files: new Map(modules.map(({ file, bytes }) => [file, bytes])),
    system,
    boot: {
      commandLine: commandLineOf(flags, names),
      firmwareBytes: 0x10_0000,
      modprobe: "kmod",
      modulePath: "",
      initramfs,
      faults: [],
    },
    stubs,
    el2Only,
    budget: numberOf("--budget", flags.budget ?? "1000000", 1, 1_000_000_000),
    notes: [
      ...notes,
      ...otherBranches(modules, system.branch),
      ...missingNeeds(modules),
      ...(partial ? ["the verdict is partial: --stub or --el2-only"] : []),
    ],
  };
}
