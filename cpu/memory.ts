// Physical memory: sparse 4 KiB pages, copy-on-write, with devices and allocation tags.

import type { Core } from "./state.ts";

/** log2 of the size of a page of physical memory; no translation granule is smaller. */
export const PAGE_BITS = 12;
export const PAGE_BYTES = 4096;
/** An allocation tag covers this much. Source: DDI0487 D10 (Memory Tagging), tag granule. */
export const TAG_GRANULE_BYTES = 16;

const PAGES_PER_CHUNK = 512;
const CACHE_SLOTS = 64;

export type AccessSize = 1 | 2 | 4 | 8 | 16;

/** A range of physical addresses backed by memory; both members are multiples of 4 KiB. */
export interface Region {
  readonly base: bigint;
  readonly sizeBytes: bigint;
}

/** A range of physical addresses that answers by itself. */
export interface Device {
  readonly name: string;
  readonly base: bigint;
  readonly sizeBytes: bigint;
  /** The value at an offset, or undefined for an external abort. */
  read(offset: bigint, sizeBytes: AccessSize): bigint | undefined;
  /** False for an external abort. */
  write(offset: bigint, sizeBytes: AccessSize, value: bigint): boolean;
  /** The device of a forked machine: it must not share mutable state with this one. */
  fork(): Device;
}

/** One page. `owner` alone may write it in place; everybody else copies it first. */
export interface Page {
  readonly owner: object;
  readonly bytes: Uint8Array;
  readonly view: DataView;
  /** Grows with every write, so that what was decoded from the page can be dropped. */
  generation: number;
  /** Free for the interpreter: what it decoded from this page, and at which generation. */
  decoded: unknown;
  /** A table walk has read from it; so writing it may change translations. */
  holdsTables: boolean;
  /** One allocation tag per 16 bytes; undefined when all are zero. */
  tags: Uint8Array | undefined;
}

interface Chunk {
  readonly owner: object;
  readonly pages: (Page | undefined)[];
}

interface PageRange {
  readonly first: number;
  readonly end: number;
}

/** Physical memory of one machine. Frame numbers (address / 4 KiB) are plain numbers. */
export interface Memory {
  readonly regions: readonly Region[];
  readonly devices: readonly Device[];
  /** The processing elements on this memory: the reach of broadcast TLBI, SEV and monitors. */
  readonly cores: Core[];
  readonly frames: readonly PageRange[];
  /** Whoever holds this token may write chunks and pages that carry it. Changes on fork. */
  owner: object;
  readonly chunks: Map<number, Chunk>;
  /** Grows when a page that holds translation tables is about to be written. */
  tableGeneration: number;
  /** Direct-mapped cache of frame number to page; NaN is an empty slot. */
  readonly cachedFrames: Float64Array;
  readonly cachedPages: (Page | undefined)[];
}

const nobody: object = Object.freeze({ name: "nobody" });
const zeroPage: Page = newPage(nobody);

function newPage(owner: object): Page {
  const bytes = new Uint8Array(PAGE_BYTES);
  const view = new DataView(bytes.buffer);
  return {
    owner,
    bytes,
    view,
    generation: 0,
    decoded: undefined,
    holdsTables: false,
    tags: undefined,
  };
}

/** Memory that reads as zero in `regions`, answers in `devices`, and is absent elsewhere. */
export function createMemory(regions: readonly Region[], devices: readonly Device[] = []): Memory {
  for (const region of regions) {
    if (((region.base | region.sizeBytes) & BigInt(PAGE_BYTES - 1)) !== 0n) {
      throw new RangeError(`region at 0x${region.base.toString(16)} is not made of 4 KiB pages`);
    }
  }
  const frames = regions.map((region) => ({
    first: Number(region.base >> 12n),
    end: Number((region.base + region.sizeBytes) >> 12n),
  }));
  return emptyMemory(regions, devices, frames, new Map());
}

function emptyMemory(
  regions: readonly Region[],
  devices: readonly Device[],
  frames: readonly PageRange[],
  chunks: Map<number, Chunk>,
): Memory {
  return {
    regions,
    devices,
    cores: [],
    frames,
    owner: {},
    chunks,
    tableGeneration: 0,
    cachedFrames: new Float64Array(CACHE_SLOTS).fill(Number.NaN),
    cachedPages: new Array<Page | undefined>(CACHE_SLOTS).fill(undefined),
  };
}

