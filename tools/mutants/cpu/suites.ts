// What each file of the core is run against: the vectors and tests of what it touches, then all
// others.

import { existsSync } from "node:fs";
import { basename, dirname, join } from "node:path";

/** One thing to run; each later one only if the fault is still alive. */
export type Stage =
  | { readonly kind: "vectors"; readonly sets: readonly string[] }
  | { readonly kind: "tests"; readonly paths: readonly string[] };

const dataProcessing = ["dp0", "dp1", "dp2"];
const memory = ["mem0", "mem1", "mem2"];
const translation = ["mmu3", "mmu4", "mmu5"];
const all = [...dataProcessing, ...memory, ...translation, "disagreements"];

/** Recorded sets that say most about a folder. */
const setsOf: readonly (readonly [folder: string, sets: readonly string[]])[] = [
  ["cpu/isa/data-processing", dataProcessing],
  ["cpu/isa/branches", ["dp1"]],
  ["cpu/isa/loads-stores", [...memory, ...translation]],
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

/** Everything that may notice a fault in a file, most likely first. */
export function stages(project: string, file: string): readonly Stage[] {
  const sets = setsOf.find(([folder]) => file.startsWith(folder))?.[1] ?? [];
  const own = ownTests(project, file);
  return [
    ...(sets.length > 0 ? [{ kind: "vectors", sets } as const] : []),
    ...(own.length > 0 ? [{ kind: "tests", paths: own } as const] : []),
    { kind: "tests", paths: ["properties/cpu", "properties/vectors/recorded"] },
    { kind: "vectors", sets: all.filter((set) => !sets.includes(set)) },
  ];
}

export const allStages: readonly Stage[] = [
  { kind: "tests", paths: ["properties/cpu", "properties/vectors/recorded"] },
  { kind: "vectors", sets: all },
];
