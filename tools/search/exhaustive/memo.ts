// Results remembered by what was read: a function of a state answers the same where it reads the
// same parts.

import { mixed } from "./parts.ts";

/**
 * Remembered results. A result is found again for every state that agrees with the first one in the
 * parts that the function read there: it is deterministic, so it would read just those again.
 */
export interface Memo {
  /** By subject: the sets of parts that it was seen to read. */
  readonly reads: number[][][];
  /** The subject of each entry, then the numbers of the parts that it read. */
  keys: Uint32Array;
  used: number;
  /** By entry: where its key begins, and which of its subject's sets of parts it is filed under. */
  offsets: Uint32Array;
  orders: Uint16Array;
  size: number;
  /** Pairs: an entry from 1, and the spread hash of its key. */
  slots: Int32Array;
}

/** An empty memory. */
export const createMemo = (): Memo => ({
  reads: [],
  keys: new Uint32Array(1 << 12),
  used: 0,
  offsets: new Uint32Array(1 << 10),
  orders: new Uint16Array(1 << 10),
  size: 0,
  slots: new Int32Array(1 << 13),
});

/** The numbers of the bits of a mask. */
export function bitsOf(mask: number): number[] {
  const bits: number[] = [];
  for (let bit = 0; bit < 32; bit += 1) if ((mask & (1 << bit)) !== 0) bits.push(bit);
  return bits;
}

function matches(
  { orders, offsets, keys }: Memo,
  entry: number,
  order: number,
  parts: number[],
  row: Uint32Array,
): boolean {
  if (orders[entry] !== order) return false;
  const at = (offsets[entry] as number) + 1;
  for (let n = 0; n < parts.length; n += 1) {
    if (keys[at + n] !== row[parts[n] as number]) return false;
  }
  return true;
}

function spreadOf(subject: number, order: number, parts: number[], row: Uint32Array): number {
  let hash = Math.imul(subject + 1, 0x9e3779b1) ^ Math.imul(order + 1, 0x85ebca77);
  for (let n = 0; n < parts.length; n += 1) {
    hash = Math.imul(hash ^ (row[parts[n] as number] as number), 0x01000193);
    hash ^= hash >>> 15;
  }
  return mixed(hash);
}

/** The slot of a key, or the free one where it belongs. */
function slotOf(
  memo: Memo,
  subject: number,
  order: number,
  parts: number[],
  row: Uint32Array,
  spread: number,
): number {
  const { slots, keys, offsets } = memo;
  const last = slots.length - 1;
  let slot = (spread << 1) & last;
  for (let held = slots[slot] as number; held !== 0; held = slots[slot] as number) {
    const entry = held - 1;
    if (
      slots[slot + 1] === spread &&
      keys[offsets[entry] as number] === subject &&
      matches(memo, entry, order, parts, row)
    ) {
      return slot;
    }
    slot = (slot + 2) & last;
  }
  return slot;
}

/** Twice as many slots; both tables of this folder keep pairs, so both grow like this. */
export function grownSlots(before: Int32Array): Int32Array {
  const slots = new Int32Array(before.length * 2);
  const last = slots.length - 1;
  for (let from = 0; from < before.length; from += 2) {
    if (before[from] === 0) continue;
    let slot = ((before[from + 1] as number) << 1) & last;
    while (slots[slot] !== 0) slot = (slot + 2) & last;
    slots[slot] = before[from] as number;
    slots[slot + 1] = before[from + 1] as number;
  }
  return slots;
}

const doubled = <T extends Uint32Array | Uint16Array>(array: T): T => {
  const larger = new (array.constructor as new (length: number) => T)(array.length * 2);
  larger.set(array);
  return larger;
};

/** The entry of a subject for a row, or -1. */
export function entryFor(memo: Memo, subject: number, row: Uint32Array): number {
  const sets = memo.reads[subject];
  if (sets === undefined) return -1;
  for (let order = 0; order < sets.length; order += 1) {
    const parts = sets[order] as number[];
    const spread = spreadOf(subject, order, parts, row);
    const held = memo.slots[slotOf(memo, subject, order, parts, row, spread)] as number;
    if (held !== 0) return held - 1;
  }
  return -1;
}

/** Remembers that the subject read the parts of `mask`; the new entry's number. */
export function addEntry(memo: Memo, subject: number, mask: number, row: Uint32Array): number {
  const parts = bitsOf(mask);
  const sets = memo.reads[subject] ?? [];
  memo.reads[subject] = sets;
  let order = sets.findIndex((known) => known.join() === parts.join());
  if (order < 0) order = sets.push(parts) - 1;
  if (memo.used + parts.length + 1 > memo.keys.length) memo.keys = doubled(memo.keys);
  if (memo.size === memo.offsets.length) {
    memo.offsets = doubled(memo.offsets);
    memo.orders = doubled(memo.orders);
  }
  const entry = memo.size;
  memo.offsets[entry] = memo.used;
  memo.orders[entry] = order;
  memo.keys[memo.used] = subject;
  for (const [n, part] of parts.entries()) memo.keys[memo.used + 1 + n] = row[part] as number;
  memo.used += parts.length + 1;
  const spread = spreadOf(subject, order, parts, row);
  const slot = slotOf(memo, subject, order, parts, row, spread);
  memo.slots[slot] = entry + 1;
  memo.slots[slot + 1] = spread;
  memo.size += 1;
  if (memo.size * 4 > memo.slots.length) memo.slots = grownSlots(memo.slots);
  return entry;
}
