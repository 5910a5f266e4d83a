// Data-processing (1 source): reversals, counts; signing and authenticating with keys that are off.

import { describe } from "vitest";
import { checkRows } from "../instruction-rows.ts";

const X1 = { x1: 0x0123_4567_89ab_cdefn };

describe("data-processing (1 source)", () => {
  checkRows([
    ["rbit x0, x1", 0xdac00020, X1, { x0: 0xf7b3_d591_e6a2_c480n }],
    ["rbit w0, w1", 0x5ac00020, { x1: 0x1_0000_0001n }, { x0: 0x8000_0000n }],
    ["rev16 x0, x1", 0xdac00420, X1, { x0: 0x2301_6745_ab89_efcdn }],
    ["rev16 w0, w1", 0x5ac00420, X1, { x0: 0xab89_efcdn }],
    ["rev w0, w1", 0x5ac00820, X1, { x0: 0xefcd_ab89n }],
    ["rev32 x0, x1", 0xdac00820, X1, { x0: 0x6745_2301_efcd_ab89n }],
    ["rev x0, x1", 0xdac00c20, X1, { x0: 0xefcd_ab89_6745_2301n }],
    ["clz x0, x1", 0xdac01020, X1, { x0: 7n }],
    ["clz x0, x1", 0xdac01020, { x1: 0n }, { x0: 64n }],
    ["clz w0, w1", 0x5ac01020, { x1: 0xf_0000_0000n }, { x0: 32n }],
    ["clz w0, w1", 0x5ac01020, { x1: 0x8000_0000n }, { x0: 0n }],
    ["cls x0, x1", 0xdac01420, { x1: 0n }, { x0: 63n }],
    ["cls x0, x1", 0xdac01420, { x1: 0xffff_ffff_ffff_ffffn }, { x0: 63n }],
    ["cls x0, x1", 0xdac01420, { x1: 0xe000_0000_0000_0000n }, { x0: 2n }],
    ["cls w0, w1", 0x5ac01420, { x1: 0x4000_0000n }, { x0: 0n }],
    // SCTLR_EL2.EnIA and its kin are 0: nothing happens.
    ["pacia x0, x1", 0xdac10020, { x0: 5n, ...X1 }, {}],
    ["autdb x0, sp", 0xdac11fe0, { x0: 5n }, {}],
    ["paciza x0", 0xdac123e0, { x0: 5n }, {}],
    // XPAC needs no key. With TnSZ = 16 the code is in bits 63 to 48 but 55.
    [
      "xpaci x0",
      0xdac143e0,
      { x0: 0xab12_0000_0000_1234n, sysreg: { TCR_EL2: 16n } },
      { x0: 0x1234n },
    ],
    [
      "xpacd x0",
      0xdac147e0,
      { x0: 0xab12_0000_0000_1234n, sysreg: { TCR_EL2: (1n << 20n) | 16n } },
      { x0: 0xab00_0000_0000_1234n },
    ],
  ]);
});
