// The names of a trace that stand for numbers: pages, saved values, EL2 addresses of both.

import { MEMORY } from "../../model/initial.ts";
import { kernelLinear } from "../../model/machine/layout.ts";
import { hypLinear } from "../../model/pgtable/hyp-stage1.ts";
import type { Branch } from "../../spec/branches/branch.ts";
import { PAGE_SIZE } from "../../spec/types/address.ts";
import type { Trace } from "./trace.ts";

/** Pages that a trace allocated, by name. */
interface NamedPages {
  readonly pfn: bigint;
  readonly count: bigint;
}

/** What the names of one trace stand for. */
export interface Names {
  readonly branch: Branch;
  readonly pages: ReadonlyMap<string, NamedPages>;
  readonly saved: ReadonlyMap<string, bigint>;
  /** Every save in order, with its record: a name can be saved again. */
  readonly saves: readonly { readonly at: number; readonly name: string; readonly value: bigint }[];
}

/** The names as they stand at a record. */
export const namesAt = (names: Names, record: number): Names => ({
  ...names,
  saved: new Map(
    names.saves.filter(({ at }) => at < record).map(({ name, value }) => [name, value]),
  ),
});

/**
 * CHOICE: the pages of a trace lie here, above the frames that the kernel's allocator gives out and
 * the firmware, below the hypervisor's. Nobody else touches them, so they are zero.
 */
const FIRST_PAGE = 0x7_a000n;

/** A number as the traces write it. */
const literal = (text: string): bigint | undefined =>
  /^(?:0x[0-9a-f]+|\d+)$/.test(text) ? BigInt.asUintN(64, BigInt(text)) : undefined;

/** What a result names: `pfn(P)`, `pa(P+1)`, `kva(P)`, `el2va(P)`, `block(P)`. */
const NAMED_VALUE = /^(pfn|pa|kva|el2va|block)\((\w+)(?:\+(\d+))?\)$/;

/** Bytes of a level-2 block. */
const BLOCK = 0x20_0000n;

/** One word of a result. */
function wordOf(
  word: string,
  { pages, branch }: Pick<Names, "pages" | "branch">,
): bigint | undefined {
  const match = NAMED_VALUE.exec(word);
  if (match === null) return literal(word);
  const [, form = "", name = "", above = "0"] = match;
  const page = pages.get(name);
  if (page === undefined) return undefined;
  const pfn = page.pfn + BigInt(above);
  const pa = pfn * PAGE_SIZE;
  switch (form) {
    case "pfn":
      return pfn;
    case "pa":
      return pa;
    case "kva":
      return kernelLinear(branch, pa);
    case "el2va":
      return hypLinear(pa);
    default:
      return pa & ~(BLOCK - 1n);
  }
}

/** One word of an argument: a number, P, P.pa, P.kva, or a saved name. */
function argumentWord(word: string, names: Names): bigint | undefined {
  const [name = "", form] = word.split(".");
  const page = names.pages.get(name);
  if (page === undefined) return names.saved.get(word) ?? literal(word);
  if (form === undefined) return page.pfn;
  const pa = page.pfn * PAGE_SIZE;
  if (form === "pa") return pa;
  return form === "kva" ? kernelLinear(names.branch, pa) : undefined;
}

function sum(words: readonly (bigint | undefined)[]): bigint | undefined {
  let total = 0n;
  for (const word of words) {
    if (word === undefined) return undefined;
    total += word;
  }
  return BigInt.asUintN(64, total);
}

/** The number of an argument, an address or a value to write; undefined if it has none. */
export const argumentValue = (text: string, names: Names): bigint | undefined =>
  sum(text.split("+").map((word) => argumentWord(word, names)));

/** The number of a result that names pages; undefined for one that names something else. */
export const resultValue = (
  text: string,
  names: Pick<Names, "pages" | "branch">,
): bigint | undefined =>
  sum((text.match(/\w+\([^)]*\)|[^+]+/g) ?? []).map((word) => wordOf(word, names)));

/** A frame number, rounded up for so many pages. Source: alloc_pages, mm/page_alloc.c (linux). */
function alignedTo(frame: bigint, pages: number): bigint {
  const size = 1n << BigInt(Math.ceil(Math.log2(pages)));
  return ((frame + size - 1n) / size) * size;
}

/**
 * The names of a trace: pages in the order in which they are allocated, and what was saved, which
 * is a result under its name.
 */
export function namesOf({ records }: Trace, branch: Branch): Names {
  const pages = new Map<string, NamedPages>();
  const saved = new Map<string, bigint>();
  const saves: { at: number; name: string; value: bigint }[] = [];
  let next = FIRST_PAGE;
  for (const [at, { record }] of records.entries()) {
    if (record.kind === "alloc") {
      // The kernel's pages come in powers of two, aligned to their number.
      next = alignedTo(next, record.npages);
      pages.set(record.page, { pfn: next, count: BigInt(record.npages) });
      next += BigInt(record.npages);
    } else if (record.kind === "save") {
      const value = resultValue(record.val, { pages, branch });
      if (value === undefined) continue;
      saved.set(record.name, value);
      saves.push({ at, name: record.name, value });
    }
  }
  if (next > BigInt(MEMORY.last)) throw new RangeError("the pages of the trace do not fit");
  return { branch, pages, saved, saves };
}

/** Whether a page belongs to those that the trace allocated. */
export function isAllocated(page: bigint, { pages }: Names): boolean {
  return [...pages.values()].some(({ pfn, count }) => page >= pfn && page < pfn + count);
}
