// Exception generation: the level, the class, the immediate; what does not exist at a level.

import { describe, expect, it } from "vitest";
import { noGates, run } from "../../../../cpu/core.ts";
import { CODE, checkRows, prepared } from "../instruction-rows.ts";

const RW = 1n << 31n;
const UNDEFINED_EL2 = { exception: { el: 2, ec: 0, iss: 0 } } as const;

describe("exception generation", () => {
  checkRows([
    ["svc #0xffff", 0xd41fffe1, { el: 0 }, { exception: { el: 1, ec: 0x15, iss: 0xffff } }],
    ["svc #1", 0xd4000021, { el: 1 }, { exception: { el: 1, ec: 0x15, iss: 1 } }],
    ["svc #1", 0xd4000021, { el: 2 }, { exception: { el: 2, ec: 0x15, iss: 1 } }],
    [
      "svc #1",
      0xd4000021,
      { el: 0, sysreg: { HCR_EL2: RW | (1n << 27n) } },
      { exception: { el: 2, ec: 0x15, iss: 1 } },
    ],
    ["hvc #2", 0xd4000042, { el: 1 }, { exception: { el: 2, ec: 0x16, iss: 2 } }],
    ["hvc #2", 0xd4000042, { el: 2 }, { exception: { el: 2, ec: 0x16, iss: 2 } }],
    ["hvc #2", 0xd4000042, { el: 0 }, { exception: { el: 1, ec: 0, iss: 0 } }],
    // HCR_EL2.HCD
    [
      "hvc #2",
      0xd4000042,
      { el: 1, sysreg: { HCR_EL2: RW | (1n << 29n) } },
      { exception: { el: 1, ec: 0, iss: 0 } },
    ],
    ["smc #3", 0xd4000063, { el: 1 }, { stop: "smc" }],
    ["smc #3", 0xd4000063, { el: 2 }, { stop: "smc" }],
    ["smc #3", 0xd4000063, { el: 0 }, { exception: { el: 1, ec: 0, iss: 0 } }],
    // HCR_EL2.TSC
    [
      "smc #3",
      0xd4000063,
      { el: 1, sysreg: { HCR_EL2: RW | (1n << 19n) } },
      { exception: { el: 2, ec: 0x17, iss: 3 } },
    ],
    ["brk #4", 0xd4200080, { el: 1 }, { exception: { el: 1, ec: 0x3c, iss: 4 } }],
    // MDCR_EL2.TDE
    [
      "brk #4",
      0xd4200080,
      { el: 1, sysreg: { MDCR_EL2: 1n << 8n } },
      { exception: { el: 2, ec: 0x3c, iss: 4 } },
    ],
    ["hlt #5", 0xd44000a0, {}, UNDEFINED_EL2],
    ["dcps1", 0xd4a00001, {}, UNDEFINED_EL2],
    ["dcps2", 0xd4a00002, {}, UNDEFINED_EL2],
    ["dcps3 #7", 0xd4a000e3, {}, UNDEFINED_EL2],
    ["(dcps0)", 0xd4a0_0000, {}, UNDEFINED_EL2],
  ]);

  it("svc and hvc return to the next instruction, brk to itself", () => {
    const elr = (word: number): bigint => {
      const core = prepared(word, {});
      run(core, { budget: 1, gates: noGates });
      return core.sysreg.ELR_EL2;
    };
    expect([0xd400_0001, 0xd400_0002, 0xd420_0000].map(elr)).toEqual([CODE + 4n, CODE + 4n, CODE]);
  });
});
