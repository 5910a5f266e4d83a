// Memory tagging: which accesses are checked, and what a mismatch does.

import { inHost } from "../exceptions/route.ts";
import { type Memory, readTag, TAG_GRANULE_BYTES } from "../memory.ts";
import type { Core, El } from "../state.ts";
import { field, flag, HCR_EL2, SCTLR } from "../sysregs/fields.ts";
import { controlsOf, rangeOf, stage1Of } from "./regime.ts";

/** The logical tag of an address. Source: DDI0487 D10.2; AArch64.AllocationTagFromAddress. */
export function logicalTag(va: bigint): number {
  return Number((va >> 56n) & 15n);
}

/** The SCTLR that governs an Exception level. */
export function sctlrOf(core: Core, el: El): bigint {
  return el === 2 || (el === 0 && inHost(core)) ? core.sysreg.SCTLR_EL2 : core.sysreg.SCTLR_EL1;
}

/**
 * Whether instructions can read and write allocation tags.
 * Source: DDI0487 D10.3; AArch64.AllocationTagAccessIsEnabled.
 */
export function tagAccessEnabled(core: Core, el: El): boolean {
  if (!core.cpuModel.features.MTE2) return false;
  const { HCR_EL2: hcr } = core.sysreg;
  if (el < 2 && !inHost(core) && !flag(hcr, HCR_EL2.ATA)) return false;
  return flag(sctlrOf(core, el), el === 0 ? SCTLR.ATA0 : SCTLR.ATA);
}

/** Whether an access through an address is checked. Source: AArch64.AccessIsTagChecked. */
function isTagChecked(core: Core, va: bigint, el: El): boolean {
  if (core.pstate.TCO === 1) return false;
  const range = rangeOf(stage1Of(controlsOf(core), el), va);
  if (!range.tbiData) return false;
  const top = field(va, 59, 55);
  if (range.tcma && (top === 0 || top === 31)) return false;
  return tagAccessEnabled(core, el);
}

/** What a failed check does: nothing, a fault, or a note in TFSR. TCF and TCF0. */
type TagCheckAction = "none" | "fault" | "note";

/** CHOICE: 0b11 is reserved before FEAT_MTE3; it does nothing. Source: AArch64.EffectiveTCF. */
function tagCheckAction(core: Core, el: El): TagCheckAction {
  const low = el === 0 ? SCTLR.TCF0 : SCTLR.TCF;
  const tcf = field(sctlrOf(core, el), low + 1, low);
  if (tcf === 1) return "fault";
  return tcf === 2 ? "note" : "none";
}

/** TFSR.TF0 or TF1, by the half of the address space. Source: AArch64.ReportTagCheckFault. */
function noteTagCheckFault(core: Core, va: bigint, el: El): void {
  const bit = flag(va, 55) ? 2n : 1n;
  if (el === 0) core.sysreg.TFSRE0_EL1 |= bit;
  else if (el === 1) core.sysreg.TFSR_EL1 |= bit;
  else core.sysreg.TFSR_EL2 |= bit;
}

/**
 * Checks the tag of an access that has been translated to Tagged memory; the address that faults,
 * if one does. Source: DDI0487 D10.3; AArch64.CheckTag.
 */
export function checkTag(
  core: Core,
  va: bigint,
  pa: number,
  sizeBytes: number,
  el: El,
): bigint | undefined {
  if (!isTagChecked(core, va, el)) return undefined;
  const mismatch = firstMismatch(core.memory, pa, sizeBytes, logicalTag(va));
  if (mismatch < 0) return undefined;
  const at = va + BigInt(mismatch);
  const action = tagCheckAction(core, el);
  if (action === "note") noteTagCheckFault(core, at, el);
  return action === "fault" ? at : undefined;
}

/** Bytes from the start of the access to its first granule whose tag differs; -1 if none does. */
function firstMismatch(memory: Memory, pa: number, sizeBytes: number, tag: number): number {
  const first = pa - (pa % TAG_GRANULE_BYTES);
  for (let granule = first; granule < pa + sizeBytes; granule += TAG_GRANULE_BYTES) {
    if (readTag(memory, BigInt(granule)) !== tag) return Math.max(granule - pa, 0);
  }
  return -1;
}
