// Memory that modules ask the kernel for: kmalloc, pages, vmalloc.
// Source: mm/slab_common.c, mm/page_alloc.c, mm/vmalloc.c, mm/util.c (linux 6.1), for what the
// caller sees.

import { kernVa } from "../../../spec/types/address.ts";
import { giveRun, takeRun } from "./address-area.ts";
import { kfree, kmalloc, objectSize, ZERO_SIZE_PTR } from "./heap.ts";
import {
  argument,
  type ExportedFunction,
  type Kernel,
  pieces,
  readRange,
  s32,
  sizeArgument,
  stop,
  stringBytes,
  u64,
  writeRange,
} from "./kernel.ts";
import { allocPages, freePages } from "./page-allocator.ts";
import { writeString } from "./string-functions.ts";

/** Source: ___GFP_ZERO, linux/gfp_types.h (linux 6.1). */
const GFP_ZERO = 0x100n;
const PAGE = 4096;

/**
 * struct page of frame n is vmemmap + 64 n; its contents are not modelled and not mapped.
 * Source: VMEMMAP_START = -(1 << (39 - 6)) for 39 bits, asm/memory.h (linux 6.1); memory starts at
 * frame 0x40000.
 */
const VMEMMAP_START = 0xffff_fffe_0000_0000n;
const STRUCT_PAGE_BYTES = 64n;
const FIRST_FRAME = 0x40000;

const pageOfFrame = (frame: number): bigint =>
  VMEMMAP_START + BigInt(frame - FIRST_FRAME) * STRUCT_PAGE_BYTES;
const frameOfPage = (page: bigint): number =>
  Number((page - VMEMMAP_START) / STRUCT_PAGE_BYTES) + FIRST_FRAME;

/** Zeroes what is not zero, so that large allocations of untouched memory cost nothing. */
function zero(kernel: Kernel, va: bigint, bytes: number): void {
  for (const [at, count] of pieces(va, bytes)) {
    const dirty = kernel.memory.read(at, count).some((byte) => byte !== 0);
    if (dirty) kernel.memory.write(at, new Uint8Array(count));
  }
}

/** kmalloc; NULL when there is no memory. */
function allocate(kernel: Kernel, bytes: number, flags: bigint): bigint {
  const object = kmalloc(kernel.heap, kernel.pages, bytes);
  if (object === undefined) return 0n;
  if ((flags & GFP_ZERO) !== 0n && object !== ZERO_SIZE_PTR) zero(kernel, object, bytes);
  return object;
}

/** A byte count that no allocator can serve is NULL, not a stop. */
const bytesOf = (value: bigint): number =>
  value > 0xffff_ffffn ? Number.MAX_SAFE_INTEGER : Number(value);

/** A kmalloc whose size is argument `size` and whose flags are argument `flags`. */
const kmallocWith =
  (size: number, flags: number): ExportedFunction =>
  (kernel, call) =>
    allocate(kernel, bytesOf(argument(call, size)), argument(call, flags));

/** Gives an object back; an address that was never given out is a bug of the caller. */
function release(kernel: Kernel, object: bigint): void {
  if (object <= ZERO_SIZE_PTR) return;
  if (!kfree(kernel.heap, kernel.pages, object)) {
    throw stop("panic", `kfree of 0x${object.toString(16)}, which was not allocated`);
  }
}

const kfreeFunction: ExportedFunction = (kernel, call) => {
  release(kernel, argument(call, 0));
  return undefined;
};

const kfreeSensitive: ExportedFunction = (kernel, call) => {
  const object = argument(call, 0);
  zero(kernel, object, objectSize(kernel.heap, object) ?? 0);
  release(kernel, object);
  return undefined;
};

const ksize: ExportedFunction = (kernel, call) =>
  u64(objectSize(kernel.heap, argument(call, 0)) ?? 0);

