// Translations that a processing element may keep until a TLBI names them.
//
// Architecturally any walk may be kept, or not. Mode `none` keeps nothing: every access sees the
// tables as they are. Mode `stale` keeps every walk, and every step of one, for as long as it is
// allowed to: software that forgets a TLBI meets the old translation.

import { createMicroTlb, type MicroTlb } from "./micro-tlb.ts";
import type { Controls, Regime } from "./regime.ts";
import type { Stage1Leaf } from "./stage1.ts";
import type { Stage2Leaf } from "./stage2.ts";

export type TlbMode = "none" | "stale";

/** A descriptor that points to the next table. */
export interface TableEntry {
  readonly stage: 1 | 2;
  readonly regime: Regime;
  readonly vmid: number;
  readonly asid: number;
  /** First input address that it covers, and log2 of how many it covers. */
  readonly input: number;
  readonly sizeBits: number;
  /** The table, the level at which it is looked up, and the APTable, XNTable bits so far. */
  readonly table: number;
  readonly level: number;
  readonly hierarchical: number;
}

/** A whole translation of a virtual address: stage 1, and stage 2 where there is one. */
export interface LeafEntry {
  readonly regime: Regime;
  readonly vmid: number;
  readonly asid: number;
  readonly input: number;
  readonly sizeBits: number;
  readonly stage1: Stage1Leaf;
  readonly stage2: Stage2Leaf | undefined;
}

/** A translation of an intermediate physical address alone. */
export interface Stage2Entry {
  readonly vmid: number;
  readonly input: number;
  readonly sizeBits: number;
  readonly leaf: Stage2Leaf;
}

interface Covering {
  readonly input: number;
  readonly sizeBits: number;
}

/** Entries by size and by number of the block of that size. */
type Entries<T extends Covering> = Map<number, Map<number, readonly T[]>>;

export interface Tlb {
  mode: TlbMode;
  readonly leaves: Entries<LeafEntry>;
  readonly stage2: Entries<Stage2Entry>;
  readonly tables: Entries<TableEntry>;
  /** The control registers as last read. */
  controls: Controls | undefined;
  readonly micro: MicroTlb;
}

/** An empty TLB. */
export function createTlb(mode: TlbMode): Tlb {
  return {
    mode,
    leaves: new Map(),
    stage2: new Map(),
    tables: new Map(),
    controls: undefined,
    micro: createMicroTlb(),
  };
}

/** An independent copy. Entries never change, so they are shared. */
export function forkTlb(tlb: Tlb): Tlb {
  return {
    mode: tlb.mode,
    leaves: copyEntries(tlb.leaves),
    stage2: copyEntries(tlb.stage2),
    tables: copyEntries(tlb.tables),
    controls: tlb.controls,
    micro: createMicroTlb(),
  };
}

function copyEntries<T extends Covering>(entries: Entries<T>): Entries<T> {
  const copy: Entries<T> = new Map();
  for (const [size, blocks] of entries) copy.set(size, new Map(blocks));
  return copy;
}

function find<T extends Covering>(
  entries: Entries<T>,
  input: number,
  matches: (entry: T) => boolean,
): T | undefined {
  for (const [size, blocks] of entries) {
    const found = blocks.get(Math.floor(input / 2 ** size))?.find(matches);
    if (found !== undefined) return found;
  }
  return undefined;
}

function keep<T extends Covering>(entries: Entries<T>, entry: T): void {
  let blocks = entries.get(entry.sizeBits);
  if (blocks === undefined) {
    blocks = new Map();
    entries.set(entry.sizeBits, blocks);
  }
  const block = Math.floor(entry.input / 2 ** entry.sizeBits);
  blocks.set(block, [...(blocks.get(block) ?? []), entry]);
}

/** Drops the entries that match. */
export function drop<T extends Covering>(
  entries: Entries<T>,
  matches: (entry: T) => boolean,
): void {
  for (const blocks of entries.values()) {
    for (const [block, list] of blocks) {
      const kept = list.filter((entry) => !matches(entry));
      if (kept.length === 0) blocks.delete(block);
      else if (kept.length < list.length) blocks.set(block, kept);
    }
  }
}

/** Who looks a translation up. */
export interface Context {
  readonly regime: Regime;
  readonly vmid: number;
  readonly asid: number;
}

/** A kept translation of a virtual address. */
export function cachedLeaf(tlb: Tlb, context: Context, input: number): LeafEntry | undefined {
  if (tlb.mode === "none") return undefined;
  return find(
    tlb.leaves,
    input,
    (entry) =>
      entry.regime === context.regime &&
      entry.vmid === context.vmid &&
      (entry.stage1.global || entry.asid === context.asid),
  );
}

/** A kept translation of an intermediate physical address. */
export function cachedStage2(tlb: Tlb, vmid: number, ipa: number): Stage2Leaf | undefined {
  if (tlb.mode === "none") return undefined;
  return find(tlb.stage2, ipa, (entry) => entry.vmid === vmid)?.leaf;
}

/** The kept table descriptor that is deepest in the walk of an input address. */
export function cachedTable(
  tlb: Tlb,
  stage: 1 | 2,
  context: Context,
  input: number,
): TableEntry | undefined {
  if (tlb.mode === "none") return undefined;
  let deepest: TableEntry | undefined;
  for (const [size, blocks] of tlb.tables) {
    if (deepest !== undefined && deepest.sizeBits <= size) continue;
    const found = blocks
      .get(Math.floor(input / 2 ** size))
      ?.find(
        (entry) =>
          entry.stage === stage &&
          entry.regime === context.regime &&
          entry.vmid === context.vmid &&
          entry.asid === context.asid,
      );
    if (found !== undefined) deepest = found;
  }
  return deepest;
}

/** Keeps a whole translation. */
export function rememberLeaf(tlb: Tlb, entry: LeafEntry): void {
  if (tlb.mode === "stale") keep(tlb.leaves, entry);
}

/** Keeps a translation of stage 2. */
export function rememberStage2(tlb: Tlb, entry: Stage2Entry): void {
  if (tlb.mode === "stale") keep(tlb.stage2, entry);
}

/** Keeps a table descriptor, once. */
export function rememberTable(tlb: Tlb, entry: TableEntry): void {
  if (tlb.mode === "stale") keep(tlb.tables, entry);
}
