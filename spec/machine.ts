// The machine of the measurements: which pages are memory, and which of them pKVM keeps for itself.

import type { Pfn } from "./types/address.ts";
import type { Hyp } from "./types/hyp.ts";
import { HYP_PAGE, type PageState, PLAIN_PAGE } from "./types/page.ts";

/** 1 GiB at 0x40000000. Source: QEMU 7.2 virt as recorded in the header of every trace. */
const MEMORY = { first: 0x40000, last: 0x7ffff } as const;

/** kvm_hyp_reserve's 10 MiB. Source: measured on android14-6.1.145, both builds. */
const CARVE_OUT = { first: 0x7f400, last: 0x7fdff } as const;

const lies = (page: Pfn, within: { readonly first: number; readonly last: number }): boolean =>
  page >= within.first && page <= within.last;

/** Whether a page is memory; what is not is a device, or nothing. */
export const isMemory = (page: Pfn): boolean => lies(page, MEMORY);

/** Who has a page: as kept, or the hypervisor if it reserved it at boot, or else the host. */
export function pageAt(hyp: Hyp, page: Pfn): PageState {
  const kept = hyp.pages.get(page);
  if (kept !== undefined) return kept;
  return hyp.boot.hypUp && lies(page, CARVE_OUT) ? HYP_PAGE : PLAIN_PAGE;
}
