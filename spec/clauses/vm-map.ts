// How a page comes to a guest: the cache for tables first, then the host's page, then the guest.

import { clause, type StepClause } from "../clause.ts";
import { isMemory, pageAt } from "../machine.ts";
import { cite, type Source } from "../sources.ts";
import { PAGE_SHIFT, type Pfn, pfn } from "../types/address.ts";
import { type Errno, negative } from "../types/errno.ts";
import type { GuestPageState, HypVm } from "../types/hyp-vm.ts";
import { eventsOf } from "../types/outcome.ts";
import { GUEST_PAGE, HYP_PAGE, LENT_PAGE, type PageState } from "../types/page.ts";
import { MEMCACHE_HEAD, MEMCACHE_NR_PAGES, VCPU } from "../vm-layout.ts";
import { argument, calls } from "./hypercall.ts";
import { storedBy } from "./memory-order.ts";
import {
  all,
  answer,
  answers,
  changesOnly,
  ensure,
  equal,
  panics,
  refuses,
  type Verdict,
} from "./phrases.ts";
import {
  type Check,
  failsAt,
  type HvcStep,
  isHosts,
  listAt,
  loadedBy,
  pagesBecome,
  passes,
  tableWith,
  word,
} from "./vm-lookup.ts";

const MAP = "__pkvm_host_map_guest";
const read = (at: string): Source => cite("android14-6.1", `${at}, hyp/nvhe/mem_protect.c`);
const measured = (what: string): Source => cite("measured", `life-map-p, life-map-np: ${what}`);

/** A guest of 40 bits has tables of two levels below its root. */
const TABLE_LEVELS = 2;

const u64 = (value: bigint): bigint => BigInt.asUintN(64, value);
export const addressArgument = (step: HvcStep, n: number): bigint =>
  u64(argument(step, n) << PAGE_SHIFT);
export const hostPage = (step: HvcStep): Pfn => pfn(Number(addressArgument(step, 1) >> PAGE_SHIFT));
export const guestFrame = (step: HvcStep): number => Number(addressArgument(step, 2) >> PAGE_SHIFT);

export const cacheOf = (step: HvcStep): bigint =>
  (loadedBy(step)?.vcpu.hostVcpu ?? 0n) + VCPU.memcache;

/** The pages that the host's list offers and EL2 takes: as many as the vCPU lacks. */
export function takenForTables(step: HvcStep, wanted = TABLE_LEVELS): readonly Pfn[] {
  const lacks = Math.max(0, wanted - (loadedBy(step)?.vcpu.memcache.length ?? wanted));
  const { head, count } = listAt(step, cacheOf(step));
  const heads = [head, word(step, head)].slice(0, Math.min(lacks, count > 2n ? 2 : Number(count)));
  const pages = heads.map((at) => pfn(Number(at >> PAGE_SHIFT)));
  const refused = pages.findIndex(
    (page, n) => !isHosts(step.pre, page) || pages.indexOf(page) !== n,
  );
  return refused < 0 ? pages : pages.slice(0, refused);
}

/** The vCPU's cache after it took them: the last one first. */
const cacheAfter = (step: HvcStep, taken = takenForTables(step)): readonly Pfn[] => [
  ...taken.toReversed(),
  ...(loadedBy(step)?.vcpu.memcache ?? []),
];

/** A page as it is once the cache is filled. */
export const pageThen = (step: HvcStep, page: Pfn, wanted?: number): PageState =>
  takenForTables(step, wanted).includes(page) ? HYP_PAGE : pageAt(step.pre, page);

export const endsWithin64 = (at: bigint): boolean => at + 4096n < 1n << 64n;

