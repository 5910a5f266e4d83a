// A range of kernel addresses that is given out page by page, as vmalloc and the module loader do.

import { type KernVa, kernVa } from "../../../spec/types/address.ts";

/** One run of pages. */
export interface AreaRun {
  readonly va: KernVa;
  readonly pages: number;
}

/** The runs that are out, in ascending order of address. */
export interface AddressArea {
  readonly start: KernVa;
  readonly end: KernVa;
  runs: readonly AreaRun[];
}

const PAGE = 4096n;
/**
 * One unmapped page follows each run. Source: get_vm_area_size, VM_NO_GUARD not given, mm/vmalloc.c
 * (linux 6.1).
 */
const GUARD_PAGES = 1n;

export const createArea = (start: KernVa, end: KernVa): AddressArea => ({ start, end, runs: [] });

const endOf = ({ va, pages }: AreaRun): bigint => va + (BigInt(pages) + GUARD_PAGES) * PAGE;

/**
 * The lowest free run of that many pages; undefined when none is left. Source: alloc_vmap_area,
 * mm/vmalloc.c.
 */
export function takeRun(area: AddressArea, pages: number): KernVa | undefined {
  if (pages <= 0) return undefined;
  const needed = (BigInt(pages) + GUARD_PAGES) * PAGE;
  let at: bigint = area.start;
  let index = 0;
  for (; index < area.runs.length; index++) {
    const run = area.runs[index]!;
    if (run.va - at >= needed) break;
    at = endOf(run);
  }
  if (at + needed > area.end) return undefined;
  const va = kernVa(at);
  area.runs = area.runs.toSpliced(index, 0, { va, pages });
  return va;
}

/** Gives a run back; undefined when none starts there. */
export function giveRun(area: AddressArea, va: bigint): AreaRun | undefined {
  const run = area.runs.find((candidate) => candidate.va === va);
  if (run !== undefined) area.runs = area.runs.filter((candidate) => candidate !== run);
  return run;
}
