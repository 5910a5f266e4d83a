// Direct branches: both ends of each range, taken and not taken, and the link.

import { describe } from "vitest";
import { CODE, checkRows } from "../instruction-rows.ts";

describe("direct branches", () => {
  checkRows([
    ["b .+8", 0x14000002, {}, { pc: CODE + 8n }],
    ["b .", 0x14000000, {}, { pc: CODE }],
    ["b .-134217728", 0x16000000, {}, { pc: CODE - 0x800_0000n }],
    ["b .+134217724", 0x15ffffff, {}, { pc: CODE + 0x7ff_fffcn }],
    ["bl .+16", 0x94000004, { x30: 5n }, { pc: CODE + 16n, x30: CODE + 4n }],
    ["b.eq .+8", 0x54000040, { nzcv: "Z" }, { pc: CODE + 8n }],
    ["b.eq .+8", 0x54000040, { nzcv: "C" }, {}],
    ["b.al .-1048576", 0x5480000e, {}, { pc: CODE - 0x10_0000n }],
    ["b.nv .+1048572", 0x547fffef, { nzcv: "NZCV" }, { pc: CODE + 0xf_fffcn }],
    ["cbz x1, .+8", 0xb4000041, { x1: 0n }, { pc: CODE + 8n }],
    ["cbz x1, .+8", 0xb4000041, { x1: 1n << 32n }, {}],
    // The 32-bit form looks at the low half.
    ["cbz w1, .+8", 0x34000041, { x1: 1n << 32n }, { pc: CODE + 8n }],
    ["cbz xzr, .+8", 0xb400005f, {}, { pc: CODE + 8n }],
    ["cbnz w1, .+8", 0x35000041, { x1: 1n << 32n }, {}],
    ["cbnz x1, .-4", 0xb5ffffe1, { x1: 1n << 63n }, { pc: CODE - 4n }],
    ["tbz x1, #63, .+8", 0xb6f80041, { x1: 1n << 62n }, { pc: CODE + 8n }],
    ["tbz w1, #31, .+8", 0x36f80041, { x1: 1n << 31n }, {}],
    ["tbnz x1, #32, .-32768", 0xb7040001, { x1: 1n << 32n }, { pc: CODE - 0x8000n }],
    ["tbnz w1, #0, .+32764", 0x3703ffe1, { x1: 1n }, { pc: CODE + 0x7ffcn }],
    // A branch that is not indirect leaves BTYPE 00.
    ["b .+4", 0x14000001, { btype: 1 }, { pc: CODE + 4n, btype: 0 }],
    ["b .", 0x14000000, { btype: 2 }, { pc: CODE, btype: 0 }],
    ["cbnz x5, .", 0xb5000005, { x5: 1n, btype: 2 }, { pc: CODE, btype: 0 }],
    ["(b.cond with bit 4 set)", 0x5400_0010, {}, { exception: { el: 2, ec: 0, iss: 0 } }],
  ]);
});