/** What host_map_guest asks for, in its order. */
const CHECKS: readonly Check[] = [
  (step) => loadedBy(step) !== undefined,
  (step) => cacheAfter(step).length >= TABLE_LEVELS,
  (step) => endsWithin64(addressArgument(step, 1)),
  (step) => addressArgument(step, 1) + 4096n <= 1n << 40n,
  (step) => pageThen(step, hostPage(step)).host === "OWNED",
  (step) => isMemory(hostPage(step)),
  (step) => endsWithin64(addressArgument(step, 2)),
  (step) => addressArgument(step, 2) + 4096n <= 1n << 40n,
  (step) => loadedBy(step)?.vm.stage2.pages.has(guestFrame(step)) === false,
];

/** Which page of the firmware belongs there; undefined: none; "odd": it lies between pages. */
function firmwareThere(step: HvcStep): bigint | "odd" | undefined {
  const [at, size] = [loadedBy(step)?.vm.pvmfwLoadAddr, step.pre.firmware.advertisedBytes];
  const ipa = addressArgument(step, 2);
  if (at === undefined || ipa + 4096n <= at || ipa >= at + BigInt(size) || size === 0) {
    return undefined;
  }
  return ipa < at || (ipa - at) % 4096n !== 0n ? "odd" : ipa - at;
}

const isProtected: Check = (step) => loadedBy(step)?.vm.isProtected === true;
const survives: Check = (step) => !isProtected(step) || firmwareThere(step) !== "odd";

/** The VM with the filled cache of the vCPU that asks. */
export function filled(step: HvcStep, taken: readonly Pfn[]): HypVm | undefined {
  const loaded = loadedBy(step);
  if (loaded === undefined) return undefined;
  const vcpu = { ...loaded.vcpu, memcache: cacheAfter(step, taken) };
  return { ...loaded.vm, vcpus: loaded.vm.vcpus.with(loaded.index, vcpu) };
}

const refilled = (step: HvcStep): HypVm | undefined => filled(step, takenForTables(step));

/** It is refused; only the cache stays filled. */
const refusesLate = (step: HvcStep, errno: Errno): Verdict =>
  all(
    answers(step.outcome, negative(errno)),
    tableWith(step, loadedBy(step)?.handle ?? 0, refilled(step)),
    pagesBecome(step, new Map(takenForTables(step).map((page) => [page, HYP_PAGE]))),
    changesOnly(step, "vmTable", "pages"),
  );

/** The tables on the way to the page are there, out of the pool and the cache, and no others. */
export function tablesGrow(step: HvcStep, before = refilled(step)): Verdict {
  const loaded = loadedBy(step);
  const now = step.post.vmTable.get(loaded?.handle ?? 0);
  const gfn = guestFrame(step);
  if (loaded === undefined || before === undefined || now === undefined) return "there is no VM";
  const levels = [
    [before.stage2.level2, now.stage2.level2, Math.floor(gfn / 512 / 512)],
    [before.stage2.level3, now.stage2.level3, Math.floor(gfn / 512)],
  ] as const;
  const made = levels.flatMap(([old, tables, index]) =>
    old.has(index) ? [] : [tables.get(index)],
  );
  const supply = [...before.stage2.pool, ...(before.vcpus[loaded.index]?.memcache ?? [])];
  const left = [...now.stage2.pool, ...(now.vcpus[loaded.index]?.memcache ?? [])];
  return all(
    ...levels.map(([old, tables, index]) =>
      ensure(
        equal(new Map(tables), new Map(old).set(index, tables.get(index) ?? pfn(0))),
        "the tables are not the old ones and the one on the way",
      ),
    ),
    ensure(equal([...made, ...left], supply), "a table does not lie in the next page for it"),
    ...made.map((page) =>
      ensure(
        eventsOf(step.outcome).some((event) => event.kind === "zero" && event.page === page) ||
          before.stage2.pool.includes(page ?? pfn(0)),
        "a table is not emptied before it is used",
      ),
    ),
  );
}

