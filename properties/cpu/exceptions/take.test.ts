// Exception entry and return. Expected: DDI0487 D1.3.1, D1.3.3, D1.3.4, and D24.2.142 SPSR_EL1.

import { describe, expect, test } from "vitest";
import { cortexA76, max } from "../../../cpu/cpu-model.ts";
import { EC, type Exception, synchronous } from "../../../cpu/exceptions/exception.ts";
import { modeOf, spsrOf } from "../../../cpu/exceptions/pstate.ts";
import { exceptionReturn, takeException } from "../../../cpu/exceptions/take.ts";
import type { Core, El, PState } from "../../../cpu/state.ts";
import { machine, set } from "../mmu/machine.ts";

const VBAR_EL1 = 0x4010_0000n;
const VBAR_EL2 = 0x4020_0000n;

function at(el: El, sp: number, cpuModel = max): Core {
  const core = machine({ el, cpuModel, sysregs: { VBAR_EL1, VBAR_EL2, HCR_EL2: 1n << 31n } });
  core.pstate.SP = sp;
  core.pc = 0x4000_1000n;
  return core;
}

const interrupt = (type: Exception["type"], target: 1 | 2): Exception => ({
  ...synchronous(target, type === "serror" ? EC.SError : 0, 0),
  type,
});

describe("vectors", () => {
  test.each<[El, number, 1 | 2, bigint]>([
    [1, 0, 1, VBAR_EL1],
    [1, 1, 1, VBAR_EL1 + 0x200n],
    [0, 0, 1, VBAR_EL1 + 0x400n],
    [0, 0, 2, VBAR_EL2 + 0x400n],
    [1, 1, 2, VBAR_EL2 + 0x400n],
    [2, 0, 2, VBAR_EL2],
    [2, 1, 2, VBAR_EL2 + 0x200n],
  ])("from EL%i with SP %i to EL%i", (el, sp, target, vector) => {
    const core = at(el, sp);
    takeException(core, synchronous(target, EC.Unknown, 0));
    expect(core.pc).toBe(vector);
    expect(core.pstate.EL).toBe(target);
    expect(core.pstate.SP).toBe(1);
  });

  test.each([
    ["synchronous", 0x000n],
    ["irq", 0x080n],
    ["fiq", 0x100n],
    ["serror", 0x180n],
  ] as const)("%s is at %s", (type, offset) => {
    const core = at(1, 1);
    takeException(core, interrupt(type, 1));
    expect(core.pc).toBe(VBAR_EL1 + 0x200n + offset);
  });
});

