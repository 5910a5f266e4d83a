// Which calls are worth making: vectors of arguments that reached something new, and their kin.

import { allValues, type CallValues } from "./call-values.ts";
import type { Entry } from "./entries.ts";

/** Values by register; a register that is not there holds a marker. */
export type Vector = ReadonlyMap<number, bigint>;

/** What is known of one entry; it grows while it is explored. */
export interface Corpus {
  readonly name: string;
  /** What it is told with. */
  readonly group: string;
  /** Bit n: its code reads xn of the host. */
  registers: number;
  /** Vectors that executed or answered something that none before them did. */
  readonly kept: Vector[];
  /** How often it did not come back. */
  spent: number;
}

export const corpusOf = ({ name, group }: Pick<Entry, "name" | "group">): Corpus => ({
  name,
  group,
  registers: 0,
  kept: [new Map()],
  spent: 0,
});

const REGISTERS = 18;

/** The registers that are worth a value: those that are read, and x0 of an SMC whatever is read. */
export function registersOf(entry: Entry, { registers }: Corpus): readonly number[] {
  const asked = entry.kind === "smc" ? registers | 1 : registers;
  return Array.from({ length: REGISTERS }, (_, n) => n).filter(
    (n) => ((asked >> n) & 1) === 1 && !entry.fixed.has(n),
  );
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
