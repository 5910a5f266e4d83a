// Replaying a file of vectors: counts, mismatches, and whom we agree with where oracles differ.

import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { gunzipSync } from "node:zlib";
import { type Difference, differences, execute } from "./compare.ts";
import { createMachine, type Machine } from "./machine.ts";
import { type Disputed, parseVector, type Vector } from "./vector.ts";

export interface Mismatch {
  readonly vector: Vector;
  readonly differences: readonly Difference[];
}

/** How many vectors of a class of disagreement we answer like one oracle, like both, like none. */
export interface Dispute {
  qemu: number;
  sail: number;
  both: number;
  neither: number;
}

export interface Replayed {
  readonly file: string;
  vectors: number;
  readonly mismatches: Mismatch[];
  readonly disputes: Map<string, Dispute>;
}

/** The text of a file, decompressed where its name says so. */
function readText(path: string): Buffer {
  const bytes = readFileSync(path);
  return path.endsWith(".gz") ? gunzipSync(bytes) : bytes;
}

/** The lines of a file of vectors. */
export function readLines(path: string): readonly string[] {
  return readText(path).toString("utf8").split("\n").filter(Boolean);
}

/** Executes every vector of a file; `each` is called after each with the number done. */
export function replayFile(
  path: string,
  lines: readonly string[],
  each: (done: number) => void = () => {},
): Replayed {
  const replayed: Replayed = { file: path, vectors: 0, mismatches: [], disputes: new Map() };
  const machines = new Map<string, Machine>();
  lines.forEach((line, i) => {
    const vector = parseVector(line, `${path}:${i + 1}`);
    const machine = machineFor(machines, path, vector);
    const executed = execute(machine, vector);
    replayed.vectors++;
    if ("class" in vector) {
      countDispute(replayed, vector, (answer) => differences(vector, answer, executed));
    } else {
      const found = differences(vector, vector, executed);
      if (found.length > 0) replayed.mismatches.push({ vector, differences: found });
    }
    each(i + 1);
  });
  return replayed;
}

function machineFor(machines: Map<string, Machine>, path: string, vector: Vector): Machine {
  const tables = vector.config?.tables;
  const key = tables?.file ?? "";
  let machine = machines.get(key);
  if (machine === undefined) {
    machine = createMachine(
      tables && { base: tables.base, bytes: readText(join(dirname(path), tables.file)) },
    );
    machines.set(key, machine);
  }
  return machine;
}

/** Where the oracles differ there is no mismatch: DECISIONS.md says which of them is right. */
function countDispute(
  replayed: Replayed,
  vector: Disputed,
  compare: (answer: Disputed["qemu"]) => readonly Difference[],
): void {
  const dispute = replayed.disputes.get(vector.class) ?? { qemu: 0, sail: 0, both: 0, neither: 0 };
  replayed.disputes.set(vector.class, dispute);
  const qemu = compare(vector.qemu);
  const likeQemu = qemu.length === 0;
  const likeSail = !("error" in vector.sail) && compare(vector.sail).length === 0;
  if (likeQemu) dispute[likeSail ? "both" : "qemu"]++;
  else dispute[likeSail ? "sail" : "neither"]++;
  if (!likeQemu && !likeSail) replayed.mismatches.push({ vector, differences: qemu });
}
