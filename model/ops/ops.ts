// Which module ops the model knows, by the name of their slot.

import { cite } from "../../spec/sources.ts";
import type { Op } from "../../spec/types/action.ts";
import { hypVa, PAGE_SHIFT, PAGE_SIZE, pfn } from "../../spec/types/address.ts";
import { negative } from "../../spec/types/errno.ts";
import type { Hyp } from "../../spec/types/hyp.ts";
import { PROT } from "../../spec/types/module.ts";
import { type Outcome, returned } from "../../spec/types/outcome.ts";
import { permitsProt, reserve } from "../dispatch/module-hypercalls.ts";
import { DONATION_OPS } from "../ownership/donate-range.ts";
import { STAGE2_OPS } from "../ownership/protect.ts";
import { SHARE_OPS } from "../ownership/share.ts";
import type { Mutable, Transition } from "../transition.ts";
import { CONVERSIONS } from "./address.ts";
import { REGISTRATIONS } from "./register.ts";

/** alloc_module_va(nr_pages): an address in the private range, or NULL. */
const allocModuleVaOp: Transition<Op> = {
  name: "alloc_module_va",
  source: [cite("android14-6.1", "__pkvm_alloc_module_va, hyp/nvhe/mm.c")],
  guards: [],
  effect: (hyp, { args }) => returned(reserve(hyp, args[0] ?? 0n)),
};

/** NON-SPEC: a private mapping of more pages than this is not modelled: EL2's pool has an end. */
const PRIVATE_PAGES_MAX = 4096n;
/** The permissions whose descriptors are measured. */
const KNOWN_PROT = BigInt(PROT.R | PROT.W | PROT.X | PROT.DEVICE);
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
    pages <= PRIVATE_PAGES_MAX &&
    (prot & ~KNOWN_PROT) === 0n &&
    phys + pages * PAGE_SIZE <= PHYSICAL_LIMIT;
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
    const bytes = BigInt.asUintN(64, size + (phys % PAGE_SIZE) + PAGE_SIZE - 1n);
    if (reserve(hyp, bytes / PAGE_SIZE) === 0n) return returned(negative("ENOMEM"));
    if (!permitsProt(prot)) return returned(negative("EINVAL"));
    return mapPrivately(hyp, { phys, pages: bytes / PAGE_SIZE, prot });
  },
};

/** Ops without a check; what they do happens in memory (model/machine/op-effects.ts). */
const memoryOp = (name: string, where: string): Transition<Op> => ({
  name,
  source: [cite("android14-6.1", where)],
  guards: [],
  // x0 as it was: memcpy and memset answer their first argument, the others nothing.
  effect: (_, { args }) => returned(args[0] ?? 0n),
});

const MEMORY_OPS: readonly Transition<Op>[] = [
  memoryOp("memcpy", "struct pkvm_module_ops: memcpy, hyp/nvhe/modules.c"),
  memoryOp("memset", "struct pkvm_module_ops: memset, hyp/nvhe/modules.c"),
  memoryOp("flush_dcache_to_poc", "__kvm_flush_dcache_to_poc, hyp/nvhe/modules.c"),
  memoryOp("fixmap_map", "hyp_fixmap_map, hyp/nvhe/mm.c"),
  memoryOp("fixmap_unmap", "hyp_fixmap_unmap, hyp/nvhe/mm.c"),
];

/** The transition of an op, or nothing: then the run stops with its name. */
export const OPS: ReadonlyMap<string, Transition<Op>> = new Map(
  [
    allocModuleVaOp,
    createPrivateMapping,
    ...CONVERSIONS,
    ...REGISTRATIONS,
    ...SHARE_OPS,
    ...DONATION_OPS,
    ...STAGE2_OPS,
    ...MEMORY_OPS,
  ].map((op) => [op.name, op]),
);
