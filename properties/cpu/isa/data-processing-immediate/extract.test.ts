// EXTR: a register's worth of bits out of two; the same register twice is a rotation.

import { describe } from "vitest";
import { checkRows } from "../instruction-rows.ts";

const TWO = { x1: 0x1111_2222_3333_4444n, x2: 0xaaaa_bbbb_cccc_ddddn };

describe("extract", () => {
  checkRows([
    ["extr x0, x1, x2, #16", 0x93c24020, TWO, { x0: 0x4444_aaaa_bbbb_ccccn }],
    ["extr x0, x1, x2, #0", 0x93c20020, TWO, { x0: 0xaaaa_bbbb_cccc_ddddn }],
    ["extr x0, x1, x2, #63", 0x93c2fc20, TWO, { x0: 0x2222_4444_6666_8889n }],
    ["extr w0, w1, w2, #8", 0x13822020, TWO, { x0: 0x44cc_ccddn }],
    ["ror x0, x1, #4", 0x93c11020, TWO, { x0: 0x4111_1222_2333_3444n }],
    ["ror w0, w1, #1", 0x13810420, { x1: 1n }, { x0: 0x8000_0000n }],
    ["(32-bit form, imms = 32)", 0x1382_8020, TWO, { exception: { el: 2, ec: 0, iss: 0 } }],
    [
      "(N differs from sf)",
      0x1382_0020 + 0x0040_0000,
      TWO,
      { exception: { el: 2, ec: 0, iss: 0 } },
    ],
  ]);
});
