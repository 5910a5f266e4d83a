// Indirect branches: the link, BTYPE, ignored top bytes, and authenticated targets.

import { describe, expect, it } from "vitest";
import { noGates, run } from "../../../../cpu/core.ts";
import { cortexA76 } from "../../../../cpu/cpu-model.ts";
import { computePAC } from "../../../../cpu/interpret/functions/qarma5.ts";
import { CODE, checkRows, prepared } from "../instruction-rows.ts";

const TARGET = CODE + 0x100n;
const UNDEFINED = { exception: { el: 2, ec: 0, iss: 0 } } as const;

/** SCTLR_EL2.EnIA, and a key; TCR_EL2.T0SZ = 16, so that the code is in bits 63 to 48 but 55. */
const SIGNED = {
  SCTLR_EL2: 1n << 31n,
  TCR_EL2: 16n,
  APIAKeyHi_EL1: 0x84be_85ce_9804_e94bn,
  APIAKeyLo_EL1: 0xec28_02d4_e0a4_88e9n,
};

/** The target signed with key A and a modifier. */
function signed(modifier: bigint): bigint {
  const code = computePAC(TARGET, modifier, SIGNED.APIAKeyHi_EL1, SIGNED.APIAKeyLo_EL1);
  return TARGET | (code & 0xff7f_0000_0000_0000n);
}

describe("unconditional branch (register)", () => {
  checkRows([
    ["br x1", 0xd61f0020, { x1: TARGET }, { pc: TARGET, btype: 1 }],
    ["blr x1", 0xd63f0020, { x1: TARGET }, { pc: TARGET, x30: CODE + 4n, btype: 2 }],
    // The target is read before the link is written.
    ["blr x30", 0xd63f03c0, { x30: TARGET }, { pc: TARGET, x30: CODE + 4n, btype: 2 }],
    ["br xzr", 0xd61f03e0, {}, { pc: 0n, btype: 1 }],
    ["ret", 0xd65f03c0, { x30: TARGET }, { pc: TARGET }],
    ["ret x1", 0xd65f0020, { x1: TARGET, btype: 1 }, { pc: TARGET, btype: 0 }],
    // TCR_EL2.TBI: the top byte is ignored.
    [
      "ret x1",
      0xd65f0020,
      { x1: TARGET | (0xabn << 56n), sysreg: { TCR_EL2: 1n << 20n } },
      { pc: TARGET },
    ],
    ["ret x1", 0xd65f0020, { x1: TARGET | (0xabn << 56n) }, { pc: TARGET | (0xabn << 56n) }],
    // At EL1 bit 55 chooses the range, and is what the top byte becomes.
    [
      "ret x1",
      0xd65f0020,
      { el: 1, x1: (0xabn << 56n) | (0xffn << 48n), sysreg: { TCR_EL1: 1n << 38n } },
      { pc: 0xffffn << 48n },
    ],
    ["braaz x1", 0xd61f083f, { x1: signed(0n), sysreg: SIGNED }, { pc: TARGET, btype: 1 }],
    [
      "braa x1, x2",
      0xd71f0822,
      { x1: signed(7n), x2: 7n, sysreg: SIGNED },
      { pc: TARGET, btype: 1 },
    ],
    [
      "blraa x1, sp",
      0xd73f083f,
      { x1: signed(48n), sp: 48n, sysreg: SIGNED },
      { pc: TARGET, x30: CODE + 4n, btype: 2 },
    ],
    ["retaa", 0xd65f0bff, { x30: signed(32n), sp: 32n, sysreg: SIGNED }, { pc: TARGET }],
    // Key B is disabled: the target is taken as it is.
    ["retab", 0xd65f0fff, { x30: signed(0n), sysreg: SIGNED }, { pc: signed(0n) }],
    ["(retaa without FEAT_PAuth)", 0xd65f_0bff, { model: cortexA76 }, UNDEFINED],
    ["(br with Rm = 1)", 0xd61f_0021, {}, UNDEFINED],
    ["drps", 0xd6bf03e0, {}, UNDEFINED],
    ["eret (at EL0)", 0xd69f03e0, { el: 0 }, { exception: { el: 1, ec: 0, iss: 0 } }],
  ]);

  it("eret goes to the level and address that SPSR and ELR name", () => {
    const sysreg = { SPSR_EL2: 0x6000_03c4n, ELR_EL2: TARGET };
    const core = prepared(0xd69f_03e0, { sysreg });
    run(core, { budget: 1, gates: noGates });
    expect(core.pc).toBe(TARGET);
    const { N, Z, C, V, D, A, I, F, EL, SP } = core.pstate;
    expect([N, Z, C, V, D, A, I, F, EL, SP]).toEqual([0, 1, 1, 0, 1, 1, 1, 1, 1, 0]);
  });

  it("eretaa authenticates the link with the stack pointer", () => {
    const sysreg = { ...SIGNED, SPSR_EL2: 0x3c9n, ELR_EL2: signed(64n) };
    const core = prepared(0xd69f_0bff, { sysreg, sp: 64n });
    run(core, { budget: 1, gates: noGates });
    expect([core.pc, core.pstate.EL]).toEqual([TARGET, 2]);
  });
});