/**
 * A second memory with the same contents and no cores; the two no longer see each other's writes.
 * All pages become shared, and each side copies a page when it first writes it.
 */
export function forkMemory(memory: Memory): Memory {
  memory.owner = {};
  const devices = memory.devices.map((device) => device.fork());
  return emptyMemory(memory.regions, devices, memory.frames, new Map(memory.chunks));
}

/** The page of a frame to read from, or undefined when no memory is there. */
export function pageForRead(memory: Memory, frame: number): Page | undefined {
  const slot = frame & (CACHE_SLOTS - 1);
  if (memory.cachedFrames[slot] === frame) return memory.cachedPages[slot];
  const page = findPage(memory, frame);
  if (page !== undefined) cachePage(memory, frame, page);
  return page;
}

/**
 * The page of a frame to write to now, the memory's own, or undefined when no memory is there.
 * Ask again for each write: asking is what tells caches of code and of translations.
 */
export function pageForWrite(memory: Memory, frame: number): Page | undefined {
  let page = pageForRead(memory, frame);
  if (page === undefined) return undefined;
  if (page.owner !== memory.owner) page = ownPage(memory, frame, page);
  page.generation++;
  if (page.holdsTables) memory.tableGeneration++;
  return page;
}

function ownPage(memory: Memory, frame: number, page: Page): Page {
  const own = copyPage(memory.owner, page);
  ownChunk(memory, Math.floor(frame / PAGES_PER_CHUNK)).pages[frame % PAGES_PER_CHUNK] = own;
  cachePage(memory, frame, own);
  return own;
}

function findPage(memory: Memory, frame: number): Page | undefined {
  const chunk = memory.chunks.get(Math.floor(frame / PAGES_PER_CHUNK));
  const page = chunk?.pages[frame % PAGES_PER_CHUNK];
  if (page !== undefined) return page;
  return isBacked(memory, frame) ? zeroPage : undefined;
}

function isBacked(memory: Memory, frame: number): boolean {
  for (const range of memory.frames) {
    if (frame >= range.first && frame < range.end) return true;
  }
  return false;
}

function cachePage(memory: Memory, frame: number, page: Page): void {
  const slot = frame & (CACHE_SLOTS - 1);
  memory.cachedFrames[slot] = frame;
  memory.cachedPages[slot] = page;
}

function copyPage(owner: object, page: Page): Page {
  const copy = newPage(owner);
  if (page === zeroPage) return copy;
  copy.bytes.set(page.bytes);
  copy.generation = page.generation;
  copy.decoded = page.decoded;
  copy.holdsTables = page.holdsTables;
  copy.tags = page.tags?.slice();
  return copy;
}

function ownChunk(memory: Memory, index: number): Chunk {
  const chunk = memory.chunks.get(index);
  if (chunk !== undefined && chunk.owner === memory.owner) return chunk;
  const pages = chunk?.pages.slice() ?? new Array<Page | undefined>(PAGES_PER_CHUNK);
  const own = { owner: memory.owner, pages };
  memory.chunks.set(index, own);
  return own;
}

/** The device that answers at an address. */
export function deviceAt(memory: Memory, pa: bigint): Device | undefined {
  for (const device of memory.devices) {
    if (pa >= device.base && pa < device.base + device.sizeBytes) return device;
  }
  return undefined;
}

/** Reads a little-endian value; undefined when nothing answers there (an external abort). */
export function readPhysical(
  memory: Memory,
  pa: bigint,
  sizeBytes: AccessSize,
): bigint | undefined {
  const offset = Number(pa & 0xfffn);
  const page = pageForRead(memory, Number(pa >> 12n));
  if (page === undefined) {
    const device = deviceAt(memory, pa);
    return device?.read(pa - device.base, sizeBytes);
  }
  if (offset + sizeBytes <= PAGE_BYTES) return readPage(page, offset, sizeBytes);
  const bytes = readBytes(memory, pa, sizeBytes);
  return bytes === undefined ? undefined : littleEndian(bytes);
}

/** Writes a little-endian value; false, and nothing written, when nothing answers there. */
export function writePhysical(
  memory: Memory,
  pa: bigint,
  sizeBytes: AccessSize,
  value: bigint,
): boolean {
  const offset = Number(pa & 0xfffn);
  const page = pageForWrite(memory, Number(pa >> 12n));
  if (page === undefined) {
    const device = deviceAt(memory, pa);
    return device === undefined ? false : device.write(pa - device.base, sizeBytes, value);
  }
  if (offset + sizeBytes > PAGE_BYTES) return writeBytes(memory, pa, bytesOf(value, sizeBytes));
  writePage(page, offset, sizeBytes, value);
  return true;
}

