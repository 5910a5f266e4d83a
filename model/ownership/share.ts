// Sharing between host and hypervisor, and pins: one page by hypercall or op, a range of pins.

import type { AddressChecks } from "../../spec/branches/branch.ts";
import { branchOf } from "../../spec/branches/branches.ts";
import { cite } from "../../spec/sources.ts";
import type { Op } from "../../spec/types/action.ts";
import { type Errno, negative } from "../../spec/types/errno.ts";
import type { Hyp } from "../../spec/types/hyp.ts";
import { answered, type Outcome, returned } from "../../spec/types/outcome.ts";
import { PLAIN_PAGE, SHARED_PAGE } from "../../spec/types/page.ts";
import { argument, type HypercallArgs } from "../dispatch/hypercall.ts";
import type { Guard, Transition } from "../transition.ts";
import { isCarvedOut, isMappedDevice, pageOf, setPage } from "./page-of.ts";
import {
  everyPage,
  hostEndFits,
  hostReaches,
  isMemoryPage,
  linearRange,
  type PageRange,
  pagesOf,
  rangeOf,
} from "./range.ts";

/** How one kind of caller names its pages and gets its number. */
export interface Caller<A> {
  readonly range: (action: A) => PageRange;
  readonly answer: (value: number) => Outcome;
  /** Ops exist only where a device that is mapped is refused as one that is not. */
  readonly mapped: "as the others" | "apart";
}

const BY_HCALL: Caller<HypercallArgs> = {
  range: (call) => rangeOf(argument(call, 1), 1n),
  answer: answered,
  mapped: "apart",
};
const BY_OP: Caller<Op> = {
  range: ({ args }) => rangeOf(args[0] ?? 0n, 1n),
  answer: returned,
  mapped: "as the others",
};

/** The walk of the host's table: an end beyond 64 bits, then an address beyond the table. */
export const hostWalk = <A>({ range, answer }: Caller<A>): readonly Guard<A>[] => [
  {
    clause: "OWN-1",
    permits: (_, action) => hostEndFits(range(action)),
    refusal: (hyp) => answer(negative(addressChecksOf(hyp).overflow)),
  },
  {
    clause: "OWN-2",
    permits: (_, action) => hostReaches(range(action)),
    refusal: (hyp) => answer(negative(addressChecksOf(hyp).beyond)),
  },
];

/**
 * What EL2 itself has at the pages: a debug build looks first, a production build finds out when it
 * maps, and takes an entry with other permissions for a bug. Only linear_map_early leaves any.
 */
export const hypSide = <A>({ range, answer }: Caller<A>): readonly Guard<A>[] => [
  {
    clause: "OWN-53",
    permits: (hyp, action) =>
      hyp.config.build !== "el2debug" ||
      everyPage(hyp, range(action), ({ hyp: el2 }) => el2 === "NOPAGE"),
    refusal: () => answer(negative("EPERM")),
  },
  {
    clause: "OWN-54",
    permits: (hyp, action) => everyPage(hyp, range(action), ({ hypProt }) => hypProt === undefined),
    refusal: () => ({ kind: "hyp-panic", reason: "EL2_BUG" }),
  },
];

const addressChecksOf = ({ config }: Pick<Hyp, "config">): AddressChecks =>
  branchOf(config).addressChecks;

/**
 * What is no memory: a device that the host has mapped, then one that it has not. 6.1 finds the
 * first by its entry and takes the second, which has none, for a page of the host's.
 */
const devices = <A>(
  { range, answer, mapped }: Caller<A>,
  refusalOf: (untouched: AddressChecks["untouchedDevice"]) => Errno | undefined,
): readonly Guard<A>[] => [
  ...(mapped === "as the others"
    ? []
    : [
        {
          clause: "OWN-61",
          permits: (hyp, action) =>
            everyPage(hyp, range(action), (_, page) => !isMappedDevice(hyp, page)),
          refusal: (hyp) => answer(negative(addressChecksOf(hyp).mappedDevice)),
        } satisfies Guard<A>,
      ]),
  {
    clause: "OWN-62",
    permits: (hyp, action) =>
      refusalOf(addressChecksOf(hyp).untouchedDevice) === undefined ||
      everyPage(hyp, range(action), (_, page) => isMemoryPage(page)),
    refusal: (hyp) => answer(negative(refusalOf(addressChecksOf(hyp).untouchedDevice) ?? "EPERM")),
  },
];

const source = (name: string) => [
  cite("android14-6.1", `${name}, hyp/nvhe/mem_protect.c`),
  cite("measured", "base, ops-inrange, random-ops-101"),
];

/** __pkvm_host_share_hyp: the page stays the host's, and EL2 maps it in its linear map. */
const share = <A>(name: string, caller: Caller<A>): Transition<A> => ({
  name,
  source: source("__pkvm_host_share_hyp, do_share"),
  guards: [
    ...hostWalk(caller),
    ...devices(caller, (untouched) => (untouched === "shared" ? undefined : untouched)),
    {
      clause: "OWN-3",
      permits: (hyp, action) =>
        everyPage(hyp, caller.range(action), ({ host }) => host === "OWNED"),
      refusal: () => caller.answer(negative("EPERM")),
    },
    ...hypSide(caller),
  ],
  effect: (hyp, action) => {
    for (const page of pagesOf(caller.range(action))) setPage(hyp, page, SHARED_PAGE);
    return caller.answer(0);
  },
});

