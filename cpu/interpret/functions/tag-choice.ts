// Functions of the instructions that choose allocation tags: IRG, ADDG, SUBG.

import { tagAccessEnabled } from "../../mmu/tags.ts";
import type { Core } from "../../state.ts";

const allocationTagsEnabled = (core: Core): boolean => tagAccessEnabled(core, core.pstate.EL);

/** GCR_EL1.Exclude: one bit for each tag that is not to be chosen. */
const excluded = (core: Core): number => Number(core.sysreg.GCR_EL1 & 0xffffn);

/**
 * The tag `offset` steps further among those not excluded. Source: AArch64.ChooseNonExcludedTag.
 */
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

export const tagArithmeticFunctions = {
  AllocationTagAccessIsEnabled: (core: Core): number => (allocationTagsEnabled(core) ? 1 : 0),
  ChooseNonExcludedTag: (core: Core, start: number, offset: number): number =>
    choose(start, offset, excluded(core)),
  InsertRandomTag,
};
