// Move wide: sixteen bits at each position, inverted, and kept.

import { describe } from "vitest";
import { checkRows } from "../instruction-rows.ts";

const OLD = { x0: 0x1111_2222_3333_4444n };

describe("move wide (immediate)", () => {
  checkRows([
    ["movz x0, #0xffff, lsl #48", 0xd2ffffe0, OLD, { x0: 0xffff_0000_0000_0000n }],
    ["movz w0, #0x8000, lsl #16", 0x52b00000, OLD, { x0: 0x8000_0000n }],
    ["movn x0, #0", 0x92800000, OLD, { x0: 0xffff_ffff_ffff_ffffn }],
    // The inversion is of 32 bits in a 32-bit form.
    ["movn w0, #0", 0x12800000, OLD, { x0: 0xffff_ffffn }],
    ["movn x0, #0x1234, lsl #32", 0x92c24680, OLD, { x0: 0xffff_edcb_ffff_ffffn }],
    ["movk x0, #0xabcd, lsl #32", 0xf2d579a0, OLD, { x0: 0x1111_abcd_3333_4444n }],
    ["movk x0, #0, lsl #48", 0xf2e00000, OLD, { x0: 0x2222_3333_4444n }],
    // A 32-bit form clears the upper half.
    ["movk w0, #0xabcd", 0x729579a0, OLD, { x0: 0x3333_abcdn }],
    ["movz xzr, #1", 0xd280003f, {}, {}],
    ["(movz w0, lsl #32)", 0x52c0_0020, OLD, { exception: { el: 2, ec: 0, iss: 0 } }],
    ["(opc = 01)", 0xb280_0020, OLD, { exception: { el: 2, ec: 0, iss: 0 } }],
  ]);
});
