// Functions of the hints that wait, and of the barriers that this core notices.

import { waitTrap } from "../../exceptions/generate.ts";
import { takeException } from "../../exceptions/take.ts";
import type { Core } from "../../state.ts";
import { ENTERED, NEXT, type Outcome, SYNCED } from "../outcome.ts";

/** Waits, unless that is trapped. */
function wait(core: Core, instruction: "WFI" | "WFE"): Outcome {
  const trap = waitTrap(core, instruction);
  if (trap === undefined) return { kind: "wait", instruction };
  takeException(core, trap);
  return ENTERED;
}

/** Goes on where an interrupt is pending, masked or not. */
function WFI(core: Core): Outcome {
  const { irq, fiq, serror } = core.pending;
  return irq || fiq || serror ? NEXT : wait(core, "WFI");
}

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

const ESB = (_core: Core): Outcome => NEXT;
const ISB = (_core: Core): Outcome => SYNCED;

export const hintFunctions = { WFI, WFE, SEV, SEVL, ESB, ISB };
