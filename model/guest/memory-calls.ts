// MEM_SHARE, MEM_UNSHARE, MEM_RELINQUISH and HYP_MEMINFO of a protected guest.

import { vmsOf } from "../../spec/branches/branches.ts";
import { RET } from "../../spec/guest-calls.ts";
import { cite } from "../../spec/sources.ts";
import type { GuestHvc } from "../../spec/types/guest-action.ts";
import type { Hyp } from "../../spec/types/hyp.ts";
import type { GuestPage, GuestPageState } from "../../spec/types/hyp-vm.ts";
import type { MemoryEvent } from "../../spec/types/memory-event.ts";
import type { Outcome } from "../../spec/types/outcome.ts";
import { GUEST_PAGE, GUEST_SHARED_PAGE, PLAIN_PAGE } from "../../spec/types/page.ts";
import { setPage } from "../ownership/page-of.ts";
import type { Guard } from "../transition.ts";
import { loadedOn } from "../vm/loaded.ts";
import { unmapPage } from "../vm/stage2.ts";
import { argument, type GuestCall, gfnOf, INVALID, running, toGuest, toHost } from "./answers.ts";

/** What stands in the guest's stage 2 at the address of x1. */
function pageAt(hyp: Hyp, { cpu, x }: GuestHvc): GuestPage | undefined {
  const gfn = gfnOf(x[1] ?? 0n);
  const loaded = loadedOn(hyp, cpu);
  return gfn === undefined ? undefined : loaded?.vm.stage2.pages.get(gfn);
}

/** Arguments that must be 0. */
const reserved = (...numbers: readonly number[]): Guard<GuestHvc> => ({
  clause: "GUEST-20",
  permits: (_, call) => numbers.every((n) => argument(call, n) === 0n),
  refusal: INVALID,
});

/** The walk of the guest's table ends with -ERANGE. */
const inRange: Guard<GuestHvc> = {
  clause: "GUEST-21",
  permits: (_, call) => gfnOf(argument(call, 1)) !== undefined,
  refusal: INVALID,
};

/** The address of a page, and not one inside it, where the branch asks for that. */
const aligned: Guard<GuestHvc> = {
  clause: "GUEST-28",
  permits: (hyp, call) => !vmsOf(hyp.config).checksAlignment || (argument(call, 1) & 0xfffn) === 0n,
  refusal: INVALID,
};

const inState = (state: GuestPageState): Guard<GuestHvc> => ({
  clause: "GUEST-23",
  permits: (hyp, call) => pageAt(hyp, call)?.state === state,
  refusal: INVALID,
});

/** HPFAR_EL2 keeps the page of an address of 48 bits. Source: HPFAR_MASK, asm/kvm_arm.h. */
const pageOfAddress = (address: bigint): bigint => address & 0xffff_ffff_f000n;

/** A write that found no page, at level 3. Source: DDI0487 D24.2.40, ISS of a data abort. */
const ESR_NO_PAGE = (0x24n << 26n) | (1n << 6n) | 0x07n;

/**
 * The call looks like a store that found no page, so that the host maps one; then it is made again.
 * Source: __pkvm_memshare_page_req, hyp/nvhe/pkvm.c (android14-6.1).
 */
const requestPage = ({ config }: Pick<Hyp, "config">, call: GuestHvc): Outcome => ({
  kind: "exits",
  x: vmsOf(config).keepsRegisters ? [] : undefined,
  esr: ESR_NO_PAGE,
  far: 0n,
  ipa: pageOfAddress(argument(call, 1)),
  again: true,
});

/** Changes the state of the page at x1. */
function changeState(hyp: Parameters<GuestCall["effect"]>[0], call: GuestHvc): Outcome {
  const { vm } = running(hyp, call.cpu);
  const page = vm.stage2.pages.get(gfnOf(argument(call, 1)) ?? -1);
  if (page !== undefined) {
    const shares = page.state === "OWNED";
    page.state = shares ? "SHARED_OWNED" : "OWNED";
    setPage(hyp, page.pfn, shares ? GUEST_SHARED_PAGE : GUEST_PAGE);
    if (vmsOf(hyp.config).countsPages) hyp.memProtect += shares ? -1 : 1;
  }
  return vmsOf(hyp.config).tellsOfShares ? toHost(call, 4) : toGuest(RET.SUCCESS);
}

/** Where the address need not be that of a page, its page is meant, and the answer repeats it. */
export const memShare: GuestCall = {
  name: "pkvm_memshare_call",
  source: [
    cite("android14-6.1", "pkvm_memshare_call, hyp/nvhe/pkvm.c; __pkvm_guest_share_host"),
    cite("measured", "pvm-peek: 0 and the address; pvm-nolegacy: an address without memory"),
    cite("measured", "pvm: mainline 7.3.4 answers 0 alone, and -3 for an address inside a page"),
  ],
  guards: [
    reserved(2, 3),
    aligned,
    inRange,
    {
      clause: "GUEST-22",
      permits: (hyp, call) => pageAt(hyp, call) !== undefined,
      refusal: requestPage,
    },
    inState("OWNED"),
  ],
  effect: changeState,
};

export const memUnshare: GuestCall = {
  name: "pkvm_memunshare_call",
  source: [
    cite("android14-6.1", "pkvm_memunshare_call, hyp/nvhe/pkvm.c; __pkvm_guest_unshare_host"),
    cite("measured", "pvm-peek: -3 for what is not shared"),
  ],
  // An address out of range finds no page either, and both are answered the same.
  guards: [reserved(2, 3), aligned, inState("SHARED_OWNED")],
  effect: changeState,
};

/** The page goes back to the host, emptied; the host is told the address as it was given. */
export const memRelinquish: GuestCall = {
  name: "pkvm_memrelinquish_call",
  source: [
    cite("android14-6.1", "pkvm_memrelinquish_call, hyp/nvhe/pkvm.c"),
    cite("android14-6.1", "__pkvm_guest_relinquish_to_host, hyp/nvhe/mem_protect.c"),
    cite("measured", "pvm-peek: 0 and x1 = 0 for an absent page, -3 for a shared one"),
  ],
  guards: [
    reserved(2, 3),
    inRange,
    {
      clause: "GUEST-24",
      permits: (hyp, call) => pageAt(hyp, call) !== undefined,
      refusal: () => toGuest(0n),
    },
    inState("OWNED"),
  ],
  effect: (hyp, call) => {
    const { vm } = running(hyp, call.cpu);
    const gfn = gfnOf(argument(call, 1)) ?? -1;
    const page = vm.stage2.pages.get(gfn);
    if (page === undefined) return toGuest(0n);
    const events: MemoryEvent[] = [];
    unmapPage(vm.stage2, gfn, events);
    events.push({ kind: "zero", page: page.pfn, bytes: 4096 }, { kind: "give", page: page.pfn });
    setPage(hyp, page.pfn, PLAIN_PAGE);
    hyp.memProtect -= 1;
    return toHost(call, 4, events);
  },
};

const info = (name: string, text: string): GuestCall => ({
  name,
  source: [cite("android14-6.1", "pkvm_meminfo_call, hyp/nvhe/pkvm.c"), cite("measured", text)],
  guards: [reserved(1, 2, 3)],
  effect: () => toGuest(4096n),
});

export const memInfo = info("pkvm_meminfo_call", "pvm-peek: HYP_MEMINFO 0x1000, -3 otherwise");
export const guardInfo = info("mmio_guard_info", "pvm-peek: MMIO_GUARD_INFO 0x1000");
