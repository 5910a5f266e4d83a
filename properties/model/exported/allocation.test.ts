// Page allocator, heap and address areas: their order on paper, and no overlap on random sequences.

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createArea, giveRun, takeRun } from "../../../model/kernel/exported/address-area.ts";
import { createHeap, forkHeap, kfree, kmalloc } from "../../../model/kernel/exported/heap.ts";
import {
  allocPages,
  createPageAllocator,
  forkPageAllocator,
  freePages,
} from "../../../model/kernel/exported/page-allocator.ts";
import { kernVa } from "../../../spec/types/address.ts";
import { benchKernel, MAPPED } from "./bench-kernel.ts";

describe("pages", () => {
  test("upwards at first, then last in first out", () => {
    const pages = createPageAllocator(0x100, 0x110);
    expect([0, 0, 0].map((order) => allocPages(pages, order))).toEqual([0x100, 0x101, 0x102]);
    freePages(pages, 0x100, 0);
    freePages(pages, 0x102, 0);
    expect(allocPages(pages, 0)).toBe(0x102);
    expect(allocPages(pages, 0)).toBe(0x100);
    expect(allocPages(pages, 0)).toBe(0x103);
  });

  test("a block is aligned to its size; the frames skipped for it come next", () => {
    const pages = createPageAllocator(0x101, 0x110);
    expect(allocPages(pages, 2)).toBe(0x104);
    expect([0, 0, 0, 0].map((order) => allocPages(pages, order))).toEqual([
      0x101, 0x102, 0x103, 0x108,
    ]);
  });

  test("when nothing is untouched, larger free blocks are halved; then there is nothing", () => {
    const pages = createPageAllocator(0x100, 0x104);
    expect(allocPages(pages, 2)).toBe(0x100);
    expect(allocPages(pages, 0)).toBeUndefined();
    freePages(pages, 0x100, 2);
    expect([0, 0, 1].map((order) => allocPages(pages, order))).toEqual([0x100, 0x101, 0x102]);
    expect(allocPages(pages, 0)).toBeUndefined();
    expect(allocPages(pages, 11)).toBeUndefined();
  });

  test("giving back what is not out is noticed", () => {
    const pages = createPageAllocator(0x100, 0x110);
    const frame = allocPages(pages, 1)!;
    expect(freePages(pages, frame, 0)).toBe(false);
    expect(freePages(pages, frame, 1)).toBe(true);
    expect(freePages(pages, frame, 1)).toBe(false);
  });

  test("a fork goes its own way", () => {
    const pages = createPageAllocator(0x100, 0x110);
    allocPages(pages, 0);
    const fork = forkPageAllocator(pages);
    expect(allocPages(fork, 0)).toBe(0x101);
    freePages(fork, 0x100, 0);
    expect(allocPages(pages, 0)).toBe(0x101);
    expect(pages.held.has(0x100)).toBe(true);
  });

  test("no two blocks that are out ever overlap", () => {
    const order = fc.integer({ min: 0, max: 3 });
    const command = fc.oneof(
      fc.record({ kind: fc.constant("alloc" as const), order }),
      fc.record({ kind: fc.constant("free" as const), which: fc.nat(20) }),
    );
    fc.assert(
      fc.property(fc.array(command, { maxLength: 60 }), (commands) => {
        const pages = createPageAllocator(0x103, 0x123);
        const out: [number, number][] = [];
        for (const step of commands) {
          if (step.kind === "alloc") {
            const frame = allocPages(pages, step.order);
            if (frame !== undefined) out.push([frame, step.order]);
          } else if (out.length > 0) {
            const [[frame, size]] = out.splice(step.which % out.length, 1) as [[number, number]];
            expect(freePages(pages, frame, size)).toBe(true);
          }
          const frames = out.flatMap(([frame, size]) =>
            Array.from({ length: 2 ** size }, (_, n) => frame + n),
          );
          expect(new Set(frames).size).toBe(frames.length);
          expect(frames.every((frame) => frame >= 0x103 && frame < 0x123)).toBe(true);
        }
      }),
      { seed: 1, numRuns: 300 },
    );
  });
});

describe("heap", () => {
  test("objects of one page in ascending order, a freed one first", () => {
    const pages = createPageAllocator(0x100, 0x110);
    const heap = createHeap(0n);
    const [a, b] = [kmalloc(heap, pages, 100)!, kmalloc(heap, pages, 128)!];
    expect([a, b]).toEqual([0x100000n, 0x100080n]);
    expect(kfree(heap, pages, a)).toBe(true);
    expect(kmalloc(heap, pages, 97)).toBe(a);
    // 96 is a size of its own, from a page of its own.
    expect(kmalloc(heap, pages, 96)).toBe(0x101000n);
  });

  test("sizes at the edges", () => {
    const pages = createPageAllocator(0x100, 0x900);
    const heap = createHeap(0n);
    expect(kmalloc(heap, pages, 0)).toBe(16n);
    expect(kmalloc(heap, pages, 8192)).toBe(0x100000n);
    const large = kmalloc(heap, pages, 8193)!;
    expect(large % 0x4000n).toBe(0n);
    expect(kfree(heap, pages, large)).toBe(true);
    expect(kfree(heap, pages, large)).toBe(false);
    expect(kmalloc(heap, pages, 9000)).toBe(large);
    expect(kmalloc(heap, pages, (1 << 22) + 1)).toBeUndefined();
  });

  test("a fork goes its own way", () => {
    const pages = createPageAllocator(0x100, 0x110);
    const heap = createHeap(0n);
    const object = kmalloc(heap, pages, 8)!;
    const fork = forkHeap(heap);
    kfree(fork, forkPageAllocator(pages), object);
    expect(heap.held.has(object)).toBe(true);
    expect(kmalloc(heap, pages, 8)).toBe(object + 8n);
  });
});

