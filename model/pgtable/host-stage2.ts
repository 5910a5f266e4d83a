// The host's stage 2: an identity map that fills itself at first touch, with marks where a page is
// not the host's.

import { addressOf, type Pfn } from "../../spec/types/address.ts";
import type { PageState } from "../../spec/types/page.ts";
import { HOST_MEMORY_PROT, HOST_MMIO_PROT, hostStage2Attributes } from "./attributes.ts";
import {
  annotation,
  isValid,
  type Level,
  leaf,
  levelBytes,
  STATE_OWNED,
  STATE_SHARED_BORROWED,
  STATE_SHARED_OWNED,
} from "./descriptor.ts";
import type { PhysicalMemory, TablePool } from "./physical.ts";
import { type Found, findLeaf, type TranslationTable, writeLeaf } from "./table.ts";

/** A range of physical addresses, `end` excluded. */
export interface PhysicalRange {
  readonly start: bigint;
  readonly end: bigint;
}

/** The host stage 2 of one machine: 40-bit intermediate addresses, and which of them are memory. */
export interface HostStage2 {
  readonly table: TranslationTable & { readonly inputBits: 40 };
  /** The memblocks in ascending order, those that are not mapped by the kernel included. */
  readonly memory: readonly PhysicalRange[];
}

export const isMemory = (stage2: HostStage2, pa: bigint): boolean =>
  stage2.memory.some(({ start, end }) => pa >= start && pa < end);

/**
 * The memblock or the hole between memblocks that holds an address. Source: find_mem_range
 * (android14-6.1).
 */
export function rangeOf(stage2: HostStage2, pa: bigint): PhysicalRange {
  let start = 0n;
  for (const block of stage2.memory) {
    if (pa < block.start) return { start, end: block.start };
    if (pa < block.end) return block;
    start = block.end;
  }
  return { start, end: 1n << 64n };
}

/** Protection of a page that is plainly the host's. Source: default_host_prot (android14-6.1). */
const defaultProt = (stage2: HostStage2, pa: bigint): number =>
  isMemory(stage2, pa) ? HOST_MEMORY_PROT : HOST_MMIO_PROT;

/** What a stage-2 fault of the host meets in the table. */
export type FirstTouch =
  /** Nothing was there: it is mapped now. */
  | { readonly kind: "mapped"; readonly level: Level }
  /** Something valid is there: another CPU mapped it, or the permission forbids this access. */
  | { readonly kind: "valid"; readonly entry: bigint; readonly level: Level }
  /** A mark of another owner. */
  | { readonly kind: "not the host's"; readonly entry: bigint; readonly level: Level };

/**
 * Maps an address of the host at its first touch: the largest block, not above the level of the
 * empty entry, that lies
 * in one memblock or one hole.
 * Source: host_stage2_idmap, host_stage2_adjust_range, hyp/nvhe/mem_protect.c (android14-6.1);
 * measured: everything
 * below memory is one level-1 block 0x400000000007fd, memory is 2 MiB blocks 0x7fd, or pages 0x7ff
 * where split.
 */
export function touch(
  memory: PhysicalMemory,
  pool: TablePool,
  stage2: HostStage2,
  ipa: bigint,
): FirstTouch {
  const { entry, level: found } = findLeaf(memory, stage2.table, ipa);
  if (isValid(entry)) return { kind: "valid", entry, level: found };
  if (entry !== 0n) return { kind: "not the host's", entry, level: found };
  const range = rangeOf(stage2, ipa);
  let level = found;
  while (level < 3 && !blockFits(ipa, level, range)) level = (level + 1) as Level;
  const start = ipa & ~(levelBytes(level) - 1n);
  const attributes = hostStage2Attributes(defaultProt(stage2, ipa));
  writeLeaf(
    memory,
    pool,
    stage2.table,
    { address: start, level },
    leaf(start, level, attributes | STATE_OWNED),
  );
  return { kind: "mapped", level };
}

function blockFits(ipa: bigint, level: Level, range: PhysicalRange): boolean {
  const start = ipa & ~(levelBytes(level) - 1n);
  return start >= range.start && start + levelBytes(level) <= range.end;
}

/**
 * The entry of one page in a state. A page that comes back from another owner is left empty until
 * it is touched; a page
 * that was mapped stays mapped.
 * Source: host_stage2_set_owner_locked, host_stage2_idmap_locked, module_change_host_page_prot,
 * hyp/nvhe/mem_protect.c (android14-6.1); measured, trace ops: 0 after a return, 0x7ff after an
 * unshare.
 */
export function hostEntry(stage2: HostStage2, page: Pfn, pre: PageState, post: PageState): bigint {
  const pa = addressOf(page);
  const mapped = (prot: number, state: bigint): bigint =>
    leaf(pa, 3, hostStage2Attributes(prot) | state);
  switch (post.host) {
    case "OWNED":
      return pre.host === "NOPAGE" || isWithGuest(pre)
        ? 0n
        : mapped(defaultProt(stage2, pa), STATE_OWNED);
    // __host_set_page_state_range gives memory's protection, also to what 6.1 takes for memory.
    case "SHARED_OWNED":
      return mapped(HOST_MEMORY_PROT, STATE_SHARED_OWNED);
    case "SHARED_BORROWED":
      return mapped(defaultProt(stage2, pa), STATE_SHARED_BORROWED);
    case "NOPAGE":
      return annotation(post.owner);
    case "MODULE_OWNED":
      if (post.owner === "PROTECTED") return annotation("PROTECTED");
      return mapped(post.prot ?? 0, STATE_OWNED);
  }
}

/** A page that a guest has as well is taken back as if it had been the guest's alone. */
const isWithGuest = ({ host, hyp }: PageState): boolean =>
  host === "SHARED_BORROWED" || (host === "SHARED_OWNED" && hyp === "NOPAGE");

/** Writes the entry of one page whose state changed; what decided before is returned. */
export function setHostPage(
  memory: PhysicalMemory,
  pool: TablePool,
  stage2: HostStage2,
  page: Pfn,
  entry: bigint,
): Found {
  return writeLeaf(memory, pool, stage2.table, { address: addressOf(page), level: 3 }, entry);
}
