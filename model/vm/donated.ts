// Memory that the host gives for a VM: taken and emptied, and given back empty, with a link or not.

import { addressOf, PAGE_SHIFT, PAGE_SIZE, type Pfn } from "../../spec/types/address.ts";
import type { Hyp } from "../../spec/types/hyp.ts";
import type { MemoryEvent } from "../../spec/types/memory-event.ts";
import { HYP_PAGE, PLAIN_PAGE } from "../../spec/types/page.ts";
import { MEMCACHE_HEAD, MEMCACHE_NR_PAGES, pagesFor } from "../../spec/vm-layout.ts";
import { type HypercallArgs, wordAt } from "../dispatch/hypercall.ts";
import { kernHypVa } from "../ops/address.ts";
import { pageOf, setPage } from "../ownership/page-of.ts";
import {
  everyPage,
  isMemoryPage,
  linearRange,
  type PageRange,
  pagesOf,
} from "../ownership/range.ts";
import { hypLinear, hypPhys } from "../pgtable/hyp-stage1.ts";
import type { Mutable } from "../transition.ts";

/** Where a pointer of the host leads. Source: kern_hyp_va, and EL2's linear map. */
export const physicalOf = (pointer: bigint): bigint => hypPhys(kernHypVa(pointer));

/** What the host offers: bytes at an address of its kernel. */
export interface Offer {
  readonly pointer: bigint;
  readonly bytes: bigint;
}

const rangeOf = ({ pointer, bytes }: Offer): PageRange => ({
  start: physicalOf(pointer),
  bytes: pagesFor(bytes) << PAGE_SHIFT,
});

/** The pages of an offer that can be taken. */
export const offered = (offer: Offer): readonly Pfn[] => [...pagesOf(rangeOf(offer))];

/**
 * Whether the host can give a page to EL2: memory that is the host's alone. A debug build looks at
 * EL2's side too. Source: host_request_owned_transition, hyp_ack_donation, hyp/nvhe/mem_protect.c.
 */
export function canGive(hyp: Pick<Hyp, "pages" | "boot" | "config">, page: Pfn): boolean {
  const { host, hyp: el2 } = pageOf(hyp, page);
  return (
    isMemoryPage(page) &&
    host === "OWNED" &&
    (hyp.config.build === "production" || el2 === "NOPAGE")
  );
}

/**
 * Whether EL2 can take what is offered: whole pages of memory that are the host's alone, and not
 * among those that it has just taken.
 * Source: map_donated_memory_noclear, hyp/nvhe/pkvm.c; ___pkvm_host_donate_hyp, mem_protect.c.
 */
export function canTake(
  hyp: Pick<Hyp, "pages" | "boot" | "config">,
  offer: Offer,
  ...taken: readonly Offer[]
): boolean {
  const range = rangeOf(offer);
  if (range.start % PAGE_SIZE !== 0n) return false;
  const gone = new Set(taken.flatMap(offered));
  return everyPage(hyp, range, (_, page) => canGive(hyp, page) && !gone.has(page));
}

/** memset of the bytes of an offer, page by page: the rest of the last page stays. */
export function zeroed({ pointer, bytes }: Offer): MemoryEvent[] {
  return offered({ pointer, bytes }).map((page, n) => {
    const left = bytes - BigInt(n) * PAGE_SIZE;
    return { kind: "zero", page, bytes: Number(left < PAGE_SIZE ? left : PAGE_SIZE) };
  });
}

/** The host loses an offer, and EL2 empties it. Source: map_donated_memory (android14-6.1). */
export const takes = (offer: Offer): MemoryEvent[] => [
  ...offered(offer).map((page) => ({ kind: "take", page, to: "HYP" }) as const),
  ...zeroed(offer),
];

/** EL2 empties an offer and gives it back. Source: unmap_donated_memory (android14-6.1). */
export const returns = (offer: Offer): MemoryEvent[] => [
  ...zeroed(offer),
  ...offered(offer).map((page) => ({ kind: "give", page }) as const),
];

type Draft = Pick<Mutable<Hyp>, "pages"> & Pick<Hyp, "boot" | "config">;

/** The pages of an offer become the hypervisor's. */
export function take(hyp: Draft, offer: Offer): void {
  for (const page of offered(offer)) setPage(hyp, page, HYP_PAGE);
}

/** A page of the hypervisor's is plainly the host's again. */
export const give = (hyp: Draft, page: Pfn): void => setPage(hyp, page, PLAIN_PAGE);

/** The pages of a structure that the host shares. */
const shared = (address: bigint, bytes: bigint): PageRange =>
  linearRange(hypLinear(address), hypLinear(address) + bytes);

/** Whether a structure lies in pages that are shared with the hypervisor. */
export const canPin = (
  hyp: Pick<Hyp, "pages" | "boot" | "config">,
  address: bigint,
  bytes: bigint,
): boolean =>
  everyPage(
    hyp,
    shared(address, bytes),
    ({ host, hyp: el2 }) => host === "SHARED_OWNED" && el2 === "SHARED_BORROWED",
  );

/** Pins (1) or unpins (-1) the pages of a structure. Source: hyp_pin_shared_mem. */
export function pin(hyp: Draft, address: bigint, bytes: bigint, by: 1 | -1): void {
  for (const page of pagesOf(shared(address, bytes))) {
    const state = pageOf(hyp, page);
    setPage(hyp, page, { ...state, refcount: state.refcount + by });
  }
}

/** A list of pages in memory of the host: the address of its head, which its length follows. */
export interface HostList {
  readonly at: bigint;
  head: bigint;
  count: bigint;
}

/** The list as the host has left it. */
export const hostList = (call: HypercallArgs, at: bigint): HostList => ({
  at,
  head: wordAt(call, at + MEMCACHE_HEAD),
  count: wordAt(call, at + MEMCACHE_NR_PAGES),
});

/** Head and length are written where the host reads them. */
export const written = ({ at, head, count }: HostList): MemoryEvent[] => [
  { kind: "store", address: at + MEMCACHE_HEAD, value: head },
  { kind: "store", address: at + MEMCACHE_NR_PAGES, value: count },
];

/** Puts a page of EL2's in front of a list. Source: push_hyp_memcache, asm/kvm_host.h. */
export function push(list: HostList, page: Pfn): MemoryEvent[] {
  const link: MemoryEvent = { kind: "store", address: addressOf(page), value: list.head };
  list.head = addressOf(page);
  list.count = BigInt.asUintN(64, list.count + 1n);
  return [link, ...written(list)];
}
