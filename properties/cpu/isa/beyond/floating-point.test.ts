// Floating point and beyond: traps where they trap, a stop with a name elsewhere.

import { describe } from "vitest";
import { checkRows } from "../instruction-rows.ts";

const FMOV = 0x1e60_4020;
/** CV and COND of an A64 instruction. */
const ISS = 0x1e0_0000;

describe("floating point, Advanced SIMD, SVE, SME", () => {
  checkRows([
    ["fmov d0, d1", FMOV, {}, { stop: "unmodelled" }],
    ["ldr d0, [x1]", 0xfd40_0020, {}, { stop: "unmodelled" }],
    ["ld1 {v0.16b}, [x1]", 0x4c40_7020, {}, { stop: "unmodelled" }],
    [
      "fmov d0, d1 with CPTR_EL2.TFP",
      FMOV,
      { sysreg: { CPTR_EL2: 1n << 10n } },
      { exception: { el: 2, ec: 7, iss: ISS } },
    ],
    ["fmov d0, d1 with FPEN 00", FMOV, { el: 1 }, { exception: { el: 1, ec: 7, iss: ISS } }],
    [
      "fmov d0, d1 with FPEN 11",
      FMOV,
      { el: 1, sysreg: { CPACR_EL1: 3n << 20n } },
      { stop: "unmodelled" },
    ],
    [
      "fmov d0, d1 at EL0 with FPEN 01",
      FMOV,
      { el: 0, sysreg: { CPACR_EL1: 1n << 20n } },
      { exception: { el: 1, ec: 7, iss: ISS } },
    ],
    ["(SVE)", 0x0420_0000, {}, { exception: { el: 2, ec: 0, iss: 0 } }],
    ["(SME)", 0xc000_0000, {}, { exception: { el: 2, ec: 0, iss: 0 } }],
  ]);
});
