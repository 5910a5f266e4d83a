// Physical memory for page-table tests: a map of 64-bit words, zero where nothing was written.

import { ENTRIES, type PhysicalMemory } from "../../../model/pgtable/physical.ts";

export function wordMemory(): PhysicalMemory {
  const words = new Map<bigint, bigint>();
  const read64 = (pa: bigint): bigint => words.get(pa) ?? 0n;
  return {
    read64,
    write64: (pa, value) => void words.set(pa, value),
    readPage: (pa) =>
      BigUint64Array.from({ length: ENTRIES }, (_, index) => read64(pa + 8n * BigInt(index))),
    writePage: (pa, page) => {
      for (const [index, word] of page.entries()) words.set(pa + 8n * BigInt(index), word);
    },
  };
}
