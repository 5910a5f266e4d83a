// The machine of the measurements: which pages are memory, which of them pKVM keeps for itself, and
// which devices the host has reached.

import type { FrameRange } from "./branches/branch.ts";
import { branchOf } from "./branches/branches.ts";
import type { Pfn } from "./types/address.ts";
import type { Hyp } from "./types/hyp.ts";
import { HYP_PAGE, type PageState, PLAIN_PAGE } from "./types/page.ts";

/** 1 GiB at 0x40000000. Source: QEMU 7.2 virt as recorded in the header of every trace. */
const MEMORY: FrameRange = { first: 0x40000, last: 0x7ffff };

const lies = (page: Pfn, within: FrameRange): boolean =>
  page >= within.first && page <= within.last;

/** Whether a page is memory; what is not is a device, or nothing. */
export const isMemory = (page: Pfn): boolean => lies(page, MEMORY);

/** Whether kvm_hyp_reserve kept a page for the hypervisor itself. */
export const isCarveOut = ({ config }: Hyp, page: Pfn): boolean =>
  lies(page, branchOf(config).layout.carveOut);

/** Who has a page: as kept, or the hypervisor if it reserved it at boot, or else the host. */
export function pageAt(hyp: Hyp, page: Pfn): PageState {
  const kept = hyp.pages.get(page);
  if (kept !== undefined) return kept;
  return hyp.boot.hypUp && isCarveOut(hyp, page) ? HYP_PAGE : PLAIN_PAGE;
}

/**
 * Whether a page that is no memory is mapped in the host's stage 2: the host reached it before user
 * space ran, or it is kept as more than plainly the host's.
 */
export function isMappedDevice(hyp: Hyp, page: Pfn): boolean {
  if (isMemory(page)) return false;
  const kept = hyp.pages.get(page);
  if (kept !== undefined) return kept.host !== "NOPAGE";
  const { touchedDevices } = branchOf(hyp.config).layout;
  return hyp.boot.finalised.includes(true) && touchedDevices.some((range) => lies(page, range));
}
