// The exceptions that instructions generate by being what they are.

import type { Core } from "../state.ts";
import { EC, type Exception, synchronous } from "./exception.ts";

/** An UNDEFINED instruction. Source: DDI0487 D1.3, AArch64.UndefinedFault. */
export function undefinedInstruction(core: Core): Exception {
  return synchronous(generalTarget(core), EC.Unknown, 0);
}

/** SVC. */
export function supervisorCall(core: Core, imm16: number): Exception {
  throw new Error(`TODO ${core.pc} ${imm16}`);
}

/** HVC: UNDEFINED at EL0 and where HCR_EL2.HCD says so. */
export function hypervisorCall(core: Core, imm16: number): Exception {
  throw new Error(`TODO ${core.pc} ${imm16}`);
}

/** SMC: the exception that it generates, or undefined when it leaves the core. */
export function secureMonitorCall(core: Core, imm16: number): Exception | undefined {
  throw new Error(`TODO ${core.pc} ${imm16}`);
}

/** BRK. */
export function softwareBreakpoint(core: Core, imm16: number): Exception {
  throw new Error(`TODO ${core.pc} ${imm16}`);
}

/** The level that takes what EL0 does wrong: EL1, or EL2 under TGE; otherwise the current one. */
export function generalTarget(core: Core): 1 | 2 {
  if (core.pstate.EL !== 0) return core.pstate.EL;
  return (core.sysreg.HCR_EL2 & (1n << 27n)) !== 0n ? 2 : 1;
}
