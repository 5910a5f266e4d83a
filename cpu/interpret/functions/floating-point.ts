// The trap of floating-point and Advanced SIMD instructions.

import { EC, type Exception, synchronous } from "../../exceptions/exception.ts";
import { takeException } from "../../exceptions/take.ts";
import type { Core } from "../../state.ts";
import { field, flag, HCR_EL2 } from "../../sysregs/fields.ts";
import { ENTERED, NEXT, type Outcome } from "../outcome.ts";

/** FPEN: 01 traps EL0 alone, 11 nothing, else all. */
function fpenTraps(fpen: number, unprivileged: boolean): boolean {
  return fpen === 1 ? unprivileged : fpen !== 3;
}

/** CV is 1 and COND is 1110 for an A64 instruction. Source: DDI0487 D24.2.40 ESR_EL2, EC 0x07. */
const syndrome = (1 << 24) | (0b1110 << 20);

/** Source: DDI0487 aarch64/exceptions/traps/CheckFPAdvSIMDEnabled64. */
function fpTrap(core: Core): Exception | undefined {
  const { sysreg, pstate } = core;
  const e2h = flag(sysreg.HCR_EL2, HCR_EL2.E2H);
  const tge = flag(sysreg.HCR_EL2, HCR_EL2.TGE);
  if (pstate.EL < 2 && !(e2h && tge) && fpenTraps(field(sysreg.CPACR_EL1, 21, 20), pstate.EL === 0))
    return synchronous(tge ? 2 : 1, tge ? EC.Unknown : EC.FPTrap, tge ? 0 : syndrome);
  const toEl2 = e2h
    ? fpenTraps(field(sysreg.CPTR_EL2, 21, 20), pstate.EL === 0 && tge)
    : flag(sysreg.CPTR_EL2, 10);
  return toEl2 ? synchronous(2, EC.FPTrap, syndrome) : undefined;
}

function CheckFPAdvSIMDEnabled(core: Core): Outcome {
  const exception = fpTrap(core);
  if (exception === undefined) return NEXT;
  takeException(core, exception);
  return ENTERED;
}

export const floatingPointFunctions = { CheckFPAdvSIMDEnabled };
