// How mainline 7.3 gives a page to a protected guest, and takes it from a dying one.

import { clause, type StepClause } from "../clause.ts";
import { isMemory } from "../machine.ts";
import { cite, type Source } from "../sources.ts";
import { PAGE_SHIFT, type Pfn, pfn } from "../types/address.ts";
import { negative } from "../types/errno.ts";
import { GUEST_PAGE, HYP_PAGE, PLAIN_PAGE } from "../types/page.ts";
import { calls } from "./hypercall.ts";
import { emptiedAndGiven } from "./memory-order.ts";
import {
  all,
  answer,
  answers,
  changesOnly,
  ensure,
  equal,
  refuses,
  type Verdict,
} from "./phrases.ts";
import {
  type Check,
  failsAt,
  type HvcStep,
  handleArgument,
  listAt,
  loadedBy,
  pagesBecome,
  passes,
  tableWith,
  vmNamed,
} from "./vm-lookup.ts";
import {
  addressArgument,
  cacheOf,
  endsWithin64,
  filled,
  guestFrame,
  hostPage,
  listGoesOn,
  pageThen,
  tablesGrow,
  takenForTables,
} from "./vm-map.ts";
import { withoutPage } from "./vm-teardown.ts";

const DONATE = "__pkvm_host_donate_guest";
const RECLAIM = "__pkvm_reclaim_dying_guest_page";
const read = (at: string): Source => cite("mainline", `${at}, hyp/nvhe/mem_protect.c`);
const main = (at: string): Source => cite("mainline", `${at}, hyp/nvhe/hyp-main.c`);
const measured = (what: string): Source => cite("measured", `pvm: 7.3.4, ${what}`);

/** How many pages the host lists: the vCPU is to have so many. */
const wanted = (step: HvcStep): number => Number(listAt(step, cacheOf(step)).count);
const taken = (step: HvcStep): readonly Pfn[] => takenForTables(step, wanted(step));

/** What host_donate_guest asks for, in its order. */
const CHECKS: readonly Check[] = [
  (step) => loadedBy(step) !== undefined,
  (step) => loadedBy(step)?.vm.isProtected === true,
  (step) => (loadedBy(step)?.vcpu.memcache.length ?? 0) + taken(step).length >= wanted(step),
  (step) => endsWithin64(addressArgument(step, 1)),
  (step) =>
    isMemory(hostPage(step)) && pageThen(step, hostPage(step), wanted(step)).host === "OWNED",
  (step) => addressArgument(step, 2) >> 40n === 0n,
  (step) => loadedBy(step)?.vm.stage2.pages.has(guestFrame(step)) === false,
];

/** It is refused; only the cache stays filled. */
const refusesLate = (step: HvcStep, errno: "ENOMEM" | "EINVAL" | "EPERM" | "ERANGE"): Verdict =>
  all(
    answers(step.outcome, negative(errno)),
    tableWith(step, loadedBy(step)?.handle ?? 0, filled(step, taken(step))),
    pagesBecome(step, new Map(taken(step).map((page) => [page, HYP_PAGE]))),
    changesOnly(step, "vmTable", "pages"),
  );

/** The guest owns the page, and the host has lost it. */
function donates(step: HvcStep): Verdict {
  const [loaded, before] = [loadedBy(step), filled(step, taken(step))];
  const now = step.post.vmTable.get(loaded?.handle ?? 0);
  if (loaded === undefined || before === undefined || now === undefined) return "there is no VM";
  const page = { pfn: hostPage(step), state: "OWNED" } as const;
  const own = taken(step).map((table) => [table, HYP_PAGE] as const);
  return all(
    answers(step.outcome, 0),
    ensure(
      equal(now.stage2.pages, new Map(before.stage2.pages).set(guestFrame(step), page)),
      "the guest has other pages",
    ),
    tableWith(step, loaded.handle, {
      ...before,
      stage2: { ...now.stage2, root: before.stage2.root, guarded: before.stage2.guarded },
      vcpus: before.vcpus.with(loaded.index, now.vcpus[loaded.index] ?? loaded.vcpu),
    }),
    tablesGrow(step, before),
    pagesBecome(step, new Map([...own, [page.pfn, GUEST_PAGE] as const])),
    changesOnly(step, "vmTable", "pages"),
  );
}

/** The frame number of a dying guest, in 64 bits of address. */
const dyingFrame = (step: HvcStep): bigint => addressArgument(step, 2) >> PAGE_SHIFT;
const mappedThere = (step: HvcStep) => vmNamed(step)?.stage2.pages.get(Number(dyingFrame(step)));

const RECLAIM_CHECKS: readonly Check[] = [
  (step) => vmNamed(step)?.isDying === true,
  (step) => dyingFrame(step) >> 28n === 0n,
  (step) => mappedThere(step) !== undefined,
];

