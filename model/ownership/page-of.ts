// Looks up who owns a page: the exceptions first, then the hypervisor's carve-out, then the host.

import type { Pfn } from "../../spec/types/address.ts";
import type { Hyp } from "../../spec/types/hyp.ts";
import { HYP_PAGE, type PageState, PLAIN_PAGE } from "../../spec/types/page.ts";
import { CARVE_OUT } from "../initial.ts";

/** The state of one page. Before EL2 is up nobody but the host owns anything. */
export function pageOf(hyp: Pick<Hyp, "pages" | "boot">, page: Pfn): PageState {
  const kept = hyp.pages.get(page);
  if (kept !== undefined) return kept;
  return hyp.boot.hypUp && carvedOut(page) ? HYP_PAGE : PLAIN_PAGE;
}

/** Whether the hypervisor took the page at boot. */
const carvedOut = (page: Pfn): boolean => page >= CARVE_OUT.first && page <= CARVE_OUT.last;

/**
 * Writes the state of one page; a page that is plainly the host's again is forgotten, unless it
 * began as the hypervisor's.
 */
export function setPage(pages: Map<Pfn, PageState>, page: Pfn, state: PageState): void {
  const plain =
    !carvedOut(page) &&
    state.host === PLAIN_PAGE.host &&
    state.owner === PLAIN_PAGE.owner &&
    state.hyp === PLAIN_PAGE.hyp &&
    state.refcount === PLAIN_PAGE.refcount;
  if (plain) pages.delete(page);
  else pages.set(page, state);
}
