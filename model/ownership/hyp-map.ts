// EL2's own table: what it has at an address, what may be mapped there, and what a module maps.

import { hypVa, PAGE_SHIFT, PAGE_SIZE, type Pfn } from "../../spec/types/address.ts";
import type { Errno } from "../../spec/types/errno.ts";
import type { Hyp } from "../../spec/types/hyp.ts";
import { PROT } from "../../spec/types/module.ts";
import type { Outcome } from "../../spec/types/outcome.ts";
import type { PageState } from "../../spec/types/page.ts";
import { HYP_VA_LIMIT, PRIVATE_BASE, PRIVATE_FIRST_FREE, PRIVATE_LIMIT } from "../initial.ts";
import { hypLinear, hypLinearProt, hypPhys } from "../pgtable/hyp-stage1.ts";
import type { Mutable } from "../transition.ts";
import { pageOf, setPage } from "./page-of.ts";
import { isMemoryPage } from "./range.ts";

/** One page to be mapped at EL2; no number was checked by anyone. */
export interface HypMapping {
  readonly va: bigint;
  readonly page: Pfn;
  readonly prot: bigint;
}

/** What EL2's table has at an address. */
interface Entry {
  readonly page: Pfn;
  readonly prot: number;
}

/** A mapping in a part of EL2's addresses that is not modelled. */
export const OUT_OF_PLACE: Outcome = {
  kind: "unmodelled",
  what: "a mapping among EL2's own addresses",
};

/** Whether the linear map has an address; the pages below memory come first. */
const isLinear = (va: bigint): boolean => va >= hypLinear(0n) && va < HYP_VA_LIMIT;

/** Stacks and fixmap of EL2, and its vmemmap. */
const isOwn = (va: bigint): boolean =>
  (va >= PRIVATE_BASE && va < PRIVATE_FIRST_FREE) || (va >= PRIVATE_LIMIT && va < hypLinear(0n));

const linearPageOf = (va: bigint): Pfn => Number(hypPhys(va) >> PAGE_SHIFT) as Pfn;

/** With which permissions EL2 has a page in its linear map. */
function linearProtOf({ hyp, hypProt }: PageState, page: Pfn): number | undefined {
  if (hyp === "NOPAGE") return undefined;
  const usual = hyp === "SHARED_BORROWED" ? PROT.R | PROT.W : hypLinearProt(isMemoryPage(page));
  return hypProt ?? usual;
}

/** The entry at a page of EL2's addresses. */
export function hypEntryAt(
  hyp: Pick<Hyp, "pages" | "boot" | "config" | "el2">,
  va: bigint,
): Entry | undefined {
  const start = va & ~(PAGE_SIZE - 1n);
  const mapped = hyp.el2.mappings.get(hypVa(start));
  if (mapped !== undefined) return { page: mapped.pfn, prot: mapped.prot };
  if (!isLinear(start)) return undefined;
  const page = linearPageOf(start);
  const prot = linearProtOf(pageOf(hyp, page), page);
  return prot === undefined ? undefined : { page, prot };
}

/**
 * The permissions that the page-table code accepts: R always, never W with X, never X on a device,
 * no device that is non-cacheable; PXN and UXN are for stage 2 only. Source: hyp_set_prot_attr,
 * hyp/pgtable.c (android14-6.1); measured, mod-ok: prot 0x44 is -EINVAL.
 */
export function permitsProt(prot: bigint): boolean {
  const has = (bit: number) => (prot & BigInt(bit)) !== 0n;
  if (!has(PROT.R) || has(PROT.PXN) || has(PROT.UXN)) return false;
  if (has(PROT.DEVICE) && has(PROT.NC)) return false;
  return !(has(PROT.X) && (has(PROT.W) || has(PROT.DEVICE)));
}

/** The bits of a permission that have a place in a descriptor. */
const KNOWN_PROT = BigInt(PROT.R | PROT.W | PROT.X | PROT.DEVICE | PROT.NC);

/**
 * What kvm_pgtable_hyp_map answers for one page: the permissions first, then the walk, then the
 * entry that is there. One that differs in more than software bits is a bug of EL2's own.
 * Source: kvm_pgtable_hyp_map, hyp_map_walker_try_leaf, hyp/pgtable.c (android14-6.1).
 */
export function hypMapAnswer(
  hyp: Pick<Hyp, "pages" | "boot" | "config" | "el2">,
  { va, page, prot }: HypMapping,
): "mapped" | (Errno & ("EINVAL" | "ERANGE")) | "EL2_BUG" | "unmodelled" {
  if (!permitsProt(prot)) return "EINVAL";
  if (va > HYP_VA_LIMIT || va + PAGE_SIZE > HYP_VA_LIMIT) return "ERANGE";
  const existing = hypEntryAt(hyp, va);
  const differs = existing?.page !== page || BigInt(existing.prot) !== (prot & KNOWN_PROT);
  if (existing !== undefined && differs) return "EL2_BUG";
  if ((prot & ~KNOWN_PROT) !== 0n || isOwn(va)) return "unmodelled";
  return isLinear(va) && linearPageOf(va) !== page ? "unmodelled" : "mapped";
}

const RW = PROT.R | PROT.W;

/** Maps a page that `hypMapAnswer` lets in; in the linear map its entry is the page's state. */
export function hypMap(hyp: Mutable<Hyp>, { va, page, prot }: HypMapping): void {
  const start = va & ~(PAGE_SIZE - 1n);
  if (!isLinear(start)) {
    hyp.el2.mappings.set(hypVa(start), { pfn: page, prot: Number(prot) });
    return;
  }
  const { hypProt: _, ...before } = pageOf(hyp, page);
  const state = (Number(prot) & (RW | PROT.X)) === RW ? "OWNED" : "RESTRICTED_PROT";
  const isUsual = Number(prot) === hypLinearProt(isMemoryPage(page));
  setPage(hyp, page, {
    ...before,
    hyp: state,
    ...(isUsual ? {} : { hypProt: Number(prot) }),
  });
}

/** Removes what EL2 has at a page of its addresses. */
export function hypUnmap(hyp: Mutable<Hyp>, va: bigint): void {
  const start = hypVa(va & ~(PAGE_SIZE - 1n));
  if (hyp.el2.mappings.delete(start) || !isLinear(start)) return;
  const page = linearPageOf(start);
  const { hypProt: _, ...before } = pageOf(hyp, page);
  setPage(hyp, page, { ...before, hyp: "NOPAGE" });
}
