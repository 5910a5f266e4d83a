// Add/subtract (immediate): carries, overflows, widths, and register 31 as SP or as zero.

import { describe } from "vitest";
import { checkRows } from "../instruction-rows.ts";

const MAX = 0xffff_ffff_ffff_ffffn;

describe("add/subtract (immediate)", () => {
  checkRows([
    ["add x0, x1, #1", 0x91000420, { x1: MAX }, { x0: 0n }],
    ["add x0, x1, #4095, lsl #12", 0x917ffc20, { x1: 1n }, { x0: 0xfff001n }],
    // A 32-bit result is zero-extended, and bits above 31 of the operand do not count.
    ["add w0, w1, #1", 0x11000420, { x0: MAX, x1: 0x1_ffff_ffffn }, { x0: 0n }],
    ["add sp, sp, #16", 0x910043ff, { sp: 32n }, { sp: 48n }],
    ["add x3, sp, #0", 0x910003e3, { sp: 32n }, { x3: 32n }],
    ["add wsp, wsp, #0", 0x110003ff, { sp: 0x1_2345_6780n }, { sp: 0x2345_6780n }],
    ["sub x0, x1, #1", 0xd1000420, { x1: 0n }, { x0: MAX }],
    ["sub sp, sp, #1, lsl #12", 0xd14007ff, { sp: 0x2000n }, { sp: 0x1000n }],
    // 0x7fff…f + 1 overflows and is negative; there is no carry.
    ["adds x0, x1, #1", 0xb1000420, { x1: MAX >> 1n, nzcv: "ZC" }, { x0: 1n << 63n, nzcv: "NV" }],
    ["adds x0, x1, #1", 0xb1000420, { x1: MAX }, { x0: 0n, nzcv: "ZC" }],
    ["adds w0, w1, #0", 0x31000020, { x1: 1n << 31n }, { x0: 1n << 31n, nzcv: "N" }],
    ["cmn sp, #1", 0xb10007ff, { sp: MAX }, { nzcv: "ZC" }],
    // Subtraction sets C where there is no borrow.
    ["subs x0, x1, #1", 0xf1000420, { x1: 0n }, { x0: MAX, nzcv: "N" }],
    ["subs x0, x1, #1", 0xf1000420, { x1: 1n << 63n }, { x0: MAX >> 1n, nzcv: "CV" }],
    ["cmp w1, #1", 0x7100043f, { x1: 0x8000_0000n }, { nzcv: "CV" }],
    ["cmp x1, #0", 0xf100003f, { x1: 0n, nzcv: "NV" }, { nzcv: "ZC" }],
  ]);
});
