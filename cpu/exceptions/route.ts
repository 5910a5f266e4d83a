// Which Exception level takes an exception.

import type { Core } from "../state.ts";
import { flag, HCR_EL2 } from "../sysregs/fields.ts";

/** Whether a bit of HCR_EL2 is set. */
export function hcr(core: Core, position: number): boolean {
  return flag(core.sysreg.HCR_EL2, position);
}

/** EL2 is the host of EL0: HCR_EL2.{E2H,TGE} is {1,1}. Source: AArch64.ELIsInHost. */
export function inHost(core: Core): boolean {
  return hcr(core, HCR_EL2.E2H) && hcr(core, HCR_EL2.TGE);
}

/**
 * Exceptions that go to EL1, or stay at EL2: from EL0 to EL2 under TGE.
 * Source: DDI0487 D1.3.1 Exception entry terminology; AArch64.UndefinedFault and others.
 */
export function generalTarget(core: Core): 1 | 2 {
  if (core.pstate.EL !== 0) return core.pstate.EL;
  return hcr(core, HCR_EL2.TGE) ? 2 : 1;
}

/** Aborts: stage 2 always to EL2; external ones also when HCR_EL2.TEA is set. */
export function abortTarget(core: Core, stage: 1 | 2, external: boolean): 1 | 2 {
  if (stage === 2) return 2;
  if (external && core.pstate.EL < 2 && hcr(core, HCR_EL2.TEA)) return 2;
  return generalTarget(core);
}

/** Whether a debug exception goes to EL2: HCR_EL2.TGE or MDCR_EL2.TDE. D2.4 Routing. */
export function debugTarget(core: Core): 1 | 2 {
  if (core.pstate.EL === 2 || debugToEl2(core)) return 2;
  return 1;
}

/** MDCR_EL2.TDE, or TGE: the Debug target Exception level is EL2. */
export function debugToEl2(core: Core): boolean {
  return flag(core.sysreg.MDCR_EL2, 8) || hcr(core, HCR_EL2.TGE);
}
