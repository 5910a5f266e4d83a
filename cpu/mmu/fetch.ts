// Fetching instructions.

import { instructionAbort, pcAlignmentFault } from "../exceptions/abort.ts";
import type { Fault } from "../exceptions/exception.ts";
import { PAGE_BYTES, type Page, pageForRead } from "../memory.ts";
import type { Core } from "../state.ts";
import { stage1Fault } from "./fault-record.ts";
import { FETCH, GUARDED, liveContext, remember, slotOf, splitAddress } from "./micro-tlb.ts";
import { translate } from "./translate.ts";

/** Fetches the word at `va`; always little-endian. Source: AArch64.FetchInstr. */
export function fetchWord(core: Core, va: bigint): number | Fault {
  const page = fetchPage(core, va);
  if ("type" in page) return page;
  return page.view.getUint32(splitAddress(va).offset, true);
}

/** The page of memory that holds the instruction at `va`, or the fault of fetching it. */
export function fetchPage(core: Core, va: bigint): Page | Fault {
  const { vpn, offset } = splitAddress(va);
  const context = liveContext(core);
  const slot = slotOf(vpn, FETCH);
  if (context.vpns[slot] === vpn && (offset & 3) === 0) {
    const page = pageForRead(core.memory, context.frames[slot]!);
    if (page !== undefined) return page;
  }
  return fetchChecked(core, va);
}

/** Source: DDI0487 D1.3.5.2: PC alignment before the Instruction Abort. */
function fetchChecked(core: Core, va: bigint): Page | Fault {
  if ((va & 3n) !== 0n) return pcAlignmentFault(core, va);
  const { EL } = core.pstate;
  const request = { va, kind: "fetch", write: false, el: EL, pan: false, aligned: true } as const;
  const translation = translate(core, request);
  if ("fault" in translation) return instructionAbort(core, va, translation);
  const page = pageForRead(core.memory, Math.floor(translation.pa / PAGE_BYTES));
  // Devices hold no code.
  if (page === undefined) return instructionAbort(core, va, stage1Fault("externalAbort", 0));
  remember(core, FETCH, va, translation.pa, translation.guarded ? GUARDED : 0);
  return page;
}

/** Whether the page just fetched from at `va` is guarded: branches into it need a landing pad. */
export function isGuarded(core: Core, va: bigint): boolean {
  const page = fetchPage(core, va);
  if ("type" in page) return false;
  const context = liveContext(core);
  return context.flags[slotOf(splitAddress(va).vpn, FETCH)] === GUARDED;
}
