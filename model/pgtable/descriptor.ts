// The bits of a VMSAv8-64 descriptor, 4 KiB granule, and the software bits that pKVM keeps in it.

import type { OwnerId } from "../../spec/types/page.ts";

/** A descriptor is 64 bits. Source: DDI0487 D8.3, Translation table descriptor formats. */
export const VALID = 1n << 0n;
/**
 * With VALID: a table at levels 1 and 2, a page at level 3. Without it at levels 1 and 2: a block.
 */
export const TABLE_OR_PAGE = 1n << 1n;
/** Access flag. */
export const AF = 1n << 10n;
/** SH, inner shareable. */
export const INNER_SHAREABLE = 3n << 8n;
/** Output address bits 47:12; a block at level 2 keeps 47:21, at level 1 47:30. */
export const OUTPUT_ADDRESS = 0x0000_ffff_ffff_f000n;

export type Level = 1 | 2 | 3;

/** log2 of the bytes that one entry of a level covers. Source: DDI0487 D8.2, 4 KiB granule. */
const LEVEL_SHIFT = { 1: 30n, 2: 21n, 3: 12n } as const;
const LEVEL_BYTES = { 1: 1n << 30n, 2: 1n << 21n, 3: 1n << 12n } as const;
export const levelShift = (level: Level): bigint => LEVEL_SHIFT[level];
export const levelBytes = (level: Level): bigint => LEVEL_BYTES[level];

export const isValid = (entry: bigint): boolean => (entry & VALID) !== 0n;

/** Whether the walk goes on below this entry. */
export const isTable = (entry: bigint, level: Level): boolean =>
  level < 3 && (entry & (VALID | TABLE_OR_PAGE)) === (VALID | TABLE_OR_PAGE);

/** The address that a valid leaf of a level maps to. */
export const outputAddress = (entry: bigint, level: Level): bigint =>
  entry & OUTPUT_ADDRESS & ~(levelBytes(level) - 1n);

/** Everything in a leaf that is not its address and not its kind. */
export const attributesOf = (entry: bigint, level: Level): bigint =>
  entry & ~outputAddress(entry, level) & ~(VALID | TABLE_OR_PAGE);

/** A valid leaf: a block at levels 1 and 2, a page at level 3. */
export const leaf = (pa: bigint, level: Level, attributes: bigint): bigint =>
  pa | attributes | VALID | (level === 3 ? TABLE_OR_PAGE : 0n);

export const tableEntry = (pa: bigint): bigint => pa | VALID | TABLE_OR_PAGE;

/**
 * Software bits 58:55 of a valid leaf hold the page's state.
 * Source: KVM_PTE_LEAF_ATTR_HI_SW, PKVM_PAGE_STATE_PROT_MASK, nvhe/mem_protect.h (android14-6.1);
 * bit 55 is measured,
 * trace ops: +0x800000000007ff for a page that the host shares with the hypervisor.
 */
const STATE_SHIFT = 55n;
const STATE_MASK = 3n << STATE_SHIFT;
export const STATE_OWNED = 0n;
export const STATE_SHARED_OWNED = 1n << STATE_SHIFT;
export const STATE_SHARED_BORROWED = 2n << STATE_SHIFT;

export const stateBits = (entry: bigint): bigint => entry & STATE_MASK;
export const withoutState = (entry: bigint): bigint => entry & ~STATE_MASK;

/** The host's name of the state bits of a valid leaf. */
export function stateName(entry: bigint): "OWNED" | "SHARED_OWNED" | "SHARED_BORROWED" | undefined {
  switch (stateBits(entry)) {
    case STATE_OWNED:
      return "OWNED";
    case STATE_SHARED_OWNED:
      return "SHARED_OWNED";
    case STATE_SHARED_BORROWED:
      return "SHARED_BORROWED";
    default:
      return undefined;
  }
}

/** enum pkvm_component_id of android14-6.1, in order. Source: nvhe/mem_protect.h. */
const OWNER_IDS: readonly OwnerId[] = ["HOST", "HYP", "GUEST", "FFA", "PROTECTED"];
const OWNER_SHIFT = 2n;
const OWNER_MASK = 0xffn << OWNER_SHIFT;

/**
 * An invalid entry that says who owns the page, in bits 9:2; the host's own mark is an empty entry.
 * Source: KVM_INVALID_PTE_OWNER_MASK (android14-6.1); measured: 0x4 hypervisor, 0x10 protected.
 */
export const annotation = (owner: OwnerId): bigint =>
  BigInt(OWNER_IDS.indexOf(owner)) << OWNER_SHIFT;

/** Whose mark an invalid entry carries; undefined when it is no mark that pKVM writes. */
export function ownerOf(entry: bigint): OwnerId | undefined {
  if (isValid(entry) || (entry & ~OWNER_MASK) !== 0n) return undefined;
  return OWNER_IDS[Number(entry >> OWNER_SHIFT)];
}
