// __pkvm_host_donate_guest and __pkvm_reclaim_dying_guest_page of mainline 7.3.

import { branchOf } from "../../spec/branches/branches.ts";
import { cite } from "../../spec/sources.ts";
import { negative } from "../../spec/types/errno.ts";
import type { Hyp } from "../../spec/types/hyp.ts";
import type { GuestPage, HypVcpu, HypVm } from "../../spec/types/hyp-vm.ts";
import type { MemoryEvent } from "../../spec/types/memory-event.ts";
import { after, answered } from "../../spec/types/outcome.ts";
import { GUEST_PAGE } from "../../spec/types/page.ts";
import { VCPU } from "../../spec/vm-layout.ts";
import { argument, type Hypercall, type HypercallArgs } from "../dispatch/hypercall.ts";
import { pageOf, setPage } from "../ownership/page-of.ts";
import { hostEndFits, isMemoryPage, type PageRange, pagesOf, rangeOf } from "../ownership/range.ts";
import type { Mutable } from "../transition.ts";
import { give, hostList } from "./donated.ts";
import { handleOf, loadedOn, vmOf } from "./loaded.ts";
import { refill } from "./map-guest.ts";
import { GUEST_GFN_LIMIT, mapPage, unmapPage } from "./stage2.ts";

/** As many as the host's KVM ever puts into a list: tables below level 1. */
const LISTED = 2n;

/** How many pages the host has listed for the vCPU: so many EL2 wants to have then. */
const listed = (hyp: Pick<Hyp, "loaded" | "vmTable">, call: HypercallArgs): bigint => {
  const vcpu = loadedOn(hyp, call.cpu)?.vcpu;
  return vcpu === undefined ? 0n : hostList(call, vcpu.hostVcpu + VCPU.memcache).count;
};

const hostRange = (call: HypercallArgs): PageRange => rangeOf(argument(call, 1), 1n);
const guestFrame = (call: HypercallArgs, n: number): bigint =>
  rangeOf(argument(call, n), 1n).start >> 12n;

/** The transfer, once the cache is filled. */
export const donatePage: Hypercall = {
  name: "__pkvm_host_donate_guest@mainline-7.3",
  source: [
    cite("mainline", "__pkvm_host_donate_guest, hyp/nvhe/mem_protect.c"),
    cite("measured", "pvm: the guest runs in pages that were donated"),
  ],
  guards: [
    {
      clause: "VM-106",
      permits: (hyp, call) =>
        BigInt(loadedOn(hyp, call.cpu)?.vcpu.memcache.length ?? 0) >= listed(hyp, call),
      refusal: () => answered(negative("ENOMEM")),
    },
    {
      clause: "VM-107",
      permits: (_, call) => hostEndFits(hostRange(call)),
      refusal: (hyp) => answered(negative(branchOf(hyp.config).addressChecks.overflow)),
    },
    {
      clause: "VM-108",
      permits: (hyp, call) =>
        [...pagesOf(hostRange(call))].every(
          (page) => isMemoryPage(page) && pageOf(hyp, page).host === "OWNED",
        ),
      refusal: () => answered(negative("EPERM")),
    },
    {
      clause: "VM-109",
      permits: (_, call) => guestFrame(call, 2) < GUEST_GFN_LIMIT,
      refusal: () => answered(negative("ERANGE")),
    },
    {
      clause: "VM-110",
      permits: (hyp, call) =>
        !loadedOn(hyp, call.cpu)?.vm.stage2.pages.has(Number(guestFrame(call, 2))),
      refusal: () => answered(negative("EPERM")),
    },
  ],
  effect: (hyp, call) => {
    const loaded = loadedOn(hyp as unknown as Hyp, call.cpu);
    const [page] = pagesOf(hostRange(call));
    if (loaded === undefined || page === undefined) {
      return { kind: "hyp-panic", reason: "EL2_ABORT" };
    }
    const { stage2 } = loaded.vm as Mutable<HypVm>;
    const events: MemoryEvent[] = [{ kind: "take", page, to: "GUEST" }];
    setPage(hyp, page, GUEST_PAGE);
    const cache = loaded.vcpu as Mutable<HypVcpu>;
    const gfn = Number(guestFrame(call, 2));
    if (!mapPage(stage2, cache, gfn, { pfn: page, state: "OWNED" }, events)) {
      return { kind: "unmodelled", what: "a donation without memory for its tables" };
    }
    return after(events, answered(0));
  },
};

