// One page and one guest on 6.12: every function of the hypervisor that changes who has the page,
// FF-A and guests among them, as the kernel's own test of ownership calls them.

import type { Errno } from "../../spec/types/errno.ts";
import {
  GUEST_PAGE,
  HYP_PAGE,
  LENT_PAGE,
  type PageState,
  PLAIN_PAGE,
  SHARED_PAGE,
} from "../../spec/types/page.ts";

/** The page, and where the guest sees it: often if the host lends it, once if it is given. */
export interface OnePage {
  readonly state: PageState;
  /** Guest frames. The length is host_share_guest_count while the page is lent. */
  readonly gfns: readonly number[];
}

/** A page that is plainly the host's. */
export const HOSTS: OnePage = { state: PLAIN_PAGE, gfns: [] };

/** The functions, by the kernel's names without their prefixes. */
export type OwnershipCall =
  | "host_donate_hyp"
  | "hyp_donate_host"
  | "host_share_hyp"
  | "host_unshare_hyp"
  | "hyp_pin_shared_mem"
  | "hyp_unpin_shared_mem"
  | "host_share_ffa"
  | "host_unshare_ffa"
  | "host_share_guest"
  | "host_unshare_guest"
  | "host_donate_guest"
  | "guest_relinquish_to_host";

/** What is refused, or the page afterwards. */
export type Moved = Errno | OnePage;

/** Whether the host has the page for itself and nobody counts on it: PKVM_PAGE_OWNED. */
const isHosts = ({ state }: OnePage): boolean => state.host === "OWNED" && state.refcount === 0;

/** Lent to the guest: SHARED_OWNED with a count; with FF-A the count is 0. */
const isLent = ({ state, gfns }: OnePage): boolean =>
  state.host === "SHARED_OWNED" && state.hyp === "NOPAGE" && gfns.length > 0;
const isWithFfa = ({ state, gfns }: OnePage): boolean =>
  state.host === "SHARED_OWNED" && state.hyp === "NOPAGE" && gfns.length === 0;
const isWithHyp = ({ state }: OnePage): boolean =>
  state.host === "SHARED_OWNED" && state.hyp === "SHARED_BORROWED";

const becomes = (state: PageState, gfns: readonly number[] = []): OnePage => ({ state, gfns });

/**
 * All checks, then the move. Source: hyp/nvhe/mem_protect.c (android16-6.12), the functions named
 * __pkvm_ and these.
 */
const CALLS: Readonly<Record<OwnershipCall, (page: OnePage, gfn: number) => Moved>> = {
  host_donate_hyp: (page) => (isHosts(page) ? becomes(HYP_PAGE) : "EPERM"),
  hyp_donate_host: ({ state }) =>
    state.hyp === "OWNED" && state.host === "NOPAGE" ? HOSTS : "EPERM",
  host_share_hyp: (page) => (isHosts(page) ? becomes(SHARED_PAGE) : "EPERM"),
  host_unshare_hyp: (page) => {
    if (!isWithHyp(page)) return "EPERM";
    return page.state.refcount === 0 ? HOSTS : "EBUSY";
  },
  hyp_pin_shared_mem: (page) =>
    isWithHyp(page) ? becomes({ ...page.state, refcount: page.state.refcount + 1 }) : "EPERM",
  hyp_unpin_shared_mem: (page) => becomes({ ...page.state, refcount: page.state.refcount - 1 }),
  host_share_ffa: (page) => (isHosts(page) ? becomes(LENT_PAGE) : "EPERM"),
  host_unshare_ffa: (page) => (isWithFfa(page) ? HOSTS : "EPERM"),
  host_share_guest: (page, gfn) => {
    if (page.gfns.includes(gfn) || !(isHosts(page) || isLent(page))) return "EPERM";
    return becomes(LENT_PAGE, [...page.gfns, gfn]);
  },
  host_unshare_guest: (page, gfn) => {
    if (!page.gfns.includes(gfn)) return "ENOENT";
    if (!isLent(page)) return "EPERM";
    const gfns = page.gfns.filter((other) => other !== gfn);
    return gfns.length === 0 ? HOSTS : becomes(LENT_PAGE, gfns);
  },
  host_donate_guest: (page, gfn) =>
    isHosts(page) && !page.gfns.includes(gfn) ? becomes(GUEST_PAGE, [gfn]) : "EPERM",
  guest_relinquish_to_host: (page, gfn) => {
    if (!page.gfns.includes(gfn)) return "ENOENT";
    return page.state.owner === "GUEST" && page.state.host === "NOPAGE" ? HOSTS : "EPERM";
  },
};

/** Makes one call. `gfn` is looked at by what speaks of the guest. */
export const moveOnePage = (page: OnePage, call: OwnershipCall, gfn: number): Moved =>
  CALLS[call](page, gfn);
