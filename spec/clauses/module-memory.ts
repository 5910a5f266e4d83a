// Where the memory of a module is at EL2, as the section table and the token say it should be.

import { branchOf } from "../branches/branches.ts";
import { type HypVa, hypVa, type KernVa, kernVa, PAGE_SIZE, type Pfn } from "../types/address.ts";
import type { Hyp, Reservation } from "../types/hyp.ts";
import type { ModuleState } from "../types/module.ts";

/** The address after the last one of a reservation. */
export const endOf = ({ base, pages }: Reservation): HypVa =>
  hypVa(base + BigInt(pages) * PAGE_SIZE);

/** Whether an address lies in a reservation. */
export const lies = (address: bigint, within: Reservation): boolean =>
  address >= within.base && address < endOf(within);

/**
 * Whether an address lies below the first or above the last reservation; what lies between two is
 * not noticed. What was taken for private mappings does not count.
 * Source: assert_in_mod_range and mod_range, hyp/nvhe/mm.c.
 */
export function outsideModules(hyp: Hyp, address: bigint): boolean {
  const ofModules = hyp.el2.reservations.filter(({ isPrivate }) => isPrivate !== true);
  return (
    !ofModules.some(({ base }) => base <= address) ||
    !ofModules.some((reservation) => address < endOf(reservation))
  );
}

/** The part of the mirror that the pages of one module take. */
function spanAt(token: HypVa, pages: readonly PlacedPage[]): Reservation {
  const end = pages.reduce(
    (last, { hypVa: va }) => (va >= last ? va + PAGE_SIZE : last),
    token as bigint,
  );
  return { base: token, pages: Number((end - token) / PAGE_SIZE) };
}

/** The reservation of a module's last attempt, and the addresses in it that are mapped. */
export function reservationOf(
  hyp: Hyp,
  module: ModuleState | undefined,
): { readonly reservation: Reservation; readonly mapped: readonly HypVa[] } | undefined {
  const token = module?.token;
  if (token === undefined) return undefined;
  const isMirrored = branchOf(hyp.config).directRange;
  const reservation = hyp.el2.reservations.find((one) =>
    isMirrored ? lies(token, one) : one.base === token,
  );
  if (reservation === undefined) return undefined;
  // The mirror of the module area holds other modules as well.
  const own = isMirrored ? spanAt(token, placedPages(module)) : reservation;
  return {
    reservation: own,
    mapped: [...hyp.el2.mappings.keys()].filter((va) => lies(va, own)),
  };
}

/** One page of a module: where it is at EL1, and where the load puts it at EL2. */
export interface PlacedPage {
  readonly pfn: Pfn;
  readonly prot: number;
  readonly kernVa: KernVa;
  readonly hypVa: HypVa;
}

/**
 * The pages of a module that has a token: each is as far from the token as it is from the first
 * section at EL1.
 * Source: __pkvm_load_el2_module, steps 4 and 11, arch/arm64/kvm/pkvm.c.
 */
export function placedPages(module: ModuleState | undefined): readonly PlacedPage[] {
  if (module?.token === undefined) return [];
  const { token, sections } = module;
  const pages = sections.flatMap(({ kernVa: start, pfns, prot }) =>
    start === undefined
      ? []
      : pfns.map((pfn, at) => ({ pfn, prot, kernVa: kernVa(start + BigInt(at) * PAGE_SIZE) })),
  );
  const first = pages.map((page) => page.kernVa).reduce((a, b) => (a < b ? a : b), kernVa(-1n));
  return pages.map((page) => ({ ...page, hypVa: hypVa(token + page.kernVa - first) }));
}

/**
 * Whether EL2 can see a module from this address on: the base of a reservation, or, where the
 * module area has a mirror, any page of one.
 */
export function isPlaced({ config, el2 }: Pick<Hyp, "config" | "el2">, address: bigint): boolean {
  if (!branchOf(config).directRange) return el2.reservations.some(({ base }) => base === address);
  return address % PAGE_SIZE === 0n && el2.reservations.some((one) => lies(address, one));
}
