// Which exception an instruction generates, where it goes, and its syndrome.

import { describe, expect, test } from "vitest";
import { cortexA76, max } from "../../../cpu/cpu-model.ts";
import { spAlignmentFault } from "../../../cpu/exceptions/abort.ts";
import {
  branchTargetException,
  exceptionReturnTrap,
  floatingPointTrap,
  hypervisorCall,
  illegalState,
  pointerAuthenticationTrap,
  secureMonitorCall,
  softwareBreakpoint,
  supervisorCall,
  undefinedInstruction,
  waitTrap,
} from "../../../cpu/exceptions/generate.ts";
import type { Core, El } from "../../../cpu/state.ts";
import type { SysregName } from "../../../cpu/sysregs/names.ts";
import { machine, set } from "../mmu/machine.ts";

const RW = 1n << 31n;
const TGE = 1n << 27n;
const E2H = 1n << 34n;

function at(el: El, sysregs: Partial<Record<SysregName, bigint>> = {}, cpuModel = max): Core {
  return machine({ el, cpuModel, sysregs: { HCR_EL2: RW, ...sysregs } });
}

/** `target:ec:iss` in hex, with the return address that is not the instruction's own. */
function text(exception: ReturnType<typeof secureMonitorCall>): string {
  if (exception === undefined) return "none";
  const { target, ec, iss, returnTo } = exception;
  return `EL${target} ec ${ec.toString(16)} iss ${iss.toString(16)} ${returnTo}`;
}

describe("routing of what EL0 and EL1 do wrong", () => {
  test.each<[El, bigint, 1 | 2]>([
    [0, RW, 1],
    [0, RW | TGE, 2],
    [1, RW, 1],
    [2, RW, 2],
  ])("from EL%i with HCR_EL2 %s to EL%i", (el, hcr, target) => {
    const core = at(el, { HCR_EL2: hcr });
    core.pstate.BTYPE = 2;
    expect(undefinedInstruction(core)).toMatchObject({ target, ec: 0, iss: 0 });
    expect(illegalState(core)).toMatchObject({ target, ec: 0x0e, iss: 0 });
    expect(branchTargetException(core)).toMatchObject({ target, ec: 0x0d, iss: 2 });
    expect(spAlignmentFault(core)).toMatchObject({ target, ec: 0x26, iss: 0, far: undefined });
    expect(supervisorCall(core, 7)).toMatchObject({ target, ec: 0x15, iss: 7, returnTo: "next" });
  });
});

describe("calls", () => {
  test("HVC goes to EL2 from EL1 and EL2, is UNDEFINED at EL0 and under HCD", () => {
    expect(text(hypervisorCall(at(1), 0xffff))).toBe("EL2 ec 16 iss ffff next");
    expect(text(hypervisorCall(at(2), 1))).toBe("EL2 ec 16 iss 1 next");
    expect(text(hypervisorCall(at(0), 1))).toBe("EL1 ec 0 iss 0 this");
    const disabled = { HCR_EL2: RW | (1n << 29n) };
    expect(text(hypervisorCall(at(1, disabled), 1))).toBe("EL1 ec 0 iss 0 this");
    expect(text(hypervisorCall(at(2, disabled), 1))).toBe("EL2 ec 0 iss 0 this");
  });

  test("SMC leaves the core, unless HCR_EL2.TSC traps EL1 or it is at EL0", () => {
    expect(secureMonitorCall(at(1), 5)).toBeUndefined();
    expect(secureMonitorCall(at(2, { HCR_EL2: RW | (1n << 19n) }), 5)).toBeUndefined();
    // The trap returns to the SMC itself.
    expect(text(secureMonitorCall(at(1, { HCR_EL2: RW | (1n << 19n) }), 5))).toBe(
      "EL2 ec 17 iss 5 this",
    );
    expect(text(secureMonitorCall(at(0, { HCR_EL2: RW | (1n << 19n) }), 5))).toBe(
      "EL1 ec 0 iss 0 this",
    );
  });

  test("BRK goes to EL2 under MDCR_EL2.TDE or TGE", () => {
    expect(text(softwareBreakpoint(at(1), 0x800))).toBe("EL1 ec 3c iss 800 this");
    expect(text(softwareBreakpoint(at(0), 1))).toBe("EL1 ec 3c iss 1 this");
    expect(text(softwareBreakpoint(at(1, { MDCR_EL2: 1n << 8n }), 1))).toBe("EL2 ec 3c iss 1 this");
    expect(text(softwareBreakpoint(at(0, { HCR_EL2: RW | TGE }), 1))).toBe("EL2 ec 3c iss 1 this");
    expect(text(softwareBreakpoint(at(2), 1))).toBe("EL2 ec 3c iss 1 this");
  });

  test("HFGITR_EL2 traps SVC and ERET, on processors that have it", () => {
    const svcEl0 = { HFGITR_EL2: 1n << 52n };
    expect(text(supervisorCall(at(0, svcEl0), 9))).toBe("EL2 ec 15 iss 9 this");
    expect(text(supervisorCall(at(1, svcEl0), 9))).toBe("EL1 ec 15 iss 9 next");
    expect(text(supervisorCall(at(1, { HFGITR_EL2: 1n << 53n }), 9))).toBe("EL2 ec 15 iss 9 this");
    expect(text(supervisorCall(at(0, svcEl0, cortexA76), 9))).toBe("EL1 ec 15 iss 9 next");
    const eret = { HFGITR_EL2: 1n << 51n };
    expect(text(exceptionReturnTrap(at(1, eret)))).toBe("EL2 ec 1a iss 0 this");
    expect(text(exceptionReturnTrap(at(1, eret), "A"))).toBe("EL2 ec 1a iss 2 this");
    expect(text(exceptionReturnTrap(at(1, eret), "B"))).toBe("EL2 ec 1a iss 3 this");
    expect(exceptionReturnTrap(at(2, eret))).toBeUndefined();
    expect(exceptionReturnTrap(at(1))).toBeUndefined();
    expect(text(exceptionReturnTrap(at(0)))).toBe("EL1 ec 0 iss 0 this");
  });
});

