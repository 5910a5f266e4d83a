// __pkvm_host_map_guest: tops up the cache of the loaded vCPU, then gives or lends it a page.

import { cite } from "../../spec/sources.ts";
import { type Pfn, pfn } from "../../spec/types/address.ts";
import { negative } from "../../spec/types/errno.ts";
import type { Hyp } from "../../spec/types/hyp.ts";
import type { GuestPageState, HypVm } from "../../spec/types/hyp-vm.ts";
import type { MemoryEvent } from "../../spec/types/memory-event.ts";
import { after, answered, type Outcome } from "../../spec/types/outcome.ts";
import { GUEST_PAGE, HYP_PAGE, LENT_PAGE } from "../../spec/types/page.ts";
import { VCPU } from "../../spec/vm-layout.ts";
import { argument, type Hypercall, type HypercallArgs, wordAt } from "../dispatch/hypercall.ts";
import { pageOf, setPage } from "../ownership/page-of.ts";
import {
  hostEndFits,
  hostReaches,
  isMemoryPage,
  type PageRange,
  pagesOf,
  rangeOf,
} from "../ownership/range.ts";
import type { Guard, Mutable } from "../transition.ts";
import { canGive, hostList, written } from "./donated.ts";
import { loadedOn } from "./loaded.ts";
import { firmwarePage } from "./pvmfw.ts";
import { GUEST_GFN_LIMIT, mapPage } from "./stage2.ts";

/** Tables below level 1. Source: pkvm_refill_memcache, hyp-main.c; measured, machines. */
const CACHE_PAGES = 2;

/** The host's page, and where the guest is to see it: both shifts lose their upper bits. */
const hostRange = (call: HypercallArgs): PageRange => rangeOf(argument(call, 1), 1n);
const guestRange = (call: HypercallArgs): PageRange => rangeOf(argument(call, 2), 1n);
const gfnOf = (call: HypercallArgs): number => Number(guestRange(call).start >> 12n);

/**
 * Pages of the host's list become the vCPU's, one at a time; what was taken stays taken.
 * Source: refill_memcache, admit_host_page, hyp/nvhe/mm.c (android14-6.1).
 */
export function refill(hyp: Mutable<Hyp>, call: HypercallArgs, wanted: number): Outcome {
  const which = hyp.loaded[call.cpu];
  const vcpu = which && hyp.vmTable.get(which.handle)?.vcpus[which.vcpu];
  // Only a removed guard gets here without a vCPU: the kernel would follow NULL.
  if (vcpu === undefined) return { kind: "hyp-panic", reason: "EL2_ABORT" };
  const list = hostList(call, vcpu.hostVcpu + VCPU.memcache);
  const events: MemoryEvent[] = [];
  while (
    vcpu.memcache.length < wanted &&
    list.count > 0n &&
    canGive(hyp, pfn(Number(list.head >> 12n)))
  ) {
    if (list.head % 8n !== 0n || list.head % 4096n !== 0n) {
      return { kind: "unmodelled", what: "a memory cache whose head is not a page" };
    }
    const page = pfn(Number(list.head >> 12n));
    setPage(hyp, page, HYP_PAGE);
    events.push({ kind: "take", page, to: "HYP" });
    list.head = wordAt(call, list.head);
    list.count -= 1n;
    const before = vcpu.memcache[0];
    const link = before === undefined ? 0n : BigInt(before) << 12n;
    events.push({ kind: "store", address: BigInt(page) << 12n, value: link });
    vcpu.memcache.unshift(page);
  }
  return after([...events, ...written(list)], answered(0));
}

const permission = () => answered(negative("EPERM"));

/** What host and guest are asked before a page changes hands, in the kernel's order. */
const CHECKS: readonly Guard<HypercallArgs>[] = [
  {
    clause: "VM-61",
    permits: (hyp, { cpu }) => (loadedOn(hyp, cpu)?.vcpu.memcache.length ?? 0) >= CACHE_PAGES,
    refusal: () => answered(negative("ENOMEM")),
  },
  {
    clause: "VM-62",
    permits: (_, call) => hostEndFits(hostRange(call)),
    refusal: () => answered(negative("EINVAL")),
  },
  {
    clause: "VM-63",
    permits: (_, call) => hostReaches(hostRange(call)),
    refusal: () => answered(negative("ERANGE")),
  },
  {
    clause: "VM-64",
    permits: (hyp, call) =>
      [...pagesOf(hostRange(call))].every((page) => pageOf(hyp, page).host === "OWNED"),
    refusal: permission,
  },
  {
    clause: "VM-65",
    permits: (_, call) => [...pagesOf(hostRange(call))].every(isMemoryPage),
    refusal: permission,
  },
  {
    clause: "VM-66",
    permits: (_, call) => hostEndFits(guestRange(call)),
    refusal: () => answered(negative("EINVAL")),
  },
  {
    clause: "VM-67",
    permits: (_, call) => guestRange(call).start >> 12n < GUEST_GFN_LIMIT,
    refusal: () => answered(negative("ERANGE")),
  },
  {
    clause: "VM-68",
    permits: (hyp, call) => !loadedOn(hyp, call.cpu)?.vm.stage2.pages.has(gfnOf(call)),
    refusal: permission,
  },
];

