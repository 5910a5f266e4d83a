// Walks and edits one translation table in memory: find a leaf, write a leaf, split a block.

import {
  attributesOf,
  isTable,
  isValid,
  type Level,
  leaf,
  levelBytes,
  levelShift,
  OUTPUT_ADDRESS,
  outputAddress,
  tableEntry,
} from "./descriptor.ts";
import { ENTRIES, type PhysicalMemory, type TablePool, takeTable } from "./physical.ts";

/**
 * A table: its root, and how many address bits it translates. Tables of 39 and 40 bits start at
 * level 1, with one root page for 39 and two side by side for 40; a root of 48 bits is a level
 * above them. Source: DDI0487 D8.2, Concatenated translation tables.
 */
export interface TranslationTable {
  readonly root: bigint;
  readonly inputBits: 39 | 40 | 48;
}

/** The entry that decides about an address, and where it is. */
export interface Found {
  readonly entry: bigint;
  readonly level: Level;
  /** Physical address of the entry itself. */
  readonly at: bigint;
}

const INDEX_MASK = 0x1ffn;

function entryAddress(table: bigint, level: Level, address: bigint): bigint {
  const index = address >> levelShift(level);
  // At level 1 the address has been bounded by inputBits, so that concatenated roots need no mask.
  return table + 8n * (level === 1 ? index : index & INDEX_MASK);
}

/** An address as the table's input; asking for one outside is a mistake of the caller. */
function input(table: TranslationTable, address: bigint): bigint {
  if (address < 0n || address >> BigInt(table.inputBits) !== 0n) {
    throw new RangeError(`0x${address.toString(16)} has more than ${table.inputBits} bits`);
  }
  return address;
}

/** An entry of a root of 48 bits covers as much as a root of 39 bits. */
const ROOT_SHIFT = 39n;

/** Where the level-1 entry of an address is; undefined where the root of 48 bits has no table. */
function levelOne(
  memory: PhysicalMemory,
  table: TranslationTable,
  address: bigint,
): bigint | undefined {
  if (table.inputBits !== 48) return entryAddress(table.root, 1, input(table, address));
  const entry = memory.read64(rootEntry(table, address));
  if (!isValid(entry)) return undefined;
  return entryAddress(entry & OUTPUT_ADDRESS, 1, address & ((1n << ROOT_SHIFT) - 1n));
}

const rootEntry = (table: TranslationTable, address: bigint): bigint =>
  table.root + 8n * (input(table, address) >> ROOT_SHIFT);

/**
 * The leaf or the invalid entry that decides about an address. An empty entry of a root of 48 bits
 * is told as one of level 1: nothing is mapped there.
 */
export function findLeaf(memory: PhysicalMemory, table: TranslationTable, address: bigint): Found {
  const first = levelOne(memory, table, address);
  if (first === undefined) return { entry: 0n, level: 1, at: rootEntry(table, address) };
  let at = first;
  for (let level: Level = 1; ; level = (level + 1) as Level) {
    const entry = memory.read64(at);
    if (!isTable(entry, level)) return { entry, level, at };
    at = entryAddress(entry & OUTPUT_ADDRESS, (level + 1) as Level, address);
  }
}

/** What 512 entries one level down say the same as this one does. */
function children(entry: bigint, level: Level): BigUint64Array {
  const below = (level + 1) as Level;
  const words = new BigUint64Array(ENTRIES);
  if (!isValid(entry)) return words.fill(entry);
  const attributes = attributesOf(entry, level);
  const base = outputAddress(entry, level);
  for (let index = 0; index < ENTRIES; index++) {
    words[index] = leaf(base + BigInt(index) * levelBytes(below), below, attributes);
  }
  return words;
}

/**
 * Writes the entry of an address at a level. What decides above that level is replaced by a table
 * that says the same.
 * Returns what decided before.
 * Source: stage2_map_walker_try_leaf, stage2_map_walk_leaf, hyp/pgtable.c; that the neighbours of a
 * split block stay
 * mapped is measured on android14-6.1 (trace ops: leaves at level 3 beside a changed page).
 */
