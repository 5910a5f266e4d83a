// Interrupts, SErrors and software step: when each is taken, and by whom.

import { describe, expect, test } from "vitest";
import { interruptStatus, pendingInterrupt, wakesUp } from "../../../cpu/exceptions/interrupts.ts";
import { mayBePending, pendingBefore } from "../../../cpu/exceptions/priority.ts";
import { exceptionReturn, takeException } from "../../../cpu/exceptions/take.ts";
import type { Core, El } from "../../../cpu/state.ts";
import type { SysregName } from "../../../cpu/sysregs/names.ts";
import { machine, set } from "../mmu/machine.ts";

const RW = 1n << 31n;
const TGE = 1n << 27n;
const IMO = 1n << 4n;
const FMO = 1n << 3n;
const AMO = 1n << 5n;
const VI = 1n << 7n;

function at(el: El, hcr = RW, masked = false): Core {
  const core = machine({ el, sysregs: { HCR_EL2: hcr } });
  const bit = masked ? 1 : 0;
  Object.assign(core.pstate, { A: bit, I: bit, F: bit });
  return core;
}

describe("a pending IRQ", () => {
  // DDI0487 Table D1-12: physical interrupt target and masking.
  test.each<[string, El, bigint, boolean, 1 | 2 | undefined]>([
    ["EL0, unmasked", 0, RW, false, 1],
    ["EL1, unmasked", 1, RW, false, 1],
    ["EL1, masked", 1, RW, true, undefined],
    ["EL0, masked", 0, RW, true, undefined],
    ["EL2, not routed there", 2, RW, false, undefined],
    ["EL1, IMO, masked", 1, RW | IMO, true, 2],
    ["EL0, IMO, masked", 0, RW | IMO, true, 2],
    ["EL2, IMO, unmasked", 2, RW | IMO, false, 2],
    ["EL2, IMO, masked", 2, RW | IMO, true, undefined],
    ["EL0, TGE, masked", 0, RW | TGE, true, 2],
    ["EL2, TGE, unmasked", 2, RW | TGE, false, 2],
    ["EL1, FMO alone", 1, RW | FMO, false, 1],
  ])("%s", (_name, el, hcr, masked, target) => {
    const core = at(el, hcr, masked);
    core.pending.irq = true;
    expect(pendingInterrupt(core)?.target).toBe(target);
    expect(mayBePending(core)).toBe(true);
  });

  test("stays until its source is quiet; an SError is gone once taken", () => {
    const core = at(1);
    core.pending.irq = true;
    core.pending.serror = true;
    expect(pendingBefore(core)).toMatchObject({ type: "serror", ec: 0x2f, target: 1 });
    expect(core.pending.serror).toBe(false);
    expect(pendingBefore(core)).toMatchObject({ type: "irq" });
    expect(core.pending.irq).toBe(true);
  });

  test("each kind has its own route and mask", () => {
    const core = at(1, RW | AMO);
    Object.assign(core.pending, { irq: true, fiq: true, serror: true });
    core.pstate.F = 1;
    expect(pendingInterrupt(core)).toMatchObject({ type: "serror", target: 2 });
    core.pending.serror = false;
    expect(pendingInterrupt(core)).toMatchObject({ type: "irq", target: 1 });
  });
});

describe("virtual interrupts", () => {
  test("are pending at EL1 and EL0 where the physical ones go to EL2", () => {
    expect(pendingInterrupt(at(1, RW | IMO | VI))).toMatchObject({ type: "irq", target: 1 });
    expect(pendingInterrupt(at(0, RW | IMO | VI))).toMatchObject({ type: "irq", target: 1 });
    expect(pendingInterrupt(at(1, RW | IMO | VI, true))).toBeUndefined();
    expect(pendingInterrupt(at(1, RW | VI))).toBeUndefined();
    expect(pendingInterrupt(at(2, RW | IMO | VI))).toBeUndefined();
    expect(pendingInterrupt(at(0, RW | IMO | VI | TGE))).toBeUndefined();
  });

  test("a virtual SError has the syndrome of VSESR_EL2 and clears HCR_EL2.VSE", () => {
    const core = at(1, RW | AMO | (1n << 8n));
    set(core, { VSESR_EL2: 0x123n });
    expect(pendingBefore(core)).toMatchObject({ type: "serror", target: 1, iss: 0x123 });
    expect(core.sysreg.HCR_EL2).toBe(RW | AMO);
  });
});

