// The ops that map at EL2: a module page, a private range, and the linear map before its time.

import { cite } from "../../spec/sources.ts";
import type { Op } from "../../spec/types/action.ts";
import { hypVa, PAGE_SHIFT, PAGE_SIZE, type Pfn, pfn } from "../../spec/types/address.ts";
import { negative } from "../../spec/types/errno.ts";
import type { Hyp } from "../../spec/types/hyp.ts";
import { PROT } from "../../spec/types/module.ts";
import { type Outcome, returned } from "../../spec/types/outcome.ts";
import { inModuleRange, reserve } from "../dispatch/module-hypercalls.ts";
import { checkHostDonateHyp, hostDonateHyp } from "../ownership/donate.ts";
import {
  type HypMapping,
  hypEntryAt,
  hypMap,
  hypMapAnswer,
  hypUnmap,
  OUT_OF_PLACE,
  permitsProt,
} from "../ownership/hyp-map.ts";
import { hypLinear } from "../pgtable/hyp-stage1.ts";
import type { Mutable, Transition } from "../transition.ts";

const u64 = (value: bigint): bigint => BigInt.asUintN(64, value);
const EL2_BUG: Outcome = { kind: "hyp-panic", reason: "EL2_BUG" };

/** alloc_module_va(nr_pages): an address in the private range, or NULL. */
const allocModuleVa: Transition<Op> = {
  name: "alloc_module_va",
  source: [cite("android14-6.1", "__pkvm_alloc_module_va, hyp/nvhe/mm.c")],
  guards: [],
  effect: (hyp, { args }) => returned(reserve(hyp, args[0] ?? 0n)),
};

/** NON-SPEC: a mapping of more pages than this is not modelled: EL2's pool has an end. */
const PAGES_MAX = 4096n;
/** The permissions that private mappings are followed with. */
const KNOWN_PROT = BigInt(PROT.R | PROT.W | PROT.X | PROT.DEVICE | PROT.NC);
/** One beyond the last physical address that is modelled. Source: measured, 40 bits. */
const PHYSICAL_LIMIT = 1n << 40n;

/** Maps what was reserved last. */
function mapPrivately(
  hyp: Mutable<Hyp>,
  { phys, pages, prot }: { phys: bigint; pages: bigint; prot: bigint },
): Outcome {
  const base = hyp.el2.reservations.at(-1)?.base ?? 0n;
  const first = phys >> PAGE_SHIFT;
  const isModelled =
    pages <= PAGES_MAX && (prot & ~KNOWN_PROT) === 0n && phys + pages * PAGE_SIZE <= PHYSICAL_LIMIT;
  if (!isModelled) {
    return { kind: "unmodelled", what: "op create_private_mapping of such pages" };
  }
  for (let n = 0n; n < pages; n++) {
    const mapping = { pfn: pfn(Number(first + n)), prot: Number(prot) };
    hyp.el2.mappings.set(hypVa(base + n * PAGE_SIZE), mapping);
  }
  return returned(0);
}

/**
 * create_private_mapping(phys, size, prot, &haddr): takes addresses first, so that those of a
 * refused mapping are lost. Nobody asks whose the pages are, and the host keeps them. The address
 * is written to *haddr where the machine is.
 */
const createPrivateMapping: Transition<Op> = {
  name: "create_private_mapping",
  source: [
    cite("android14-6.1", "__pkvm_create_private_mapping, hyp/nvhe/mm.c"),
    cite("measured", "mod-ok: prot 0x44 is -EINVAL"),
  ],
  guards: [],
  effect: (hyp, { args }) => {
    const [phys = 0n, size = 0n, prot = 0n] = args;
    const bytes = u64(size + (phys % PAGE_SIZE) + PAGE_SIZE - 1n);
    if (reserve(hyp, bytes / PAGE_SIZE, true) === 0n) return returned(negative("ENOMEM"));
    if (!permitsProt(prot)) return returned(negative("EINVAL"));
    return mapPrivately(hyp, { phys, pages: bytes / PAGE_SIZE, prot });
  },
};

/** map_module_page(pfn, va, prot, is_protected) */
const mapAsked = ({ args }: Op): HypMapping & { readonly donates: boolean } => ({
  page: Number(u64((args[0] ?? 0n) << PAGE_SHIFT) >> PAGE_SHIFT) as Pfn,
  va: args[1] ?? 0n,
  prot: args[2] ?? 0n,
  donates: ((args[3] ?? 0n) & 0xffn) === 0n,
});

/** What the mapping of a page that may be donated meets; a donation comes before it. */
const mapAnswer = (hyp: Hyp, action: Op) => hypMapAnswer(hyp, mapAsked(action));

/**
 * map_module_page: as the hypercall, but that the module may say that the page needs no donation;
 * then nobody asks whose it is.
 */
