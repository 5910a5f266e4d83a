// Looks up who owns a page: the exceptions first, then the hypervisor's carve-out, then the host;
// and which devices the host has mapped.

import { branchOf } from "../../spec/branches/branches.ts";
import type { Pfn } from "../../spec/types/address.ts";
import type { Hyp } from "../../spec/types/hyp.ts";
import { HYP_PAGE, type PageState, PLAIN_PAGE } from "../../spec/types/page.ts";
import { carveOutOf, MEMORY } from "../initial.ts";
import type { Mutable } from "../transition.ts";

/** The state of one page. Before EL2 is up nobody but the host owns anything. */
export function pageOf(hyp: Pick<Hyp, "pages" | "boot" | "config">, page: Pfn): PageState {
  const kept = hyp.pages.get(page);
  if (kept !== undefined) return kept;
  return hyp.boot.hypUp && isCarvedOut(hyp, page) ? HYP_PAGE : PLAIN_PAGE;
}

/**
 * Whether a page that is no memory is mapped in the host's stage 2: what the kernel reaches while
 * it boots, from the first finalised CPU on, and what is kept as shared.
 */
export function isMappedDevice(hyp: Pick<Hyp, "pages" | "boot" | "config">, page: Pfn): boolean {
  if (page >= MEMORY.first && page <= MEMORY.last) return false;
  const kept = hyp.pages.get(page);
  if (kept !== undefined) return kept.host !== "NOPAGE";
  if (!hyp.boot.finalised.includes(true)) return false;
  const { touchedDevices } = branchOf(hyp.config).layout;
  return touchedDevices.some(({ first, last }) => page >= first && page <= last);
}

/** Whether the hypervisor took the page at boot. */
export function isCarvedOut({ config }: Pick<Hyp, "config">, page: Pfn): boolean {
  const { first, last } = carveOutOf(config);
  return page >= first && page <= last;
}

/**
 * Writes the state of one page; a page that is plainly the host's again is forgotten, unless it
 * began as the hypervisor's.
 */
export function setPage(
  hyp: Pick<Mutable<Hyp>, "pages" | "config">,
  page: Pfn,
  state: PageState,
): void {
  const plain =
    !isCarvedOut(hyp, page) &&
    state.host === PLAIN_PAGE.host &&
    state.owner === PLAIN_PAGE.owner &&
    state.hyp === PLAIN_PAGE.hyp &&
    state.refcount === PLAIN_PAGE.refcount &&
    state.prot === undefined;
  if (plain) hyp.pages.delete(page);
  else hyp.pages.set(page, { ...state });
}
