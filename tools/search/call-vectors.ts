// Which calls are worth making: vectors of arguments that reached something new, and their kin.

import type { HostAction } from "../../model/scenario.ts";
import { allValues, type CallValues } from "./call-values.ts";

/** Something of a module that the host enters with registers of its choice. */
export interface Entry {
  readonly kind: "hvc" | "smc";
  /** x0 of an HVC. */
  readonly id: bigint;
  readonly name: string;
}

/** Values by register; a register that is not there holds a marker. */
export type Vector = ReadonlyMap<number, bigint>;

/** What is known of one entry; it grows while it is explored. */
export interface Corpus {
  readonly entry: Entry;
  /** Bit n: its code reads xn of the host. */
  registers: number;
  /** Vectors that executed or answered something that none before them did. */
  readonly kept: Vector[];
  /** How often it did not come back. */
  spent: number;
}

export const corpusOf = (entry: Entry): Corpus => ({
  entry,
  registers: 0,
  kept: [new Map()],
  spent: 0,
});

const REGISTERS = 18;

/** The argument registers that are worth a value: those that are read, x0 only of an SMC. */
export function registersOf({ entry, registers }: Corpus): readonly number[] {
  const from = entry.kind === "smc" ? 0 : 1;
  const read = Array.from({ length: REGISTERS - from }, (_, n) => n + from).filter(
    (n) => ((registers >> n) & 1) === 1,
  );
  return entry.kind === "smc" && !read.includes(0) ? [0, ...read] : read;
}

/** What a register holds that a vector does not name. Source: the markers of the traces. */
const marker = (n: number): bigint => 0xa0a0_0000n + BigInt(n);

/** The call of an entry with a vector. */
export function callOf({ kind, id }: Entry, vector: Vector, cpu: number): HostAction {
  const last = Math.max(0, ...vector.keys());
  const x = Array.from({ length: last + 1 }, (_, n) => vector.get(n) ?? marker(n));
  if (kind === "smc") return { kind, cpu, x };
  return { kind, cpu, imm: 0, x: [id, ...x.slice(1)] };
}

const withValue = (vector: Vector, register: number, value: bigint): Vector =>
  new Map(vector).set(register, value);

/** A vector with each register set to each value in turn. */
export function* neighbours(
  vector: Vector,
  registers: readonly number[],
  values: readonly bigint[],
): Generator<Vector> {
  for (const register of registers) {
    for (const value of values) {
      if (vector.get(register) !== value) yield withValue(vector, register, value);
    }
  }
}

/** All pairs of values in two registers: where one is checked against the other. */
export function* pairs(
  vector: Vector,
  [first, second]: readonly [number, number],
  values: CallValues,
): Generator<Vector> {
  // Two numbers whose sum wraps to little: an offset and a length, an address and a size.
  for (const a of allValues(values)) {
    for (const sum of [0n, 8n]) {
      const b = BigInt.asUintN(64, sum - a);
      yield withValue(withValue(vector, first, a), second, b);
    }
  }
  const few = [...values.places, ...values.mined, 0n, 1n, 2n, 8n, 4096n, (1n << 64n) - 8n];
  for (const a of [...new Set(few)]) {
    for (const b of allValues(values)) {
      yield withValue(withValue(vector, first, a), second, b);
      yield withValue(withValue(vector, first, b), second, a);
    }
  }
}
