// Where the memory of a module is at EL2, as the section table and the token say it should be.

import { type HypVa, hypVa, PAGE_SIZE } from "../types/address.ts";
import type { Hyp, ModuleMapping, Reservation } from "../types/hyp.ts";
import type { ModuleState } from "../types/module.ts";

/** The address after the last one of a reservation. */
export const endOf = ({ base, pages }: Reservation): HypVa =>
  hypVa(base + BigInt(pages) * PAGE_SIZE);

/** Whether an address lies in a reservation. */
export const lies = (address: bigint, within: Reservation): boolean =>
  address >= within.base && address < endOf(within);

/**
 * Whether an address lies below the first or above the last reservation; what lies between two is
 * not noticed.
 * Source: assert_in_mod_range and mod_range, hyp/nvhe/mm.c.
 */
export const outsideModules = (hyp: Hyp, address: bigint): boolean =>
  !hyp.el2.reservations.some(({ base }) => base <= address) ||
  !hyp.el2.reservations.some((reservation) => address < endOf(reservation));

/** The reservation of a module's last attempt, and the addresses in it that are mapped. */
export function reservationOf(
  hyp: Hyp,
  module: ModuleState | undefined,
): { readonly reservation: Reservation; readonly mapped: readonly HypVa[] } | undefined {
  const reservation = hyp.el2.reservations.find(({ base }) => base === module?.token);
  if (reservation === undefined) return undefined;
  return {
    reservation,
    mapped: [...hyp.el2.mappings.keys()].filter((va) => lies(va, reservation)),
  };
}

/**
 * What EL2 maps of a module that is loaded: each page of each section, at the distance from the
 * token that it has from
 * the first section in the kernel's address space.
 * Source: __pkvm_load_el2_module, steps 4 and 11, arch/arm64/kvm/pkvm.c.
 */
export function expectedMappings(
  module: ModuleState | undefined,
): readonly (readonly [HypVa, ModuleMapping])[] {
  const token = module?.token;
  const present = (module?.sections ?? []).flatMap((section) =>
    section.kernVa === undefined ? [] : [{ ...section, start: section.kernVa }],
  );
  if (token === undefined || present.length === 0) return [];
  const first = present.map(({ start }) => start).reduce((a, b) => (a < b ? a : b));
  return present.flatMap(({ start, pfns, prot }) =>
    pfns.map((pfn, page) => {
      const distance = start - first + BigInt(page) * PAGE_SIZE;
      return [hypVa(token + distance), { pfn, prot }] as const;
    }),
  );
}