/** Reads within one page. */
export function readPage(page: Page, offset: number, sizeBytes: AccessSize): bigint {
  switch (sizeBytes) {
    case 1:
      return BigInt(page.bytes[offset]!);
    case 2:
      return BigInt(page.view.getUint16(offset, true));
    case 4:
      return BigInt(page.view.getUint32(offset, true));
    case 8:
      return page.view.getBigUint64(offset, true);
    case 16:
      return (
        (page.view.getBigUint64(offset + 8, true) << 64n) | page.view.getBigUint64(offset, true)
      );
  }
}

/**
 * Writes within a page just got from `pageForWrite`. Bits of `value` beyond the size are ignored.
 */
export function writePage(page: Page, offset: number, sizeBytes: AccessSize, value: bigint): void {
  switch (sizeBytes) {
    case 1:
      page.bytes[offset] = Number(BigInt.asUintN(8, value));
      return;
    case 2:
      page.view.setUint16(offset, Number(BigInt.asUintN(16, value)), true);
      return;
    case 4:
      page.view.setUint32(offset, Number(BigInt.asUintN(32, value)), true);
      return;
    case 8:
      page.view.setBigUint64(offset, value, true);
      return;
    case 16:
      page.view.setBigUint64(offset, value, true);
      page.view.setBigUint64(offset + 8, value >> 64n, true);
  }
}

/** Reads any number of bytes of memory (not of devices); undefined when some are absent. */
export function readBytes(memory: Memory, pa: bigint, lengthBytes: number): Uint8Array | undefined {
  const result = new Uint8Array(lengthBytes);
  for (let done = 0; done < lengthBytes; ) {
    const at = pa + BigInt(done);
    const offset = Number(at & 0xfffn);
    const page = pageForRead(memory, Number(at >> 12n));
    if (page === undefined) return undefined;
    const count = Math.min(lengthBytes - done, PAGE_BYTES - offset);
    result.set(page.bytes.subarray(offset, offset + count), done);
    done += count;
  }
  return result;
}

/** Writes any number of bytes of memory; false, and nothing written, when some are absent. */
export function writeBytes(memory: Memory, pa: bigint, bytes: Uint8Array): boolean {
  const last = pa + BigInt(Math.max(bytes.length - 1, 0));
  for (let frame = Number(pa >> 12n); frame <= Number(last >> 12n); frame++) {
    if (pageForRead(memory, frame) === undefined) return false;
  }
  for (let done = 0; done < bytes.length; ) {
    const at = pa + BigInt(done);
    const offset = Number(at & 0xfffn);
    const page = pageForWrite(memory, Number(at >> 12n))!;
    const count = Math.min(bytes.length - done, PAGE_BYTES - offset);
    page.bytes.set(bytes.subarray(done, done + count), offset);
    done += count;
  }
  return true;
}

/** The allocation tag of the granule that holds an address; 0 where no memory is. */
export function readTag(memory: Memory, pa: bigint): number {
  const tags = pageForRead(memory, Number(pa >> 12n))?.tags;
  return tags?.[(Number(pa & 0xfffn) / TAG_GRANULE_BYTES) | 0] ?? 0;
}

/** Sets the allocation tag of the granule that holds an address; false where no memory is. */
export function writeTag(memory: Memory, pa: bigint, tag: number): boolean {
  const page = pageForWrite(memory, Number(pa >> 12n));
  if (page === undefined) return false;
  page.tags ??= new Uint8Array(PAGE_BYTES / TAG_GRANULE_BYTES);
  page.tags[(Number(pa & 0xfffn) / TAG_GRANULE_BYTES) | 0] = tag & 15;
  return true;
}

function littleEndian(bytes: Uint8Array): bigint {
  let value = 0n;
  for (let index = bytes.length - 1; index >= 0; index--) {
    value = (value << 8n) | BigInt(bytes[index]!);
  }
  return value;
}

function bytesOf(value: bigint, sizeBytes: number): Uint8Array {
  const bytes = new Uint8Array(sizeBytes);
  for (let index = 0; index < sizeBytes; index++) {
    bytes[index] = Number((value >> BigInt(8 * index)) & 0xffn);
  }
  return bytes;
}
