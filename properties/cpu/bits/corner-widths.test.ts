// Values and diagrams at the edges of their widths, where no instruction of today goes.

import { describe, expect, it } from "vitest";
import { type Bits, slice, X } from "../../../cpu/bits/bits.ts";
import { setX } from "../../../cpu/bits/effects.ts";
import { matches, parseEncoding } from "../../../cpu/bits/encoding.ts";
import { max } from "../../../cpu/cpu-model.ts";
import { generate } from "../../../cpu/interpret/generate.ts";
import { createMemory } from "../../../cpu/memory.ts";
import { resetCore } from "../../../cpu/reset.ts";

describe("encoding diagrams", () => {
  it("32 fixed bits match one word", () => {
    const one = parseEncoding(`${"1010".repeat(8)}`);
    expect([one.mask, one.value]).toEqual([0xffff_ffff, 0xaaaa_aaaa]);
    expect([0xaaaa_aaaa, 0xaaaa_aaab, 0x2aaa_aaaa].map((word) => matches(one, word))).toEqual([
      true,
      false,
      false,
    ]);
  });

  it("masks and values are unsigned, so that tables can be keyed by them", () => {
    const top = parseEncoding("1 (1) a:30");
    expect(top).toMatchObject({ mask: 0x8000_0000, value: 0x8000_0000 });
    const should = parseEncoding("(1) 1 a:30");
    expect(should).toMatchObject({ shouldMask: 0x8000_0000, shouldValue: 0x8000_0000 });
  });
});

/** The value of an expression over X1, as a register that it is written to. */
function evaluated(bits: Bits, x1: bigint): bigint {
  const core = resetCore(max, createMemory([]), 0n);
  core.x[1] = x1;
  generate([setX(0, bits)]).execute(core);
  return core.x[0]!;
}

describe("slices of a register", () => {
  const value = 0xfedc_ba98_7654_3210n;

  it.each([
    [0, 32, 0x7654_3210n],
    // Shifted right by one: fedc…3210 / 2 is 7f6e_5d4c_3b2a_1908.
    [1, 32, 0x3b2a_1908n],
    [32, 32, 0xfedc_ba98n],
    [31, 32, 0xfdb9_7530n],
    [0, 33, 0x0_7654_3210n],
    [63, 1, 1n],
    [62, 1, 1n],
    [0, 1, 0n],
    [56, 8, 0xfen],
    [60, 4, 0xfn],
  ])("from bit %i, %i bits", (low, width, expected) => {
    expect(evaluated(slice(X(1, 64), low, width), value)).toBe(expected);
  });

  it("a slice of a 32-bit register begins there too", () => {
    expect(evaluated(slice(X(1, 32), 16, 16), value)).toBe(0x7654n);
    expect(evaluated(slice(X(1, 32), 31, 1), value)).toBe(0n);
  });
});
