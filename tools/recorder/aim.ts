// Aims the data access of a word: gives its base and index registers the values that lead to a
// page.

import { type DataAccess, indexOffset } from "../../model/machine/data-access.ts";
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

/**
 * Whether an unaligned access is recorded: QEMU 10.0.2 does not check alignment on Device memory
 * while translation is on, and unaligned atomics elsewhere than in write-back memory are
 * CONSTRAINED UNPREDICTABLE.
 */
function mayBeUnaligned({ memory }: Target, kind: DataAccess["kind"]): boolean {
  if (kind === "plain" || kind === "authenticated") return memory !== "device";
  return memory === "write-back";
}

/** An offset into a target: aligned mostly; else unaligned, or across the end. */
function offsetIn(random: Random, target: Target, sizeBytes: number, aligned: boolean): number {
  const room = Math.max(1, Math.floor(target.sizeBytes / sizeBytes));
  switch (aligned ? 9 : random.below(10)) {
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

/** Some address in one of the targets, for an access of a size. */
export function aim(
  random: Random,
  targets: readonly Target[],
  sizeBytes: number,
  kind: DataAccess["kind"],
): Aim {
  const target = random.pick(targets);
  const aligned = !mayBeUnaligned(target, kind);
  const offset = BigInt(offsetIn(random, target, sizeBytes, aligned));
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
