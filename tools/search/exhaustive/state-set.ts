// The set of states seen, packed: one row of numbers each, with where it was reached from.

import { mixed } from "./parts.ts";

/** Rows a chunk; memory grows by chunks and nothing is copied. */
const CHUNK_BITS = 15;
const CHUNK = 1 << CHUNK_BITS;
const MASK = CHUNK - 1;

/** States by their index, in the order in which they were seen. */
export interface StateSet {
  readonly width: number;
  readonly size: () => number;
  /** Adds the row if it is new: its index, or -1 if it was there. */
  readonly add: (row: Uint32Array, hash: number, parent: number, move: number) => number;
  /** Copies a state into `into`. */
  readonly read: (index: number, into: Uint32Array) => void;
  readonly hashAt: (index: number) => number;
  readonly parentAt: (index: number) => number;
  readonly moveAt: (index: number) => number;
  /** The index of a row, or -1. */
  readonly find: (row: Uint32Array, hash: number) => number;
  readonly bytes: () => number;
}

interface Chunk {
  readonly rows: Uint32Array;
  readonly hashes: Int32Array;
  readonly parents: Int32Array;
  readonly moves: Int32Array;
}

const createChunk = (width: number): Chunk => ({
  rows: new Uint32Array(CHUNK * width),
  hashes: new Int32Array(CHUNK),
  parents: new Int32Array(CHUNK),
  moves: new Int32Array(CHUNK),
});

/** An empty set of rows of this width: open addressing over chunks. */
export function createStateSet(width: number): StateSet {
  const chunks: Chunk[] = [];
  let size = 0;
  /** Pairs: an index from 1, and the spread hash of its row. */
  let slots = new Int32Array(1 << 17);

  const chunkOf = (index: number): Chunk => chunks[index >>> CHUNK_BITS] as Chunk;

  function isAt(index: number, row: Uint32Array): boolean {
    const { rows } = chunkOf(index);
    const base = (index & MASK) * width;
    for (let n = 0; n < width; n += 1) if (rows[base + n] !== row[n]) return false;
    return true;
  }

  /** The slot of a row, or the free slot where it belongs. */
  function slotOf(row: Uint32Array, spread: number): number {
    const last = slots.length - 1;
    let slot = (spread << 1) & last;
    for (let held = slots[slot] as number; held !== 0; held = slots[slot] as number) {
      if (slots[slot + 1] === spread && isAt(held - 1, row)) return slot;
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

  return {
    width,
    size: () => size,
    add: (row, hash, parent, move) => {
      const spread = mixed(hash);
      const slot = slotOf(row, spread);
      if (slots[slot] !== 0) return -1;
      if ((size & MASK) === 0) chunks.push(createChunk(width));
      const index = size;
      const { rows, hashes, parents, moves } = chunkOf(index);
      const at = index & MASK;
      const base = at * width;
      for (let n = 0; n < width; n += 1) rows[base + n] = row[n] as number;
      hashes[at] = hash;
      parents[at] = parent;
      moves[at] = move;
      slots[slot] = index + 1;
      slots[slot + 1] = spread;
      size += 1;
      if (size * 4 > slots.length) grow();
      return index;
    },
    read: (index, into) => {
      const { rows } = chunkOf(index);
      const base = (index & MASK) * width;
      for (let n = 0; n < width; n += 1) into[n] = rows[base + n] as number;
    },
    hashAt: (index) => chunkOf(index).hashes[index & MASK] as number,
    parentAt: (index) => chunkOf(index).parents[index & MASK] as number,
    moveAt: (index) => chunkOf(index).moves[index & MASK] as number,
    find: (row, hash) => (slots[slotOf(row, mixed(hash))] as number) - 1,
    bytes: () => chunks.length * CHUNK * (width * 4 + 12) + slots.length * 4,
  };
}
