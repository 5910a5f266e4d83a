// Physical memory: what is there, byte order, copy on write, devices, tags, code generations.

import { describe, expect, test } from "vitest";
import {
  createMemory,
  type Device,
  forkMemory,
  pageForRead,
  pageForWrite,
  readBytes,
  readPhysical,
  readTag,
  writeBytes,
  writePhysical,
  writeTag,
} from "../../../cpu/memory.ts";

const region = { base: 0x4000_0000n, sizeBytes: 0x2_0000n };

/** A device of one 64-bit register that counts its reads. */
function counter(reads = 0n): Device {
  return {
    name: "counter",
    base: 0x900_0000n,
    sizeBytes: 0x1000n,
    read: (offset) => (offset === 0n ? ++reads : undefined),
    write: (offset, _sizeBytes, value) => {
      if (offset !== 0n) return false;
      reads = value;
      return true;
    },
    fork: () => counter(reads),
  };
}

describe("what is there", () => {
  test("a region reads as zero before anything is written", () => {
    expect(readPhysical(createMemory([region]), 0x4000_1234n, 4)).toBe(0n);
  });

  test("nothing answers outside of regions and devices", () => {
    const memory = createMemory([region]);
    expect(readPhysical(memory, 0x3fff_fff8n, 8)).toBeUndefined();
    expect(readPhysical(memory, 0x4002_0000n, 1)).toBeUndefined();
    expect(writePhysical(memory, 0x4002_0000n, 1, 1n)).toBe(false);
  });

  test("an access that leaves the region is refused whole", () => {
    const memory = createMemory([region]);
    expect(writePhysical(memory, 0x4001_fffcn, 8, -1n)).toBe(false);
    expect(readPhysical(memory, 0x4001_fffcn, 4)).toBe(0n);
    expect(readPhysical(memory, 0x4001_fffcn, 8)).toBeUndefined();
  });

  test("a region that is not made of pages is our mistake", () => {
    expect(() => createMemory([{ base: 0x800n, sizeBytes: 0x1000n }])).toThrow(RangeError);
  });
});

describe("values", () => {
  test("are little-endian", () => {
    const memory = createMemory([region]);
    writePhysical(memory, 0x4000_0010n, 8, 0x8877_6655_4433_2211n);
    expect(readPhysical(memory, 0x4000_0010n, 1)).toBe(0x11n);
    expect(readPhysical(memory, 0x4000_0012n, 2)).toBe(0x4433n);
    expect(readPhysical(memory, 0x4000_0014n, 4)).toBe(0x8877_6655n);
  });

  test("of sixteen bytes keep their halves in order", () => {
    const memory = createMemory([region]);
    writePhysical(memory, 0x4000_0020n, 16, (0xaan << 64n) | 0xbbn);
    expect(readPhysical(memory, 0x4000_0020n, 8)).toBe(0xbbn);
    expect(readPhysical(memory, 0x4000_0028n, 8)).toBe(0xaan);
    expect(readPhysical(memory, 0x4000_0020n, 16)).toBe((0xaan << 64n) | 0xbbn);
  });

  test("are cut to their size", () => {
    const memory = createMemory([region]);
    writePhysical(memory, 0x4000_0000n, 2, 0x12345n);
    expect(readPhysical(memory, 0x4000_0000n, 4)).toBe(0x2345n);
  });

  test("cross pages", () => {
    const memory = createMemory([region]);
    writePhysical(memory, 0x4000_0ffdn, 8, 0x0807_0605_0403_0201n);
    expect(readPhysical(memory, 0x4000_0ffdn, 8)).toBe(0x0807_0605_0403_0201n);
    expect(readPhysical(memory, 0x4000_1000n, 1)).toBe(4n);
  });

  test("go in and out in bulk", () => {
    const memory = createMemory([region]);
    const bytes = Uint8Array.from({ length: 9000 }, (_, index) => index % 251);
    expect(writeBytes(memory, 0x4000_0ff0n, bytes)).toBe(true);
    expect(readBytes(memory, 0x4000_0ff0n, 9000)).toEqual(bytes);
    expect(writeBytes(memory, 0x4001_f000n, bytes)).toBe(false);
    expect(readPhysical(memory, 0x4001_f000n, 8)).toBe(0n);
  });
});

