// Functions of the hints that wait, and of the barriers that this core notices.

import { waitTrap } from "../../exceptions/generate.ts";
import { wakesUp } from "../../exceptions/interrupts.ts";
import type { Core } from "../../state.ts";
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

const ESB = (_core: Core): Outcome => NEXT;
const ISB = (_core: Core): Outcome => SYNCED;

export const hintFunctions = { WFI, WFE, SEV, SEVL, ESB, ISB };
