// What the EL2 code of a module does in a small world: any op on any page, in any order.

import { OPS } from "../../../model/ops/ops.ts";
import { branchOf, slotOf } from "../../../spec/branches/branches.ts";
import type { Pfn } from "../../../spec/types/address.ts";
import { PAGE_SIZE } from "../../../spec/types/address.ts";
import { PROT } from "../../../spec/types/module.ts";
import { opOf } from "./calls.ts";
import { oddOps } from "./odd-actions.ts";
import { rareOps } from "./rare-moves.ts";
import { registrations } from "./trap-moves.ts";
import { address, frame, type Move, type World, type WorldState } from "./world.ts";

/** Pins of one page that a world counts to. */
const PINS_MAX = 1;
/** EL2's address of a page of memory. Source: measured, op hyp_va of the trace `ops`. */
const linear = (page: Pfn): bigint => address(page) + 0x40_0000_0000n - 0x4000_0000n;

/** Ops on one page. */
function pageOps(cpu: number, state: WorldState, page: Pfn): readonly Move["action"][] {
  const va = linear(page);
  const pins = state.pages.get(page)?.refcount ?? 0;
  return [
    opOf(cpu, "host_share_hyp", frame(page)),
    opOf(cpu, "host_unshare_hyp", frame(page)),
    opOf(cpu, "host_donate_hyp", frame(page), 1n),
    opOf(cpu, "hyp_donate_host", frame(page), 1n),
    ...(pins < PINS_MAX ? [opOf(cpu, "pin_shared_mem", va, va + PAGE_SIZE)] : []),
    ...(pins > 0 ? [opOf(cpu, "unpin_shared_mem", va, va + PAGE_SIZE)] : []),
    opOf(cpu, "host_stage2_mod_prot", frame(page), 0n),
    opOf(cpu, "host_stage2_mod_prot", frame(page), BigInt(PROT.R)),
    opOf(cpu, "host_stage2_mod_prot", frame(page), BigInt(PROT.R | PROT.W | PROT.X)),
  ];
}

/** A page that is the hypervisor's by its own right. Source: measured, the carve-out of pKVM. */
const CARVE_OUT = 0x7f400n;

/** A function of a module. */
const FUNCTION = 0x20_0000_b000n;

/** Ops that EL2 code calls; those that the branch does not have are left out. */
export function codeMoves(world: World, cpu: number, state: WorldState): readonly Move[] {
  const { size } = world;
  const branch = branchOf(world.system);
  const ops = [
    ...world.pages.flatMap((page) => pageOps(cpu, state, page)),
    opOf(cpu, "host_share_hyp", CARVE_OUT),
    opOf(cpu, "register_host_perm_fault_handler", 0n),
    opOf(cpu, "register_host_perm_fault_handler", FUNCTION),
    ...(size.edges ? oddOps(world, cpu) : []),
    ...(size.rare ? rareOps(world, cpu) : []),
  ];
  return [
    ...(size.ops ? ops : []),
    ...registrations(world).map((name) => opOf(cpu, name, FUNCTION)),
  ].flatMap((action) =>
    action?.kind === "op" && slotOf(branch, action.op) !== undefined && OPS.has(action.op)
      ? [{ cpu, choice: "", action }]
      : [],
  );
}
