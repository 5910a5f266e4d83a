// The exceptions that instructions generate by being what they are.

import type { Core } from "../state.ts";
import { flag, HCR_EL2, SCTLR } from "../sysregs/fields.ts";
import { EC, type Exception, synchronous } from "./exception.ts";
import { debugTarget, generalTarget, hcr, inHost } from "./route.ts";

/** ISS.CV and COND as A64 has them: valid, always. */
const CONDITION = (1 << 24) | (0b1110 << 20);

const HFGITR_ERET = 51;
const HFGITR_SVC_EL0 = 52;
const HFGITR_SVC_EL1 = 53;

/** An instruction that is UNDEFINED. Source: AArch64.UndefinedFault. */
export function undefinedInstruction(core: Core): Exception {
  return synchronous(generalTarget(core), EC.Unknown, 0);
}

/** SVC; FEAT_FGT may trap it to EL2. Source: DDI0487 C6.2 SVC; AArch64.CallSupervisor. */
export function supervisorCall(core: Core, imm16: number): Exception {
  const { EL } = core.pstate;
  const bit = EL === 0 ? HFGITR_SVC_EL0 : HFGITR_SVC_EL1;
  if (EL < 2 && trappedByFgt(core, bit)) return synchronous(2, EC.SVC64, imm16);
  return { ...synchronous(generalTarget(core), EC.SVC64, imm16), returnTo: "next" };
}

/**
 * HVC. Without EL3, HCR_EL2.HCD disables it at EL1 and EL2; at EL0 it never exists.
 * Source: DDI0487 C6.2 HVC.
 */
export function hypervisorCall(core: Core, imm16: number): Exception {
  if (core.pstate.EL === 0 || hcr(core, HCR_EL2.HCD)) return undefinedInstruction(core);
  return { ...synchronous(2, EC.HVC64, imm16), returnTo: "next" };
}

/**
 * SMC: the exception that it generates, or undefined when it leaves this core for EL3.
 * CHOICE: HCR_EL2.TSC traps although there is no EL3.
 * Source: DDI0487 C6.2 SMC; AArch64.CheckForSMCUndefOrTrap.
 */
export function secureMonitorCall(core: Core, imm16: number): Exception | undefined {
  if (core.pstate.EL === 0) return undefinedInstruction(core);
  if (core.pstate.EL === 1 && hcr(core, HCR_EL2.TSC)) return synchronous(2, EC.SMC64, imm16);
  return undefined;
}

/** BRK. Source: DDI0487 C6.2 BRK; AArch64.SoftwareBreakpoint. */
export function softwareBreakpoint(core: Core, imm16: number): Exception {
  return synchronous(debugTarget(core), EC.BRK64, imm16);
}

/** ERET, ERETAA, ERETAB: what stops them. `key` is undefined, or the key of the other two. */
export function exceptionReturnTrap(core: Core, key?: "A" | "B"): Exception | undefined {
  if (core.pstate.EL === 0) return undefinedInstruction(core);
  if (core.pstate.EL === 2 || !trappedByFgt(core, HFGITR_ERET)) return undefined;
  return synchronous(2, EC.ERetTrap, key === undefined ? 0 : key === "A" ? 2 : 3);
}

function trappedByFgt(core: Core, bit: number): boolean {
  if (!core.cpuModel.features.FGT || !flag(core.sysreg.HFGITR_EL2, bit)) return false;
  return !(core.pstate.EL === 0 && inHost(core));
}

/** Any instruction while PSTATE.IL is set. Source: AArch64.CheckIllegalState. */
export function illegalState(core: Core): Exception {
  return synchronous(generalTarget(core), EC.IllegalState, 0);
}

/** No landing pad where PSTATE.BTYPE wants one. Source: AArch64.BranchTargetException. */
export function branchTargetException(core: Core): Exception {
  return synchronous(generalTarget(core), EC.BranchTarget, core.pstate.BTYPE);
}

/**
 * WFI or WFE that would wait: the trap that it takes instead, if any.
 * Source: DDI0487 C6.2 WFI, WFE; AArch64.CheckForWFxTrap.
 */
export function waitTrap(core: Core, instruction: "WFI" | "WFE"): Exception | undefined {
  const { EL } = core.pstate;
  const wfe = instruction === "WFE";
  const iss = CONDITION | (wfe ? 1 : 0);
  if (EL === 0) {
    const sctlr = inHost(core) ? core.sysreg.SCTLR_EL2 : core.sysreg.SCTLR_EL1;
    if (!flag(sctlr, wfe ? SCTLR.nTWE : SCTLR.nTWI)) {
      return synchronous(generalTarget(core), EC.WFxTrap, iss);
    }
  }
  const trapped = EL < 2 && !(EL === 0 && inHost(core));
  if (trapped && hcr(core, wfe ? HCR_EL2.TWE : HCR_EL2.TWI)) {
    return synchronous(2, EC.WFxTrap, iss);
  }
  return undefined;
}

/**
 * An FP or SIMD instruction or register: the trap that keeps it away, if any. CPACR_EL1 first,
 * then CPTR_EL2. Source: DDI0487 D1.3.6.2; AArch64.CheckFPAdvSIMDEnabled.
 */
export function floatingPointTrap(core: Core): Exception | undefined {
  const { EL } = core.pstate;
  const { CPACR_EL1: cpacr, CPTR_EL2: cptr } = core.sysreg;
  if (EL < 2 && !inHost(core) && !floatingPointAllowed(cpacr, EL)) {
    // Under TGE the exception is taken to EL2 as if the instruction did not exist.
    const target = generalTarget(core);
    return target === 2 ? undefinedInstruction(core) : synchronous(1, EC.FPTrap, CONDITION);
  }
  if (hcr(core, HCR_EL2.E2H)) {
    const level = EL === 0 && hcr(core, HCR_EL2.TGE) ? 0 : 1;
    return floatingPointAllowed(cptr, level) ? undefined : synchronous(2, EC.FPTrap, CONDITION);
  }
  return flag(cptr, 10) ? synchronous(2, EC.FPTrap, CONDITION) : undefined;
}

/** FPEN: 0b01 traps EL0 alone, 0b11 nothing, the others both. */
function floatingPointAllowed(register: bigint, el: number): boolean {
  const fpen = Number((register >> 20n) & 3n);
  return fpen === 3 || (fpen === 1 && el !== 0);
}

/**
 * A pointer authentication instruction with its key enabled: trapped to EL2 while HCR_EL2.API
 * is 0. Source: DDI0487 D8.9; TrapPACUse.
 */
export function pointerAuthenticationTrap(core: Core): Exception | undefined {
  const { EL } = core.pstate;
  if (EL === 2 || hcr(core, HCR_EL2.API)) return undefined;
  if (EL === 0 && inHost(core)) return undefined;
  return synchronous(2, EC.PACTrap, 0);
}
