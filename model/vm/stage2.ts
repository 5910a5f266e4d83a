// The stage 2 of a guest: which tables a page needs, where their memory comes from and goes.

import type { Pfn } from "../../spec/types/address.ts";
import type { GuestPage, GuestStage2 } from "../../spec/types/hyp-vm.ts";
import type { MemoryEvent } from "../../spec/types/memory-event.ts";
import type { Mutable } from "../transition.ts";

/** A guest has 40 bits of addresses. Source: measured, life-map-p: gfn 0x10000000 is -34. */
export const GUEST_GFN_LIMIT = 1n << 28n;

/** Frame numbers that one table of a level covers, as a shift. */
export const LEVEL2_SHIFT = 18;
export const LEVEL3_SHIFT = 9;

type Stage2 = Mutable<GuestStage2>;
/** Who has a cache of pages: the vCPU that maps. */
interface Cache {
  memcache: Pfn[];
}

/** The next page for a table: one that became empty, then the vCPU's cache. Zeroed. */
function takeTable(stage2: Stage2, cache: Cache, events: MemoryEvent[]): Pfn | undefined {
  const kept = stage2.pool.shift();
  if (kept !== undefined) return kept;
  const page = cache.memcache.shift();
  if (page !== undefined) events.push({ kind: "zero", page, bytes: 4096 });
  return page;
}

/**
 * The tables on the way to a frame number, made where they are missing; false: no memory.
 * Source: stage2_map_walk_leaf, hyp/pgtable.c; guest_s2_zalloc_page, mem_protect.c (android14-6.1).
 */
function reachLeaf(stage2: Stage2, cache: Cache, gfn: number, events: MemoryEvent[]): boolean {
  const steps = [
    [stage2.level2, gfn >>> LEVEL2_SHIFT],
    [stage2.level3, gfn >>> LEVEL3_SHIFT],
  ] as const;
  for (const [tables, index] of steps) {
    if (tables.has(index)) continue;
    const table = takeTable(stage2, cache, events);
    if (table === undefined) return false;
    tables.set(index, table);
  }
  return true;
}

/** Maps a page; false: no memory for a table (those made so far stay). */
export function mapPage(
  stage2: Stage2,
  cache: Cache,
  gfn: number,
  page: GuestPage,
  events: MemoryEvent[],
): boolean {
  if (!reachLeaf(stage2, cache, gfn, events)) return false;
  stage2.guarded.delete(gfn);
  stage2.pages.set(gfn, { ...page });
  return true;
}

/** Notes that the MMIO guard lets a frame number through; false: no memory for a table. */
export function guardPage(
  stage2: Stage2,
  cache: Cache,
  gfn: number,
  events: MemoryEvent[],
): boolean {
  if (!reachLeaf(stage2, cache, gfn, events)) return false;
  stage2.guarded.add(gfn);
  return true;
}

/**
 * Removes what stands at a frame number; tables that become empty go to the pool, zeroed.
 * Source: stage2_unmap_walker, hyp/pgtable.c; hyp_put_page, page_alloc.c (android14-6.1).
 */
export function unmapPage(stage2: Stage2, gfn: number, events: MemoryEvent[]): void {
  stage2.pages.delete(gfn);
  stage2.guarded.delete(gfn);
  const leaves = [...stage2.pages.keys(), ...stage2.guarded];
  const third = gfn >>> LEVEL3_SHIFT;
  if (leaves.every((other) => other >>> LEVEL3_SHIFT !== third)) {
    freeTable(stage2.level3, third, stage2.pool, events);
  }
  const second = gfn >>> LEVEL2_SHIFT;
  const shift = LEVEL2_SHIFT - LEVEL3_SHIFT;
  if ([...stage2.level3.keys()].every((other) => other >>> shift !== second)) {
    freeTable(stage2.level2, second, stage2.pool, events);
  }
}

function freeTable(
  tables: Map<number, Pfn>,
  index: number,
  pool: Pfn[],
  events: MemoryEvent[],
): void {
  const table = tables.get(index);
  if (table === undefined) return;
  tables.delete(index);
  events.push({ kind: "zero", page: table, bytes: 4096 });
  pool.push(table);
}

/**
 * Takes a stage 2 apart: its tables in the order in which they are freed, then the root's two
 * pages. Source: kvm_pgtable_stage2_destroy, which leaves a table after what is below it.
 */
export function tablesInOrder({ root, level2, level3, pool }: GuestStage2): readonly Pfn[] {
  const byIndex = (a: readonly [number, Pfn], b: readonly [number, Pfn]): number => a[0] - b[0];
  const shift = LEVEL2_SHIFT - LEVEL3_SHIFT;
  const freed = [...level2].sort(byIndex).flatMap(([second, table]) => [
    ...[...level3]
      .sort(byIndex)
      .filter(([third]) => third >>> shift === second)
      .map(([, below]) => below),
    table,
  ]);
  return [...pool, ...freed, root, (root + 1) as Pfn];
}
