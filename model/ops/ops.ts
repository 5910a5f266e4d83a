// Which module ops the model knows, by the name of their slot.

import { cite } from "../../spec/sources.ts";
import type { Op } from "../../spec/types/action.ts";
import { returned } from "../../spec/types/outcome.ts";
import { reserve } from "../dispatch/module-hypercalls.ts";
import type { Transition } from "../transition.ts";
import { REGISTRATIONS } from "./register.ts";

/** alloc_module_va(nr_pages): an address in the private range, or NULL. */
const allocModuleVaOp: Transition<Op> = {
  name: "alloc_module_va",
  source: [cite("android14-6.1", "__pkvm_alloc_module_va, hyp/nvhe/mm.c")],
  guards: [],
  effect: (hyp, { args }) => returned(reserve(hyp, args[0] ?? 0n)),
};

/** The transition of an op, or nothing: then the run stops with its name. */
export const OPS: ReadonlyMap<string, Transition<Op>> = new Map(
  [allocModuleVaOp, ...REGISTRATIONS].map((op) => [op.name, op]),
);
