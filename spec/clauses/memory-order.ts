// The order in which a hypercall takes pages, empties them, links them and gives them to the host.

import type { Step } from "../clause.ts";
import { pageAt } from "../machine.ts";
import { addressOf, type Pfn } from "../types/address.ts";
import type { Hyp } from "../types/hyp.ts";
import type { MemoryEvent } from "../types/memory-event.ts";
import { eventsOf } from "../types/outcome.ts";
import { MEMCACHE_HEAD, MEMCACHE_NR_PAGES } from "../vm-layout.ts";
import { all, ensure, type Verdict } from "./phrases.ts";

const hex = (page: number): string => `pfn 0x${page.toString(16)}`;

/** Where in the row something first happens to a page, from a place on; -1 for never. */
const whenever = (
  events: readonly MemoryEvent[],
  kind: MemoryEvent["kind"],
  page: Pfn,
  from = 0,
): number =>
  events.findIndex(
    (event, at) => at >= from && event.kind === kind && "page" in event && event.page === page,
  );

/** Each page is taken from the host, and then so many of its bytes are zeroed. */
export function takenAndEmptied({ outcome }: Step, pages: readonly Pfn[], bytes: bigint): Verdict {
  const events = eventsOf(outcome);
  const wrong = pages.find((page, n) => {
    const taken = whenever(events, "take", page);
    const zeroed = events[whenever(events, "zero", page, taken)];
    const share = Math.min(4096, Number(bytes) - 4096 * n);
    return taken < 0 || zeroed?.kind !== "zero" || zeroed.bytes !== share;
  });
  return ensure(wrong === undefined, `${hex(wrong ?? 0)} is not taken and emptied`);
}

/** Each page is given to the host, after its bytes are zeroed. */
export function emptiedAndGiven({ outcome }: Step, pages: readonly Pfn[], bytes: bigint): Verdict {
  const events = eventsOf(outcome);
  const wrong = pages.find((page, n) => {
    const zeroed = events.findLastIndex((event) => event.kind === "zero" && event.page === page);
    const last = events[zeroed];
    const share = Math.min(4096, Number(bytes) - 4096 * n);
    const given = whenever(events, "give", page, zeroed);
    return given < 0 || last?.kind !== "zero" || last.bytes !== share;
  });
  return ensure(wrong === undefined, `${hex(wrong ?? 0)} is not emptied and then given`);
}

/** Whether the host can reach a page: its own, or one that it borrows of a guest. */
function reaches(hyp: Hyp, page: Pfn): boolean {
  const { host, owner } = pageAt(hyp, page);
  return owner === "HOST" || host === "SHARED_BORROWED";
}

/** The pages that the host gains in a step. */
export const gained = ({ pre, post }: Step): readonly Pfn[] =>
  [...pre.pages.keys()].filter((page) => !reaches(pre, page) && reaches(post, page));

/** The pages that the host loses in a step. */
const lost = ({ pre, post }: Step): readonly Pfn[] =>
  [...post.pages.keys()].filter((page) => reaches(pre, page) && !reaches(post, page));

/** Pages that EL2 only kept for tables: it put a link into them and nothing else. */
export const inCaches = ({ vmTable }: Hyp): ReadonlySet<Pfn> =>
  new Set([...vmTable.values()].flatMap(({ vcpus }) => vcpus.flatMap(({ memcache }) => memcache)));

/** Whether a store is the link of a list: the first word of its page. */
const isLink = (event: MemoryEvent & { kind: "store" }): boolean => event.address % 4096n === 0n;

/** What the host gains is zeroed before it is given; only links are stored in between. */
export function emptyWhenGained(step: Step): Verdict {
  const events = eventsOf(step.outcome);
  const kept = inCaches(step.pre);
  const verdicts = gained(step)
    .filter((page) => !kept.has(page))
    .map((page): Verdict => {
      const zeroed = events.findIndex(
        (event) => event.kind === "zero" && event.page === page && event.bytes === 4096,
      );
      const given = whenever(events, "give", page, zeroed);
      const between = events.slice(zeroed + 1, given);
      const dirty = between.some(
        (event) =>
          (event.kind === "copy" && event.to === page) ||
          (event.kind === "store" && Number(event.address >> 12n) === page && !isLink(event)),
      );
      return ensure(
        zeroed >= 0 && given > zeroed && !dirty,
        `the host gains ${hex(page)}, which is not emptied before it`,
      );
    });
  return all(...verdicts);
}

/** Who gains or loses a page is told in the row. */
export function handsAreTold(step: Step): Verdict {
  const events = eventsOf(step.outcome);
  const untold = [
    ...gained(step).filter((page) => whenever(events, "give", page) < 0),
    ...lost(step).filter((page) => whenever(events, "take", page) < 0),
  ][0];
  return ensure(untold === undefined, `${hex(untold ?? 0)} changes hands untold`);
}

/** What stands in memory after the stores of a step. */
export const storedBy = ({ outcome }: Step): ReadonlyMap<bigint, bigint> =>
  new Map(
    eventsOf(outcome).flatMap((event) =>
      event.kind === "store" ? [[event.address, event.value] as const] : [],
    ),
  );

/**
 * A list in the host's memory, which began with `before`, got these pages one after the other: each
 * is now in front of what was there.
 */
export function pushedOnto(
  step: Step,
  at: bigint,
  before: { readonly head: bigint; readonly count: bigint },
  pages: readonly Pfn[],
): Verdict {
  const stored = storedBy(step);
  const newest = pages.at(-1);
  const links = pages.every((page, n) => {
    const behind = pages[n - 1];
    const link = behind === undefined ? before.head : addressOf(behind);
    return stored.get(addressOf(page)) === link;
  });
  return all(
    ensure(links, "a page does not link to the one before it"),
    ensure(
      newest === undefined || stored.get(at + MEMCACHE_HEAD) === addressOf(newest),
      "the head is not the last page",
    ),
    ensure(
      newest === undefined ||
        stored.get(at + MEMCACHE_NR_PAGES) ===
          BigInt.asUintN(64, before.count + BigInt(pages.length)),
      "the length is not the old one and these pages",
    ),
  );
}