test("ISR_EL1 shows physical interrupts, or at EL1 the virtual ones", () => {
  const core = at(1);
  Object.assign(core.pending, { irq: true, serror: true });
  expect(interruptStatus(core)).toBe((1n << 8n) | (1n << 7n));
  set(core, { HCR_EL2: RW | IMO | AMO });
  expect(interruptStatus(core)).toBe(0n);
  set(core, { HCR_EL2: RW | IMO | AMO | VI });
  expect(interruptStatus(core)).toBe(1n << 7n);
  core.pstate.EL = 2;
  expect(interruptStatus(core)).toBe((1n << 8n) | (1n << 7n));
});

test("what ends a WFI need not be unmasked", () => {
  const core = at(1, RW, true);
  expect(wakesUp(core)).toBe(false);
  core.pending.irq = true;
  expect(wakesUp(core)).toBe(true);
  core.pstate.EL = 2;
  expect(wakesUp(core)).toBe(false);
  set(core, { HCR_EL2: RW | IMO });
  expect(wakesUp(core)).toBe(true);
});

describe("software step", () => {
  const SS = 1n;
  const KDE = 1n << 13n;
  const TDE = 1n << 8n;

  function debugged(el: El, sysregs: Partial<Record<SysregName, bigint>>): Core {
    const core = machine({ el, sysregs: { HCR_EL2: RW, OSLSR_EL1: 8n, ...sysregs } });
    core.pstate.D = 0;
    return core;
  }

  test.each<[string, El, Partial<Record<SysregName, bigint>>, number, string]>([
    ["EL0 under EL1", 0, { MDSCR_EL1: SS }, 0, "EL1 32"],
    ["EL1 without KDE", 1, { MDSCR_EL1: SS }, 0, "none"],
    ["EL1 with KDE", 1, { MDSCR_EL1: SS | KDE }, 0, "EL1 33"],
    ["EL1 with KDE, masked", 1, { MDSCR_EL1: SS | KDE }, 1, "none"],
    ["EL1 under EL2", 1, { MDSCR_EL1: SS, MDCR_EL2: TDE }, 1, "EL2 32"],
    ["EL2 with KDE", 2, { MDSCR_EL1: SS | KDE, MDCR_EL2: TDE }, 0, "EL2 33"],
    ["EL2 under EL1", 2, { MDSCR_EL1: SS | KDE }, 0, "none"],
    ["no SS", 0, { MDSCR_EL1: KDE }, 0, "none"],
    ["OS lock", 0, { MDSCR_EL1: SS, OSLSR_EL1: 10n }, 0, "none"],
    ["EL0 under TGE", 0, { MDSCR_EL1: SS, HCR_EL2: RW | TGE }, 0, "EL2 32"],
  ])("%s", (_name, el, sysregs, D, expected) => {
    const core = debugged(el, sysregs);
    core.pstate.D = D;
    const step = pendingBefore(core);
    expect(step === undefined ? "none" : `EL${step.target} ${step.ec.toString(16)}`).toBe(expected);
  });

  test("one instruction runs between the return and the exception", () => {
    const core = debugged(2, { MDSCR_EL1: SS | KDE, MDCR_EL2: TDE });
    core.pstate.D = 1;
    // SPSR: EL1h, SS.
    set(core, { SPSR_EL2: 0b0101n | (1n << 21n), VBAR_EL2: 0x4020_0000n });
    exceptionReturn(core, 0x4000_0000n);
    expect([core.pstate.EL, core.pstate.SS]).toEqual([1, 1]);
    expect(pendingBefore(core)).toBeUndefined();
    expect(core.pstate.SS).toBe(0);
    const step = pendingBefore(core);
    // ISV and IFSC 100010; EX would be bit 6.
    expect(step).toMatchObject({ target: 2, ec: 0x32, iss: (1 << 24) | 0x22 });
    takeException(core, step!);
    expect(core.sysreg.SPSR_EL2 & (1n << 21n)).toBe(0n);
  });

  test("without a step before it, ISV is 0", () => {
    const core = debugged(0, { MDSCR_EL1: SS });
    expect(pendingBefore(core)).toMatchObject({ iss: 0x22 });
  });

  test("SS is not restored where step was on before the return", () => {
    const core = debugged(1, { MDSCR_EL1: SS | KDE });
    set(core, { SPSR_EL1: 1n << 21n });
    exceptionReturn(core, 0x4000_0000n);
    expect([core.pstate.EL, core.pstate.SS]).toEqual([0, 0]);
  });
});
