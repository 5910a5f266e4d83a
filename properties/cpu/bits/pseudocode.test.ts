// The printer: instructions of each kind as pseudocode.

import { describe, expect, it } from "vitest";
import { pseudocode } from "../../../cpu/bits/pseudocode.ts";
import { max } from "../../../cpu/cpu-model.ts";
import { decode, indexFor } from "../../../cpu/isa/decode.ts";

function printed(word: number): string {
  const entry = decode(indexFor(max.features), word);
  return pseudocode(entry?.effects(word) ?? []).join("\n");
}

describe("pseudocode", () => {
  it.each([
    ["add x0, x1, #4", 0x9100_1020],
    ["subs w0, w1, w2, asr #3", 0x6b82_0c20],
    ["ubfx x0, x1, #8, #12", 0xd348_4c20],
    ["csinc x0, x1, x2, hi", 0x9a82_8420],
    ["cbz w1, .+8", 0x3400_0041],
    ["tbnz x1, #33, .-4", 0xb70f_ffe1],
    ["ldrsb w0, [x1, #-1]!", 0x38df_fc20],
    ["stp x29, x30, [sp, #-16]!", 0xa9bf_7bfd],
    ["ldaddal w2, w0, [x1]", 0xb8e2_0020],
    ["casp x2, x3, x4, x5, [x1]", 0x4822_7c24],
    ["blraa x1, x2", 0xd73f_0822],
    ["msr vbar_el2, x1", 0xd51c_c001],
    ["umulh x0, x1, x2", 0x9bc2_7c20],
    ["sdiv x0, x1, x2", 0x9ac2_0c20],
    ["hvc #1", 0xd400_0022],
    ["ldr xzr, [x1]", 0xf940_003f],
    ["nop", 0xd503_201f],
    ["udf #0", 0],
    ["fmov d0, d1", 0x1e60_4020],
  ])("%s", (_name, word) => {
    expect(printed(word)).toMatchSnapshot();
  });

  it.each([
    ["add x0, x1, x2", 0x8b02_0020, "X[0] = X[1] + X[2];"],
    ["eor w3, w4, w5", 0x4a05_0083, "X[3] = ZeroExtend(X[4]<31:0> EOR X[5]<31:0>, 64);"],
  ])("%s: a shift by nothing is not written", (_name, word, text) => {
    expect(printed(word)).toBe(text);
  });
});