/** __pkvm_host_donate_guest(pfn, gfn), for the protected vCPU that is loaded on this CPU. */
export const hostDonateGuest: Hypercall = {
  name: "handle___pkvm_host_donate_guest",
  source: [cite("mainline", "handle___pkvm_host_donate_guest, pkvm_refill_memcache, hyp-main.c")],
  guards: [
    {
      clause: "VM-104",
      permits: (hyp, { cpu }) => loadedOn(hyp, cpu) !== undefined,
      refusal: () => answered(negative("EINVAL")),
    },
    {
      clause: "VM-105",
      permits: (hyp, { cpu }) => loadedOn(hyp, cpu)?.vm.isProtected !== false,
      refusal: () => answered(negative("EINVAL")),
    },
  ],
  effect: (hyp, call) => {
    const wanted = listed(hyp as unknown as Hyp, call);
    if (wanted > LISTED) return { kind: "unmodelled", what: "a memory cache of more than 2 pages" };
    return refill(hyp, call, Number(wanted));
  },
  next: (_, __, outcome) => (outcome.kind === "hcall" ? donatePage : undefined),
};

const target = (hyp: Pick<Hyp, "vmTable">, call: HypercallArgs): HypVm | undefined =>
  vmOf(hyp, handleOf(argument(call, 1)));

/** What the dying guest has at the frame number. */
const mappedAt = (hyp: Pick<Hyp, "vmTable">, call: HypercallArgs): GuestPage | undefined =>
  target(hyp, call)?.stage2.pages.get(Number(guestFrame(call, 2)));

/** __pkvm_reclaim_dying_guest_page(handle, gfn): tables stay in the VM's pool until it ends. */
export const reclaimFrame: Hypercall = {
  name: "__pkvm_reclaim_dying_guest_page@mainline-7.3",
  source: [
    cite("mainline", "__pkvm_reclaim_dying_guest_page, hyp/nvhe/pkvm.c"),
    cite("mainline", "__pkvm_host_reclaim_page_guest, hyp/nvhe/mem_protect.c"),
    cite("measured", "pvm: private pages read 0 after the end, a shared one keeps 0x77"),
  ],
  guards: [
    {
      clause: "VM-45",
      permits: (hyp, call) => target(hyp, call)?.isDying === true,
      refusal: () => answered(negative("EINVAL")),
    },
    {
      clause: "VM-112",
      permits: (_, call) => guestFrame(call, 2) < GUEST_GFN_LIMIT,
      refusal: () => answered(negative("ERANGE")),
    },
    {
      clause: "VM-113",
      permits: (hyp, call) => mappedAt(hyp, call) !== undefined,
      refusal: () => answered(negative("ENOENT")),
    },
  ],
  effect: (hyp, call) => {
    const vm = hyp.vmTable.get(handleOf(argument(call, 1)));
    const mapped = mappedAt(hyp as unknown as Hyp, call);
    // Only a removed guard gets here without one of them.
    if (vm === undefined || mapped === undefined) return { kind: "hyp-panic", reason: "EL2_BUG" };
    const events: MemoryEvent[] = [];
    if (mapped.state === "OWNED") events.push({ kind: "zero", page: mapped.pfn, bytes: 4096 });
    unmapPage(vm.stage2, Number(guestFrame(call, 2)), events);
    events.push({ kind: "give", page: mapped.pfn });
    give(hyp, mapped.pfn);
    return after(events, answered(0));
  },
};
