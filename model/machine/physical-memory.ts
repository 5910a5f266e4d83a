// The memory of a machine as page-table code sees it: words and pages.

import {
  type Memory,
  readBytes,
  readPhysical,
  writeBytes,
  writePhysical,
} from "../../cpu/memory.ts";
import type { PhysicalMemory } from "../pgtable/physical.ts";

const PAGE = 4096;

/** Where nothing answers is a mistake of ours: tables lie in memory. */
const absent = (pa: bigint): Error => new Error(`no memory at 0x${pa.toString(16)}`);

export function physicalMemory(memory: Memory): PhysicalMemory {
  return {
    read64(pa) {
      const value = readPhysical(memory, pa, 8);
      if (value === undefined) throw absent(pa);
      return value;
    },
    write64(pa, value) {
      if (!writePhysical(memory, pa, 8, value)) throw absent(pa);
    },
    readPage(pa) {
      const bytes = readBytes(memory, pa, PAGE);
      if (bytes === undefined) throw absent(pa);
      return new BigUint64Array(bytes.buffer);
    },
    writePage(pa, words) {
      if (!writeBytes(memory, pa, new Uint8Array(words.buffer))) throw absent(pa);
    },
  };
}
