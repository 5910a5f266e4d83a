// Immediate offsets of loads and stores at their ends and at their sign, for every size and mode.
// Words are put together from DDI0487 C4.1, Loads and Stores; offsets are signed and scaled there.

import { describe, expect, test } from "vitest";
import { createCore, noGates, run } from "../../../../cpu/core.ts";
import { max } from "../../../../cpu/cpu-model.ts";
import { createMemory, writePhysical } from "../../../../cpu/memory.ts";
import type { Core } from "../../../../cpu/state.ts";

const CODE = 0x4000_0000n;
/** Aligned to everything; the middle of memory that is there, or of memory that is not. */
const PRESENT = 0x4001_0000n;
const ABSENT = 0x2000_0000n;

/** The state after one word at EL2 without translation, its base in X1. */
function executed(word: number, base: bigint): Core {
  const memory = createMemory([{ base: CODE, sizeBytes: 0x2_0000n }]);
  writePhysical(memory, CODE, 4, BigInt(word >>> 0));
  const core = createCore(max, memory, 0n);
  core.pc = CODE;
  core.x[1] = base;
  core.sysreg.VBAR_EL2 = CODE + 0x1000n;
  run(core, { budget: 1, gates: noGates });
  return core;
}

/** A field of `width` bits and the number that it is. */
const corners = (width: number): readonly (readonly [field: number, value: number])[] => {
  const half = 2 ** (width - 1);
  return [
    [0, 0],
    [1, 1],
    [half / 2, half / 2],
    [half - 1, half - 1],
    [half, -half],
    [half + half / 2 - 1, -half / 2 - 1],
    [2 * half - 1, -1],
  ];
};

const Rn = 1 << 5;
const Rt = 2;
const Rt2 = 3 << 10;

/** size and opc of the integer loads and stores: stores, loads, loads to X and to W with sign. */
const singles = [0, 1, 2, 3].flatMap((size) =>
  [0, 1, 2, 3].filter((opc) => opc < 2 || size + opc < 5).map((opc) => [size, opc] as const),
);
const single = (size: number, opc: number, mode: number, imm9: number): number =>
  (size << 30) | 0x3800_0000 | (opc << 22) | (imm9 << 12) | (mode << 10) | Rn | Rt;
const orderedUnscaled = (size: number, opc: number, imm9: number): number =>
  (size << 30) | 0x1900_0000 | (opc << 22) | (imm9 << 12) | Rn | Rt;

/** opc and L of the pairs, and what their offset is counted in. */
const pairs = [
  [0, 0, 4],
  [0, 1, 4],
  [1, 0, 16],
  [1, 1, 4],
  [2, 0, 8],
  [2, 1, 8],
] as const;
const pair = (opc: number, mode: number, L: number, imm7: number): number =>
  (opc << 30) | 0x2800_0000 | (mode << 23) | (L << 22) | (imm7 << 15) | Rt2 | Rn | Rt;
/** STG, STZG, ST2G and STZ2G by op. */
const tagStore = (op: number, mode: number, imm9: number): number =>
  0xd920_0000 | (op << 22) | (imm9 << 12) | (mode << 10) | Rn | Rt;

/** Nothing is there: the fault names the address. */
function accesses(word: number, address: bigint): void {
  const { sysreg, pstate, x } = executed(word, ABSENT);
  expect([pstate.EL, sysreg.ESR_EL2 >> 26n, sysreg.FAR_EL2]).toEqual([2, 0x25n, address]);
  expect(x[1]).toBe(ABSENT);
}

function writesBack(word: number, base: bigint): void {
  const core = executed(word, PRESENT);
  expect([core.pc, core.x[1]]).toEqual([CODE + 4n, base]);
}

describe.each(singles)("size %i opc %i", (size, opc) => {
  test.each(corners(9))("imm9 %i is %i", (imm9, offset) => {
    for (const mode of [0, 2, 3]) accesses(single(size, opc, mode, imm9), ABSENT + BigInt(offset));
    accesses(orderedUnscaled(size, opc, imm9), ABSENT + BigInt(offset));
    accesses(single(size, opc, 1, imm9), ABSENT);
    writesBack(single(size, opc, 1, imm9), PRESENT + BigInt(offset));
  });

  test("pre-index writes its address back", () => {
    // Multiples of eight, so that nothing is unaligned.
    for (const [imm9, offset] of [[0xf8, 248] as const, [0x108, -248] as const])
      writesBack(single(size, opc, 3, imm9), PRESENT + BigInt(offset));
  });

  test.each([0, 1, 0x800, 0xfff])("imm12 %i is unsigned and scaled", (imm12) => {
    const word = (size << 30) | 0x3900_0000 | (opc << 22) | (imm12 << 10) | Rn | Rt;
    accesses(word, ABSENT + BigInt(imm12 * 2 ** size));
  });
});

describe.each(pairs)("pairs: opc %i L %i, counted in %i bytes", (opc, L, scale) => {
  test.each(corners(7))("imm7 %i is %i", (imm7, count) => {
    const offset = BigInt(count * scale);
    const isTagStore = opc === 1 && L === 0;
    const modes = opc === 1 ? [2, 3] : [0, 2, 3];
    if (!isTagStore) for (const mode of modes) accesses(pair(opc, mode, L, imm7), ABSENT + offset);
    for (const mode of [1, 3]) writesBack(pair(opc, mode, L, imm7), PRESENT + offset);
  });
});

describe.each([0, 1, 2, 3])("tag stores: op %i", (op) => {
  test.each(corners(9))("imm9 %i is %i granules", (imm9, count) => {
    for (const mode of [1, 3]) writesBack(tagStore(op, mode, imm9), PRESENT + BigInt(16 * count));
  });
});
