// LDRAA and LDRAB: authenticated base, scaled offset, writeback of the address.

import { describe } from "vitest";
import { computePAC } from "../../../../cpu/interpret/functions/qarma5.ts";
import { checkRows, DATA } from "../instruction-rows.ts";

const VALUE = 0xfedc_ba98_7654_3210n;
/** SCTLR_EL2.EnDA and EnDB; T0SZ = 16: the code is in bits 63 to 48 but 55. */
const KEYS = {
  SCTLR_EL2: (1n << 27n) | (1n << 13n),
  TCR_EL2: 16n,
  APDAKeyHi_EL1: 3n,
  APDBKeyLo_EL1: 4n,
};
const BITS = 0xff7f_0000_0000_0000n;
const signedA = (at: bigint): bigint => at | (computePAC(at, 0n, 3n, 0n) & BITS);
const signedB = (at: bigint): bigint => at | (computePAC(at, 0n, 0n, 4n) & BITS);
const from = (x1: bigint) => ({ x1, memory: [[DATA, VALUE]], sysreg: KEYS }) as const;

describe("load/store register (pac)", () => {
  checkRows([
    ["ldraa x0, [x1]", 0xf8200420, from(signedA(DATA)), { x0: VALUE }],
    ["ldraa x0, [x1, #-4096]", 0xf8600420, from(signedA(DATA + 4096n)), { x0: VALUE }],
    ["ldrab x0, [x1, #4088]", 0xf8bff420, from(signedB(DATA - 4088n)), { x0: VALUE }],
    ["ldraa x0, [x1, #8]!", 0xf8201c20, from(signedA(DATA - 8n)), { x0: VALUE, x1: DATA }],
    // With the key disabled the base is used as it is.
    ["ldraa x0, [x1]", 0xf8200420, { x1: DATA, memory: [[DATA, VALUE]] }, { x0: VALUE }],
    ["(ldraa x1, [x1, #8]!)", 0xf820_1c21, from(signedA(DATA - 8n)), { x1: VALUE }],
  ]);
});
