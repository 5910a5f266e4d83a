// Add/subtract by a shifted, an extended, and a carried operand.

import { describe } from "vitest";
import { checkRows } from "../instruction-rows.ts";

const MAX = 0xffff_ffff_ffff_ffffn;
const UNDEFINED = { exception: { el: 2, ec: 0, iss: 0 } } as const;

describe("add/subtract (shifted register)", () => {
  checkRows([
    ["add x0, x1, x2, lsl #63", 0x8b02fc20, { x1: 1n, x2: 3n }, { x0: (1n << 63n) + 1n }],
    ["add x0, x1, x2, asr #4", 0x8b821020, { x1: 0x10n, x2: (MAX << 4n) & MAX }, { x0: 0xfn }],
    ["add w0, w1, w2, lsr #31", 0x0b427c20, { x1: 1n, x2: 0xffff_ffffn }, { x0: 2n }],
    // The 32-bit form shifts the low half alone.
    ["add w0, w1, w2, asr #1", 0x0b820420, { x2: 0x1_8000_0000n }, { x0: 0xc000_0000n }],
    ["neg x0, x2", 0xcb0203e0, { x2: 1n }, { x0: MAX }],
    ["sub w0, w1, w2", 0x4b020020, { x1: 0n, x2: 1n }, { x0: 0xffff_ffffn }],
    ["adds x0, x1, x2", 0xab020020, { x1: 1n << 63n, x2: 1n << 63n }, { x0: 0n, nzcv: "ZCV" }],
    ["adds w0, w1, w2", 0x2b020020, { x1: 0x7fff_ffffn, x2: 1n }, { x0: 1n << 31n, nzcv: "NV" }],
    ["cmp x1, x2", 0xeb02003f, { x1: 5n, x2: 5n }, { nzcv: "ZC" }],
    ["cmp x1, x2", 0xeb02003f, { x1: 0n, x2: 1n << 63n }, { nzcv: "NV" }],
    ["cmp w1, w2, lsl #1", 0x6b02043f, { x1: 2n, x2: 0x8000_0001n }, { nzcv: "ZC" }],
    ["negs x0, x2", 0xeb0203e0, { x2: 0n }, { x0: 0n, nzcv: "ZC" }],
    ["(shift type 3)", 0x8bc2_0020, {}, UNDEFINED],
    ["(32-bit form, shift by 32)", 0x0b02_8020, {}, UNDEFINED],
  ]);
});

describe("add/subtract (extended register)", () => {
  checkRows([
    ["add x0, sp, w2, uxtb #4", 0x8b2213e0, { sp: 1n, x2: 0x1_80ffn }, { x0: 0xff1n }],
    ["add x0, x1, w2, sxtb", 0x8b228020, { x1: 1n, x2: 0x80n }, { x0: MAX - 0x7en }],
    ["add x0, x1, w2, sxth #2", 0x8b22a820, { x1: 0n, x2: 0x8000n }, { x0: MAX - 0x1_ffffn }],
    ["add x0, x1, w2, sxtw", 0x8b22c020, { x1: 1n, x2: 0xffff_ffffn }, { x0: 0n }],
    ["add x0, x1, w2, uxtw", 0x8b224020, { x1: 1n, x2: MAX }, { x0: 0x1_0000_0000n }],
    ["add sp, sp, x2", 0x8b2263ff, { sp: 32n, x2: MAX - 15n }, { sp: 16n }],
    ["sub w0, w1, w2, uxtx #1", 0x4b226420, { x1: 3n, x2: 0xf_0000_0001n }, { x0: 1n }],
    ["subs xzr, sp, w2, uxth", 0xeb2223ff, { sp: 0x1234n, x2: 0x5_1234n }, { nzcv: "ZC" }],
    ["cmn w1, w2, sxtb", 0x2b22803f, { x1: 1n, x2: 0xffn }, { nzcv: "ZC" }],
    // Register 31 is no SP where flags are set; and xzr, no SP, as the second operand.
    ["adds x0, sp, wzr, uxtw", 0xab3f43e0, { sp: 7n }, { x0: 7n, nzcv: "" }],
    ["(shift by 5)", 0x8b22_7420, {}, UNDEFINED],
  ]);
});

describe("add/subtract (with carry)", () => {
  checkRows([
    ["adc x0, x1, x2", 0x9a020020, { x1: MAX, x2: 0n, nzcv: "C" }, { x0: 0n }],
    ["adc w0, w1, w2", 0x1a020020, { x1: 0xffff_ffffn, x2: 1n, nzcv: "C" }, { x0: 1n }],
    ["adcs x0, x1, x2", 0xba020020, { x1: MAX, x2: 0n, nzcv: "C" }, { x0: 0n, nzcv: "ZC" }],
    ["adcs x0, x1, x2", 0xba020020, { x1: MAX, x2: MAX, nzcv: "C" }, { x0: MAX, nzcv: "NC" }],
    // Subtraction with carry takes one more where C is clear.
    ["sbc x0, x1, x2", 0xda020020, { x1: 5n, x2: 3n }, { x0: 1n }],
    ["sbc x0, x1, x2", 0xda020020, { x1: 5n, x2: 3n, nzcv: "C" }, { x0: 2n }],
    ["sbcs x0, x1, x2", 0xfa020020, { x1: 0n, x2: 0n }, { x0: MAX, nzcv: "N" }],
    [
      "sbcs w0, w1, w2",
      0x7a020020,
      { x1: 1n << 31n, x2: 0n },
      { x0: (1n << 31n) - 1n, nzcv: "CV" },
    ],
    ["ngc x0, x2", 0xda0203e0, { x2: 0n, nzcv: "C" }, { x0: 0n }],
  ]);
});
