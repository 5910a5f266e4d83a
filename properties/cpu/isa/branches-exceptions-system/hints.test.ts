// Hints: what waits, what wakes, what signs, and that all others do nothing.

import { describe, expect, it } from "vitest";
import { noGates, run } from "../../../../cpu/core.ts";
import { cortexA76 } from "../../../../cpu/cpu-model.ts";
import { computePAC } from "../../../../cpu/interpret/functions/qarma5.ts";
import { checkRows, prepared } from "../instruction-rows.ts";

const WFE = 0xd503_205f;
const WFI = 0xd503_207f;
const RW = 1n << 31n;
/** CV and COND of an A64 instruction. */
const CONDITION = 0x1e0_0000;
const KEY = {
  SCTLR_EL2: (1n << 31n) | (1n << 30n),
  TCR_EL2: 16n,
  APIAKeyHi_EL1: 1n,
  APIBKeyLo_EL1: 2n,
};
const CODE_BITS = 0xff7f_0000_0000_0000n;

describe("hints", () => {
  checkRows([
    ["nop", 0xd503201f, {}, {}],
    ["yield", 0xd503203f, {}, {}],
    ["csdb", 0xd503229f, {}, {}],
    ["esb", 0xd503221f, {}, {}],
    ["hint #127", 0xd5032fff, {}, {}],
    ["hint #6", 0xd50320df, {}, {}],
    ["bti", 0xd503241f, {}, {}],
    // Signing with SP, X16 and zero as modifiers, by both keys.
    [
      "paciasp",
      0xd503233f,
      { x30: 0x1234n, sp: 16n, sysreg: KEY },
      { x30: 0x1234n | (computePAC(0x1234n, 16n, 1n, 0n) & CODE_BITS) },
    ],
    [
      "pacibz",
      0xd503235f,
      { x30: 0x1234n, sysreg: KEY },
      { x30: 0x1234n | (computePAC(0x1234n, 0n, 0n, 2n) & CODE_BITS) },
    ],
    [
      "pacia1716",
      0xd503211f,
      { x16: 7n, x17: 0x1234n, sysreg: KEY },
      { x17: 0x1234n | (computePAC(0x1234n, 7n, 1n, 0n) & CODE_BITS) },
    ],
    [
      "autiasp",
      0xd50323bf,
      { x30: 0x1234n | (computePAC(0x1234n, 16n, 1n, 0n) & CODE_BITS), sp: 16n, sysreg: KEY },
      { x30: 0x1234n },
    ],
    ["paciasp", 0xd503233f, { x30: 5n }, {}],
    ["(paciasp without FEAT_PAuth is a NOP)", 0xd503_233f, { model: cortexA76, x30: 5n }, {}],
    ["xpaclri", 0xd50320ff, { x30: 0xab12n << 48n, sysreg: { TCR_EL2: 16n } }, { x30: 0n }],
    // Traps of the waits.
    [
      "wfi",
      0xd503207f,
      { el: 1, sysreg: { HCR_EL2: RW | (1n << 13n) } },
      { exception: { el: 2, ec: 1, iss: CONDITION } },
    ],
    [
      "wfe",
      0xd503205f,
      { el: 1, sysreg: { HCR_EL2: RW | (1n << 14n) } },
      { exception: { el: 2, ec: 1, iss: CONDITION + 1 } },
    ],
    ["wfi", 0xd503207f, { el: 0 }, { exception: { el: 1, ec: 1, iss: CONDITION } }],
  ]);

  it("WFE waits, but not after SEVL", () => {
    const core = prepared(WFE, {});
    expect(run(core, { budget: 1, gates: noGates })).toEqual({ kind: "wait", instruction: "WFE" });
    const awake = prepared(WFE, {});
    awake.event = true;
    expect(run(awake, { budget: 1, gates: noGates })).toEqual({ kind: "budget" });
    expect(awake.event).toBe(false);
  });

  it("WFI waits, but not for an interrupt that is pending and masked", () => {
    const core = prepared(WFI, {});
    expect(run(core, { budget: 1, gates: noGates })).toEqual({ kind: "wait", instruction: "WFI" });
    expect(core.pc).toBe(0x4000_0004n);
    const awake = prepared(WFI, { sysreg: { HCR_EL2: RW | (1n << 4n) } });
    awake.pending.irq = true;
    awake.pstate.I = 1;
    expect(run(awake, { budget: 1, gates: noGates })).toEqual({ kind: "budget" });
  });

  it("ESB defers a masked SError, and leaves one that will be taken", () => {
    const core = prepared(0xd503_221f, { sysreg: { HCR_EL2: RW | (1n << 5n) } });
    core.pending.serror = true;
    core.pstate.A = 1;
    run(core, { budget: 1, gates: noGates });
    expect([core.pending.serror, core.sysreg.DISR_EL1]).toEqual([false, 1n << 31n]);
    // At EL1 an SError for EL1 that PSTATE.A does not mask is taken, here in place of ESB itself.
    const unmasked = prepared(0xd503_221f, { el: 1 });
    unmasked.pending.serror = true;
    unmasked.pstate.A = 0;
    run(unmasked, { budget: 1, gates: noGates });
    expect([unmasked.pc & 0x7ffn, unmasked.sysreg.DISR_EL1]).toEqual([0x380n, 0n]);
  });

  it("ESB defers a masked virtual SError of a guest with its syndrome", () => {
    const HCR_EL2 = RW | (1n << 5n) | (1n << 8n);
    const core = prepared(0xd503_221f, { el: 1, sysreg: { HCR_EL2, VSESR_EL2: 0x1234n } });
    core.pstate.A = 1;
    run(core, { budget: 1, gates: noGates });
    expect(core.sysreg.VDISR_EL2).toBe((1n << 31n) | 0x1234n);
    expect(core.sysreg.HCR_EL2).toBe(RW | (1n << 5n));
  });

  it("SEV wakes every core of the machine, SEVL this one", () => {
    const core = prepared(0xd503_209f, {});
    const other = prepared(0, {});
    core.memory.cores.push(other);
    run(core, { budget: 1, gates: noGates });
    expect([core.event, other.event]).toEqual([true, true]);
    const local = prepared(0xd503_20bf, {});
    run(local, { budget: 1, gates: noGates });
    expect(local.event).toBe(true);
  });
});
