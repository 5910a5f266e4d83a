// Donations between the host and the hypervisor: one page, all checks first.

import type { Pfn } from "../../spec/types/address.ts";
import { negative } from "../../spec/types/errno.ts";
import type { Hyp } from "../../spec/types/hyp.ts";
import { HYP_PAGE, type PageState, PLAIN_PAGE } from "../../spec/types/page.ts";
import { pageOf, setPage } from "./page-of.ts";
import { isMemoryPage } from "./range.ts";

type Pages = { pages: Map<Pfn, PageState> } & Pick<Hyp, "boot" | "config">;

/**
 * Whether the host may give one page to the hypervisor: 0, or the errno.
 * The check of the hypervisor's side exists only in debug builds.
 * Source: __pkvm_host_donate_hyp, do_donate, hyp/nvhe/mem_protect.c (android14-6.1).
 */
export function checkHostDonateHyp(hyp: Pick<Hyp, "pages" | "boot" | "config">, page: Pfn): number {
  const state = pageOf(hyp, page);
  // 1. It is memory, which the host owns exclusively.
  if (!isMemoryPage(page)) return negative("EPERM");
  if (state.host !== "OWNED" || state.refcount !== 0) return negative("EPERM");
  // 2. The hypervisor has nothing there (NVHE_EL2_DEBUG only).
  if (hyp.config.build === "el2debug" && state.hyp !== "NOPAGE") return negative("EPERM");
  return 0;
}

/** The host gives one page to the hypervisor; `checkHostDonateHyp` has allowed it. */
export function hostDonateHyp(hyp: Pages, page: Pfn): void {
  setPage(hyp, page, HYP_PAGE);
}

/**
 * Whether the hypervisor may give one page to the host: 0, or the errno.
 * Source: __pkvm_hyp_donate_host, hyp/nvhe/mem_protect.c (android14-6.1).
 */
export function checkHypDonateHost(hyp: Pick<Hyp, "pages" | "boot" | "config">, page: Pfn): number {
  const state = pageOf(hyp, page);
  return state.hyp === "OWNED" && state.host === "NOPAGE" ? 0 : negative("EPERM");
}

/** The hypervisor gives one page to the host; its contents are not zeroed. */
export function hypDonateHost(hyp: Pages, page: Pfn): void {
  setPage(hyp, page, PLAIN_PAGE);
}