describe("what entry writes", () => {
  test("syndrome with IL, fault addresses, return address", () => {
    const core = at(1, 1);
    const abort: Exception = {
      ...synchronous(2, EC.DataAbortLowerEl, 0x07),
      far: 0x1234n,
      hpfar: 0x50n,
    };
    takeException(core, abort);
    // EC 24 is bits 31:26, IL bit 25.
    expect(core.sysreg.ESR_EL2).toBe(0x9200_0007n);
    expect(core.sysreg.FAR_EL2).toBe(0x1234n);
    expect(core.sysreg.HPFAR_EL2).toBe(0x50n);
    expect(core.sysreg.ELR_EL2).toBe(0x4000_1000n);
    expect(core.sysreg.ESR_EL1).toBe(0n);
  });

  test("a call returns to the next instruction", () => {
    const core = at(0, 0);
    takeException(core, { ...synchronous(1, EC.SVC64, 0x1234), returnTo: "next" });
    expect(core.sysreg.ESR_EL1).toBe(0x5600_1234n);
    expect(core.sysreg.ELR_EL1).toBe(0x4000_1004n);
  });

  test("no syndrome for interrupts, no fault address where there is none", () => {
    const core = at(1, 1);
    set(core, { ESR_EL1: 0x77n, FAR_EL1: 0x88n });
    takeException(core, interrupt("irq", 1));
    expect([core.sysreg.ESR_EL1, core.sysreg.FAR_EL1]).toEqual([0x77n, 0x88n]);
    takeException(core, interrupt("serror", 1));
    expect([core.sysreg.ESR_EL1, core.sysreg.FAR_EL1]).toEqual([0xbe00_0000n, 0x88n]);
  });

  test("PSTATE is masked, and the fields of extensions change as each says", () => {
    const core = at(1, 1);
    const dirty = { UAO: 1, BTYPE: 2, SS: 1, IL: 1, SSBS: 1, TCO: 0, DIT: 1, N: 1, D: 0, I: 0 };
    Object.assign(core.pstate, dirty);
    takeException(core, synchronous(1, EC.Unknown, 0));
    const { D, A, I, F, SS, IL, UAO, BTYPE, SSBS, TCO, DIT, N } = core.pstate;
    expect([D, A, I, F]).toEqual([1, 1, 1, 1]);
    expect([SS, IL, UAO, BTYPE, SSBS]).toEqual([0, 0, 0, 0, 0]);
    expect([TCO, DIT, N]).toEqual([1, 1, 1]);
  });

  test("SCTLR_ELx.DSSBS of the target becomes PSTATE.SSBS", () => {
    const core = at(1, 1);
    set(core, { SCTLR_EL1: 1n << 44n });
    takeException(core, synchronous(1, EC.Unknown, 0));
    expect(core.pstate.SSBS).toBe(1);
    takeException(core, synchronous(2, EC.Unknown, 0));
    expect(core.pstate.SSBS).toBe(0);
  });

  test.each<[El, 1 | 2, bigint, bigint, number]>([
    // from, to, HCR_EL2, SCTLR of the target, PAN after
    [0, 1, 0n, 0n, 1],
    [0, 1, 0n, 1n << 23n, 0],
    [1, 2, 0n, 0n, 0],
    [0, 2, (1n << 34n) | (1n << 27n), 0n, 1],
    [0, 2, (1n << 34n) | (1n << 27n), 1n << 23n, 0],
  ])("PAN from EL%i to EL%i, HCR_EL2 %s, SCTLR %s", (from, to, hcr, sctlr, pan) => {
    const core = at(from, 0);
    set(core, { HCR_EL2: hcr, SCTLR_EL1: sctlr, SCTLR_EL2: sctlr });
    takeException(core, synchronous(to, EC.Unknown, 0));
    expect(core.pstate.PAN).toBe(pan);
  });

  test("a processor without MTE has no TCO", () => {
    const core = at(1, 1, cortexA76);
    takeException(core, synchronous(1, EC.Unknown, 0));
    expect(core.pstate.TCO).toBe(0);
  });
});

describe("SPSR", () => {
  const zero: PState = { ...machine().pstate, EL: 0, SP: 0, D: 0, A: 0, I: 0, F: 0 };
  test.each<[Partial<PState>, bigint]>([
    [{ N: 1 }, 0x8000_0000n],
    [{ Z: 1 }, 0x4000_0000n],
    [{ C: 1 }, 0x2000_0000n],
    [{ V: 1 }, 0x1000_0000n],
    [{ TCO: 1 }, 0x0200_0000n],
    [{ DIT: 1 }, 0x0100_0000n],
    [{ UAO: 1 }, 0x0080_0000n],
    [{ PAN: 1 }, 0x0040_0000n],
    [{ SS: 1 }, 0x0020_0000n],
    [{ IL: 1 }, 0x0010_0000n],
    [{ SSBS: 1 }, 0x1000n],
    [{ BTYPE: 3 }, 0xc00n],
    [{ D: 1 }, 0x200n],
    [{ A: 1 }, 0x100n],
    [{ I: 1 }, 0x80n],
    [{ F: 1 }, 0x40n],
    [{ EL: 1, SP: 0 }, 0b0100n],
    [{ EL: 1, SP: 1 }, 0b0101n],
    [{ EL: 2, SP: 1 }, 0b1001n],
  ])("%o is %s", (fields, expected) => {
    expect(spsrOf({ ...zero, ...fields })).toBe(expected);
  });

  test.each([
    [0b00000n, { EL: 0, SP: 0 }],
    [0b00100n, { EL: 1, SP: 0 }],
    [0b00101n, { EL: 1, SP: 1 }],
    [0b01000n, { EL: 2, SP: 0 }],
    [0b01001n, { EL: 2, SP: 1 }],
    [0b00001n, undefined], // EL0 has no SP of its own
    [0b00010n, undefined],
    [0b00110n, undefined],
    [0b01101n, undefined], // EL3
    [0b10000n, undefined], // AArch32 User
  ])("mode %s", (mode, expected) => {
    expect(modeOf(mode)).toEqual(expected);
  });
});

