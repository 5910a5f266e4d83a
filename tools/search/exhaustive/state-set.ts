// The set of states seen, packed: one row of numbers each, with where it was reached from.

import { grownSlots } from "./memo.ts";
import { mixed } from "./parts.ts";

/** Rows a chunk; memory grows by chunks and nothing is copied. */
const CHUNK_BITS = 15;
const CHUNK = 1 << CHUNK_BITS;
const MASK = CHUNK - 1;

interface Chunk {
  readonly rows: Uint32Array;
  readonly hashes: Int32Array;
  readonly parents: Int32Array;
  readonly moves: Int32Array;
}

/** States by their index, in the order in which they were seen. */
export interface StateSet {
  readonly width: number;
  readonly chunks: Chunk[];
  size: number;
  /** Pairs: an index from 1, and the spread hash of its row. */
  slots: Int32Array;
}

/** An empty set of rows of this width: open addressing over chunks. */
export const createStateSet = (width: number): StateSet => ({
  width,
  chunks: [],
  size: 0,
  slots: new Int32Array(1 << 17),
});

const createChunk = (width: number): Chunk => ({
  rows: new Uint32Array(CHUNK * width),
  hashes: new Int32Array(CHUNK),
  parents: new Int32Array(CHUNK),
  moves: new Int32Array(CHUNK),
});

const chunkOf = ({ chunks }: StateSet, index: number): Chunk =>
  chunks[index >>> CHUNK_BITS] as Chunk;

function isAt(set: StateSet, index: number, row: Uint32Array): boolean {
  const { rows } = chunkOf(set, index);
  const { width } = set;
  const base = (index & MASK) * width;
  for (let n = 0; n < width; n += 1) if (rows[base + n] !== row[n]) return false;
  return true;
}

/** The slot of a row, or the free slot where it belongs. */
function slotOf(set: StateSet, row: Uint32Array, spread: number): number {
  const { slots } = set;
  const last = slots.length - 1;
  let slot = (spread << 1) & last;
  for (let held = slots[slot] as number; held !== 0; held = slots[slot] as number) {
    if (slots[slot + 1] === spread && isAt(set, held - 1, row)) return slot;
    slot = (slot + 2) & last;
  }
  return slot;
}

/** Adds the row if it is new: its index, or -1 if it was there. */
export function addState(
  set: StateSet,
  row: Uint32Array,
  hash: number,
  parent: number,
  move: number,
): number {
  const spread = mixed(hash);
  const slot = slotOf(set, row, spread);
  if (set.slots[slot] !== 0) return -1;
  const { width, size: index } = set;
  if ((index & MASK) === 0) set.chunks.push(createChunk(width));
  const { rows, hashes, parents, moves } = chunkOf(set, index);
  const at = index & MASK;
  const base = at * width;
  for (let n = 0; n < width; n += 1) rows[base + n] = row[n] as number;
  hashes[at] = hash;
  parents[at] = parent;
  moves[at] = move;
  set.slots[slot] = index + 1;
  set.slots[slot + 1] = spread;
  set.size += 1;
  if (set.size * 4 > set.slots.length) set.slots = grownSlots(set.slots);
  return index;
}

/** Copies a state into `into`. */
export function readState(set: StateSet, index: number, into: Uint32Array): void {
  const { rows } = chunkOf(set, index);
  const base = (index & MASK) * set.width;
  for (let n = 0; n < set.width; n += 1) into[n] = rows[base + n] as number;
}

export const hashAt = (set: StateSet, index: number): number =>
  chunkOf(set, index).hashes[index & MASK] as number;

/** The state from which it was reached first, and by which move; -1 for a first state. */
export const parentAt = (set: StateSet, index: number): number =>
  chunkOf(set, index).parents[index & MASK] as number;
export const moveAt = (set: StateSet, index: number): number =>
  chunkOf(set, index).moves[index & MASK] as number;

/** The index of a row, or -1. */
export const indexOf = (set: StateSet, row: Uint32Array, hash: number): number =>
  (set.slots[slotOf(set, row, mixed(hash))] as number) - 1;

/** Memory that the set takes. */
export const bytesOf = ({ chunks, width, slots }: StateSet): number =>
  chunks.length * CHUNK * (width * 4 + 12) + slots.length * 4;
