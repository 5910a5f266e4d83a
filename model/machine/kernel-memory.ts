// The kernel's own memory as its loader uses it: module memory, and loads and stores that need no
// code.

import { readBytes, writeBytes } from "../../cpu/memory.ts";
import { type KernVa, kernVa, type Pfn, pfn } from "../../spec/types/address.ts";
import { giveRun, takeRun } from "../kernel/exported/address-area.ts";
import { allocPages, freePages } from "../kernel/exported/page-allocator.ts";
import { type KernelProt, kernelAttributes } from "../pgtable/attributes.ts";
import { isValid, leaf, ownerOf } from "../pgtable/descriptor.ts";
import { findLeaf, translate, writeLeaf } from "../pgtable/table.ts";
import type { Machine } from "./machine.ts";
import { HCR_VM } from "./registers.ts";
import { invalidateKernel } from "./tlb.ts";

const PAGE = 4096n;

/**
 * The part of a kernel address that its table translates; undefined for an address that is not in
 * TTBR1's half.
 */
function inputOf({ kernelTable }: Machine, va: bigint): bigint | undefined {
  const bits = BigInt(kernelTable.inputBits);
  return va >> bits === (1n << (64n - bits)) - 1n ? BigInt.asUintN(Number(bits), va) : undefined;
}

/** The physical address behind a kernel address; undefined when the kernel maps nothing there. */
export function kernelPa(machine: Machine, va: bigint): bigint | undefined {
  const input = inputOf(machine, va);
  return input === undefined ? undefined : translate(machine.physical, machine.kernelTable, input);
}

/** The page behind a kernel address. Source: vmalloc_to_pfn, mm/vmalloc.c. */
export function pfnOfKernVa(machine: Machine, va: KernVa): Pfn {
  const pa = kernelPa(machine, va);
  if (pa === undefined) throw new Error(`0x${va.toString(16)} is not mapped`);
  return pfn(Number(pa / PAGE));
}

/** Maps one page of the kernel, over whatever was mapped there. */
export function mapKernelPage(machine: Machine, va: bigint, page: number, prot: KernelProt): void {
  const entry = leaf(BigInt(page) * PAGE, 3, kernelAttributes(prot));
  const { physical, kernelPool, kernelTable } = machine;
  const place = { address: BigInt.asUintN(machine.kernelTable.inputBits, va), level: 3 } as const;
  const before = writeLeaf(physical, kernelPool, kernelTable, place, entry);
  if (isValid(before.entry)) invalidateKernel(machine, va);
}

export function unmapKernelPage(machine: Machine, va: bigint): void {
  const place = { address: BigInt.asUintN(machine.kernelTable.inputBits, va), level: 3 } as const;
  writeLeaf(machine.physical, machine.kernelPool, machine.kernelTable, place, 0n);
  invalidateKernel(machine, va);
}

/**
 * Memory for a region of a module: addresses in a row, any pages, readable and writable, zero as
 * the loader makes it.
 * Undefined when there is not enough of it. A page that is not the host's stays as it is: see
 * `hostRefused`.
 * Source: module_alloc, arch/arm64/kernel/module.c; the memset of move_module, kernel/module/main.c
 * (linux 6.1).
 */
export function allocModuleMemory(machine: Machine, pages: number): KernVa | undefined {
  const base = takeRun(machine.moduleArea, pages);
  if (base === undefined) return undefined;
  const frames: number[] = [];
  while (frames.length < pages) {
    const frame = allocPages(machine.pages, 0);
    if (frame === undefined) {
      for (const taken of frames) freePages(machine.pages, taken, 0);
      giveRun(machine.moduleArea, base);
      return undefined;
    }
    frames.push(frame);
  }
  for (const [index, frame] of frames.entries()) {
    const va = base + BigInt(index) * PAGE;
    mapKernelPage(machine, va, frame, "rw");
    if (hostRefused(machine, 0, va) === undefined) clearFrame(machine, frame);
  }
  return base;
}

/**
 * Zeroes a frame; one that was never written stays unwritten, so that large regions cost nothing.
 */
