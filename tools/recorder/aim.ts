// Aims the data access of a word: gives its base and index registers the values that lead to a page.

import type { Configuration } from "./configurations.ts";
import { type DataAccess, indexOffset } from "./data-access.ts";
import { LAYOUT } from "./layout.ts";
import { operandValue, wrap } from "./operand-values.ts";
import type { Target } from "./page-zoo.ts";
import type { Random } from "./random.ts";
import type { Cell } from "./vector.ts";

/** An address, and the physical address behind it where it is known. */
export interface Aim {
  readonly va: bigint;
  readonly pa: bigint | undefined;
}

/** An offset into a target: aligned mostly; else unaligned, or across the end. */
function offsetIn(random: Random, target: Target, sizeBytes: number): number {
  const room = Math.max(1, Math.floor(target.sizeBytes / sizeBytes));
  switch (random.below(10)) {
    case 0:
      return random.below(target.sizeBytes - 2 * sizeBytes);
    case 1:
      // Across 16 and 64 bytes, where the rules for unaligned accesses differ.
      return 64 * (1 + random.below(target.sizeBytes / 64 - 1)) - random.below(sizeBytes);
    case 2:
      return target.sizeBytes - 1 - random.below(sizeBytes);
    case 3:
      return random.pick([0, target.sizeBytes - sizeBytes]);
    default:
      return sizeBytes * random.below(room);
  }
}

/** Some address in a configuration for an access of a size. */
export function aim(random: Random, configuration: Configuration, sizeBytes: number): Aim {
  const target = random.pick(configuration.targets);
  const offset = BigInt(offsetIn(random, target, sizeBytes));
  return {
    va: wrap(target.address + offset),
    pa: target.pa === undefined ? undefined : target.pa + offset,
  };
}

/** Sets base and index so that the access goes to `va`. */
export function setBase(
  random: Random,
  access: DataAccess,
  va: bigint,
  setRegister: (register: number, value: bigint) => void,
): void {
  if (access.base === undefined) return;
  const { index } = access;
  if (index === undefined) {
    setRegister(access.base, wrap(va - access.offset));
    return;
  }
  // Register 31 adds zero; the base itself as index leads wherever it leads.
  const value =
    index.register === 31 ? 0n : random.oneIn(3) ? operandValue(random) : smallIndex(random);
  if (index.register !== 31 && index.register !== access.base) setRegister(index.register, value);
  setRegister(access.base, wrap(va - indexOffset(index, value)));
}

function smallIndex(random: Random): bigint {
  return wrap(BigInt(random.below(512) - 128));
}

/** The doublewords of the window that an access covers, with new values. */
export function windowCells(pa: bigint, values: readonly bigint[]): Cell[] {
  const first = pa & ~7n;
  const end = BigInt(LAYOUT.WINDOW + LAYOUT.WINDOW_BYTES);
  return values
    .map((value, i): Cell => [first + BigInt(8 * i), value])
    .filter(([address]) => address >= BigInt(LAYOUT.WINDOW) && address < end);
}