/** __pkvm_host_unshare_hyp: nobody may have pinned the page. */
const unshare = <A>(name: string, caller: Caller<A>): Transition<A> => ({
  name,
  source: source("__pkvm_host_unshare_hyp, do_unshare, hyp_ack_unshare"),
  guards: [
    ...hostWalk(caller),
    ...devices(caller, (untouched) => (untouched === "shared" ? "EPERM" : untouched)),
    {
      clause: "OWN-5",
      // The host's side and EL2's: what the host lends to a guest is shared, but not with EL2. The
      // kernel looks for pins in between, which only what is shared with EL2 can have.
      permits: (hyp, action) =>
        everyPage(
          hyp,
          caller.range(action),
          ({ host, hyp: el2 }) => host === "SHARED_OWNED" && el2 === "SHARED_BORROWED",
        ),
      refusal: () => caller.answer(negative("EPERM")),
    },
    {
      clause: "OWN-6",
      permits: (hyp, action) =>
        everyPage(hyp, caller.range(action), ({ refcount }) => refcount === 0),
      refusal: () => caller.answer(negative("EBUSY")),
    },
  ],
  effect: (hyp, action) => {
    for (const page of pagesOf(caller.range(action))) setPage(hyp, page, PLAIN_PAGE);
    return caller.answer(0);
  },
});

/** The two hypercalls. */
export const SHARE_HCALLS: readonly Transition<HypercallArgs>[] = [
  share("__pkvm_host_share_hyp", BY_HCALL),
  unshare("__pkvm_host_unshare_hyp", BY_HCALL),
];

const BETWEEN: Caller<Op> = {
  range: ({ args }) => linearRange(args[0] ?? 0n, args[1] ?? 0n),
  answer: returned,
  mapped: "as the others",
};

/** The counter of a page has 16 bits. Source: struct hyp_page, nvhe/memory.h (android14-6.1). */
const PIN_MAX = 0xffff;

/** hyp_pin_shared_mem(from, to): while it is pinned, a page cannot be unshared. */
const pin: Transition<Op> = {
  name: "pin_shared_mem",
  source: source("hyp_pin_shared_mem"),
  guards: [
    ...hostWalk(BETWEEN),
    {
      clause: "OWN-14",
      permits: (hyp, action) =>
        everyPage(
          hyp,
          BETWEEN.range(action),
          ({ host, hyp: el2 }) => host === "SHARED_OWNED" && el2 === "SHARED_BORROWED",
        ),
      refusal: () => returned(negative("EPERM")),
    },
  ],
  effect: (hyp, action) => {
    for (const page of pagesOf(BETWEEN.range(action))) {
      const state = pageOf(hyp, page);
      if (state.refcount === PIN_MAX) return { kind: "unmodelled", what: "65536 pins of a page" };
      setPage(hyp, page, { ...state, refcount: state.refcount + 1 });
    }
    return returned(0);
  },
};

/**
 * What an unpin trips over first: a counter that is 0, one that is not there because the page is no
 * memory, or one that EL2 keeps of its own pages.
 */
function stumbles(hyp: Hyp, action: Op): "zero" | "no memory" | "EL2's own" | undefined {
  for (const page of pagesOf(BETWEEN.range(action))) {
    if (!isMemoryPage(page)) return "no memory";
    if (isCarvedOut(hyp, page)) return "EL2's own";
    if (pageOf(hyp, page).refcount === 0) return "zero";
  }
  return undefined;
}

/** hyp_unpin_shared_mem(from, to): nothing is checked, but a counter of 0 cannot go down. */
const unpin: Transition<Op> = {
  name: "unpin_shared_mem",
  source: source("hyp_unpin_shared_mem, hyp_page_ref_dec"),
  guards: [
    {
      clause: "OWN-16",
      permits: (hyp, action) => stumbles(hyp, action) !== "zero",
      refusal: () => ({ kind: "hyp-panic", reason: "EL2_BUG" }),
    },
  ],
  effect: (hyp, action) => {
    switch (stumbles(hyp, action)) {
      case "no memory":
        // hyp_vmemmap has counters of memory alone; at which level the walk ends is not modelled.
        hyp.end = { kind: "hyp-panic", reason: "EL2_ABORT", esr: undefined };
        return { kind: "hyp-panic", reason: "EL2_ABORT" };
      case "EL2's own":
        return { kind: "unmodelled", what: "op unpin_shared_mem of EL2's own pages" };
      default:
        for (const page of pagesOf(BETWEEN.range(action))) {
          const state = pageOf(hyp, page);
          setPage(hyp, page, { ...state, refcount: state.refcount - 1 });
        }
        return returned(0);
    }
  },
};

/** The ops that share, and those that pin. */
export const SHARE_OPS: readonly Transition<Op>[] = [
  share("host_share_hyp", BY_OP),
  unshare("host_unshare_hyp", BY_OP),
  pin,
  unpin,
];
