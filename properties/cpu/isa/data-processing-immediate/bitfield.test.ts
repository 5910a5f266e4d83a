// Bitfield moves: fields that go down, fields that go up, and fields at either end.

import { describe } from "vitest";
import { checkRows } from "../instruction-rows.ts";

const X1 = { x1: 0xfedc_ba98_7654_3210n };
const OLD = { x0: 0x1111_1111_1111_1111n };

describe("bitfield", () => {
  checkRows([
    ["ubfx x0, x1, #8, #12", 0xd3484c20, X1, { x0: 0x432n }],
    ["ubfx x0, x1, #0, #64", 0xd340fc20, X1, { x0: 0xfedc_ba98_7654_3210n }],
    ["lsr x0, x1, #63", 0xd37ffc20, X1, { x0: 1n }],
    ["lsl x0, x1, #4", 0xd37cec20, X1, { x0: 0xedcb_a987_6543_2100n }],
    ["lsl w0, w1, #31", 0x53010020, { x1: 0xffff_ffff_0000_0001n }, { x0: 0x8000_0000n }],
    ["ubfiz x0, x1, #60, #3", 0xd3440820, { x1: 0xfn }, { x0: 0x7000_0000_0000_0000n }],
    ["uxtb w0, w1", 0x53001c20, X1, { x0: 0x10n }],
    ["uxth w0, w1", 0x53003c20, X1, { x0: 0x3210n }],
    ["asr x0, x1, #4", 0x9344fc20, X1, { x0: 0xffed_cba9_8765_4321n }],
    // The sign of a 32-bit form is bit 31, and the upper half of the register is zero.
    ["asr w0, w1, #31", 0x131f7c20, { x1: 0x8000_0000n }, { x0: 0xffff_ffffn }],
    ["sxtb x0, w1", 0x93401c20, { x1: 0x80n }, { x0: 0xffff_ffff_ffff_ff80n }],
    ["sxtb w0, w1", 0x13001c20, { x1: 0x80n }, { x0: 0xffff_ff80n }],
    ["sxtw x0, w1", 0x93407c20, { x1: 0x8000_0000n }, { x0: 0xffff_ffff_8000_0000n }],
    ["sbfx x0, x1, #63, #1", 0x937ffc20, X1, { x0: 0xffff_ffff_ffff_ffffn }],
    ["sbfiz x0, x1, #8, #4", 0x93780c20, { x1: 0x8n }, { x0: 0xffff_ffff_ffff_f800n }],
    // BFM keeps the bits of Rd around the field.
    ["bfi x0, x1, #8, #8", 0xb3781c20, { ...OLD, x1: 0xabn }, { x0: 0x1111_1111_1111_ab11n }],
    ["bfi x0, x1, #56, #8", 0xb3481c20, { ...OLD, x1: 0xabn }, { x0: 0xab11_1111_1111_1111n }],
    ["bfxil x0, x1, #60, #4", 0xb37cfc20, { ...OLD, ...X1 }, { x0: 0x1111_1111_1111_111fn }],
    ["bfi w0, w1, #31, #1", 0x33010020, { ...OLD, x1: 1n }, { x0: 0x9111_1111n }],
    ["bfc x0, #4, #8", 0xb37c1fe0, OLD, { x0: 0x1111_1111_1111_1001n }],
    ["(N = 0 with sf = 1)", 0x9300_0020, X1, { exception: { el: 2, ec: 0, iss: 0 } }],
    ["(32-bit form, immr = 32)", 0x5320_0020, X1, { exception: { el: 2, ec: 0, iss: 0 } }],
  ]);
});
