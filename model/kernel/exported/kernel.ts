// What a kernel function that module code calls gets to work with, and how it ends early.

import type { KernVa } from "../../../spec/types/address.ts";
import type { AddressArea } from "./address-area.ts";
import type { Heap } from "./heap.ts";
import type { PageAllocator } from "./page-allocator.ts";

/**
 * The memory of the kernel through its own translation; an access that faults throws a
 * `KernelStop`.
 */
export interface KernelMemory {
  readonly read: (va: bigint, lengthBytes: number) => Uint8Array;
  readonly write: (va: bigint, bytes: Uint8Array) => void;
}

/** The kernel on which exported functions work. */
export interface Kernel {
  readonly memory: KernelMemory;
  readonly pages: PageAllocator;
  readonly heap: Heap;
  /** Where vmalloc gives out addresses. */
  readonly vmalloc: AddressArea;
  /** Maps a page of the vmalloc area readable and writable, or removes its mapping. */
  readonly mapPage: (va: KernVa, pfn: number) => void;
  readonly unmapPage: (va: KernVa) => void;
  /** The frame behind a mapped kernel address. */
  readonly frameAt: (va: bigint) => number | undefined;
  /**
   * A line, or a part of one, for the kernel's log; `level` is 0 to 7, or undefined for the default
   * or a continued line.
   */
  readonly print: (level: number | undefined, text: string) => void;
  /** Calls a function of a module; its value is x0. */
  readonly call: (address: bigint, args: readonly bigint[]) => bigint;
}

/**
 * The registers and the stack at the first instruction of a function. Source: AAPCS64 6.8,
 * parameter passing.
 */
export interface KernelCall {
  /** x0 to x7. */
  readonly x: readonly bigint[];
  /** Where the arguments after the eighth lie. */
  readonly sp: bigint;
}

/** An exported function: its value for x0, or undefined when it has none. */
export type ExportedFunction = (kernel: Kernel, call: KernelCall) => bigint | undefined;

/**
 * Why a kernel function did not come back.
 * NON-SPEC: thrown, because a fault can happen under any load or store of any function; caught
 * where the function was
 * entered, and there a value again.
 */
export interface KernelStop {
  readonly kernelStop: "fault" | "panic" | "unbounded" | "unmodelled" | "ended";
  readonly what: string;
  /** For a fault: what the machine needs to deliver it. */
  readonly fault?: unknown;
}

export const stop = (kernelStop: KernelStop["kernelStop"], what: string): KernelStop => ({
  kernelStop,
  what,
});

export function isKernelStop(thrown: unknown): thrown is KernelStop {
  return typeof thrown === "object" && thrown !== null && "kernelStop" in thrown;
}

export const u64 = (value: bigint | number): bigint => BigInt.asUintN(64, BigInt(value));
export const s32 = (value: bigint): number => Number(BigInt.asIntN(32, value));

/** Argument n of a call. */
export const argument = (call: KernelCall, n: number): bigint => call.x[n] ?? 0n;

/** NON-SPEC: longest string that is looked for its end, and most bytes that one call moves. */
export const STRING_MAX = 1 << 20;
export const COPY_MAX = 1 << 24;

const PAGE = 4096;

/** Reads a little-endian value. */
export function readValue(kernel: Kernel, va: bigint, sizeBytes: 1 | 2 | 4 | 8): bigint {
  const bytes = kernel.memory.read(va, sizeBytes);
  let value = 0n;
  for (let index = sizeBytes - 1; index >= 0; index--) {
    value = (value << 8n) | BigInt(bytes[index]!);
  }
  return value;
}

/** Writes a little-endian value; bits beyond the size are dropped. */
export function writeValue(
  kernel: Kernel,
  va: bigint,
  sizeBytes: 1 | 2 | 4 | 8,
  value: bigint,
): void {
  const bytes = new Uint8Array(sizeBytes);
  for (let index = 0; index < sizeBytes; index++) {
    bytes[index] = Number((value >> BigInt(8 * index)) & 0xffn);
  }
  kernel.memory.write(va, bytes);
}

/**
 * The pieces of a range that do not cross a page, so that a fault is at the first byte that faults.
 */
export function* pieces(va: bigint, lengthBytes: number): Generator<[bigint, number]> {
  for (let done = 0; done < lengthBytes; ) {
    const at = u64(va + BigInt(done));
    const size = Math.min(lengthBytes - done, PAGE - Number(at & 0xfffn));
    yield [at, size];
    done += size;
  }
}

/** Reads a range that may cross pages. */
export function readRange(kernel: Kernel, va: bigint, lengthBytes: number): Uint8Array {
  const result = new Uint8Array(lengthBytes);
  let done = 0;
  for (const [at, size] of pieces(va, lengthBytes)) {
    result.set(kernel.memory.read(at, size), done);
    done += size;
  }
  return result;
}

/** Writes a range that may cross pages; the pages before one that faults are written. */
export function writeRange(kernel: Kernel, va: bigint, bytes: Uint8Array): void {
  let done = 0;
  for (const [at, size] of pieces(va, bytes.length)) {
    kernel.memory.write(at, bytes.subarray(done, done + size));
    done += size;
  }
}

/** A size argument, refused when no kernel of this memory could serve it. */
export function sizeArgument(name: string, value: bigint): number {
  if (value > BigInt(COPY_MAX)) throw stop("unbounded", `${name} of ${value} bytes`);
  return Number(value);
}

/**
 * The bytes of a string without its zero; at most `max` of them, and then the zero may be missing.
 */
export function stringBytes(
  kernel: Kernel,
  va: bigint,
  max = Number.POSITIVE_INFINITY,
): Uint8Array {
  const found: number[] = [];
  for (const [at, size] of pieces(va, Math.min(max, STRING_MAX))) {
    const piece = kernel.memory.read(at, size);
    const end = piece.indexOf(0);
    for (const byte of end === -1 ? piece : piece.subarray(0, end)) found.push(byte);
    if (end !== -1) return Uint8Array.from(found);
  }
  if (max <= STRING_MAX) return Uint8Array.from(found);
  throw stop("unbounded", `the string at 0x${va.toString(16)} has no end`);
}

/** Bytes as text, one character a byte. */
export const latin1 = (bytes: Uint8Array): string => Buffer.from(bytes).toString("latin1");
export const fromLatin1 = (text: string): Uint8Array =>
  Uint8Array.from(Buffer.from(text, "latin1"));

/** A string of the kernel as text, one character a byte. */
export const cString = (kernel: Kernel, va: bigint, max?: number): string =>
  latin1(stringBytes(kernel, va, max));