describe("exception return", () => {
  test("restores what the SPSR has", () => {
    const core = at(2, 1);
    set(core, { SPSR_EL2: 0xa3c0_1cc0n | (1n << 24n) });
    exceptionReturn(core, 0x4000_2000n);
    expect(core.pc).toBe(0x4000_2000n);
    const { N, Z, C, V, TCO, DIT, UAO, PAN, SSBS, BTYPE, D, A, I, F, EL, SP, IL } = core.pstate;
    expect([N, Z, C, V]).toEqual([1, 0, 1, 0]);
    expect([TCO, DIT, UAO, PAN, SSBS, BTYPE]).toEqual([1, 1, 1, 1, 1, 3]);
    expect([D, A, I, F]).toEqual([0, 0, 1, 1]);
    expect([EL, SP, IL]).toEqual([0, 0, 0]);
    expect(core.event).toBe(true);
  });

  test("leaves alone what the processor has not", () => {
    const core = at(2, 1, cortexA76);
    set(core, { SPSR_EL2: 0x0300_0c05n });
    exceptionReturn(core, 0n);
    const { TCO, DIT, BTYPE, EL } = core.pstate;
    expect([TCO, DIT, BTYPE, EL]).toEqual([0, 0, 0, 1]);
  });

  test.each<[string, El, bigint, bigint]>([
    ["to a higher level", 1, 0b1001n, 0n],
    ["to EL3", 2, 0b1101n, 0n],
    ["to AArch32", 2, 0b1_0011n, 0n],
    ["to EL0h", 2, 0b0001n, 0n],
    ["to EL1 under TGE", 2, 0b0101n, 1n << 27n],
  ])("%s is illegal: the level stays, IL is set", (_name, el, mode, hcr) => {
    const core = at(el, 1);
    core.pstate.UAO = 0;
    const spsr = mode | 0x80c0_0280n;
    set(core, { SPSR_EL1: spsr, SPSR_EL2: spsr, HCR_EL2: (1n << 31n) | hcr });
    exceptionReturn(core, 0x4000_2000n);
    const { EL, SP, IL, N, D, I, PAN, UAO } = core.pstate;
    expect([EL, SP, IL]).toEqual([el, 1, 1]);
    // NZCV, DAIF and PAN come back whether the return is legal or not; UAO does not.
    expect([N, D, I, PAN, UAO]).toEqual([1, 1, 1, 1, 0]);
    expect(core.pc).toBe(0x4000_2000n);
  });

  test("IL of the SPSR is restored by a legal return", () => {
    const core = at(2, 1);
    set(core, { SPSR_EL2: 0b0101n | (1n << 20n) });
    exceptionReturn(core, 0n);
    expect([core.pstate.EL, core.pstate.IL]).toEqual([1, 1]);
  });

  test("the target loses its top byte where TBI of the new level says so", () => {
    const core = at(2, 1);
    set(core, { SPSR_EL2: 0b0101n, TCR_EL1: 3n << 37n });
    exceptionReturn(core, 0x3400_0000_4000_0000n);
    expect(core.pc).toBe(0x4000_0000n);
    core.pstate.EL = 2;
    exceptionReturn(core, 0x3480_0000_4000_0000n);
    expect(core.pc).toBe(0xff80_0000_4000_0000n);
  });

  test("entry and return are inverse", () => {
    const core = at(0, 0);
    Object.assign(core.pstate, { Z: 1, V: 1, I: 1, UAO: 1, DIT: 1, SSBS: 1, TCO: 1 });
    const before = { ...core.pstate };
    takeException(core, synchronous(2, EC.Unknown, 0));
    exceptionReturn(core, core.sysreg.ELR_EL2);
    expect(core.pstate).toEqual(before);
    expect(core.pc).toBe(0x4000_1000n);
  });
});
