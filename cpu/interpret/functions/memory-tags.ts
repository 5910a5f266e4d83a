// Functions of the instructions that make, read and write allocation tags.

import type { Unmodelled } from "../../exceptions/exception.ts";
import type { Core } from "../../state.ts";
import { flag, HCR_EL2, SCTLR } from "../../sysregs/fields.ts";
import type { Outcome } from "../outcome.ts";

/** Source: DDI0487 AArch64.AllocationTagAccessIsEnabled. */
export function allocationTagsEnabled(core: Core): boolean {
  const { sysreg, pstate } = core;
  const hosted = flag(sysreg.HCR_EL2, HCR_EL2.E2H) && flag(sysreg.HCR_EL2, HCR_EL2.TGE);
  if (pstate.EL === 2) return flag(sysreg.SCTLR_EL2, SCTLR.ATA);
  if (pstate.EL === 0 && hosted) return flag(sysreg.SCTLR_EL2, SCTLR.ATA0);
  if (!flag(sysreg.HCR_EL2, HCR_EL2.ATA)) return false;
  return flag(sysreg.SCTLR_EL1, pstate.EL === 0 ? SCTLR.ATA0 : SCTLR.ATA);
}

/** GCR_EL1.Exclude: one bit for each tag that is not to be chosen. */
const excluded = (core: Core): number => Number(core.sysreg.GCR_EL1 & 0xffffn);

/** The tag `offset` steps further among those not excluded. Source: AArch64.ChooseNonExcludedTag. */
function choose(start: number, offset: number, exclude: number): number {
  if (exclude === 0xffff) return 0;
  const isExcluded = (tag: number): boolean => ((exclude >> tag) & 1) === 1;
  let tag = start;
  while (offset === 0 && isExcluded(tag)) tag = (tag + 1) & 15;
  for (let left = offset; left > 0; left--) {
    do tag = (tag + 1) & 15;
    while (isExcluded(tag));
  }
  return tag;
}

/** RGSR_EL1.SEED, a shift register, gives one bit. Source: AArch64.NextRandomTagBit. */
function nextRandomBit(core: Core): number {
  const seed = Number((core.sysreg.RGSR_EL1 >> 8n) & 0xffffn);
  const top = ((seed >> 5) ^ (seed >> 3) ^ (seed >> 2) ^ seed) & 1;
  const next = (top << 15) | (seed >> 1);
  core.sysreg.RGSR_EL1 = (core.sysreg.RGSR_EL1 & ~0xffff00n) | (BigInt(next) << 8n);
  return top;
}

/**
 * A tag that neither the argument nor GCR_EL1 excludes; RGSR_EL1 moves on.
 * CHOICE: GCR_EL1.RRND set makes no other generator. Source: DDI0487 C6.2 IRG.
 */
function InsertRandomTag(core: Core, exclude: number): number {
  if (!allocationTagsEnabled(core)) return 0;
  const start = Number(core.sysreg.RGSR_EL1 & 15n);
  let offset = 0;
  for (let i = 0; i < 4; i++) offset |= nextRandomBit(core) << i;
  const tag = choose(start, offset, exclude | excluded(core));
  core.sysreg.RGSR_EL1 = (core.sysreg.RGSR_EL1 & ~15n) | BigInt(tag);
  return tag;
}

const unmodelled = (): Unmodelled => ({ type: "unmodelled", what: "allocation tags in memory" });
const stop = (core: Core): Outcome => ({
  kind: "unmodelled",
  what: "allocation tags in memory",
  word: 0,
  pc: core.pc,
});

export const memoryTagFunctions = {
  AllocationTagAccessIsEnabled: (core: Core): number => (allocationTagsEnabled(core) ? 1 : 0),
  ChooseNonExcludedTag: (core: Core, start: number, offset: number): number =>
    choose(start, offset, excluded(core)),
  InsertRandomTag,
  TagAlignedAddress: unmodelled,
  ReadMemTag: unmodelled,
  WriteMemTag: stop,
  ReadMemTags: unmodelled,
  WriteMemTags: stop,
  ZeroMemoryAndWriteTags: stop,
};