describe("areas", () => {
  test("lowest run that fits, with an unmapped page behind each", () => {
    const area = createArea(kernVa(0x10000n), kernVa(0x20000n));
    expect(takeRun(area, 2)).toBe(0x10000n);
    expect(takeRun(area, 1)).toBe(0x13000n);
    expect(takeRun(area, 1)).toBe(0x15000n);
    expect(giveRun(area, 0x13000n)).toMatchObject({ pages: 1 });
    expect(takeRun(area, 2)).toBe(0x17000n);
    expect(takeRun(area, 1)).toBe(0x13000n);
    expect(takeRun(area, 16)).toBeUndefined();
    expect(takeRun(area, 0)).toBeUndefined();
    expect(giveRun(area, 0x14000n)).toBeUndefined();
  });
});

describe("what modules call", () => {
  test("kmalloc with __GFP_ZERO is zero, without it keeps what was there", () => {
    const { call, kernel } = benchKernel();
    const object = call("__kmalloc", 64, 0xcc0)!;
    kernel.memory.write(object, new Uint8Array(64).fill(7));
    call("kfree", object);
    expect(call("kmalloc_trace", 0x1234, 0xcc0, 64)).toBe(object);
    expect(kernel.memory.read(object, 1)[0]).toBe(7);
    call("kfree", object);
    expect(call("__kmalloc", 64, 0xdc0)).toBe(object);
    expect(kernel.memory.read(object, 64)).toEqual(new Uint8Array(64));
  });

  test("kfree ignores NULL and ZERO_SIZE_PTR, and dies of a wild pointer", () => {
    const { call } = benchKernel();
    call("kfree", 0);
    call("kfree", 16);
    expect(() => call("kfree", MAPPED)).toThrow(expect.objectContaining({ kernelStop: "panic" }));
  });

  test("pages by address and by struct page", () => {
    const { call, kernel } = benchKernel();
    const va = call("__get_free_pages", 0xdc0, 1)!;
    expect(va).toBe(MAPPED + 0x10000n);
    call("free_pages", va, 1);
    // Frame 0x40010 is the sixteenth of vmemmap, 64 bytes each.
    expect(call("alloc_pages", 0xcc0, 1)).toBe(0xffff_fffe_0000_0400n);
    call("__free_pages", 0xffff_fffe_0000_0400n, 1);
    expect(kernel.pages.held.size).toBe(0);
    expect(call("__get_free_pages", 0xcc0, 11)).toBe(0n);
  });

  test("krealloc moves what was there; kstrdup copies", () => {
    const { call, kernel, put } = benchKernel();
    const copy = call("kstrdup", put(0x100, "abc"), 0xcc0)!;
    expect(kernel.memory.read(copy, 4)).toEqual(Uint8Array.of(0x61, 0x62, 0x63, 0));
    const larger = call("krealloc", copy, 100, 0xcc0)!;
    expect(larger).not.toBe(copy);
    expect(kernel.memory.read(larger, 4)).toEqual(Uint8Array.of(0x61, 0x62, 0x63, 0));
    expect(kernel.heap.held.has(copy)).toBe(false);
    expect(call("kstrdup", 0, 0xcc0)).toBe(0n);
  });

  test("a size that no memory serves is NULL, not a stop", () => {
    const { call } = benchKernel();
    expect(call("__kmalloc", 0xffff_ffff_ffff_ffffn, 0xdc0)).toBe(0n);
    expect(call("vmalloc", 1n << 50n)).toBe(0n);
    expect(call("vmalloc", 0)).toBe(0n);
  });
});

describe("functions", () => {
  test("get_zeroed_page takes one page, whatever was in it", () => {
    const { call, kernel } = benchKernel();
    const first = call("__get_free_pages", 0n, 0n)!;
    kernel.memory.write(first, new Uint8Array(4096).fill(7));
    call("free_pages", first, 0n);
    expect(call("get_zeroed_page", 0n)).toBe(first);
    expect(kernel.memory.read(first, 4096).every((byte) => byte === 0)).toBe(true);
    expect(call("get_zeroed_page", 0n)).toBe(first + 4096n);
  });

  // Source: vfree, mm/vmalloc.c: nothing for NULL; BUG for what vmalloc did not give.
  test("vfree of NULL is nothing, of another address it is the end", () => {
    const { call } = benchKernel();
    expect(call("vfree", 0n)).toBeUndefined();
    expect(() => call("vfree", MAPPED)).toThrow(expect.objectContaining({ kernelStop: "panic" }));
  });

  // Source: smccc_version, drivers/firmware/smccc: ARM_SMCCC_VERSION_1_0 where PSCI says nothing
  // else (measured, behaviour 42).
  test("the SMCCC that the firmware has is 1.0", () => {
    expect(benchKernel().call("arm_smccc_get_version")).toBe(0x1_0000n);
  });
});
