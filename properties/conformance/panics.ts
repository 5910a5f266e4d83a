// Console texts of the hypervisor's death, and the reason that each stands for.

import { type ConsoleReason, consoleTextOf } from "../../spec/console-texts.ts";

/**
 * The syndrome of a failed check inside the hypervisor: BRK #0x800. Source: measured, all "BUG at"
 * panics.
 */
export const BUG_ESR = 0xf200_0800n;

/** The abstract reason of a console text that names where EL2 died; undefined for other texts. */
export function panicReasonOf(text: string): ConsoleReason | "a reason nobody knows" | undefined {
  if (!/^hyp (?:BUG|panic) at:/.test(text)) return undefined;
  return consoleTextOf(text)?.reason ?? "a reason nobody knows";
}
