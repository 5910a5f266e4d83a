// Records vectors: signs pointers, runs batches in QEMU, and reads the outcomes.

import { type BatchFrame, decodeResults, encodeBatch, type RawResult } from "./batch-format.ts";
import type { Configuration, Machine } from "./configurations.ts";
import type { Signature } from "./draft.ts";
import type { Planned } from "./generate.ts";
import { SIGNING_WORDS } from "./generate-pointers.ts";
import { LAYOUT, windowPattern } from "./layout.ts";
import { type ObservedRegister, registersOf } from "./observed-registers.ts";
import type { Oracle } from "./oracles.ts";
import { readOutcome } from "./outcome.ts";
import { buildHarness, type Harness, type MemoryImage, removeHarness, runBatch } from "./qemu.ts";
import { tableImage } from "./translation-tables.ts";
import { type RecordedVector, type Settings, stackOf, type Vector } from "./vector.ts";

const VECTORS_PER_BATCH = 40_000;
const WINDOW_REGION = 1;

/** A harness with a machine in it, ready to run vectors. */
export interface Recorder {
  readonly harness: Harness;
  readonly machine: Machine;
  readonly frame: BatchFrame;
  readonly images: readonly MemoryImage[];
  readonly configurations: ReadonlyMap<string, Configuration>;
}

/** What was recorded, and the base values of the observed registers as QEMU has them. */
export interface Recording {
  readonly base: Settings;
  readonly recorded: readonly RecordedVector[];
}

/** Registers and their base values: what the machine has on everywhere is a base value. */
function baseRegisters(oracle: Oracle, machine: Machine): readonly ObservedRegister[] {
  return registersOf(oracle.cpuModel.features).map((register) => ({
    ...register,
    base: machine.base.get(register.name) ?? register.base,
  }));
}

export function openRecorder(oracle: Oracle, machine: Machine): Recorder {
  const watched = machine.configurations.flatMap((configuration) => configuration.watched ?? []);
  const window = {
    base: BigInt(LAYOUT.WINDOW - LAYOUT.GUARD_BYTES),
    sizeBytes: LAYOUT.WINDOW_BYTES + 2 * LAYOUT.GUARD_BYTES,
  };
  return {
    harness: buildHarness(oracle),
    machine,
    frame: {
      registers: baseRegisters(oracle, machine),
      regions: [window, ...watched],
      tagGranules: oracle.cpuModel.features.MTE2 ? LAYOUT.WINDOW_BYTES / 16 : 0,
    },
    images: [
      { address: BigInt(LAYOUT.WINDOW), bytes: new Uint8Array(windowPattern().buffer) },
      tableImage(machine.memory),
    ],
    configurations: new Map(machine.configurations.map((one) => [one.name, one])),
  };
}

export function closeRecorder(recorder: Recorder): void {
  removeHarness(recorder.harness);
}

function configurationOf(recorder: Recorder, vector: Vector): Configuration {
  const found = recorder.configurations.get(vector.configuration);
  if (found === undefined) throw new Error(`no configuration ${vector.configuration}`);
  return found;
}

/** The registers that a vector sets, by its configuration and by itself. */
function settingsOf(recorder: Recorder, vector: Vector): Settings {
  const { settings } = configurationOf(recorder, vector);
  return vector.settings.size === 0 ? settings : new Map([...settings, ...vector.settings]);
}

function regionsOf(recorder: Recorder, vector: Vector): number {
  const { watched } = configurationOf(recorder, vector);
  const index = watched === undefined ? -1 : recorder.frame.regions.indexOf(watched);
  return index < 0 ? WINDOW_REGION : WINDOW_REGION | (1 << index);
}

function runRaw(
  recorder: Recorder,
  vectors: readonly Vector[],
): { readonly base: Settings; readonly results: readonly RawResult[] } {
  const batch = encodeBatch(
    vectors,
    recorder.frame,
    (vector) => settingsOf(recorder, vector),
    (vector) => regionsOf(recorder, vector),
  );
  return decodeResults(runBatch(recorder.harness, batch, recorder.images), recorder.frame);
}

/** The vector as it really ran: system registers hold what they read as. */
function asItRan(recorder: Recorder, vector: Vector, raw: RawResult): Vector {
  const wanted = [...settingsOf(recorder, vector)];
  const held = new Map(vector.settings);
  wanted.forEach(([name, value], i) => {
    const read = raw.settings[i]!;
    if (read !== value || held.has(name)) held.set(name, read);
  });
  return { ...vector, settings: held };
}