describe("a fork", () => {
  test("has the contents of the moment, and neither side sees the other's writes", () => {
    const memory = createMemory([region]);
    writePhysical(memory, 0x4000_0000n, 8, 1n);
    const fork = forkMemory(memory);
    writePhysical(memory, 0x4000_0000n, 8, 2n);
    writePhysical(fork, 0x4000_1000n, 8, 3n);
    expect(readPhysical(fork, 0x4000_0000n, 8)).toBe(1n);
    expect(readPhysical(memory, 0x4000_0000n, 8)).toBe(2n);
    expect(readPhysical(memory, 0x4000_1000n, 8)).toBe(0n);
  });

  test("copies a page only when one side writes it", () => {
    const memory = createMemory([region]);
    writePhysical(memory, 0x4000_0000n, 8, 1n);
    const fork = forkMemory(memory);
    expect(pageForRead(fork, 0x40000)).toBe(pageForRead(memory, 0x40000));
    writePhysical(fork, 0x4000_0008n, 8, 1n);
    expect(pageForRead(fork, 0x40000)).not.toBe(pageForRead(memory, 0x40000));
  });

  test("of a fork is independent of both", () => {
    const first = createMemory([region]);
    const second = forkMemory(first);
    writePhysical(second, 0x4000_0000n, 8, 2n);
    const third = forkMemory(second);
    writePhysical(second, 0x4000_0000n, 8, 4n);
    expect([first, second, third].map((memory) => readPhysical(memory, 0x4000_0000n, 8))).toEqual([
      0n,
      4n,
      2n,
    ]);
  });

  test("has devices of its own, and no cores", () => {
    const memory = createMemory([region], [counter()]);
    expect(readPhysical(memory, 0x900_0000n, 8)).toBe(1n);
    const fork = forkMemory(memory);
    expect(readPhysical(memory, 0x900_0000n, 8)).toBe(2n);
    expect(readPhysical(fork, 0x900_0000n, 8)).toBe(2n);
    expect(fork.cores).toEqual([]);
  });
});

describe("devices", () => {
  test("answer, and may refuse", () => {
    const memory = createMemory([region], [counter()]);
    expect(writePhysical(memory, 0x900_0000n, 4, 7n)).toBe(true);
    expect(readPhysical(memory, 0x900_0000n, 4)).toBe(8n);
    expect(readPhysical(memory, 0x900_0008n, 4)).toBeUndefined();
    expect(writePhysical(memory, 0x900_0008n, 4, 0n)).toBe(false);
  });
});

describe("bookkeeping", () => {
  test("a write changes the generation of its page and of no other", () => {
    const memory = createMemory([region]);
    writePhysical(memory, 0x4000_0000n, 1, 1n);
    writePhysical(memory, 0x4000_1000n, 1, 1n);
    const [first, second] = [pageForRead(memory, 0x40000)!, pageForRead(memory, 0x40001)!];
    const before = [first.generation, second.generation];
    writePhysical(memory, 0x4000_0ff8n, 8, 1n);
    expect(first.generation).toBeGreaterThan(before[0]!);
    expect(second.generation).toBe(before[1]);
  });

  test("writing a page that holds tables, by whatever way, is noticed", () => {
    const memory = createMemory([region]);
    pageForWrite(memory, 0x40000)!.holdsTables = true;
    const before = memory.tableGeneration;
    writePhysical(memory, 0x4000_1000n, 8, 1n);
    expect(memory.tableGeneration).toBe(before);
    writeBytes(memory, 0x4000_0ff8n, new Uint8Array(16));
    expect(memory.tableGeneration).toBeGreaterThan(before);
    const fork = forkMemory(memory);
    const inFork = fork.tableGeneration;
    writePhysical(fork, 0x4000_0000n, 8, 1n);
    expect(fork.tableGeneration).toBeGreaterThan(inFork);
  });

  test("allocation tags belong to sixteen bytes each, and are forked", () => {
    const memory = createMemory([region]);
    writeTag(memory, 0x4000_0018n, 0x19);
    expect(readTag(memory, 0x4000_000fn)).toBe(0);
    expect(readTag(memory, 0x4000_0010n)).toBe(9);
    expect(readTag(memory, 0x4000_001fn)).toBe(9);
    expect(readTag(memory, 0x4000_0020n)).toBe(0);
    const fork = forkMemory(memory);
    writeTag(fork, 0x4000_0010n, 1);
    expect(readTag(memory, 0x4000_0010n)).toBe(9);
    expect(writeTag(memory, 0x1000n, 1)).toBe(false);
  });
});
