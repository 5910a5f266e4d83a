// Functions of the hints that wait, and of the barriers that this core notices.

import { waitTrap } from "../../exceptions/generate.ts";
import { wakesUp } from "../../exceptions/interrupts.ts";
import { hcr } from "../../exceptions/route.ts";
import type { Core } from "../../state.ts";
import { HCR_EL2 } from "../../sysregs/fields.ts";
import { NEXT, type Outcome, SYNCED } from "../outcome.ts";

/** Waits, unless that is trapped. */
const wait = (core: Core, instruction: "WFI" | "WFE"): Outcome =>
  waitTrap(core, instruction) ?? { kind: "wait", instruction };

/** Goes on where an interrupt is pending, masked or not. */
const WFI = (core: Core): Outcome => (wakesUp(core) ? NEXT : wait(core, "WFI"));

/** Goes on where the event register is set, and clears it. */
function WFE(core: Core): Outcome {
  if (!core.event) return wait(core, "WFE");
  core.event = false;
  return NEXT;
}

function SEV(core: Core): Outcome {
  for (const other of core.memory.cores) other.event = true;
  return NEXT;
}

function SEVL(core: Core): Outcome {
  core.event = true;
  return NEXT;
}

/** Whether a physical SError would have to wait. */
function errorIsMasked(core: Core): boolean {
  const { EL, A } = core.pstate;
  const toEl2 = hcr(core, HCR_EL2.AMO) || hcr(core, HCR_EL2.TGE);
  return toEl2 ? EL === 2 && A === 1 : EL === 2 || A === 1;
}

/** DISR_EL1.A and VDISR_EL2.A: an error was deferred. */
const DEFERRED = 1n << 31n;

/**
 * A masked SError, and a masked virtual one, is noted in DISR_EL1 or VDISR_EL2 and no longer
 * pending. Source: DDI0487 C6.2 ESB; AArch64.ESBOperation, AArch64.vESBOperation.
 */
function ESB(core: Core): Outcome {
  const { pending, sysreg, pstate } = core;
  if (pending.serror && errorIsMasked(core)) {
    pending.serror = false;
    sysreg.DISR_EL1 = DEFERRED;
  }
  const isVirtual = hcr(core, HCR_EL2.VSE) && hcr(core, HCR_EL2.AMO) && !hcr(core, HCR_EL2.TGE);
  if (isVirtual && pstate.EL < 2 && pstate.A === 1) {
    sysreg.HCR_EL2 &= ~(1n << BigInt(HCR_EL2.VSE));
    sysreg.VDISR_EL2 = DEFERRED | (sysreg.VSESR_EL2 & 0x1ff_ffffn);
  }
  return SYNCED;
}

const ISB = (_core: Core): Outcome => SYNCED;

export const hintFunctions = { WFI, WFE, SEV, SEVL, ESB, ISB };