export function writeLeaf(
  memory: PhysicalMemory,
  pool: TablePool,
  table: TranslationTable,
  place: { readonly address: bigint; readonly level: Level },
  entry: bigint,
): Found {
  if (levelOne(memory, table, place.address) === undefined) {
    memory.write64(rootEntry(table, place.address), tableEntry(takeTable(memory, pool)));
  }
  const before = findLeaf(memory, table, place.address);
  if (before.level > place.level) {
    throw new Error(`a table stands where a block goes, at 0x${place.address.toString(16)}`);
  }
  let { at, level } = before;
  let standing = before.entry;
  while (level < place.level) {
    const below = takeTable(memory, pool);
    const words = children(standing, level);
    memory.writePage(below, words);
    memory.write64(at, tableEntry(below));
    level = (level + 1) as Level;
    at = entryAddress(below, level, place.address);
    standing = memory.read64(at);
  }
  if (standing !== entry) memory.write64(at, entry);
  return before;
}

/** Maps a range by the largest blocks that fit; `from`, `to` and `pa` are multiples of a page. */
export function mapRange(
  memory: PhysicalMemory,
  pool: TablePool,
  table: TranslationTable,
  range: { readonly from: bigint; readonly to: bigint; readonly pa: bigint },
  attributes: bigint,
): void {
  for (let address = range.from; address < range.to; ) {
    const pa = range.pa + (address - range.from);
    const level = largestBlock(address, pa, range.to - address);
    writeLeaf(memory, pool, table, { address, level }, leaf(pa, level, attributes));
    address += levelBytes(level);
  }
}

function largestBlock(address: bigint, pa: bigint, bytes: bigint): Level {
  for (const level of [1, 2] as const) {
    const size = levelBytes(level);
    if (((address | pa) & (size - 1n)) === 0n && bytes >= size) return level;
  }
  return 3;
}

/** The physical address that a table gives to an address, if it maps it. */
export function translate(
  memory: PhysicalMemory,
  table: TranslationTable,
  address: bigint,
): bigint | undefined {
  const { entry, level } = findLeaf(memory, table, address);
  if (!isValid(entry)) return undefined;
  return outputAddress(entry, level) | (address & (levelBytes(level) - 1n));
}

/**
 * Entries that are not zero and not tables: one valid leaf, or a run of `count` equal marks side by
 * side.
 */
export interface Leaves {
  readonly address: bigint;
  readonly level: Level;
  readonly entry: bigint;
  readonly count: number;
}

/** Every entry that is not zero and not a table, in order of addresses. */
export function* leaves(memory: PhysicalMemory, table: TranslationTable): Generator<Leaves> {
  if (table.inputBits === 48) {
    for (const [index, entry] of memory.readPage(table.root).entries()) {
      if (!isValid(entry)) continue;
      yield* leavesBelow(memory, entry & OUTPUT_ADDRESS, 1, BigInt(index) << ROOT_SHIFT);
    }
    return;
  }
  const rootPages = table.inputBits === 40 ? 2 : 1;
  for (let page = 0; page < rootPages; page++) {
    const first = BigInt(page * ENTRIES) << levelShift(1);
    yield* leavesBelow(memory, table.root + 4096n * BigInt(page), 1, first);
  }
}

function* leavesBelow(
  memory: PhysicalMemory,
  table: bigint,
  level: Level,
  first: bigint,
): Generator<Leaves> {
  const words = memory.readPage(table);
  for (let index = 0; index < ENTRIES; index++) {
    const entry = words[index]!;
    if (entry === 0n) continue;
    const address = first + (BigInt(index) << levelShift(level));
    if (isTable(entry, level)) {
      yield* leavesBelow(memory, entry & OUTPUT_ADDRESS, (level + 1) as Level, address);
      continue;
    }
    let count = 1;
    if (!isValid(entry)) while (index + count < ENTRIES && words[index + count] === entry) count++;
    yield { address, level, entry, count };
    index += count - 1;
  }
}
