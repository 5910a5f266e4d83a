// Live comparison: vectors of a seed, recorded in QEMU and run on our core, and where they differ.

import { decode, indexFor } from "../../cpu/isa/decode.ts";
import { entries } from "../../cpu/isa/entries.ts";
import { type Difference, differences } from "./compare.ts";
import { createMachine, type Machine } from "./configurations.ts";
import { type Explanation, explanationOf, readExplanations } from "./explained.ts";
import { type Pattern, type Planned, vectorsOf } from "./generate.ts";
import { identifiedModel } from "./identification.ts";
import type { Oracle } from "./oracles.ts";
import {
  closeRecorder,
  openRecorder,
  type Recorder,
  type Recording,
  recordVectors,
  signVectors,
} from "./record.ts";
import { createReplayMemory, type ReplayMachine, replay, settingsBefore } from "./replay.ts";
import type { RecordedVector } from "./vector.ts";

/** Entries whose fields span much more than an operand: these get more vectors. */
const WEIGHTS: Readonly<Record<string, number>> = {
  ...{ MRS: 20, "MSR (register)": 20, SYS: 20, ERET: 3 },
};

const BEYOND = ["FP/SIMD", "SVE", "SME"];

/** The patterns of all entries that a processor has. */
export function patternsOf(oracle: Oracle): readonly Pattern[] {
  const { features } = oracle.cpuModel;
  return entries
    .filter(({ feature }) => feature === undefined || features[feature])
    .map(({ name, encoding, feature }) => ({
      ...{ name, encoding, feature, beyond: BEYOND.includes(name) },
    }));
}

/** Whether a word belongs to a pattern on a processor, and not to one with more fixed bits. */
export function belongsOn(oracle: Oracle): (pattern: Pattern, word: number) => boolean {
  const index = indexFor(oracle.cpuModel.features);
  return ({ encoding }, word) => decode(index, word)?.encoding === encoding;
}

/** Vectors of every pattern, `count` each or a multiple of it. */
export function planVectors(
  oracle: Oracle,
  machine: Machine,
  seed: number,
  count: number,
): readonly Planned[] {
  const belongs = belongsOn(oracle);
  const { features } = oracle.cpuModel;
  const options = { seed, machine, slots: { used: 0 }, features, belongs };
  return patternsOf(oracle).flatMap((pattern) =>
    vectorsOf(pattern, count * (WEIGHTS[pattern.name] ?? 1), options),
  );
}

/** A recording, and the machine of ours that should do the same. */
export interface Comparison {
  readonly recording: Recording;
  readonly machine: ReplayMachine;
  /** The doublewords of its translation tables. */
  readonly tables: ReadonlyMap<bigint, bigint>;
}

/** Our side of a recorder. */
export function replayMachineOf(recorder: Recorder, base: Recording["base"]): ReplayMachine {
  return {
    cpuModel: identifiedModel(recorder),
    memory: createReplayMemory(recorder.machine.memory.doublewords),
    registers: recorder.frame.registers,
    base,
    configurations: new Map(
      recorder.machine.configurations.map(({ name, settings }) => [name, settings]),
    ),
  };
}

/** Records what is planned for a fresh machine. */
export function recordLive(
  oracle: Oracle,
  seed: number,
  plan: (machine: Machine) => readonly Planned[],
): Comparison {
  const machine = createMachine(seed, oracle.cpuModel);
  const planned = plan(machine);
  const recorder = openRecorder(oracle, machine);
  try {
    const recording = recordVectors(recorder, signVectors(recorder, planned));
    const ours = replayMachineOf(recorder, recording.base);
    return { recording, machine: ours, tables: machine.memory.doublewords };
  } finally {
    closeRecorder(recorder);
  }
}

/** A vector on which our core and QEMU differ. */
export interface Mismatch {
  readonly recorded: RecordedVector;
  readonly differences: readonly Difference[];
  readonly explanation: Explanation | undefined;
}

/** Runs everything on our core; the mismatches, explained or not. */
export function compareAll(
  vectors: Iterable<RecordedVector>,
  machine: ReplayMachine,
): readonly Mismatch[] {
  const explanations = readExplanations();
  const mismatches: Mismatch[] = [];
  for (const recorded of vectors) {
    const replayed = replay(machine, recorded.vector);
    const before = settingsBefore(machine, recorded.vector);
    const found = differences(recorded.outcome, replayed, before);
    if (found.length === 0) continue;
    const explanation = explanationOf(
      explanations,
      machine.cpuModel.name,
      recorded,
      replayed,
      found,
    );
    mismatches.push({ recorded, differences: found, explanation });
  }
  return mismatches;
}
