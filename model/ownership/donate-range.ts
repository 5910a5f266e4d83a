// The ops that move ranges of pages between host and hypervisor, devices included.

import { branchOf } from "../../spec/branches/branches.ts";
import { cite } from "../../spec/sources.ts";
import type { Op } from "../../spec/types/action.ts";
import { negative } from "../../spec/types/errno.ts";
import { returned } from "../../spec/types/outcome.ts";
import { HYP_PAGE, PLAIN_PAGE } from "../../spec/types/page.ts";
import type { Transition } from "../transition.ts";
import { setPage } from "./page-of.ts";
import {
  everyPage,
  hypEndFits,
  hypReaches,
  isFollowed,
  isMemoryPage,
  type PageRange,
  pagesOf,
  rangeOf,
} from "./range.ts";
import { type Caller, hostWalk, hypSide } from "./share.ts";

const range = ({ args }: Op): PageRange => rangeOf(args[0] ?? 0n, args[1] ?? 0n);
const PAGES: Caller<Op> = { range, answer: returned, mapped: "as the others" };
const tooMany = (op: string) =>
  ({ kind: "unmodelled", what: `op ${op} of so many pages` }) as const;

/**
 * host_donate_hyp(pfn, nr_pages): all checks of all pages, then the move. The linear map of EL2 is
 * looked at before the move in a debug build only; without it the mapping fails in the middle.
 */
const hostDonateHyp: Transition<Op> = {
  name: "host_donate_hyp",
  source: [
    cite("android14-6.1", "__pkvm_host_donate_hyp, do_donate, hyp/nvhe/mem_protect.c"),
    cite("measured", "ops, ops-inrange, random-ops-101"),
  ],
  guards: [
    ...hostWalk(PAGES),
    {
      clause: "OWN-66",
      permits: (hyp, action) =>
        branchOf(hyp.config).donatesDevices === "always" ||
        ((action.args[2] ?? 0n) & 0xffn) !== 0n ||
        !isFollowed(range(action)) ||
        everyPage(hyp, range(action), (_, page) => isMemoryPage(page)),
      refusal: () => returned(negative("EPERM")),
    },
    {
      clause: "OWN-8",
      permits: (hyp, action) => everyPage(hyp, range(action), ({ host }) => host === "OWNED"),
      refusal: () => returned(negative("EPERM")),
    },
    {
      clause: "OWN-9",
      permits: ({ config }, action) => config.build !== "el2debug" || hypReaches(range(action)),
      refusal: () => returned(negative("ERANGE")),
    },
    {
      clause: "OWN-10",
      permits: (_, action) => hypReaches(range(action)),
      refusal: () => ({ kind: "hyp-panic", reason: "DONATE_MAP_FAILED" }),
    },
    ...hypSide(PAGES),
  ],
  effect: (hyp, action) => {
    if (!isFollowed(range(action))) return tooMany(action.op);
    for (const page of pagesOf(range(action))) setPage(hyp, page, HYP_PAGE);
    return returned(0);
  },
};

/** hyp_donate_host(pfn, nr_pages): the contents stay; a production build asks EL2's table only. */
const hypDonateHost: Transition<Op> = {
  name: "hyp_donate_host",
  source: [
    cite("android14-6.1", "__pkvm_hyp_donate_host, do_donate, hyp/nvhe/mem_protect.c"),
    cite("measured", "ops, ops-inrange, random-ops-101"),
  ],
  guards: [
    {
      clause: "OWN-11",
      permits: (_, action) => hypEndFits(range(action)),
      refusal: () => returned(negative("EINVAL")),
    },
    {
      clause: "OWN-12",
      permits: (_, action) => hypReaches(range(action)),
      refusal: () => returned(negative("ERANGE")),
    },
    {
      clause: "OWN-13",
      permits: (hyp, action) =>
        everyPage(
          hyp,
          range(action),
          ({ host, hyp: el2 }) =>
            el2 === "OWNED" && (hyp.config.build === "production" || host === "NOPAGE"),
        ),
      refusal: () => returned(negative("EPERM")),
    },
  ],
  effect: (hyp, action) => {
    for (const page of pagesOf(range(action))) setPage(hyp, page, PLAIN_PAGE);
    return returned(0);
  },
};

/** Both directions. */
export const DONATION_OPS: readonly Transition<Op>[] = [hostDonateHyp, hypDonateHost];
