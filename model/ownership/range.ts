// Ranges of pages as the page-table code checks them: overflow, reach of the table, state.

import { branchOf } from "../../spec/branches/branches.ts";
import { addressOf, PAGE_SHIFT, PAGE_SIZE, type Pfn } from "../../spec/types/address.ts";
import type { Hyp } from "../../spec/types/hyp.ts";
import type { PageState } from "../../spec/types/page.ts";
import { HYP_VA_LIMIT, MEMORY } from "../initial.ts";
import { hypLinear } from "../pgtable/hyp-stage1.ts";
import { pageOf } from "./page-of.ts";

/** A range of physical pages; both numbers are 64-bit values that nobody has looked at. */
export interface PageRange {
  /** Physical address in bytes. */
  readonly start: bigint;
  readonly bytes: bigint;
}

/** `nr` pages from a frame number; both shifts lose their upper bits. */
export const rangeOf = (frame: bigint, nr: bigint): PageRange => ({
  start: BigInt.asUintN(64, frame << PAGE_SHIFT),
  bytes: BigInt.asUintN(64, nr << PAGE_SHIFT),
});

/** The pages between two EL2 addresses, as a range of the linear map. */
export function linearRange(from: bigint, to: bigint): PageRange {
  const start = from & ~(PAGE_SIZE - 1n);
  const end = BigInt.asUintN(64, to + PAGE_SIZE - 1n) & ~(PAGE_SIZE - 1n);
  return {
    start: BigInt.asUintN(64, start - hypLinear(0n)),
    bytes: BigInt.asUintN(64, end - start),
  };
}

/** One beyond the last intermediate address of the host. Source: measured, 40 bits. */
const HOST_LIMIT = 1n << 40n;

/** Whether the end of a range has no more than 64 bits. */
const endFits = (start: bigint, bytes: bigint): boolean => start + bytes < 1n << 64n;

/**
 * Whether the walk is let in. Source: _kvm_pgtable_walk, hyp/pgtable.c (android14-6.1): neither
 * start nor end may lie above the limit.
 */
const inReach = (start: bigint, bytes: bigint, limit: bigint): boolean =>
  start <= limit && start + bytes <= limit;

export const hostEndFits = ({ start, bytes }: PageRange): boolean => endFits(start, bytes);
export const hostReaches = ({ start, bytes }: PageRange): boolean =>
  inReach(start, bytes, HOST_LIMIT);
export const hypEndFits = ({ start, bytes }: PageRange): boolean =>
  endFits(hypLinear(start), bytes);
export const hypReaches = ({ start, bytes }: PageRange): boolean =>
  inReach(hypLinear(start), bytes, HYP_VA_LIMIT);

/** NON-SPEC: more pages than this in one call are not modelled; memory has half as many. */
const RANGE_MAX = 0x8_0000n;

/** Whether the range is one that the model follows page by page. */
export const isFollowed = ({ bytes }: PageRange): boolean => bytes >> PAGE_SHIFT <= RANGE_MAX;

/** The pages of a range that lies in reach. */
export function* pagesOf({ start, bytes }: PageRange): Generator<Pfn> {
  const first = Number(start >> PAGE_SHIFT);
  const count = Number(bytes >> PAGE_SHIFT);
  for (let n = 0; n < count; n++) yield (first + n) as Pfn;
}

/**
 * The pages of a range of any length that can differ from one another: those that are kept, those
 * of the carve-out, and one each of memory and of devices that are plainly the host's.
 */
function* kindsOf(hyp: Pick<Hyp, "pages" | "config">, { start, bytes }: PageRange): Generator<Pfn> {
  const first = Number(start >> PAGE_SHIFT);
  const end = Number((start + bytes) >> PAGE_SHIFT);
  const lies = (page: number): boolean => page >= first && page < end;
  for (const page of hyp.pages.keys()) if (lies(page)) yield page;
  const { carveOut } = branchOf(hyp.config).layout;
  for (let page = carveOut.first; page <= carveOut.last; page++) if (lies(page)) yield page as Pfn;
  const plain = (from: number): Pfn | undefined => {
    let page = Math.max(from, first);
    while (hyp.pages.has(page as Pfn)) page += 1;
    return lies(page) ? (page as Pfn) : undefined;
  };
  for (const from of [first, MEMORY.first, MEMORY.last + 1]) {
    const page = plain(from);
    if (page !== undefined) yield page;
  }
}

/** Whether every page of the range is as wanted. */
export function everyPage(
  hyp: Pick<Hyp, "pages" | "boot" | "config">,
  range: PageRange,
  wanted: (state: PageState, page: Pfn) => boolean,
): boolean {
  const pages = isFollowed(range) ? pagesOf(range) : kindsOf(hyp, range);
  for (const page of pages) if (!wanted(pageOf(hyp, page), page)) return false;
  return true;
}

/** Whether a frame is memory; what is not is a device, or nothing. */
export const isMemoryPage = (page: Pfn): boolean => page >= MEMORY.first && page <= MEMORY.last;

/**
 * Whether a range lies in memory, or in one of the holes beside it.
 * Source: find_mem_range, module_change_host_page_prot, hyp/nvhe/mem_protect.c (android14-6.1).
 */
export function inOneRegion({ start, bytes }: PageRange): boolean {
  const [first, end] = [addressOf(MEMORY.first), addressOf((MEMORY.last + 1) as Pfn)];
  const last = BigInt.asUintN(64, start + bytes);
  if (start < first) return last <= first;
  return start >= end || last <= end;
}
