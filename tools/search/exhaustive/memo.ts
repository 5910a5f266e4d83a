// Results remembered by what was read: a function of a state answers the same where it reads the
// same parts.

import { mixed } from "./parts.ts";

/**
 * Remembered results. A result is found again for every state that agrees with the first one in the
 * parts that the function read there: it is deterministic, so it would read just those again.
 */
export interface Memo {
  /** The entry of a subject for a row, or -1. */
  readonly find: (subject: number, row: Uint32Array) => number;
  /** Remembers that the subject read the parts of `mask`; the new entry's number. */
  readonly add: (subject: number, mask: number, row: Uint32Array) => number;
  readonly size: () => number;
}

/** The numbers of the bits of a mask. */
export function bitsOf(mask: number): number[] {
  const bits: number[] = [];
  for (let bit = 0; bit < 32; bit += 1) if ((mask & (1 << bit)) !== 0) bits.push(bit);
  return bits;
}

const hashStart = (subject: number, order: number): number =>
  Math.imul(subject + 1, 0x9e3779b1) ^ Math.imul(order + 1, 0x85ebca77);

/** An empty memory. */
export function createMemo(): Memo {
  /** By subject: the sets of parts that it was seen to read. */
  const reads: number[][][] = [];
  let keys = new Uint32Array(1 << 12);
  let used = 0;
  let offsets = new Uint32Array(1 << 10);
  /** By entry: which of its subject's sets of parts it is filed under. */
  let orders = new Uint16Array(1 << 10);
  let size = 0;
  /** Pairs: an entry from 1, and the spread hash of its key. */
  let slots = new Int32Array(1 << 13);

  function matches(entry: number, order: number, parts: number[], row: Uint32Array): boolean {
    if (orders[entry] !== order) return false;
    const at = (offsets[entry] as number) + 1;
    for (let n = 0; n < parts.length; n += 1) {
      if (keys[at + n] !== row[parts[n] as number]) return false;
    }
    return true;
  }

  function spreadOf(subject: number, order: number, parts: number[], row: Uint32Array): number {
    let hash = hashStart(subject, order);
    for (let n = 0; n < parts.length; n += 1) {
      hash = Math.imul(hash ^ (row[parts[n] as number] as number), 0x01000193);
      hash ^= hash >>> 15;
    }
    return mixed(hash);
  }

  /** The slot of a key, or the free one where it belongs. */
  function slotOf(
    subject: number,
    order: number,
    parts: number[],
    row: Uint32Array,
    spread: number,
  ): number {
    const last = slots.length - 1;
    let slot = (spread << 1) & last;
    for (let held = slots[slot] as number; held !== 0; held = slots[slot] as number) {
      const entry = held - 1;
      if (
        slots[slot + 1] === spread &&
        keys[offsets[entry] as number] === subject &&
        matches(entry, order, parts, row)
      ) {
        return slot;
      }
      slot = (slot + 2) & last;
    }
    return slot;
  }

  function grow(): void {
    const before = slots;
    slots = new Int32Array(before.length * 2);
    const last = slots.length - 1;
    for (let from = 0; from < before.length; from += 2) {
      if (before[from] === 0) continue;
      let slot = ((before[from + 1] as number) << 1) & last;
      while (slots[slot] !== 0) slot = (slot + 2) & last;
      slots[slot] = before[from] as number;
      slots[slot + 1] = before[from + 1] as number;
    }
  }

  function room(count: number): void {
    if (used + count > keys.length) {
      const larger = new Uint32Array(keys.length * 2);
      larger.set(keys);
      keys = larger;
    }
    if (size < offsets.length) return;
    const [largerOffsets, largerOrders] = [
      new Uint32Array(offsets.length * 2),
      new Uint16Array(orders.length * 2),
    ];
    largerOffsets.set(offsets);
    largerOrders.set(orders);
    offsets = largerOffsets;
    orders = largerOrders;
  }

  return {
    find: (subject, row) => {
      const sets = reads[subject];
      if (sets === undefined) return -1;
      for (let order = 0; order < sets.length; order += 1) {
        const parts = sets[order] as number[];
        const spread = spreadOf(subject, order, parts, row);
        const held = slots[slotOf(subject, order, parts, row, spread)] as number;
        if (held !== 0) return held - 1;
      }
      return -1;
    },
    add: (subject, mask, row) => {
      const parts = bitsOf(mask);
      const sets = reads[subject] ?? [];
      reads[subject] = sets;
      let order = sets.findIndex((known) => known.join() === parts.join());
      if (order < 0) order = sets.push(parts) - 1;
      room(parts.length + 1);
      const entry = size;
      offsets[entry] = used;
      orders[entry] = order;
      keys[used] = subject;
      for (const [n, part] of parts.entries()) keys[used + 1 + n] = row[part] as number;
      used += parts.length + 1;
      const spread = spreadOf(subject, order, parts, row);
      const slot = slotOf(subject, order, parts, row, spread);
      slots[slot] = entry + 1;
      slots[slot + 1] = spread;
      size += 1;
      if (size * 4 > slots.length) grow();
      return entry;
    },
    size: () => size,
  };
}