/** The page is at the guest's address with this state, and in the host's table with that. */
function maps(step: HvcStep, state: GuestPageState, host: PageState): Verdict {
  const [loaded, before] = [loadedBy(step), refilled(step)];
  const now = step.post.vmTable.get(loaded?.handle ?? 0);
  if (loaded === undefined || before === undefined || now === undefined) return "there is no VM";
  const gfn = guestFrame(step);
  const guarded = new Set(before.stage2.guarded);
  guarded.delete(gfn);
  const page = { pfn: hostPage(step), state };
  const { pages, guarded: stillGuarded, ...tables } = now.stage2;
  const own = takenForTables(step).map((table) => [table, HYP_PAGE] as const);
  const become = new Map<Pfn, PageState>([...own, [page.pfn, host]]);
  return all(
    answers(step.outcome, 0),
    ensure(equal(pages, new Map(before.stage2.pages).set(gfn, page)), "the guest has other pages"),
    ensure(equal(stillGuarded, guarded), "the notes of the MMIO guard are not as they become"),
    ensure(tables.root === before.stage2.root, "the root moved"),
    tableWith(step, loaded.handle, {
      ...before,
      stage2: now.stage2,
      vcpus: before.vcpus.with(loaded.index, now.vcpus[loaded.index] ?? loaded.vcpu),
    }),
    tablesGrow(step),
    pagesBecome(step, become),
    changesOnly(step, "vmTable", "pages", "memProtect"),
  );
}

/** The firmware's page is copied into the guest's, after the host lost it; nothing else is. */
function filledFromFirmware(step: HvcStep): Verdict {
  const events = eventsOf(step.outcome);
  const offset = firmwareThere(step);
  const copies = events.filter(({ kind }) => kind === "copy");
  if (typeof offset !== "bigint") return ensure(copies.length === 0, "something is copied");
  const [taken, copied] = ["take", "copy"].map((kind) =>
    events.findLastIndex((event) => event.kind === kind),
  ) as [number, number];
  const wanted = {
    kind: "copy",
    from: pfn(0x7_8000 + Number(offset >> PAGE_SHIFT)),
    to: hostPage(step),
  };
  return ensure(
    equal(copies, [wanted]) && taken < copied,
    "the firmware's page is not copied after the host lost it",
  );
}

/** What was taken is told, and head and length of the host's list are behind it. */
export function listGoesOn(step: HvcStep, taken: readonly Pfn[]): Verdict {
  const stored = storedBy(step);
  const { head, count } = listAt(step, cacheOf(step));
  const last = taken.at(-1);
  const next = last === undefined ? head : word(step, BigInt(last) << PAGE_SHIFT);
  const told = eventsOf(step.outcome).flatMap((event) =>
    event.kind === "take" && event.to === "HYP" ? [event.page] : [],
  );
  return all(
    ensure(equal(told, taken), "it does not take what the host's list offers"),
    ensure(stored.get(cacheOf(step) + MEMCACHE_HEAD) === next, "the head is not the next page"),
    ensure(
      stored.get(cacheOf(step) + MEMCACHE_NR_PAGES) === count - BigInt(taken.length),
      "the length is not what is left",
    ),
  );
}

const refusal = (
  id: `VM-${number}`,
  n: number,
  errno: Errno,
  statement: string,
  source: readonly Source[],
): StepClause =>
  clause({
    id,
    kind: "kernel",
    statement,
    source,
    on: ["hvc"],
    applies: failsAt(MAP, CHECKS, n),
    holds: (step) => refusesLate(step, errno),
  });

