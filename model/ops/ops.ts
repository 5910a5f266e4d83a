// Which module ops the model knows, by the name of their slot.

import { branchOf } from "../../spec/branches/branches.ts";
import { cite } from "../../spec/sources.ts";
import type { Op } from "../../spec/types/action.ts";
import type { Hyp } from "../../spec/types/hyp.ts";
import { returned } from "../../spec/types/outcome.ts";
import { DONATION_OPS } from "../ownership/donate-range.ts";
import { STAGE2_OPS } from "../ownership/protect.ts";
import { SHARE_OPS } from "../ownership/share.ts";
import type { Transition } from "../transition.ts";
import { CONVERSIONS } from "./address.ts";
import { MAPPING_OPS } from "./mapping.ts";
import { REGISTRATIONS } from "./register.ts";
import { REGISTER_OPS } from "./registers.ts";

/** Ops without a check; what they do happens in memory (model/machine/op-effects.ts). */
const memoryOp = (name: string, where: string): Transition<Op> => ({
  name,
  source: [cite("android14-6.1", where)],
  guards: [],
  // x0 as it was: memcpy and memset answer their first argument, the others nothing.
  effect: (_, { args }) => returned(args[0] ?? 0n),
});

const MEMORY_OPS: readonly Transition<Op>[] = [
  memoryOp("puts", "hyp_puts, hyp/nvhe/serial.c"),
  memoryOp("putx64", "hyp_putx64, hyp/nvhe/serial.c"),
  memoryOp("memcpy", "struct pkvm_module_ops: memcpy, hyp/nvhe/modules.c"),
  memoryOp("memset", "struct pkvm_module_ops: memset, hyp/nvhe/modules.c"),
  memoryOp("flush_dcache_to_poc", "__kvm_flush_dcache_to_poc, hyp/nvhe/modules.c"),
  memoryOp("fixmap_map", "hyp_fixmap_map, hyp/nvhe/mm.c"),
  memoryOp("fixmap_unmap", "hyp_fixmap_unmap, hyp/nvhe/mm.c"),
];

/** The transition of an op, or nothing: then the run stops with its name. */
export const OPS: ReadonlyMap<string, Transition<Op>> = new Map(
  [
    ...MAPPING_OPS,
    ...CONVERSIONS,
    ...REGISTRATIONS,
    ...SHARE_OPS,
    ...DONATION_OPS,
    ...STAGE2_OPS,
    ...MEMORY_OPS,
    ...REGISTER_OPS,
  ].map((op) => [op.name, op]),
);

/**
 * Ops that branches after 6.1 have with other arguments or checks than 6.1: the protection of a
 * range with IOMMUs, a level of 8 bits.
 */
const ONLY_AS_ON_6_1: readonly string[] = ["host_stage2_mod_prot", "host_stage2_get_leaf"];

/** A slot that the branch declares and leaves NULL: EL2 enters address 0. */
export const nullOp: Transition<Op> = {
  name: "null_op",
  source: [cite("android17-6.18", "module_ops, hyp/nvhe/modules.c: map_module_page is not set")],
  guards: [],
  effect: () => ({ kind: "hyp-panic", reason: "EL2_ABORT" }),
};

/** The transition of an op on a branch, or nothing: then the run stops with its name. */
export function opOf({ config }: Pick<Hyp, "config">, name: string): Transition<Op> | undefined {
  if (branchOf(config).nullOps.includes(name)) return nullOp;
  const is61 = config.branch === "android14-6.1";
  return !is61 && ONLY_AS_ON_6_1.includes(name) ? undefined : OPS.get(name);
}
