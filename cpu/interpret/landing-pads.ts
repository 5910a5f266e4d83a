// Which words an indirect branch may lead to in a guarded page.

import { sctlrOf } from "../mmu/tags.ts";
import type { Core } from "../state.ts";
import { flag, SCTLR } from "../sysregs/fields.ts";

const BTI = 0xd503241f;
const PACIASP = 0xd503233f;
const PACIBSP = 0xd503237f;

/** BTI with no target, for calls, for jumps, and for both. */
function acceptedByBti(word: number, btype: number): boolean {
  const targets = (word >>> 6) & 3;
  if (targets === 0) return false;
  if (targets === 1) return btype !== 3;
  return targets === 3 || btype !== 2;
}

/** SCTLR_ELx.BT at EL1 and EL2, BT0 at EL0, take BTYPE 11 away from PACIASP and PACIBSP. */
function acceptedByPac(core: Core): boolean {
  if (core.pstate.BTYPE !== 3) return true;
  const { EL } = core.pstate;
  return !flag(sctlrOf(core, EL), EL === 0 ? SCTLR.BT0 : SCTLR.BT1);
}

/**
 * Whether a word is compatible with PSTATE.BTYPE, which is not 0. BRK and HLT are with any.
 * Source: DDI0487 BTypeCompatible_BTI, BTypeCompatible_PACIXSP; C6.2 BRK, HLT.
 */
export function acceptsBranch(core: Core, word: number): boolean {
  if ((word & 0xffffff3f) >>> 0 === BTI) return acceptedByBti(word, core.pstate.BTYPE);
  if (word === PACIASP || word === PACIBSP) return acceptedByPac(core);
  const top = (word & 0xffe0001f) >>> 0;
  return top === 0xd4200000 || top === 0xd4400000;
}
