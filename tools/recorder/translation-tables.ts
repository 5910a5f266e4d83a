// Builds translation tables in memory: descriptors by input address and level, for any granule.

import { LAYOUT } from "./layout.ts";

/** A range of input addresses that one set of tables translates. */
export interface TableRoot {
  /** log2 of the granule. */
  readonly granuleBits: 12 | 14 | 16;
  /** Bits of the input address. */
  readonly inputBits: number;
  readonly startLevel: number;
  /** Physical address of the first table. */
  readonly base: bigint;
}

/** Memory for tables, doubleword by doubleword, and where the next table goes. */
export interface TableMemory {
  readonly doublewords: Map<bigint, bigint>;
  next: bigint;
}

const VALID_TABLE = 3n;

export function createTableMemory(): TableMemory {
  return { doublewords: new Map(), next: BigInt(LAYOUT.TABLES) };
}

/** Address space for a table of `sizeBytes`, aligned to its size. */
export function allocateTable(memory: TableMemory, sizeBytes: bigint): bigint {
  const address = (memory.next + sizeBytes - 1n) & -sizeBytes;
  memory.next = address + sizeBytes;
  if (memory.next > BigInt(LAYOUT.TABLES + LAYOUT.TABLES_BYTES))
    throw new Error("no room for translation tables");
  return address;
}

/** log2 of what one descriptor covers at a level. */
export function levelShift(granuleBits: number, level: number): number {
  return granuleBits + (3 - level) * (granuleBits - 3);
}

/**
 * The level at which a walk starts when tables are not concatenated.
 * Source: DDI0487 D8.2.6, translation resolution.
 */
export function startLevelOf(granuleBits: number, inputBits: number): number {
  return 4 - Math.ceil((inputBits - granuleBits) / (granuleBits - 3));
}

/**
 * Makes the first table. A start level below the usual one means concatenated tables, as stage 2
 * allows: up to 16.
 */
export function createRoot(
  memory: TableMemory,
  granuleBits: 12 | 14 | 16,
  inputBits: number,
  startLevel: number = startLevelOf(granuleBits, inputBits),
): TableRoot {
  const entryBits = inputBits - levelShift(granuleBits, startLevel);
  const bytes = 8n << BigInt(Math.max(entryBits, granuleBits - 3));
  return { granuleBits, inputBits, startLevel, base: allocateTable(memory, bytes) };
}

/** The address of the descriptor for an input address at a level, in a table at `table`. */
function slotOf(root: TableRoot, table: bigint, level: number, address: bigint): bigint {
  const shift = BigInt(levelShift(root.granuleBits, level));
  const bits = level === root.startLevel ? 16n : BigInt(root.granuleBits - 3);
  const inRange = address & ((1n << BigInt(root.inputBits)) - 1n);
  return table + 8n * ((inRange >> shift) & ((1n << bits) - 1n));
}

/** Writes a descriptor; the tables on the way are made when they are missing. */
export function writeDescriptor(
  memory: TableMemory,
  root: TableRoot,
  address: bigint,
  level: number,
  descriptor: bigint,
): void {
  let table = root.base;
  for (let at = root.startLevel; at < level; at++) {
    const slot = slotOf(root, table, at, address);
    let next = memory.doublewords.get(slot);
    if (next === undefined) {
      next = allocateTable(memory, 1n << BigInt(root.granuleBits)) | VALID_TABLE;
      memory.doublewords.set(slot, next);
    }
    table = next & 0xffff_ffff_ffffn & -(1n << BigInt(root.granuleBits));
  }
  memory.doublewords.set(slotOf(root, table, level, address), descriptor);
}

/** The bits that make a descriptor a leaf at a level. */
export function leafType(level: number): bigint {
  return level === 3 ? 3n : 1n;
}

/** The largest leaf that fits an address pair and a size. Source: DDI0487 D8.2, block sizes. */
function leafLevel(root: TableRoot, addresses: bigint, sizeBytes: bigint): number {
  const blocks = { 12: [1, 2], 14: [2], 16: [2] }[root.granuleBits];
  for (const level of blocks) {
    const size = 1n << BigInt(levelShift(root.granuleBits, level));
    if (level >= root.startLevel && sizeBytes >= size && (addresses & (size - 1n)) === 0n)
      return level;
  }
  return 3;
}

/** Maps a range with the largest leaves that fit. */
export function mapRange(
  memory: TableMemory,
  root: TableRoot,
  from: bigint,
  to: bigint,
  sizeBytes: bigint,
  attributes: bigint,
): void {
  for (let done = 0n; done < sizeBytes; ) {
    const level = leafLevel(root, (from + done) | (to + done), sizeBytes - done);
    writeDescriptor(memory, root, from + done, level, (to + done) | attributes | leafType(level));
    done += 1n << BigInt(levelShift(root.granuleBits, level));
  }
}

/** A table that exists but holds nothing yet, and its descriptor in the table above. */
export function linkTable(
  memory: TableMemory,
  root: TableRoot,
  address: bigint,
  level: number,
  attributes: bigint,
): void {
  const table = allocateTable(memory, 1n << BigInt(root.granuleBits));
  writeDescriptor(memory, root, address, level, table | attributes | VALID_TABLE);
}

/** The tables as bytes, from the first address of the area. */
export function tableImage(memory: TableMemory): { address: bigint; bytes: Uint8Array } {
  const values = new BigUint64Array(Number(memory.next - BigInt(LAYOUT.TABLES)) / 8);
  for (const [address, value] of memory.doublewords)
    values[Number(address - BigInt(LAYOUT.TABLES)) / 8] = value;
  return { address: BigInt(LAYOUT.TABLES), bytes: new Uint8Array(values.buffer) };
}
