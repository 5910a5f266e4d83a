// Taking an exception and returning from one.

import { branchAddress } from "../mmu/branch-address.ts";
import type { Core } from "../state.ts";
import { flag, HCR_EL2, SCTLR } from "../sysregs/fields.ts";
import type { Exception } from "./exception.ts";
import { modeOf, restoreExtensions, restoreFlags, savedStep, spsrOf } from "./pstate.ts";
import { hcr, inHost } from "./route.ts";
import { stepEnabledAt } from "./software-step.ts";

/** Offsets within the vector of a source level. Source: DDI0487 D1.3.1.5 Exception vectors. */
const kindOffset = { synchronous: 0x000n, irq: 0x080n, fiq: 0x100n, serror: 0x180n } as const;

/**
 * Takes an exception: return state, syndrome, PSTATE, and PC at the vector. `core.pc` is the
 * address of the instruction, or of the next one for interrupts.
 * Source: DDI0487 D1.3.1.3 Exception entry; AArch64.TakeException.
 */
export function takeException(core: Core, exception: Exception): void {
  const { target } = exception;
  const vector = vectorOffset(core, exception);
  const returnAddress = exception.returnTo === "next" ? core.pc + 4n : core.pc;
  writeSyndrome(core, exception);
  if (target === 1) {
    core.sysreg.SPSR_EL1 = spsrOf(core.pstate);
    core.sysreg.ELR_EL1 = returnAddress;
    core.pc = core.sysreg.VBAR_EL1 + vector;
  } else {
    core.sysreg.SPSR_EL2 = spsrOf(core.pstate);
    core.sysreg.ELR_EL2 = returnAddress;
    core.pc = core.sysreg.VBAR_EL2 + vector;
  }
  enter(core, target);
}

/** Same level with SP_EL0, same level with SP_ELx, lower level in AArch64. */
function vectorOffset(core: Core, exception: Exception): bigint {
  const { EL, SP } = core.pstate;
  const source = EL < exception.target ? 0x400n : SP === 1 ? 0x200n : 0x000n;
  return source + kindOffset[exception.type];
}

/** ESR_ELx, FAR_ELx and HPFAR_EL2. IL is 1: all instructions of A64 have 32 bits. */
function writeSyndrome(core: Core, exception: Exception): void {
  const { sysreg } = core;
  const { type, target, ec, iss, far, hpfar } = exception;
  // Interrupts have no syndrome.
  if (type === "irq" || type === "fiq") return;
  const esr = BigInt(((ec << 26) | (1 << 25) | iss) >>> 0);
  if (target === 1) {
    sysreg.ESR_EL1 = esr;
    if (far !== undefined) sysreg.FAR_EL1 = far;
    return;
  }
  sysreg.ESR_EL2 = esr;
  if (far !== undefined) sysreg.FAR_EL2 = far;
  if (hpfar !== undefined) sysreg.HPFAR_EL2 = hpfar;
}

/** PSTATE on entry. Each extension adds its own field. */
function enter(core: Core, target: 1 | 2): void {
  const { pstate, sysreg } = core;
  const { features } = core.cpuModel;
  const sctlr = target === 1 ? sysreg.SCTLR_EL1 : sysreg.SCTLR_EL2;
  pstate.EL = target;
  pstate.SP = 1;
  pstate.SS = 0;
  core.stepped = "nothing";
  pstate.IL = 0;
  pstate.D = 1;
  pstate.A = 1;
  pstate.I = 1;
  pstate.F = 1;
  pstate.BTYPE = 0;
  const setsPan = target === 1 || inHost(core);
  if (features.PAN && setsPan && !flag(sctlr, SCTLR.SPAN)) pstate.PAN = 1;
  if (features.UAO) pstate.UAO = 0;
  if (features.SSBS) pstate.SSBS = flag(sctlr, SCTLR.DSSBS) ? 1 : 0;
  if (features.MTE2) pstate.TCO = 1;
}

/**
 * ERET: PSTATE from SPSR_ELx, and PC to `target`, which is ELR_ELx (authenticated for ERETAA). An
 * SPSR that names no state to go to leaves the level as it is and sets PSTATE.IL.
 * Source: DDI0487 D1.3.3 Exception return; AArch64.ExceptionReturn.
 */
export function exceptionReturn(core: Core, target: bigint): void {
  const { pstate, sysreg } = core;
  const spsr = pstate.EL === 1 ? sysreg.SPSR_EL1 : sysreg.SPSR_EL2;
  const mode = legalMode(core, spsr);
  const steps = stepsAfterReturn(core, spsr, mode?.EL ?? pstate.EL);
  if (mode === undefined) {
    pstate.IL = 1;
  } else {
    pstate.EL = mode.EL;
    pstate.SP = mode.SP;
    pstate.IL = flag(spsr, 20) ? 1 : 0;
    restoreExtensions(pstate, spsr, core.cpuModel.features);
  }
  pstate.SS = steps ? 1 : 0;
  restoreFlags(pstate, spsr, core.cpuModel.features);
  core.exclusive = undefined;
  core.event = true;
  core.pc = branchAddress(core, target);
}

/**
 * The mode to return to, unless the return is illegal: to a higher level, to one that is not
 * there, to AArch32, or to EL1 under TGE. Source: DDI0487 D1.3.4 Illegal exception returns.
 */
function legalMode(core: Core, spsr: bigint) {
  const mode = modeOf(spsr);
  if (mode === undefined || mode.EL > core.pstate.EL) return undefined;
  if (mode.EL === 1 && hcr(core, HCR_EL2.TGE)) return undefined;
  return mode;
}

/**
 * PSTATE.SS after the return: SPSR.SS, when debug exceptions were off here and are on there.
 * Source: DDI0487 D2.12.3; DebugExceptionReturnSS.
 */
function stepsAfterReturn(core: Core, spsr: bigint, to: 0 | 1 | 2): boolean {
  if (!savedStep(spsr) || !flag(core.sysreg.MDSCR_EL1, 0)) return false;
  const maskedThere = flag(spsr, 9);
  const { EL, D } = core.pstate;
  return !stepEnabledAt(core, EL, D === 1) && stepEnabledAt(core, to, maskedThere);
}
