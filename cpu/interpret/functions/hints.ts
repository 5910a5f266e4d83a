// Functions of the hints that wait, and of the barriers that this core notices.

import type { Core } from "../../state.ts";
import { NEXT, type Outcome, SYNCED } from "../outcome.ts";

function WFI(core: Core): Outcome {
  const { irq, fiq, serror } = core.pending;
  return irq || fiq || serror ? NEXT : { kind: "wait", instruction: "WFI" };
}

function WFE(core: Core): Outcome {
  if (!core.event) return { kind: "wait", instruction: "WFE" };
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