/** The page is plainly the host's, emptied if it was private; tables wait in the pool. */
function reclaims(step: HvcStep): Verdict {
  const [vm, mapped] = [vmNamed(step), mappedThere(step)];
  if (vm === undefined || mapped === undefined) return "nothing is mapped there";
  const stage2 = withoutPage(vm.stage2, Number(dyingFrame(step)));
  const kept = [...stage2.level2.values(), ...stage2.level3.values()];
  const were = [...vm.stage2.level3.values(), ...vm.stage2.level2.values()];
  const pool = step.post.vmTable.get(handleArgument(step))?.stage2.pool ?? [];
  const freed = were.filter((page) => !kept.includes(page));
  return all(
    answers(step.outcome, 0),
    ensure(
      equal(pool, [...vm.stage2.pool, ...freed]),
      "the tables that nothing needs are not in the pool",
    ),
    tableWith(step, handleArgument(step), { ...vm, stage2: { ...stage2, pool } }),
    pagesBecome(step, new Map([[pfn(mapped.pfn), PLAIN_PAGE]])),
    mapped.state === "OWNED" ? emptiedAndGiven(step, [mapped.pfn], 4096n) : true,
    changesOnly(step, "vmTable", "pages"),
  );
}

const rule = (
  id: `VM-${number}`,
  statement: string,
  source: readonly Source[],
  applies: Check,
  holds: (step: HvcStep) => Verdict,
): StepClause =>
  clause({
    id,
    kind: "kernel",
    statement,
    source,
    branches: ["mainline-7.3"],
    on: ["hvc"],
    applies,
    holds,
  });

export const VM_DONATE: readonly StepClause[] = [
  rule(
    "VM-104",
    "A page is donated for the vCPU that the CPU has loaded, or for nobody.",
    [main("handle___pkvm_host_donate_guest")],
    failsAt(DONATE, CHECKS, 0),
    (step) => refuses(step, "EINVAL"),
  ),
  rule(
    "VM-105",
    "Nothing is donated to a guest that is not protected.",
    [main("handle___pkvm_host_donate_guest")],
    failsAt(DONATE, CHECKS, 1),
    (step) => refuses(step, "EINVAL"),
  ),
  rule(
    "VM-106",
    "Where the host lists a page that EL2 cannot take, nothing is donated.",
    [main("pkvm_refill_memcache"), cite("mainline", "refill_memcache, hyp/nvhe/mm.c")],
    failsAt(DONATE, CHECKS, 2),
    (step) => refusesLate(step, "ENOMEM"),
  ),
  rule(
    "VM-107",
    "A page of the host that ends beyond 64 bits is refused.",
    [read("__host_check_page_state_range"), cite("measured", "base: 7.3.4, -22 for a share")],
    failsAt(DONATE, CHECKS, 3),
    (step) => refusesLate(step, "EINVAL"),
  ),
  rule(
    "VM-108",
    "A guest gets only memory that is the host's alone.",
    [read("__host_check_page_state_range"), cite("measured", "base: 7.3.4, -1 for a share")],
    failsAt(DONATE, CHECKS, 4),
    (step) => refusesLate(step, "EPERM"),
  ),
  rule(
    "VM-109",
    "An address beyond the guest's 40 bits is refused.",
    [cite("mainline", "_kvm_pgtable_walk, hyp/pgtable.c")],
    failsAt(DONATE, CHECKS, 5),
    (step) => refusesLate(step, "ERANGE"),
  ),
  rule(
    "VM-110",
    "Where the guest has a page it gets no other.",
    [read("__guest_check_page_state_range")],
    failsAt(DONATE, CHECKS, 6),
    (step) => refusesLate(step, "EPERM"),
  ),
  rule(
    "VM-111",
    "A protected guest owns the page that it is given, and the host has lost it.",
    [read("__pkvm_host_donate_guest"), measured("the guest runs in such pages")],
    passes(DONATE, CHECKS),
    donates,
  ),
  rule(
    "VM-112",
    "An address beyond the guest's 40 bits is not reclaimed.",
    [cite("mainline", "kvm_pgtable_get_leaf, _kvm_pgtable_walk, hyp/pgtable.c")],
    failsAt(RECLAIM, RECLAIM_CHECKS, 1),
    (step) => refuses(step, "ERANGE"),
  ),
  rule(
    "VM-113",
    "Where the guest has no page nothing is reclaimed.",
    [read("get_valid_guest_pte")],
    failsAt(RECLAIM, RECLAIM_CHECKS, 2),
    (step) => refuses(step, "ENOENT"),
  ),
  rule(
    "VM-114",
    "A reclaimed page is plainly the host's, a private one emptied; tables wait for the end.",
    [
      read("__pkvm_host_reclaim_page_guest, hyp_poison_page"),
      measured("private pages read 0 after the end, a shared one keeps 0x77"),
    ],
    passes(RECLAIM, RECLAIM_CHECKS),
    reclaims,
  ),
  rule(
    "VM-115",
    "The vCPU's cache is filled first, and the host's list goes on behind what was taken.",
    [main("pkvm_refill_memcache"), cite("mainline", "refill_memcache, hyp/nvhe/mm.c")],
    (step) =>
      calls(DONATE)(step) &&
      loadedBy(step)?.vm.isProtected === true &&
      answer(step.outcome) !== undefined,
    (step) => listGoesOn(step, taken(step)),
  ),
];
