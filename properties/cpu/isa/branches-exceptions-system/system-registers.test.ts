// MRS, MSR, SYS and SYSL: the register that the fields name, in both directions; what is not there.

import { describe } from "vitest";
import { checkRows } from "../instruction-rows.ts";

const UNDEFINED = { exception: { el: 2, ec: 0, iss: 0 } } as const;

describe("system registers and instructions", () => {
  checkRows([
    ["mrs x0, tpidr_el2", 0xd53cd040, { sysreg: { TPIDR_EL2: 0x1234n } }, { x0: 0x1234n }],
    ["msr tpidr_el2, x1", 0xd51cd041, { x1: 5n }, { sysreg: { TPIDR_EL2: 5n } }],
    [
      "msr tpidr_el2, xzr",
      0xd51cd05f,
      { sysreg: { TPIDR_EL2: 7n } },
      { sysreg: { TPIDR_EL2: 0n } },
    ],
    ["mrs xzr, tpidr_el2", 0xd53cd05f, { sysreg: { TPIDR_EL2: 7n } }, {}],
    ["mrs x0, nzcv", 0xd53b4200, { nzcv: "NC" }, { x0: 0xa000_0000n }],
    ["msr nzcv, x1", 0xd51b4201, { x1: 0x5000_0000n, nzcv: "NC" }, { nzcv: "ZV" }],
    ["mrs x0, currentel", 0xd5384240, {}, { x0: 8n }],
    ["mrs x0, sctlr_el2 at EL1", 0xd53c_1000, { el: 1 }, { exception: { el: 1, ec: 0, iss: 0 } }],
    // HCR_EL2.TVM traps a write of TTBR0_EL1 from EL1: op0 3, CRn 2, Rt 1, direction 0.
    [
      "msr ttbr0_el1, x1",
      0xd5182001,
      { el: 1, sysreg: { HCR_EL2: (1n << 31n) | (1n << 26n) } },
      { exception: { el: 2, ec: 0x18, iss: 0x30_0820 } },
    ],
    ["(mrs of a register that is not there)", 0xd538_ffe0, {}, UNDEFINED],
    ["tlbi alle2", 0xd50c871f, {}, {}],
    ["dc civac, x1", 0xd50b7e21, { x1: 0x4001_0000n }, {}],
    ["(sysl)", 0xd528_7000, {}, UNDEFINED],
  ]);
});