function clearFrame(machine: Machine, frame: number): void {
  const words = machine.physical.readPage(BigInt(frame) * PAGE);
  if (words.some((word) => word !== 0n)) {
    machine.physical.writePage(BigInt(frame) * PAGE, words.fill(0n));
  }
}

/** Unmaps a region and frees its pages, whoever owns them. Source: module_memfree, vfree. */
export function freeModuleMemory(machine: Machine, base: KernVa, pages: number): void {
  const run = giveRun(machine.moduleArea, base);
  if (run === undefined || run.pages !== pages) {
    throw new Error(`0x${base.toString(16)} is no region of ${pages} pages`);
  }
  for (let index = 0; index < pages; index++) {
    const va = kernVa(base + BigInt(index) * PAGE);
    const frame = pfnOfKernVa(machine, va);
    unmapKernelPage(machine, va);
    freePages(machine.pages, frame, 0);
  }
}

/**
 * Changes what the kernel may do with pages of a region. Source: set_memory_ro, set_memory_x,
 * module_enable_x.
 */
export function protectKernel(
  machine: Machine,
  base: KernVa,
  pages: number,
  prot: KernelProt,
): void {
  for (let index = 0; index < pages; index++) {
    const va = kernVa(base + BigInt(index) * PAGE);
    mapKernelPage(machine, va, pfnOfKernVa(machine, va), prot);
  }
}

/**
 * Why the kernel on a CPU cannot touch an address although it maps it: the page is not the host's.
 * Undefined when it
 * can. The loader's stores go around the core, so that whoever makes them asks here first.
 */
export function hostRefused(machine: Machine, cpu: number, va: bigint): string | undefined {
  if ((machine.cores[cpu]!.sysreg.HCR_EL2 & HCR_VM) === 0n) return undefined;
  const pa = kernelPa(machine, va);
  if (pa === undefined) return undefined;
  const { entry } = findLeaf(machine.physical, machine.hostStage2.table, pa);
  if (isValid(entry) || entry === 0n) return undefined;
  return `0x${va.toString(16)} is on a page of ${ownerOf(entry) ?? "nobody"}`;
}

/** Bytes at a kernel address, with the access that the loader has: the page must be mapped. */
export function readKernelBytes(machine: Machine, va: bigint, lengthBytes: number): Uint8Array {
  const result = new Uint8Array(lengthBytes);
  for (const [at, done, size] of pagesOf(va, lengthBytes)) {
    const pa = kernelPa(machine, at);
    const bytes = pa === undefined ? undefined : readBytes(machine.memory, pa, size);
    if (bytes === undefined) throw new Error(`0x${at.toString(16)} is not mapped`);
    result.set(bytes, done);
  }
  return result;
}

export function writeKernelBytes(machine: Machine, va: bigint, bytes: Uint8Array): void {
  for (const [at, done, size] of pagesOf(va, bytes.length)) {
    const pa = kernelPa(machine, at);
    const written =
      pa !== undefined && writeBytes(machine.memory, pa, bytes.subarray(done, done + size));
    if (!written) throw new Error(`0x${at.toString(16)} is not mapped`);
  }
}

/** The pieces of a range by page: address, offset in the range, size. */
function* pagesOf(va: bigint, lengthBytes: number): Generator<[bigint, number, number]> {
  for (let done = 0; done < lengthBytes; ) {
    const at = BigInt.asUintN(64, va + BigInt(done));
    const size = Math.min(lengthBytes - done, Number(PAGE - (at % PAGE)));
    yield [at, done, size];
    done += size;
  }
}

const viewAt = (machine: Machine, va: bigint, size: number): DataView =>
  new DataView(readKernelBytes(machine, va, size).buffer);

export const readKernel64 = (machine: Machine, va: bigint): bigint =>
  viewAt(machine, va, 8).getBigUint64(0, true);

export const readKernelS32 = (machine: Machine, va: bigint): number =>
  viewAt(machine, va, 4).getInt32(0, true);

export function writeKernel64(machine: Machine, va: bigint, value: bigint): void {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setBigUint64(0, BigInt.asUintN(64, value), true);
  writeKernelBytes(machine, va, bytes);
}
