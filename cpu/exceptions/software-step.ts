// Software step: one instruction at a time under a debugger at EL1 or EL2.

import type { Core, El } from "../state.ts";
import { flag } from "../sysregs/fields.ts";
import { EC, type Exception } from "./exception.ts";
import { debugToEl2 } from "./route.ts";

const SS = 0;
const KDE = 13;

/**
 * Whether debug exceptions from a level are enabled: below the target always, at the target with
 * MDSCR_EL1.KDE and PSTATE.D clear, above it never; and not while the OS lock is set.
 * Source: DDI0487 D2.3.1; AArch64.GenerateDebugExceptionsFrom.
 */
export function stepEnabledAt(core: Core, from: El, masked: boolean): boolean {
  const { sysreg } = core;
  if (flag(sysreg.OSLSR_EL1, 1) || flag(sysreg.OSDLR_EL1, 0)) return false;
  const target = debugToEl2(core) ? 2 : 1;
  if (from < target) return true;
  return from === target && flag(sysreg.MDSCR_EL1, KDE) && !masked;
}

/** Software step is on for the current state. Source: DDI0487 D2.12.2. */
export function softwareStepActive(core: Core): boolean {
  if (!flag(core.sysreg.MDSCR_EL1, SS)) return false;
  return stepEnabledAt(core, core.pstate.EL, core.pstate.D === 1);
}

/**
 * The exception that is pending before an instruction: step is on and PSTATE.SS has been used up.
 * Source: DDI0487 D2.12.6; AArch64.SoftwareStepException.
 */
export function pendingSoftwareStep(core: Core): Exception | undefined {
  if (core.pstate.SS === 1 || !softwareStepActive(core)) return undefined;
  const target = debugToEl2(core) ? 2 : 1;
  return {
    type: "synchronous",
    target,
    ec: target === core.pstate.EL ? EC.SoftwareStepSameEl : EC.SoftwareStepLowerEl,
    iss: stepSyndrome(core),
    far: undefined,
    hpfar: undefined,
    returnTo: "this",
  };
}

/** ISV and EX say what was stepped, if anything was. IFSC is a debug exception. */
function stepSyndrome(core: Core): number {
  const ifsc = 0b100010;
  if (core.stepped === "nothing") return ifsc;
  return (1 << 24) | (core.stepped === "load-exclusive" ? 1 << 6 : 0) | ifsc;
}

/** An instruction is about to run under software step: the next one will not. SSAdvance. */
export function advanceSoftwareStep(core: Core): void {
  if (core.pstate.SS === 0 || !softwareStepActive(core)) return;
  core.pstate.SS = 0;
  core.stepped = "instruction";
}
