// SUBP, SUBPS, GMI and IRG.

import { describe } from "vitest";
import { checkRows } from "../instruction-rows.ts";

const TAGGED = { x1: 0x3500_0000_0000_0010n, x2: 0xca00_0000_0000_0020n };

describe("pointers with tags", () => {
  checkRows([
    ["subp x0, x1, x2", 0x9ac20020, TAGGED, { x0: 0xffff_ffff_ffff_fff0n }],
    // Bit 55 is the sign.
    ["subp x0, x1, x2", 0x9ac20020, { x1: 0x80n << 48n, x2: 0n }, { x0: 0xff80_0000_0000_0000n }],
    ["subps x0, x1, x2", 0xbac20020, TAGGED, { x0: 0xffff_ffff_ffff_fff0n, nzcv: "N" }],
    ["cmpp x1, x1", 0xbac1003f, TAGGED, { nzcv: "ZC" }],
    ["subp x0, sp, x2", 0x9ac203e0, { sp: 0x130n, x2: 0x30n }, { x0: 0x100n }],
    ["gmi x0, x1, x2", 0x9ac21420, { x1: 0x3500_0000_0000_0010n, x2: 1n }, { x0: 0x21n }],
    ["gmi x0, sp, xzr", 0x9adf17e0, { sp: 0xffn << 56n }, { x0: 0x8000n }],
    // Without tags in use, IRG gives tag zero.
    ["irg x0, x1", 0x9adf1020, { x1: 0x3500_0000_0000_0010n }, { x0: 0x3000_0000_0000_0010n }],
    // SEED 0: the shift register stays, the offset is 0, the start is RGSR_EL1.TAG.
    [
      "irg x0, x1",
      0x9adf1020,
      { x1: 16n, sysreg: { SCTLR_EL2: 1n << 43n, RGSR_EL1: 5n } },
      { x0: 0x0500_0000_0000_0010n },
    ],
    // SEED 1: the feedback bits are 1, 0, 0, 0, so the offset is 1: from 5 to 6; x2 excludes 6.
    // SEED becomes 1000…: 0x0001 -> 0x8000 -> 0x4000 -> 0x2000 -> 0x1000.
    [
      "irg x0, x1, x2",
      0x9ac21020,
      { x1: 16n, x2: 0x40n, sysreg: { SCTLR_EL2: 1n << 43n, RGSR_EL1: 0x105n } },
      { x0: 0x0700_0000_0000_0010n, sysreg: { RGSR_EL1: 0x10_0007n } },
    ],
  ]);
});
