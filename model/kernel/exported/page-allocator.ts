// The kernel's page allocator: which frames are free, and which one comes next.
// CHOICE: the kernel's own order depends on zones and per-CPU lists; here a freed block is the next
// one given out
// (what per-CPU lists do for single pages), and untouched memory is handed out upwards.

/**
 * The largest order of one allocation. Source: MAX_ORDER 11 is exclusive, linux/mmzone.h (linux
 * 6.1).
 */
export const ORDER_MAX = 10;

/** Frames of the host that nothing else uses. Mutable; a fork copies it. */
export interface PageAllocator {
  /** The next frame that was never given out. */
  next: number;
  readonly end: number;
  /** Blocks given back, by order; the last is the first to go. */
  readonly free: number[][];
  /** Order of each block that is out, by its first frame. */
  readonly held: Map<number, number>;
}

export function createPageAllocator(first: number, end: number): PageAllocator {
  const free = Array.from({ length: ORDER_MAX + 1 }, (): number[] => []);
  return { next: first, end, free, held: new Map() };
}

export function forkPageAllocator(pages: PageAllocator): PageAllocator {
  return { ...pages, free: pages.free.map((blocks) => blocks.slice()), held: new Map(pages.held) };
}

/** 2^order frames in a row, aligned to their size; undefined when there are none. */
export function allocPages(pages: PageAllocator, order: number): number | undefined {
  if (order < 0 || order > ORDER_MAX) return undefined;
  const frame = pages.free[order]!.pop() ?? untouched(pages, order) ?? split(pages, order);
  if (frame !== undefined) pages.held.set(frame, order);
  return frame;
}

/**
 * Takes from memory that was never given out; frames skipped for alignment become free single
 * pages.
 */
function untouched(pages: PageAllocator, order: number): number | undefined {
  const count = 2 ** order;
  const frame = Math.ceil(pages.next / count) * count;
  if (frame + count > pages.end) return undefined;
  for (let skipped = frame - 1; skipped >= pages.next; skipped--) pages.free[0]!.push(skipped);
  pages.next = frame + count;
  return frame;
}

/** Halves the smallest larger block that is free. */
function split(pages: PageAllocator, order: number): number | undefined {
  for (let larger = order + 1; larger <= ORDER_MAX; larger++) {
    const frame = pages.free[larger]!.pop();
    if (frame === undefined) continue;
    for (let half = larger - 1; half >= order; half--) pages.free[half]!.push(frame + 2 ** half);
    return frame;
  }
  return undefined;
}

/** Gives a block back; false when no such block is out. */
export function freePages(pages: PageAllocator, frame: number, order: number): boolean {
  if (pages.held.get(frame) !== order) return false;
  pages.held.delete(frame);
  pages.free[order]!.push(frame);
  return true;
}

/** The order that holds a number of pages. Source: get_order, asm-generic/getorder.h. */
export const orderOf = (count: number): number => Math.ceil(Math.log2(Math.max(count, 1)));
