// Gates by page, so that a page without any costs nothing.

const PAGE_BITS = 12n;

/** Offsets of the gates in each page. */
export type GateIndex = ReadonlyMap<bigint, ReadonlySet<number>>;

const indexes = new WeakMap<ReadonlySet<bigint>, GateIndex>();

/** The index of a set of addresses; made once, so that the set must not change any more. */
export function gateIndex(addresses: ReadonlySet<bigint>): GateIndex {
  let index = indexes.get(addresses);
  if (index === undefined) {
    index = makeIndex(addresses);
    indexes.set(addresses, index);
  }
  return index;
}

function makeIndex(addresses: ReadonlySet<bigint>): GateIndex {
  const pages = new Map<bigint, Set<number>>();
  for (const address of addresses) {
    const page = address >> PAGE_BITS;
    const offsets = pages.get(page) ?? new Set();
    pages.set(page, offsets.add(Number(address & 0xfffn)));
  }
  return pages;
}
