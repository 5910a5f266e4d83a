// EL2's own stage 1: the linear map of what the hypervisor owns or shares, and its private range.

import { addressOf, type HypVa, hypVa, type Pfn, pfn } from "../../spec/types/address.ts";
import { PAGE_HYP, PROT } from "../../spec/types/module.ts";
import type { PageState } from "../../spec/types/page.ts";
import { hypAttributes } from "./attributes.ts";
import { leaf, STATE_OWNED, STATE_SHARED_BORROWED } from "./descriptor.ts";

/**
 * EL2 VA = physical address + this, in the linear map: memory starts at 0x4000000000.
 * Source: measured on android14-6.1.145 (ops 20, 21 and 26); no tag bits, as there is no KASLR.
 */
export const HYP_LINEAR_OFFSET = 0x40_0000_0000n - 0x4000_0000n;

/**
 * The linear-map address of a physical address. Source: hyp_va, hyp_phys_to_virt (android14-6.1).
 */
export const hypLinear = (pa: bigint): HypVa => hypVa(pa + HYP_LINEAR_OFFSET);

/**
 * The physical address of a linear-map address; anything else gives nonsense, as on the machine.
 */
export const hypPhys = (va: bigint): bigint => BigInt.asUintN(64, va - HYP_LINEAR_OFFSET);

/** The page that a linear-map address belongs to. */
export const linearPage = (va: bigint): Pfn => pfn(Number(hypPhys(va) >> 12n));

/** How pKVM maps a page in its linear map. Source: default_hyp_prot, PAGE_HYP, PAGE_HYP_DEVICE. */
export const hypLinearProt = (memory: boolean): number =>
  memory ? PAGE_HYP : PAGE_HYP | PROT.DEVICE;

/**
 * The linear-map entry of one page in a state.
 * Source: hyp_complete_donation, hyp_complete_share, hyp/nvhe/mem_protect.c (android14-6.1):
 * PAGE_HYP with the state in
 * the software bits, PAGE_HYP_DEVICE for what is not memory.
 */
export function hypLinearEntry(page: Pfn, { hyp, hypProt }: PageState, memory: boolean): bigint {
  const attributes = hypAttributes(hypProt ?? hypLinearProt(memory));
  switch (hyp) {
    case "NOPAGE":
      return 0n;
    case "OWNED":
    case "RESTRICTED_PROT":
      return leaf(addressOf(page), 3, attributes | STATE_OWNED);
    // do_share maps everything alike.
    case "SHARED_BORROWED":
      return leaf(addressOf(page), 3, hypAttributes(hypProt ?? PAGE_HYP) | STATE_SHARED_BORROWED);
  }
}

/**
 * The entry of one page mapped for a module. Source: pkvm_create_mappings, hyp/nvhe/mm.c
 * (android14-6.1).
 */
export const moduleEntry = (page: Pfn, prot: number): bigint =>
  leaf(addressOf(page), 3, hypAttributes(prot));
