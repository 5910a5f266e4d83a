// Logical (immediate): the replicated, rotated elements; flags; SP as destination.

import { describe } from "vitest";
import { checkRows } from "../instruction-rows.ts";

const MAX = 0xffff_ffff_ffff_ffffn;

describe("logical (immediate)", () => {
  checkRows([
    // Elements of 2, 4, 8, 16, 32 and 64 bits.
    ["and x0, x1, #0x5555555555555555", 0x9200f020, { x1: MAX }, { x0: 0x5555_5555_5555_5555n }],
    ["and x0, x1, #0x3333333333333333", 0x9200e420, { x1: MAX }, { x0: 0x3333_3333_3333_3333n }],
    ["and x0, x1, #0x8181818181818181", 0x9201c420, { x1: MAX }, { x0: 0x8181_8181_8181_8181n }],
    ["and x0, x1, #0xfffefffefffefffe", 0x920fb820, { x1: MAX }, { x0: 0xfffe_fffe_fffe_fffen }],
    ["and x0, x1, #0xf0000001f0000001", 0x92041020, { x1: MAX }, { x0: 0xf000_0001_f000_0001n }],
    ["and x0, x1, #0x8000000000000001", 0x92410420, { x1: MAX }, { x0: 0x8000_0000_0000_0001n }],
    ["and w0, w1, #0x80000000", 0x12010020, { x1: MAX }, { x0: 0x8000_0000n }],
    ["and sp, x1, #0xfffffffffffffff0", 0x927cec3f, { x1: 0x1237n }, { sp: 0x1230n }],
    ["orr x0, xzr, #0xff", 0xb2401fe0, {}, { x0: 0xffn }],
    ["orr w0, w1, #1", 0x32000020, { x1: 0xffff_ffff_8000_0000n }, { x0: 0x8000_0001n }],
    ["eor x0, x1, #0xff00", 0xd2781c20, { x1: 0x0ff0n }, { x0: 0xf0f0n }],
    // Flags: N and Z by the result; C and V are cleared.
    ["tst x1, #1", 0xf240003f, { x1: 2n, nzcv: "NCV" }, { nzcv: "Z" }],
    ["ands x0, x1, #0x8000000000000000", 0xf2410020, { x1: MAX }, { x0: 1n << 63n, nzcv: "N" }],
    ["ands w0, w1, #0x80000000", 0x72010020, { x1: MAX, nzcv: "ZC" }, { x0: 1n << 31n, nzcv: "N" }],
    // An element of all ones, an element of one bit, and N in a 32-bit form are reserved.
    ["(N = 1, imms = 63)", 0x9240_fc20, {}, { exception: { el: 2, ec: 0, iss: 0 } }],
    ["(N = 0, imms = 62)", 0x9200_f820, {}, { exception: { el: 2, ec: 0, iss: 0 } }],
    ["(32-bit form, N = 1)", 0x1240_0020, {}, { exception: { el: 2, ec: 0, iss: 0 } }],
  ]);
});
