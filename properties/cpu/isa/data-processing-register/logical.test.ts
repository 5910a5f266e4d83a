// Logical (shifted register): every operation, every shift, flags.

import { describe } from "vitest";
import { checkRows } from "../instruction-rows.ts";

const MAX = 0xffff_ffff_ffff_ffffn;
const AB = { x1: 0xff00n, x2: 0x0ff0n };

describe("logical (shifted register)", () => {
  checkRows([
    ["and x0, x1, x2", 0x8a020020, AB, { x0: 0x0f00n }],
    ["bic x0, x1, x2", 0x8a220020, AB, { x0: 0xf000n }],
    ["orr x0, x1, x2", 0xaa020020, AB, { x0: 0xfff0n }],
    ["orn x0, x1, x2", 0xaa220020, AB, { x0: MAX - 0xf0n }],
    ["eor x0, x1, x2", 0xca020020, AB, { x0: 0xf0f0n }],
    ["eon x0, x1, x2", 0xca220020, AB, { x0: MAX - 0xf0f0n }],
    ["mov w0, w1", 0x2a0103e0, { x1: MAX }, { x0: 0xffff_ffffn }],
    // NOT in a 32-bit form is of 32 bits.
    ["mvn w0, w1", 0x2a2103e0, { x1: 0n }, { x0: 0xffff_ffffn }],
    ["and x0, x1, x2, ror #8", 0x8ac22020, { x1: MAX, x2: 0xabn }, { x0: 0xab00_0000_0000_0000n }],
    ["orr w0, wzr, w2, ror #4", 0x2ac213e0, { x2: 0xf_0000_0001n }, { x0: 0x1000_0000n }],
    ["eor x0, x1, x2, asr #63", 0xca82fc20, { x1: 0n, x2: 1n << 63n }, { x0: MAX }],
    [
      "ands x0, x1, x2, lsl #32",
      0xea028020,
      { x1: MAX, x2: MAX, nzcv: "ZCV" },
      { x0: (MAX << 32n) & MAX, nzcv: "N" },
    ],
    ["bics wzr, w1, w2", 0x6a22003f, { x1: MAX, x2: MAX, nzcv: "NCV" }, { nzcv: "Z" }],
    ["tst w1, w2", 0x6a02003f, { x1: 1n << 31n, x2: MAX }, { nzcv: "N" }],
    ["(32-bit form, shift by 32)", 0x0a02_8020, AB, { exception: { el: 2, ec: 0, iss: 0 } }],
  ]);
});