/** The page is the guest's, or it is lent to the guest. */
function mapped(hyp: Mutable<Hyp>, call: HypercallArgs, state: GuestPageState): Outcome {
  const which = hyp.loaded[call.cpu];
  const vm = which && hyp.vmTable.get(which.handle);
  const vcpu = which && vm?.vcpus[which.vcpu];
  const page = Number(hostRange(call).start >> 12n) as Pfn;
  if (vm === undefined || vcpu === undefined) return { kind: "hyp-panic", reason: "EL2_ABORT" };
  const events: MemoryEvent[] = [];
  if (state === "OWNED") {
    setPage(hyp, page, GUEST_PAGE);
    hyp.memProtect += 1;
    events.push({ kind: "take", page, to: "GUEST" });
    const from = firmwarePage(hyp, vm as HypVm, gfnOf(call));
    if (from !== undefined && from !== "none") events.push({ kind: "copy", from, to: page });
  } else setPage(hyp, page, LENT_PAGE);
  // Only a removed guard leaves the tables without memory: the pages are lost then.
  if (!mapPage(vm.stage2, vcpu, gfnOf(call), { pfn: page, state }, events)) {
    return { kind: "hyp-panic", reason: "EL2_BUG" };
  }
  return after(events, answered(0));
}

const source = (name: string) => [
  cite("android14-6.1", `${name}, hyp/nvhe/mem_protect.c`),
  cite("measured", "life-map-p, life-map-np, random-life-201"),
];

/** A protected guest owns its page. */
const donateGuest: Hypercall = {
  name: "__pkvm_host_donate_guest",
  source: source("__pkvm_host_donate_guest, guest_ack_donation, guest_complete_donation"),
  guards: [
    ...CHECKS,
    // The page of the firmware is copied after the donation began: failing is a failed check.
    {
      clause: "VM-69",
      permits: (hyp, call) => {
        const loaded = loadedOn(hyp, call.cpu);
        return loaded === undefined || firmwarePage(hyp, loaded.vm, gfnOf(call)) !== undefined;
      },
      refusal: () => ({ kind: "hyp-panic", reason: "DONATE_MAP_FAILED" }),
    },
  ],
  effect: (hyp, call) => mapped(hyp, call, "OWNED"),
};

/** A guest that is not protected borrows it from the host. */
const shareGuest: Hypercall = {
  name: "__pkvm_host_share_guest",
  source: source("__pkvm_host_share_guest, guest_ack_share, guest_complete_share"),
  guards: CHECKS,
  effect: (hyp, call) => mapped(hyp, call, "SHARED_BORROWED"),
};

/** __pkvm_host_map_guest(pfn, gfn) for the vCPU that is loaded on this CPU. */
export const mapGuest: Hypercall = {
  name: "__pkvm_host_map_guest",
  source: [
    cite("android14-6.1", "handle___pkvm_host_map_guest, pkvm_refill_memcache, hyp-main.c"),
    cite("measured", "life-map-p, life-map-np, random-life-201"),
  ],
  guards: [
    {
      clause: "VM-60",
      permits: (hyp, { cpu }) => loadedOn(hyp, cpu) !== undefined,
      refusal: () => answered(negative("EINVAL")),
    },
  ],
  effect: (hyp, call) => refill(hyp, call, CACHE_PAGES),
  next: (post, { cpu }, outcome) => {
    if (outcome.kind !== "hcall") return undefined;
    return loadedOn(post, cpu)?.vm.isProtected === true ? donateGuest : shareGuest;
  },
};

/** What host_map_guest goes on with. */
export const MAP_ENDS: readonly Hypercall[] = [donateGuest, shareGuest];