const mapModulePage: Transition<Op> = {
  name: "map_module_page",
  source: [cite("android14-6.1", "__pkvm_map_module_page, assert_in_mod_range, hyp/nvhe/mm.c")],
  guards: [
    {
      clause: "OWN-41",
      permits: (hyp, action) =>
        hyp.config.build !== "el2debug" || inModuleRange(hyp, mapAsked(action).va),
      refusal: () => ({ kind: "hyp-panic", reason: "BAD_HCALL_ADDRESS" }),
    },
    {
      clause: "OWN-42",
      permits: (hyp, action) => {
        const { donates, page } = mapAsked(action);
        return !donates || checkHostDonateHyp(hyp, page) === 0;
      },
      refusal: () => returned(negative("EPERM")),
    },
    {
      clause: "OWN-43",
      permits: (hyp, action) => mapAnswer(hyp, action) !== "EINVAL",
      refusal: () => returned(negative("EINVAL")),
    },
    {
      clause: "OWN-44",
      permits: (hyp, action) => mapAnswer(hyp, action) !== "ERANGE",
      refusal: () => returned(negative("ERANGE")),
    },
    {
      clause: "OWN-45",
      permits: (hyp, action) => mapAnswer(hyp, action) !== "EL2_BUG",
      refusal: () => EL2_BUG,
    },
  ],
  effect: (hyp, action) => {
    const mapping = mapAsked(action);
    if (hypMapAnswer(hyp, mapping) === "unmodelled") return OUT_OF_PLACE;
    if (mapping.donates) hostDonateHyp(hyp, mapping.page);
    hypMap(hyp, mapping);
    return returned(0);
  },
};

/** linear_map_early(phys, size, prot) */
interface Early {
  readonly phys: bigint;
  readonly size: bigint;
  readonly prot: bigint;
}
const early = ({ args }: Op): Early => ({
  phys: args[0] ?? 0n,
  size: args[1] ?? 0n,
  prot: args[2] ?? 0n,
});

const isAligned = (value: bigint): boolean => (value & (PAGE_SIZE - 1n)) === 0n;

/** The pages that the loop of pkvm_create_mappings takes one after the other. */
function* earlyPages({ phys, size, prot }: Early): Generator<HypMapping> {
  const start = u64(hypLinear(phys));
  const end = u64(start + size);
  for (let va = start; va < end; va += PAGE_SIZE) {
    const page = Number(u64(phys + va - start) >> PAGE_SHIFT) as Pfn;
    yield { va, page, prot };
  }
}

/** How far the loop comes, and what stops it. */
function earlyWalk(hyp: Hyp, asked: Early): { readonly pages: number; readonly answer: string } {
  let pages = 0;
  for (const mapping of earlyPages(asked)) {
    const answer = hypMapAnswer(hyp, mapping);
    if (answer !== "mapped") return { pages, answer };
    pages += 1;
    if (BigInt(pages) > PAGES_MAX) return { pages, answer: "unmodelled" };
  }
  return { pages, answer: "mapped" };
}

const int32 = (value: bigint): number => Number(BigInt.asIntN(32, value));

/**
 * linear_map_early: maps where the linear map has the pages, and tells nobody. What was mapped
 * before a page that is refused stays, and is not counted.
 */
const linearMapEarly: Transition<Op> = {
  name: "linear_map_early",
  source: [cite("android14-6.1", "__pkvm_linear_map_early, hyp/nvhe/modules.c")],
  guards: [
    {
      clause: "OWN-47",
      permits: (_, action) => isAligned(early(action).phys) && isAligned(early(action).size),
      refusal: () => returned(0),
    },
    {
      clause: "OWN-49",
      permits: (hyp, action) => earlyWalk(hyp, early(action)).answer !== "EL2_BUG",
      refusal: () => EL2_BUG,
    },
  ],
  effect: (hyp, action) => {
    const asked = early(action);
    const { pages, answer } = earlyWalk(hyp, asked);
    if (answer === "unmodelled") return OUT_OF_PLACE;
    let left = pages;
    for (const mapping of earlyPages(asked)) if (left-- > 0) hypMap(hyp, mapping);
    if (answer !== "mapped") return returned(0);
    hyp.el2.earlyBytes = int32(BigInt(hyp.el2.earlyBytes) + asked.size);
    return returned(hypLinear(asked.phys));
  },
};

/** Whether EL2 has every page of a range, which must be whole pages: what it unmaps is counted. */
function isMappedWhole(hyp: Hyp, from: bigint, size: bigint): boolean {
  if (!isAligned(size)) return false;
  const first = from & ~(PAGE_SIZE - 1n);
  for (let done = 0n; done < size; done += PAGE_SIZE) {
    if (hypEntryAt(hyp, u64(first + done)) === undefined) return false;
  }
  return true;
}

/** linear_unmap_early(addr, size): any range that EL2 has; what it has not is a bug. */
const linearUnmapEarly: Transition<Op> = {
  name: "linear_unmap_early",
  source: [
    cite("android14-6.1", "__pkvm_linear_unmap_early, hyp/nvhe/modules.c"),
    cite("android14-6.1", "pkvm_remove_mappings, hyp/nvhe/mm.c: WARN_ON"),
  ],
  guards: [
    {
      clause: "OWN-51",
      permits: (hyp, { args }) => isMappedWhole(hyp, args[0] ?? 0n, args[1] ?? 0n),
      refusal: () => EL2_BUG,
    },
  ],
  effect: (hyp, { args }) => {
    const [from = 0n, size = 0n] = args;
    for (let done = 0n; done < size; done += PAGE_SIZE) hypUnmap(hyp, u64(from + done));
    hyp.el2.earlyBytes = int32(BigInt(hyp.el2.earlyBytes) - size);
    return returned(from);
  },
};

/** Every op that changes EL2's own table. */
export const MAPPING_OPS: readonly Transition<Op>[] = [
  allocModuleVa,
  createPrivateMapping,
  mapModulePage,
  linearMapEarly,
  linearUnmapEarly,
];
