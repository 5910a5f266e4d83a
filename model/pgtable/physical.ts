// What the page-table code needs of memory: 64-bit words at physical addresses.

/** Physical memory as the page-table code sees it. Every address is a multiple of 8. */
export interface PhysicalMemory {
  /** The little-endian word at an address. */
  readonly read64: (pa: bigint) => bigint;
  readonly write64: (pa: bigint, value: bigint) => void;
  /** A copy of the 512 words of one page. */
  readonly readPage: (pa: bigint) => BigUint64Array;
  /** Replaces the 512 words of one page. */
  readonly writePage: (pa: bigint, words: BigUint64Array) => void;
}

/** Where new tables come from: a run of pages, handed out upwards and never given back. */
export interface TablePool {
  next: bigint;
  readonly end: bigint;
}

export const TABLE_BYTES = 4096n;
export const ENTRIES = 512;

/**
 * One zeroed page for a table. Running out is a mistake in our own sizes: pKVM reserves enough for
 * every page of memory
 * mapped one by one. Source: hyp_s1_pgtable_pages, host_s2_pgtable_pages, asm/kvm_pkvm.h
 * (android14-6.1).
 */
export function takeTable(memory: PhysicalMemory, pool: TablePool): bigint {
  if (pool.next >= pool.end)
    throw new Error(`page-table pool exhausted at 0x${pool.end.toString(16)}`);
  const pa = pool.next;
  pool.next += TABLE_BYTES;
  memory.writePage(pa, new BigUint64Array(ENTRIES));
  return pa;
}
