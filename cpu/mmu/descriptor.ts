// Translation table descriptors of VMSAv8-64: where they are read from, and which kind they are.

import { type Memory, pageForRead, pageForWrite, readPhysical } from "../memory.ts";
import { type GranuleBits, levelShift } from "./walk-parameters.ts";

/** The two halves of a descriptor. */
export interface Descriptor {
  readonly low: number;
  readonly high: number;
}

/** One bit of a descriptor. */
export function descriptorBit(descriptor: Descriptor, position: number): number {
  return position < 32
    ? (descriptor.low >>> position) & 1
    : (descriptor.high >>> (position - 32)) & 1;
}

/** A field that lies within one half of a descriptor. */
export function descriptorField(descriptor: Descriptor, high: number, low: number): number {
  const half = low < 32 ? descriptor.low >>> low : descriptor.high >>> (low - 32);
  return half & (2 ** (high - low + 1) - 1);
}

/** The address in bits 47 down to `low`. */
export function descriptorAddress(descriptor: Descriptor, low: number): number {
  const address = (descriptor.high & 0xffff) * 2 ** 32 + descriptor.low;
  return address - (address % 2 ** low);
}

/** Reads a descriptor; undefined for an external abort. The page is marked as holding tables. */
export function readDescriptor(
  memory: Memory,
  pa: number,
  bigEndian: boolean,
): Descriptor | undefined {
  const page = pageForRead(memory, Math.floor(pa / 4096));
  if (page === undefined) return readDeviceDescriptor(memory, pa, bigEndian);
  page.holdsTables = true;
  const offset = pa % 4096;
  const first = page.view.getUint32(offset, !bigEndian);
  const second = page.view.getUint32(offset + 4, !bigEndian);
  return bigEndian ? { low: second, high: first } : { low: first, high: second };
}

function readDeviceDescriptor(memory: Memory, pa: number, bigEndian: boolean) {
  const value = readPhysical(memory, BigInt(pa), 8);
  if (value === undefined) return undefined;
  const low = Number(value & 0xffff_ffffn);
  const high = Number(value >> 32n);
  return bigEndian ? { low: swap(high), high: swap(low) } : { low, high };
}

/** The four bytes of a word in the other order. */
function swap(word: number): number {
  const [outer, inner] = [word & 0xff, word & 0xff00];
  return ((outer << 24) | (inner << 8) | ((word >>> 8) & 0xff00) | (word >>> 24)) >>> 0;
}

/** Sets or clears bits of a descriptor in place, as a hardware update does. */
export function updateDescriptor(
  memory: Memory,
  pa: number,
  bigEndian: boolean,
  update: (descriptor: Descriptor) => Descriptor,
): void {
  const descriptor = readDescriptor(memory, pa, bigEndian);
  const page = pageForWrite(memory, Math.floor(pa / 4096));
  if (descriptor === undefined || page === undefined) return;
  const { low, high } = update(descriptor);
  const offset = pa % 4096;
  page.view.setUint32(offset, bigEndian ? high : low, !bigEndian);
  page.view.setUint32(offset + 4, bigEndian ? low : high, !bigEndian);
}

export type DescriptorKind = "invalid" | "table" | "leaf";

/**
 * What a descriptor is at a level. Bits 1:0 are 0b11 for a table or, at level 3, a page; 0b01 for
 * a block, where the granule has blocks at that level.
 * Source: DDI0487 D8.3.1 VMSAv8-64 descriptor formats.
 */
export function descriptorKind(
  descriptor: Descriptor,
  level: number,
  granuleBits: GranuleBits,
): DescriptorKind {
  const type = descriptor.low & 3;
  if (level === 3) return type === 3 ? "leaf" : "invalid";
  if (type === 3) return "table";
  if (type === 1 && level >= firstBlockLevel(granuleBits)) return "leaf";
  return "invalid";
}

/** Without 52-bit addresses: level 1 with 4 KiB, level 2 with the larger granules. */
function firstBlockLevel(granuleBits: GranuleBits): number {
  return granuleBits === 12 ? 1 : 2;
}

/** Whether an address has bits at or above `outputBits`. */
export function exceeds(address: number, outputBits: number): boolean {
  return address >= 2 ** outputBits;
}

/** The address of the entry that translates `input` in the table at `table`. */
export function entryAddress(
  table: number,
  input: number,
  granuleBits: GranuleBits,
  level: number,
  isFirst: boolean,
): number {
  const index = Math.floor(input / 2 ** levelShift(granuleBits, level));
  // The first table may be concatenated: all bits of the input above the shift select an entry.
  const entry = isFirst ? index : index % 2 ** (granuleBits - 3);
  return table + 8 * entry;
}
