// Which module ops the model knows, by the name of their slot.

import { cite } from "../../spec/sources.ts";
import type { Op } from "../../spec/types/action.ts";
import { PAGE_SIZE } from "../../spec/types/address.ts";
import { negative } from "../../spec/types/errno.ts";
import { returned } from "../../spec/types/outcome.ts";
import { permitsProt, reserve } from "../dispatch/module-hypercalls.ts";
import type { Transition } from "../transition.ts";
import { CONVERSIONS } from "./address.ts";
import { REGISTRATIONS } from "./register.ts";

/** alloc_module_va(nr_pages): an address in the private range, or NULL. */
const allocModuleVaOp: Transition<Op> = {
  name: "alloc_module_va",
  source: [cite("android14-6.1", "__pkvm_alloc_module_va, hyp/nvhe/mm.c")],
  guards: [],
  effect: (hyp, { args }) => returned(reserve(hyp, args[0] ?? 0n)),
};

/**
 * create_private_mapping(phys, size, prot, &haddr): takes addresses first, so that those of a
 * refused mapping are lost. The mapping that succeeds is not modelled yet and stops the run.
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
    return { kind: "unmodelled", what: "op create_private_mapping that succeeds" };
  },
};

/** The transition of an op, or nothing: then the run stops with its name. */
export const OPS: ReadonlyMap<string, Transition<Op>> = new Map(
  [allocModuleVaOp, createPrivateMapping, ...CONVERSIONS, ...REGISTRATIONS].map((op) => [
    op.name,
    op,
  ]),
);
