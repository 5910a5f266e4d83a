// What no kernel does and every host or module can: raw calls of loading before the key is set, ids
// with the SVE hint, FF-A calls, control registers of one CPU, numbers that wrap.

import { OPS } from "../../../model/ops/ops.ts";
import {
  branchOf,
  hostSmcccId,
  protFinalizeNumber,
  slotOf,
} from "../../../spec/branches/branches.ts";
import { SVE_HINT } from "../../../spec/clauses/hypercall.ts";
import { FFA } from "../../../spec/smccc.ts";
import type { Action } from "../../../spec/types/action.ts";
import { PROT } from "../../../spec/types/module.ts";
import { hasHcall, hcall, hvcOf, opOf } from "./calls.ts";
import { frame, type World, type WorldState } from "./world.ts";

/** HCR_EL2.TLOR, which pKVM leaves alone. Source: DDI0487 D24.2.55. */
const TLOR = 1n << 35n;
/** The number of pages that a shift by 12 makes 0. */
const WRAPS = 1n << 52n;

/**
 * Loading by hand, in a world that has no module to disturb: EL2 trusts the host until the key is
 * set.
 */
function rawLoading({ system, size, pages }: World, cpu: number, state: WorldState): Action[] {
  const { boot, el2 } = state;
  const isOpen = boot.hypUp && !boot.key && size.modules === 0 && size.pages > 0;
  if (!isOpen || !hasHcall(system, "__pkvm_alloc_module_va")) return [];
  const page = frame(pages.at(-1) ?? (0 as never));
  const base = el2.reservations[0]?.base;
  if (base === undefined) return [hcall(system, cpu, "__pkvm_alloc_module_va", 1n)];
  return [
    hcall(system, cpu, "__pkvm_map_module_page", page, base, BigInt(PROT.R | PROT.X)),
    hcall(system, cpu, "__pkvm_unmap_module_page", page, base),
  ];
}

/** What a host does. */
export function rareCalls(world: World, cpu: number, state: WorldState): readonly Action[] {
  const branch = branchOf(world.system);
  const hinted = [protFinalizeNumber(branch), branch.dynamicBase ?? 0].map(
    (number) => hostSmcccId(number) | SVE_HINT,
  );
  return [
    ...rawLoading(world, cpu, state),
    ...hinted.map((id) => hvcOf(cpu, id)),
    ...[FFA.VERSION, FFA.RXTX_MAP].map((id): Action => ({ kind: "smc", cpu, x: [id, 0n, 0n] })),
  ];
}

/** What EL2 code of a module does. */
export function rareOps({ system, pages }: World, cpu: number): readonly Action[] {
  const branch = branchOf(system);
  const page = frame(pages.at(-1) ?? (0 as never));
  return [
    opOf(cpu, "update_hcr_el2", TLOR, 0n),
    opOf(cpu, "host_stage2_mod_prot_range", page, 0n, WRAPS),
    opOf(cpu, "map_module_page", page, 0n, BigInt(PROT.R), 0n),
    // A frame beyond EL2's addresses, and a device.
    opOf(cpu, "host_donate_hyp", 0xfff_ffffn, 1n),
    opOf(cpu, "host_donate_hyp", 0x9000n, 1n),
    opOf(cpu, "host_stage2_mod_prot", 0x9000n, BigInt(PROT.R | PROT.W)),
  ].filter(({ op }) => OPS.has(op) && slotOf(branch, op) !== undefined);
}
