// Single bits of exception entry, interrupt routing and waiting. Expected: DDI0487 D1.3.

import { describe, expect, test } from "vitest";
import { EC, synchronous } from "../../../cpu/exceptions/exception.ts";
import { pendingInterrupt, wakesUp } from "../../../cpu/exceptions/interrupts.ts";
import { takeException } from "../../../cpu/exceptions/take.ts";
import type { Core, El, PState } from "../../../cpu/state.ts";
import { load, machine, SCTLR_ON, set } from "../mmu/machine.ts";

const RW = 1n << 31n;
const TGE = 1n << 27n;
const FMO = 1n << 3n;
const IMO = 1n << 4n;
const AMO = 1n << 5n;
const VF = 1n << 6n;
const VI = 1n << 7n;
const VSE = 1n << 8n;

const at = (el: El, hcr = RW): Core => machine({ el, sysregs: { HCR_EL2: hcr } });

test.each<keyof PState>(["D", "A", "I", "F"])("entry sets PSTATE.%s, which was clear", (bit) => {
  for (const target of [1, 2] as const) {
    const core = at(1);
    Object.assign(core.pstate, { D: 1, A: 1, I: 1, F: 1, [bit]: 0 });
    takeException(core, synchronous(target, EC.Unknown, 0));
    expect([bit, core.pstate[bit]]).toEqual([bit, 1]);
  }
});

test("entry clears IL, BTYPE and SS", () => {
  const core = at(1);
  Object.assign(core.pstate, { IL: 1, BTYPE: 3, SS: 1 });
  takeException(core, synchronous(2, EC.Unknown, 0));
  expect(core.pstate).toMatchObject({ IL: 0, BTYPE: 0, SS: 0 });
  // SPSR_EL2 has them: SS bit 21, IL bit 20, BTYPE bits 11:10.
  expect((core.sysreg.SPSR_EL2 >> 10n) & 0xc03n).toBe(0xc03n);
});

describe("routing of FIQ and SError", () => {
  test.each<["fiq" | "serror", bigint, 1 | 2]>([
    ["fiq", RW | FMO, 2],
    ["fiq", RW | IMO | AMO | VF | VI | VSE, 1],
    ["fiq", RW | TGE, 2],
    ["serror", RW | AMO, 2],
    ["serror", RW | FMO | IMO | VF | VI | VSE, 1],
  ])("%s under HCR_EL2 %s goes to EL%s", (kind, hcr, target) => {
    const core = at(1, hcr);
    Object.assign(core.pstate, { A: 0, I: 0, F: 0 });
    core.pending[kind] = true;
    expect(pendingInterrupt(core)).toMatchObject({ type: kind, target });
  });

  test.each<[string, bigint, "irq" | "fiq" | "serror"]>([
    ["VI", RW | IMO | VI, "irq"],
    ["VF", RW | FMO | VF, "fiq"],
    ["VSE", RW | AMO | VSE, "serror"],
  ])("HCR_EL2.%s makes its own kind pending", (_name, hcr, type) => {
    const core = at(1, hcr);
    Object.assign(core.pstate, { A: 0, I: 0, F: 0 });
    expect(pendingInterrupt(core)).toMatchObject({ type, target: 1 });
    // The physical kind has to be routed to EL2, and the mask of the kind has to be clear.
    const others = (IMO | FMO | AMO) & ~hcr;
    set(core, { HCR_EL2: (hcr & ~(IMO | FMO | AMO)) | others });
    expect(pendingInterrupt(core)).toBeUndefined();
    set(core, { HCR_EL2: hcr });
    const mask = { irq: "I", fiq: "F", serror: "A" }[type] as "I" | "F" | "A";
    core.pstate[mask] = 1;
    expect(pendingInterrupt(core)).toBeUndefined();
  });

  test("FIQ is taken before IRQ, and SError before both", () => {
    const core = at(1);
    Object.assign(core.pstate, { A: 0, I: 0, F: 0 });
    Object.assign(core.pending, { irq: true, fiq: true, serror: true });
    expect(pendingInterrupt(core)?.type).toBe("serror");
    core.pending.serror = false;
    expect(pendingInterrupt(core)?.type).toBe("fiq");
    core.pending.fiq = false;
    expect(pendingInterrupt(core)?.type).toBe("irq");
  });
});

test("virtual interrupts end a WFI at EL0 and EL1, not at EL2, and not under TGE", () => {
  for (const hcr of [RW | IMO | VI, RW | FMO | VF, RW | AMO | VSE]) {
    expect([0, 1, 2].map((el) => wakesUp(at(el as El, hcr)))).toEqual([true, true, false]);
    expect(wakesUp(at(0, hcr | TGE))).toBe(false);
  }
});

test("an abort of stage 1 taken to EL2 leaves HPFAR_EL2 alone", () => {
  const core = machine({ el: 2, sysregs: { SCTLR_EL2: SCTLR_ON, HPFAR_EL2: 0x1230n } });
  // TCR_EL2 0 is a TnSZ out of range: a level 0 Translation fault of stage 1.
  const fault = load(core, 0x4000_0000n);
  if (typeof fault === "bigint") throw new Error("no fault");
  expect(fault).toMatchObject({ target: 2, hpfar: undefined });
  takeException(core, fault);
  expect(core.sysreg.HPFAR_EL2).toBe(0x1230n);
  expect(core.sysreg.FAR_EL2).toBe(0x4000_0000n);
});