export const VM_MAP: readonly StepClause[] = [
  clause({
    id: "VM-60",
    kind: "kernel",
    statement: "A page is mapped for the vCPU that the CPU has loaded, or for nobody.",
    source: [
      cite("android14-6.1", "handle___pkvm_host_map_guest, hyp/nvhe/hyp-main.c"),
      measured("-22"),
    ],
    on: ["hvc"],
    applies: failsAt(MAP, CHECKS, 0),
    holds: (step) => refuses(step, "EINVAL"),
  }),
  refusal("VM-61", 1, "ENOMEM", "Without two pages for tables nothing is mapped.", [
    cite("android14-6.1", "pkvm_refill_memcache, hyp-main.c; refill_memcache, mm.c"),
    measured("-12, also for absurd addresses"),
  ]),
  refusal("VM-62", 2, "EINVAL", "A page of the host that ends beyond 64 bits is refused.", [
    read("__host_check_page_state_range"),
  ]),
  refusal("VM-63", 3, "ERANGE", "A page beyond the host's 40 bits is refused.", [
    cite("android14-6.1", "_kvm_pgtable_walk, hyp/pgtable.c"),
  ]),
  refusal("VM-64", 4, "EPERM", "A guest gets only what is the host's alone.", [
    read("host_request_owned_transition"),
    measured("-1 for a root, a shared page, a page of EL2's, a guest's page"),
  ]),
  refusal("VM-65", 5, "EPERM", "A guest gets only memory.", [
    read("guest_ack_donation, guest_ack_share"),
    measured("-1 for pfns 0x9000 and 0x100000"),
  ]),
  refusal("VM-66", 6, "EINVAL", "An address of the guest that ends beyond 64 bits is refused.", [
    read("__guest_check_page_state_range"),
  ]),
  refusal("VM-67", 7, "ERANGE", "An address beyond the guest's 40 bits is refused.", [
    cite("android14-6.1", "_kvm_pgtable_walk, hyp/pgtable.c"),
    measured("-34 for gfn 0x10000000, 0 for the one before"),
  ]),
  refusal("VM-68", 8, "EPERM", "Where the guest has a page it gets no other.", [
    read("__guest_check_page_state_range"),
    measured("-1"),
  ]),
  clause({
    id: "VM-69",
    kind: "kernel",
    statement: "A firmware address between two pages stops the machine when its page is mapped.",
    source: [
      read("guest_complete_donation, and WARN_ON in __do_donate"),
      cite("android14-6.1", "pkvm_load_pvmfw_pages, hyp/nvhe/pkvm.c"),
    ],
    on: ["hvc"],
    applies: (step) => passes(MAP, CHECKS)(step) && !survives(step),
    holds: ({ outcome }) => panics(outcome, "DONATE_MAP_FAILED"),
  }),
  clause({
    id: "VM-70",
    kind: "kernel",
    statement:
      "The vCPU's cache is filled first, and the host's list goes on behind what was taken.",
    source: [
      cite("android14-6.1", "refill_memcache, admit_host_page, hyp/nvhe/mm.c"),
      measured("head and length in the struct kvm_vcpu; what was taken faults"),
    ],
    on: ["hvc"],
    applies: (step) =>
      calls(MAP)(step) && loadedBy(step) !== undefined && answer(step.outcome) !== undefined,
    holds: (step) => listGoesOn(step, takenForTables(step)),
  }),
  clause({
    id: "VM-71",
    kind: "kernel",
    statement: "A protected guest owns its page; the host has lost it, and PSCI counts it.",
    source: [
      read("__pkvm_host_donate_guest, guest_complete_donation"),
      cite("measured", "life-map-p: a host read faults, share is -1"),
    ],
    on: ["hvc"],
    applies: (step) => passes(MAP, CHECKS)(step) && isProtected(step) && survives(step),
    holds: (step) =>
      all(
        maps(step, "OWNED", GUEST_PAGE),
        filledFromFirmware(step),
        ensure(step.post.memProtect === step.pre.memProtect + 1, "MEM_PROTECT does not count it"),
      ),
  }),
  clause({
    id: "VM-72",
    kind: "kernel",
    statement:
      "A guest that is not protected borrows its page; the host can reach it all the same.",
    source: [
      read("__pkvm_host_share_guest, guest_complete_share"),
      cite("measured", "life-map-np: a host read is good, share and unshare are -1"),
    ],
    on: ["hvc"],
    applies: (step) => passes(MAP, CHECKS)(step) && !isProtected(step),
    holds: (step) =>
      all(
        maps(step, "SHARED_BORROWED", LENT_PAGE),
        ensure(step.post.memProtect === step.pre.memProtect, "MEM_PROTECT counts it"),
      ),
  }),
];
