// What each file of the core is run against: the vectors and tests of what it touches, then all
// others.

import { existsSync } from "node:fs";
import { basename, dirname, join } from "node:path";

/**
 * One thing to run; each later one only if the fault is still alive. `entriesOf` keeps only the
 * recorded vectors of the instructions that one file defines.
 */
export type Stage =
  | { readonly kind: "vectors"; readonly sets: readonly string[]; readonly entriesOf?: string }
  | { readonly kind: "tests"; readonly paths: readonly string[] };

const dataProcessing = ["dp0", "dp1", "dp2"];
const memory = ["mem0", "mem1", "mem2"];
const translation = ["mmu3", "mmu4", "mmu5"];
const recorded = ["recorded/neoverse-n2", "recorded/cortex-a76"];
const all = [...recorded, ...dataProcessing, ...memory, ...translation, "disagreements"];

/** Recorded sets that say most about a folder. */
const setsOf: readonly (readonly [folder: string, sets: readonly string[]])[] = [
  ["cpu/isa", ["dp1", "mem1"]],
  ["cpu/bits", ["dp1", "mem1"]],
  ["cpu/interpret", ["dp1", "mem1"]],
  ["cpu/mmu", translation],
  ["cpu", []],
];

/** The tests named after a file, or those of its folder. */
function ownTests(project: string, file: string): readonly string[] {
  const folder = join("properties", dirname(file));
  const named = ["test", "prop"]
    .map((kind) => join(folder, `${basename(file, ".ts")}.${kind}.ts`))
    .filter((path) => existsSync(join(project, path)));
  if (named.length > 0) return named;
  return existsSync(join(project, folder)) && folder !== "properties/cpu" ? [folder] : [];
}

/** A file of instructions, not what they share. */
const definesEntries = /^cpu\/isa\/(?!shared\/)[\w-]+\//;

const without = (sets: readonly string[]) => all.filter((set) => !sets.includes(set));

/**
 * Everything that may notice a fault in a file, most likely first. The first replays vectors, or
 * only loads the core.
 */
export function stages(project: string, file: string): readonly Stage[] {
  const sets = setsOf.find(([folder]) => file.startsWith(folder))?.[1] ?? [];
  const own = ownTests(project, file);
  const isEntry = definesEntries.test(file);
  return [
    isEntry
      ? { kind: "vectors", sets: recorded.slice(0, 1), entriesOf: file }
      : { kind: "vectors", sets },
    ...(own.length > 0 ? [{ kind: "tests", paths: own } as const] : []),
    { kind: "tests", paths: [EVERY_TEST] },
    { kind: "vectors", sets: isEntry ? all : without(sets) },
  ];
}

/** What killed a fault when it was last tried: the set of vectors or the test that a row names. */
export function killerOf(by: string): Stage | undefined {
  const [, test] = /^(properties\/\S+\.(?:test|prop)\.ts): /.exec(by) ?? [];
  if (test !== undefined) return { kind: "tests", paths: [test] };
  const set = all.find((name) => by.startsWith(`${name} `) || by.startsWith(`${name}: `));
  // Of the large ones a part is enough, and `stages` says which.
  return set === undefined || recorded.includes(set) ? undefined : { kind: "vectors", sets: [set] };
}

/** The folder of all tests of the core. */
export const EVERY_TEST = "properties/cpu";
export const everySet: readonly string[] = all;