function recordBatch(recorder: Recorder, vectors: readonly Vector[]): Recording {
  const { base, results } = runRaw(recorder, vectors);
  const recorded = results.map((raw, i) => {
    const vector = asItRan(recorder, vectors[i]!, raw);
    const settings = settingsOf(recorder, vector);
    const before = (name: string) => settings.get(name) ?? base.get(name) ?? 0n;
    return { vector, outcome: readOutcome(vector, raw, recorder.frame.registers, before) };
  });
  return { base, recorded };
}

function batches<T>(all: readonly T[]): (readonly T[])[] {
  const count = Math.ceil(all.length / VECTORS_PER_BATCH);
  return Array.from({ length: count }, (_, i) =>
    all.slice(i * VECTORS_PER_BATCH, (i + 1) * VECTORS_PER_BATCH),
  );
}

/**
 * Registers whose change costs a flush of QEMU's TLB: vectors that share their values go together.
 */
const FLUSHING = ["TCR_EL1", "TCR_EL2", "SCTLR_EL1", "SCTLR_EL2", "HCR_EL2"];

function sortKey(vector: Vector): string {
  const values = FLUSHING.map((name) => (vector.settings.get(name) ?? 0n).toString(16));
  return [vector.configuration, vector.tags ? 1 : 0, ...values].join(" ");
}

/** Runs vectors in QEMU, in an order that suits it, and gives the results in theirs. */
export function recordVectors(recorder: Recorder, vectors: readonly Vector[]): Recording {
  const keys = vectors.map(sortKey);
  const order = [...vectors.keys()].sort((a, b) =>
    keys[a] === keys[b] ? a - b : keys[a]! < keys[b]! ? -1 : 1,
  );
  const recorded: RecordedVector[] = Array.from({ length: vectors.length });
  let base: Settings = new Map();
  for (const batch of batches(order)) {
    const results = recordBatch(
      recorder,
      batch.map((i) => vectors[i]!),
    );
    base = results.base;
    batch.forEach((i, k) => {
      recorded[i] = results.recorded[k]!;
    });
  }
  return { base, recorded };
}

/** A vector that signs what `signature` asks for, with the state of the vector that needs it. */
function signingVector(vector: Vector, { key, register, modifier }: Signature): Vector {
  const value = (n: number) => (n === 31 ? vector.sp[stackOf(vector)] : vector.x[n]!);
  const pointer = typeof register === "number" ? value(register) : vector.settings.get(register);
  const x = vector.x.slice();
  x[0] = pointer ?? 0n;
  x[1] = typeof modifier === "bigint" ? modifier : value(modifier.register);
  const pstate = vector.pstate & ~((1 << 20) | (3 << 10));
  const pc = vector.pa === undefined || vector.pa < BigInt(LAYOUT.SLOTS);
  return { ...vector, words: [SIGNING_WORDS[key]], x, pstate, ...(pc ? slotOf(vector) : {}) };
}

/** A vector that is not at home in its slot signs from the first one, which all may fetch. */
function slotOf(_vector: Vector): { pc: bigint; pa: bigint } {
  return { pc: BigInt(LAYOUT.SLOTS), pa: BigInt(LAYOUT.SLOTS) };
}

/** Puts the signed pointers in; where signing itself trapped, the pointer stays as it is. */
export function signVectors(recorder: Recorder, planned: readonly Planned[]): Vector[] {
  const needing = planned.filter(({ signatures }) => signatures.length > 0);
  const { recorded: signed } = recordVectors(
    recorder,
    needing.map(({ vector, signatures }) => signingVector(vector, signatures[0]!)),
  );
  const pointers = new Map(needing.map(({ vector }, i) => [vector, signed[i]!.outcome.x[0]!]));
  return planned.map(({ vector, signatures }) => {
    const pointer = pointers.get(vector);
    const register = signatures[0]?.register;
    if (pointer === undefined || register === undefined) return vector;
    if (register === "ELR_EL1")
      return { ...vector, settings: new Map([...vector.settings, [register, pointer]]) };
    const x = vector.x.slice();
    const sp: [bigint, bigint, bigint] = [...vector.sp];
    if (register === 31) sp[stackOf(vector)] = pointer;
    else x[register] = pointer;
    return { ...vector, x, sp };
  });
}
