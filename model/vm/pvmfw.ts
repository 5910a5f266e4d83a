// The firmware of protected guests: which page of the image belongs at a guest frame number.

import { type Pfn, pfn } from "../../spec/types/address.ts";
import type { Hyp } from "../../spec/types/hyp.ts";
import type { HypVm } from "../../spec/types/hyp-vm.ts";
import { PVMFW_FIRST } from "../initial.ts";

/**
 * The page of the image that a donated page is to be filled with; "none" outside the firmware's
 * range; undefined where the range does not lie on pages, which EL2 does not survive.
 * Source: pkvm_ipa_range_has_pvmfw, nvhe/pkvm.h; pkvm_load_pvmfw_pages, pkvm.c (android14-6.1).
 */
export function firmwarePage(
  { firmware }: Pick<Hyp, "firmware">,
  { pvmfwLoadAddr }: Pick<HypVm, "pvmfwLoadAddr">,
  gfn: number,
): Pfn | "none" | undefined {
  const size = BigInt(firmware.advertisedBytes);
  if (pvmfwLoadAddr === undefined || size === 0n) return "none";
  const ipa = BigInt(gfn) << 12n;
  const end = pvmfwLoadAddr + size;
  if (ipa + 4096n <= pvmfwLoadAddr || ipa >= end) return "none";
  const offset = ipa - pvmfwLoadAddr;
  return offset < 0n || offset % 4096n !== 0n
    ? undefined
    : pfn(PVMFW_FIRST + Number(offset >> 12n));
}