/** krealloc(object, size, flags). */
const krealloc: ExportedFunction = (kernel, call) => {
  const [object, size, flags] = [argument(call, 0), argument(call, 1), argument(call, 2)];
  if (size === 0n) {
    release(kernel, object);
    return ZERO_SIZE_PTR;
  }
  const had = objectSize(kernel.heap, object) ?? 0;
  if (had >= bytesOf(size)) return object;
  const larger = allocate(kernel, bytesOf(size), flags);
  if (larger !== 0n && had > 0) {
    writeRange(kernel, larger, readRange(kernel, object, had));
    release(kernel, object);
  }
  return larger;
};

/** kstrdup(text, flags): NULL for NULL. */
const kstrdup: ExportedFunction = (kernel, call) => {
  if (argument(call, 0) === 0n) return 0n;
  return copied(kernel, stringBytes(kernel, argument(call, 0)));
};

const kstrndup: ExportedFunction = (kernel, call) => {
  if (argument(call, 0) === 0n) return 0n;
  const max = sizeArgument("kstrndup", argument(call, 1));
  return copied(kernel, stringBytes(kernel, argument(call, 0), max));
};

function copied(kernel: Kernel, text: Uint8Array): bigint {
  const object = allocate(kernel, text.length + 1, 0n);
  if (object !== 0n) writeString(kernel, object, text);
  return object;
}

const kmemdup: ExportedFunction = (kernel, call) => {
  const size = sizeArgument("kmemdup", argument(call, 1));
  const object = allocate(kernel, size, 0n);
  if (object !== 0n) writeRange(kernel, object, readRange(kernel, argument(call, 0), size));
  return object;
};

/** 2^order pages as a frame, zeroed if asked for. */
function pages(kernel: Kernel, order: number, flags: bigint): number | undefined {
  const frame = allocPages(kernel.pages, order);
  if (frame !== undefined && (flags & GFP_ZERO) !== 0n) {
    zero(kernel, linear(kernel, frame), PAGE * 2 ** order);
  }
  return frame;
}

const linear = (kernel: Kernel, frame: number): bigint =>
  u64(kernel.heap.linearBase + BigInt(frame) * 4096n);

/** __get_free_pages(flags, order): an address in the linear map, or 0. */
const getFreePages: ExportedFunction = (kernel, call) => {
  const frame = pages(kernel, s32(argument(call, 1)), argument(call, 0));
  return frame === undefined ? 0n : linear(kernel, frame);
};

const getZeroedPage: ExportedFunction = (kernel, call) => {
  const frame = pages(kernel, 0, argument(call, 0) | GFP_ZERO);
  return frame === undefined ? 0n : linear(kernel, frame);
};

/** alloc_pages(flags, order) and its kin: a struct page, or NULL. */
const allocPagesFunction: ExportedFunction = (kernel, call) => {
  const frame = pages(kernel, s32(argument(call, 1)), argument(call, 0));
  return frame === undefined ? 0n : pageOfFrame(frame);
};

function releasePages(kernel: Kernel, frame: number, order: number): undefined {
  if (!freePages(kernel.pages, frame, order)) {
    throw stop("panic", `free_pages of frame 0x${frame.toString(16)}, order ${order}, not out`);
  }
  return undefined;
}

const freePagesFunction: ExportedFunction = (kernel, call) => {
  const va = argument(call, 0);
  if (va === 0n) return undefined;
  const frame = Number(u64(va - kernel.heap.linearBase) >> 12n);
  return releasePages(kernel, frame, s32(argument(call, 1)));
};

const freePagesOfStruct: ExportedFunction = (kernel, call) =>
  releasePages(kernel, frameOfPage(argument(call, 0)), s32(argument(call, 1)));

/** alloc_pages_exact(bytes, flags). CHOICE: the pages behind the last are kept, not given back. */
const allocPagesExact: ExportedFunction = (kernel, call) => {
  const count = Math.max(1, Math.ceil(bytesOf(argument(call, 0)) / PAGE));
  const frame = pages(kernel, Math.ceil(Math.log2(count)), argument(call, 1));
  return frame === undefined ? 0n : linear(kernel, frame);
};

