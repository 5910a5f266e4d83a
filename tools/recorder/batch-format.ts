// The binary form of a batch for the harness, and of its results.

import { BRK_0, HARNESS_LIMITS } from "./layout.ts";
import type { ObservedRegister } from "./observed-registers.ts";
import { type Cell, comparedSpsr, type Vector } from "./vector.ts";

const MAGIC = 0x7265_636f_7264_3031n;
const SPSR_SS = 1n << 21n;

/** Memory that the harness compares after a vector, and puts back. */
export interface WatchedRegion {
  readonly base: bigint;
  readonly sizeBytes: number;
}

/** What all vectors of a batch have in common. */
export interface BatchFrame {
  readonly registers: readonly ObservedRegister[];
  /** The first region is the window; the tags are the window's. */
  readonly regions: readonly WatchedRegion[];
  readonly tagGranules: number;
}

/** What the harness saw, before anybody says what it means. */
export interface RawResult {
  readonly x: BigUint64Array;
  readonly sp: readonly [bigint, bigint, bigint];
  readonly elr: bigint;
  readonly spsr: number;
  /** PSTATE at the catch, as far as it can be read. */
  readonly pstate: number;
  /** Number of the EL2 vector that caught it. */
  readonly vector: number;
  /** What the vector's settings read as before it ran, in their order. */
  readonly settings: BigUint64Array;
  /** Index of the observed register, and its value. */
  readonly registers: readonly Cell[];
  readonly memory: readonly Cell[];
  readonly tags: readonly Cell[];
}

/** The doublewords that hold a vector's code, filled up with BRK #0 to a slot. */
export function codeCells(pa: bigint, words: readonly number[]): Cell[] {
  const first = pa & ~7n;
  const skipped = Number(pa - first) / 4;
  const count = Math.max(4, (skipped + words.length + 2) & ~1);
  const word = (i: number) => BigInt(words[i - skipped] ?? BRK_0);
  const cells: Cell[] = [];
  for (let i = 0; i < count; i += 2)
    cells.push([first + BigInt(4 * i), word(i) | (word(i + 1) << 32n)]);
  return cells;
}

/** The batch as batch.c reads it. `regionsOf` says which regions a vector is compared in. */
export function encodeBatch(
  vectors: readonly Vector[],
  frame: BatchFrame,
  settingsOf: (vector: Vector) => ReadonlyMap<string, bigint>,
  regionsOf: (vector: Vector) => number,
): Uint8Array {
  const index = new Map(frame.registers.map(({ name }, i) => [name, BigInt(i)]));
  const out: bigint[] = [MAGIC, BigInt(vectors.length), BigInt(frame.tagGranules)];
  out.push(BigInt(frame.regions.length));
  for (const region of frame.regions) out.push(region.base, BigInt(region.sizeBytes));
  for (const { base } of frame.registers) out.push(base);
  for (const vector of vectors) {
    const settings = settingsOf(vector);
    const cells = vector.pa === undefined ? [] : codeCells(vector.pa, vector.words);
    cells.push(...vector.memory);
    if (cells.length > HARNESS_LIMITS.POKE_MAX) throw new Error(`${vector.entry}: too much memory`);
    const flags = regionsOf(vector) | (vector.tags ? HARNESS_LIMITS.FLAG_TAGS : 0);
    const spsr = BigInt(vector.pstate) | (vector.mode === "step" ? SPSR_SS : 0n);
    out.push(BigInt(39 + 2 * cells.length + 2 * settings.size), BigInt(flags));
    out.push(vector.pc, spsr, ...vector.sp, ...vector.x);
    out.push(BigInt(cells.length) | (BigInt(settings.size) << 32n));
    for (const [address, value] of cells) out.push(address, value);
    for (const [name, value] of settings) {
      const register = index.get(name);
      if (register === undefined) throw new Error(`${name} is not an observed register`);
      out.push(register, value);
    }
  }
  return new Uint8Array(BigUint64Array.from(out).buffer);
}

/** The base values as they read, and one result for each vector. */
export function decodeResults(
  bytes: Uint8Array,
  frame: BatchFrame,
): { readonly base: ReadonlyMap<string, bigint>; readonly results: readonly RawResult[] } {
  const values = new BigUint64Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 8);
  const base = new Map(frame.registers.map(({ name }, i) => [name, values[i]!]));
  const results: RawResult[] = [];
  let at = frame.registers.length;
  while (at < values.length) {
    const size = Number(values[at]!);
    results.push(decodeResult(values.subarray(at, at + size)));
    at += size;
  }
  return { base, results };
}

function decodeResult(record: BigUint64Array): RawResult {
  const lists = Number(record[1]! & 0xffff_ffffn);
  const counts = [Number(record[1]! >> 32n), Number(record[2]!), Number(record[3]!)];
  const fixed = record.subarray(4, HARNESS_LIMITS.RESULT_FIXED);
  let at = HARNESS_LIMITS.RESULT_FIXED + lists;
  const [registers, memory, tags] = counts.map((count) => {
    const cells: Cell[] = [];
    for (let i = 0; i < count; i++, at += 2) cells.push([record[at]!, record[at + 1]!]);
    return cells;
  });
  return {
    x: fixed.slice(0, 31),
    sp: [fixed[32]!, fixed[33]!, fixed[31]!],
    elr: fixed[34]!,
    spsr: comparedSpsr(fixed[35]!),
    pstate: comparedSpsr(fixed[36]!),
    vector: Number(fixed[37]!),
    settings: record.slice(HARNESS_LIMITS.RESULT_FIXED, HARNESS_LIMITS.RESULT_FIXED + lists),
    registers: registers!,
    memory: memory!,
    tags: tags!,
  };
}
