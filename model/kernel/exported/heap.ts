// kmalloc: objects of fixed sizes cut from pages; a freed object is the next one given out.

import { u64 } from "./kernel.ts";
import { allocPages, freePages, orderOf, type PageAllocator } from "./page-allocator.ts";

/**
 * Object sizes in bytes. Source: kmalloc_info, mm/slab_common.c (linux 6.1), minimum 8 as without
 * DMA alignment.
 */
const SIZES = [8, 16, 32, 64, 96, 128, 192, 256, 512, 1024, 2048, 4096, 8192] as const;
const PAGE = 4096;

/** What kmalloc(0) answers; kfree ignores it. Source: ZERO_SIZE_PTR, linux/slab.h. */
export const ZERO_SIZE_PTR = 16n;
/** Source: KMALLOC_MAX_SIZE = 1 << (MAX_ORDER + PAGE_SHIFT - 1), linux/slab.h (linux 6.1). */
const KMALLOC_MAX_SIZE = 1 << 22;

/** What of the heap is out and what is free, by linear-map address. Mutable; a fork copies it. */
export interface Heap {
  /** Linear-map address of frame 0. */
  readonly linearBase: bigint;
  readonly free: Map<number, bigint[]>;
  readonly held: Map<bigint, number>;
}

export const createHeap = (linearBase: bigint): Heap => ({
  linearBase,
  free: new Map(),
  held: new Map(),
});

export const forkHeap = (heap: Heap): Heap => ({
  linearBase: heap.linearBase,
  free: new Map([...heap.free].map(([size, objects]) => [size, objects.slice()])),
  held: new Map(heap.held),
});

const linear = (heap: Heap, frame: number): bigint => u64(heap.linearBase + BigInt(frame) * 4096n);

/** An object of at least that many bytes; undefined when there is no memory. */
export function kmalloc(heap: Heap, pages: PageAllocator, bytes: number): bigint | undefined {
  if (bytes === 0) return ZERO_SIZE_PTR;
  if (bytes > KMALLOC_MAX_SIZE) return undefined;
  const size = SIZES.find((candidate) => candidate >= bytes);
  const object = size === undefined ? large(heap, pages, bytes) : small(heap, pages, size);
  if (object !== undefined) heap.held.set(object, size ?? bytes);
  return object;
}

function large(heap: Heap, pages: PageAllocator, bytes: number): bigint | undefined {
  const frame = allocPages(pages, orderOf(Math.ceil(bytes / PAGE)));
  return frame === undefined ? undefined : linear(heap, frame);
}

function small(heap: Heap, pages: PageAllocator, size: number): bigint | undefined {
  const list = heap.free.get(size) ?? [];
  heap.free.set(size, list);
  const object = list.pop();
  if (object !== undefined) return object;
  const frame = allocPages(pages, size > PAGE ? 1 : 0);
  if (frame === undefined) return undefined;
  const base = linear(heap, frame);
  // The lowest object goes first.
  for (let at = Math.floor(Math.max(PAGE, size) / size) - 1; at > 0; at--) {
    list.push(base + BigInt(at * size));
  }
  return base;
}

/** How many bytes an object may use; undefined when it is not one. */
export const objectSize = (heap: Heap, object: bigint): number | undefined => heap.held.get(object);

/** Gives an object back; false when none starts there. */
export function kfree(heap: Heap, pages: PageAllocator, object: bigint): boolean {
  const size = heap.held.get(object);
  if (size === undefined) return false;
  heap.held.delete(object);
  if (size <= SIZES.at(-1)!) {
    heap.free.get(size)!.push(object);
    return true;
  }
  const frame = Number((object - heap.linearBase) / 4096n);
  return freePages(pages, frame, orderOf(Math.ceil(size / PAGE)));
}