const freePagesExact: ExportedFunction = (kernel, call) => {
  const frame = Number(u64(argument(call, 0) - kernel.heap.linearBase) >> 12n);
  const count = Math.max(1, Math.ceil(bytesOf(argument(call, 1)) / PAGE));
  return releasePages(kernel, frame, Math.ceil(Math.log2(count)));
};

/** vmalloc: pages of any frames behind addresses in a row; zeroed only if asked for. */
function vmalloc(zeroed: boolean): ExportedFunction {
  return (kernel, call) => {
    const count = Math.ceil(bytesOf(argument(call, 0)) / PAGE);
    const free = kernel.pages.end - kernel.pages.next;
    const base = count > free ? undefined : takeRun(kernel.vmalloc, count);
    if (base === undefined) return 0n;
    for (let page = 0; page < count; page++) {
      const frame = pages(kernel, 0, zeroed ? GFP_ZERO : 0n)!;
      kernel.mapPage(kernVa(base + BigInt(page * PAGE)), frame);
    }
    return base;
  };
}

const vfree: ExportedFunction = (kernel, call) => {
  const base = argument(call, 0);
  if (base === 0n) return undefined;
  const run = giveRun(kernel.vmalloc, base);
  if (run === undefined) throw stop("panic", `vfree of 0x${base.toString(16)}, not allocated`);
  for (let page = 0; page < run.pages; page++) {
    const va = kernVa(base + BigInt(page * PAGE));
    const frame = kernel.frameAt(va)!;
    kernel.unmapPage(va);
    freePages(kernel.pages, frame, 0);
  }
  return undefined;
};

const kvfree: ExportedFunction = (kernel, call) => {
  const { start, end } = kernel.vmalloc;
  const inVmalloc = argument(call, 0) >= start && argument(call, 0) < end;
  return (inVmalloc ? vfree : kfreeFunction)(kernel, call);
};

const vmallocToPfn: ExportedFunction = (kernel, call) =>
  u64(kernel.frameAt(argument(call, 0)) ?? 0);

const vmallocToPage: ExportedFunction = (kernel, call) => {
  const frame = kernel.frameAt(argument(call, 0));
  return frame === undefined ? 0n : pageOfFrame(frame);
};

/** By exported name. */
export const ALLOCATION_FUNCTIONS: Readonly<Record<string, ExportedFunction>> = {
  __kmalloc: kmallocWith(0, 1),
  __kmalloc_node: kmallocWith(0, 1),
  __kmalloc_noprof: kmallocWith(0, 1),
  kmalloc_trace: kmallocWith(2, 1),
  kmalloc_trace_noprof: kmallocWith(2, 1),
  __kmalloc_cache_noprof: kmallocWith(2, 1),
  kmem_cache_alloc_trace: kmallocWith(2, 1),
  kmalloc_large: kmallocWith(0, 1),
  kvmalloc_node: kmallocWith(0, 1),
  kmalloc_order: kmallocWith(0, 1),
  kfree: kfreeFunction,
  kfree_const: kfreeFunction,
  kfree_sensitive: kfreeSensitive,
  kvfree,
  ksize,
  krealloc,
  kstrdup,
  kstrndup,
  kmemdup,
  __get_free_pages: getFreePages,
  get_zeroed_page: getZeroedPage,
  free_pages: freePagesFunction,
  __alloc_pages: allocPagesFunction,
  alloc_pages: allocPagesFunction,
  __free_pages: freePagesOfStruct,
  alloc_pages_exact: allocPagesExact,
  free_pages_exact: freePagesExact,
  vmalloc: vmalloc(false),
  vzalloc: vmalloc(true),
  vfree,
  vmalloc_to_pfn: vmallocToPfn,
  vmalloc_to_page: vmallocToPage,
};