describe("WFI and WFE", () => {
  // CV 1, COND 1110; TI 1 for WFE.
  const wfi = "ec 1 iss 1e00000 this";
  const wfe = "ec 1 iss 1e00001 this";
  const nTWx = (1n << 16n) | (1n << 18n);
  test.each<[string, El, Partial<Record<SysregName, bigint>>, string, string]>([
    ["EL1, nothing set", 1, {}, "none", "none"],
    ["EL0, nTWI and nTWE clear", 0, { SCTLR_EL1: 0n }, `EL1 ${wfi}`, `EL1 ${wfe}`],
    ["EL0, both set", 0, { SCTLR_EL1: nTWx }, "none", "none"],
    ["EL0 under TGE", 0, { HCR_EL2: RW | TGE, SCTLR_EL1: 0n }, `EL2 ${wfi}`, `EL2 ${wfe}`],
    ["EL1, TWI", 1, { HCR_EL2: RW | (1n << 13n) }, `EL2 ${wfi}`, "none"],
    ["EL1, TWE", 1, { HCR_EL2: RW | (1n << 14n) }, "none", `EL2 ${wfe}`],
    ["EL0, TWI, nTWI set", 0, { HCR_EL2: RW | (1n << 13n), SCTLR_EL1: nTWx }, `EL2 ${wfi}`, "none"],
    ["EL2, TWI and TWE", 2, { HCR_EL2: RW | (3n << 13n) }, "none", "none"],
    [
      "EL0 of a host, SCTLR_EL2",
      0,
      { HCR_EL2: RW | TGE | E2H | (3n << 13n), SCTLR_EL2: nTWx, SCTLR_EL1: 0n },
      "none",
      "none",
    ],
  ])("%s", (_name, el, sysregs, expectedWfi, expectedWfe) => {
    expect(text(waitTrap(at(el, sysregs), "WFI"))).toBe(expectedWfi);
    expect(text(waitTrap(at(el, sysregs), "WFE"))).toBe(expectedWfe);
  });
});

describe("floating point", () => {
  const trap = "ec 7 iss 1e00000 this";
  const OPEN = 3n << 20n;
  test.each<[string, El, Partial<Record<SysregName, bigint>>, string]>([
    ["all open", 1, { CPACR_EL1: OPEN, CPTR_EL2: 0n }, "none"],
    ["FPEN 00", 1, { CPACR_EL1: 0n, CPTR_EL2: 0n }, `EL1 ${trap}`],
    ["FPEN 01 at EL1", 1, { CPACR_EL1: 1n << 20n, CPTR_EL2: 0n }, "none"],
    ["FPEN 01 at EL0", 0, { CPACR_EL1: 1n << 20n, CPTR_EL2: 0n }, `EL1 ${trap}`],
    ["FPEN 10 at EL1", 1, { CPACR_EL1: 2n << 20n, CPTR_EL2: 0n }, `EL1 ${trap}`],
    ["EL1 comes before EL2", 1, { CPACR_EL1: 0n, CPTR_EL2: 1n << 10n }, `EL1 ${trap}`],
    ["TFP", 1, { CPACR_EL1: OPEN, CPTR_EL2: 1n << 10n }, `EL2 ${trap}`],
    ["TFP at EL2", 2, { CPTR_EL2: 1n << 10n }, `EL2 ${trap}`],
    ["EL2, no TFP", 2, { CPACR_EL1: 0n, CPTR_EL2: 0n }, "none"],
    // Under TGE it is an unknown instruction, EC 0.
    ["EL0 under TGE", 0, { HCR_EL2: RW | TGE, CPTR_EL2: 0n }, "EL2 ec 0 iss 0 this"],
    ["E2H, CPTR_EL2.FPEN 00", 2, { HCR_EL2: RW | E2H, CPTR_EL2: 0n }, `EL2 ${trap}`],
    ["E2H, CPTR_EL2.FPEN 01", 2, { HCR_EL2: RW | E2H, CPTR_EL2: 1n << 20n }, "none"],
    [
      "EL0 of a host, FPEN 01",
      0,
      { HCR_EL2: RW | E2H | TGE, CPTR_EL2: 1n << 20n, CPACR_EL1: OPEN },
      `EL2 ${trap}`,
    ],
    ["E2H, guest, FPEN 01", 0, { HCR_EL2: RW | E2H, CPTR_EL2: 1n << 20n, CPACR_EL1: OPEN }, "none"],
  ])("%s", (_name, el, sysregs, expected) => {
    expect(text(floatingPointTrap(at(el, sysregs)))).toBe(expected);
  });
});

test("pointer authentication is trapped to EL2 while HCR_EL2.API is 0", () => {
  const open = { HCR_EL2: RW | (1n << 41n) };
  expect(text(pointerAuthenticationTrap(at(1)))).toBe("EL2 ec 9 iss 0 this");
  expect(text(pointerAuthenticationTrap(at(0)))).toBe("EL2 ec 9 iss 0 this");
  expect(pointerAuthenticationTrap(at(2))).toBeUndefined();
  expect(pointerAuthenticationTrap(at(1, open))).toBeUndefined();
  const host = at(0);
  set(host, { HCR_EL2: RW | E2H | TGE });
  expect(pointerAuthenticationTrap(host)).toBeUndefined();
});
