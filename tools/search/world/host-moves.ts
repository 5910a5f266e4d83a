// What the host does in a small world: any call from any CPU, VMs, modules in and out.

import { branchOf, hostSmcccId } from "../../../spec/branches/branches.ts";
import type { Action } from "../../../spec/types/action.ts";
import { PROT } from "../../../spec/types/module.ts";
import { SMCCC_RET_SUCCESS } from "../../../spec/types/outcome.ts";
import type { At } from "./at.ts";
import { hasHcall, hcall, hvcOf } from "./calls.ts";
import { codeMoves } from "./code-moves.ts";
import { guestMoves, kvmActions } from "./guest-moves.ts";
import { startLoading } from "./loading-program.ts";
import { oddCalls } from "./odd-actions.ts";
import { rareCalls } from "./rare-moves.ts";
import { abortActions, smcActions, trapMoves } from "./trap-moves.ts";
import { hypVmActions } from "./vm-moves.ts";
import { frame, type Move, type World, type WorldState } from "./world.ts";

const PROTECTED = 0x8000_0000;
/** A type with a bit that KVM does not know. */
const ODD_TYPE = 0x4000_0000;

/** Numbers that the dispatcher answers by itself: the empty slot, beyond the table, with a hint. */
const ODD_IDS: readonly bigint[] = [
  hostSmcccId(0),
  hostSmcccId(0x7f),
  hostSmcccId(1) + (1n << 32n),
  hostSmcccId(1) | (1n << 16n),
];

/** Calls that move pages. */
function pageCalls({ system, pages }: World, cpu: number): readonly Action[] {
  return pages.flatMap((page) =>
    ["__pkvm_host_share_hyp", "__pkvm_host_unshare_hyp"]
      .filter((name) => hasHcall(system, name))
      .map((name) => hcall(system, cpu, name, frame(page))),
  );
}

/** A function that the other CPU registers. */
const OTHER_FUNCTION = 0x20_0000_c040n;

/** The calls of loading, by whoever can make an HVC: after the key all of them are refused. */
function rawCalls(world: World, cpu: number, { boot, el2, dispatch }: WorldState) {
  const { system, pages, size } = world;
  if (!branchOf(system).vendorModules) return [];
  if (!boot.key) {
    const hasRoom = dispatch.dynamicHcalls.length < size.calls;
    if (!size.registers || !boot.hypUp || !hasRoom) return [];
    return [hcall(system, cpu, "__pkvm_register_hcall", OTHER_FUNCTION)];
  }
  const page = frame(pages.at(-1) ?? (0 as never));
  const base = el2.reservations[0]?.base ?? 0n;
  return [
    hcall(system, cpu, "__pkvm_alloc_module_va", 1n),
    hcall(system, cpu, "__pkvm_map_module_page", page, base, BigInt(PROT.R | PROT.X)),
    hcall(system, cpu, "__pkvm_unmap_module_page", page, base),
    hcall(system, cpu, "__pkvm_init_module", base),
    hcall(system, cpu, "__pkvm_register_hcall", base),
  ];
}

/** Ids from the first registered one to one beyond the last. */
function dynamicCalls({ system, size }: World, cpu: number): readonly Action[] {
  const { dynamicBase } = branchOf(system);
  if (dynamicBase === undefined) return [];
  return Array.from({ length: size.calls + 1 }, (_, n) =>
    hvcOf(cpu, hostSmcccId(dynamicBase + n), 0x11n),
  );
}

/** KVM's ioctls on each VM. */
function vmActions(world: World, { vms }: WorldState): readonly Action[] {
  return Array.from({ length: world.size.vms }, (_, vm) => vm).flatMap((vm): Action[] => {
    const made: Action[] = [
      ...kvmActions(world, vm),
      { kind: "KVM_SET_FW_IPA", vm, ipa: 0x8000_0000n },
      { kind: "KVM_CREATE_VCPU", vm, vcpu: 0 },
      { kind: "KVM_ARM_VCPU_INIT", vm, vcpu: 0, features: 4 },
      { kind: "KVM_RUN", vm, vcpu: 0 },
      { kind: "KVM_CLOSE", vm },
    ];
    const types = [PROTECTED, 0, ODD_TYPE];
    if (vms.has(vm)) return made;
    return [...types.map((type): Action => ({ kind: "KVM_CREATE_VM", vm, type })), ...made];
  });
}

/** What user space does: only the first CPU stands for it. */
function userMoves(world: World, cpu: number, state: WorldState): readonly Move[] {
  const act = (action: Action): Move => ({ cpu, choice: "", action });
  const late = world.modules.flatMap(({ name }): Move[] => [
    ...startLoading(world, cpu, name).filter(({ choice }) => choice === "file"),
    act({ kind: "delete_module", name }),
  ]);
  return [...vmActions(world, state).map(act), ...late];
}

/** What a CPU can do while it runs the host, or EL2 code that the host called. */
export function hostMoves(world: World, cpu: number, state: WorldState, at: At): readonly Move[] {
  if (at.at === "handler") return handlerMoves(world, cpu, state);
  if (at.at === "guest") return guestMoves(cpu);
  if (at.at !== "host") return trapMoves(cpu, state, at);
  const isFirst = cpu === 0;
  // One CPU stands for all where the caller does not matter.
  const calls = cpu === world.size.cpus - 1;
  const { system } = world;
  const actions: readonly Action[] = [
    hcall(system, cpu, "__pkvm_prot_finalize"),
    ...dynamicCalls(world, cpu),
    ...(calls ? [...pageCalls(world, cpu), ...rawCalls(world, cpu, state)] : []),
    ...(calls ? ODD_IDS.map((id) => hvcOf(cpu, id)) : []),
    ...(calls && world.size.edges ? oddCalls(world, cpu) : []),
    ...(calls && world.size.rare ? rareCalls(world, cpu, state) : []),
    ...smcActions(world, cpu),
    ...(calls ? abortActions(world, cpu, state) : []),
    ...hypVmActions(world, cpu, state),
  ];
  const moves = actions.map((action): Move => ({ cpu, choice: "", action }));
  return isFirst ? [...moves, ...userMoves(world, cpu, state)] : moves;
}

/** EL2 code does its ops and returns; what it answers is its own. */
const handlerMoves = (world: World, cpu: number, state: WorldState): readonly Move[] => [
  ...codeMoves(world, cpu, state),
  { cpu, choice: "", action: { kind: "handler_returned", cpu, x: [SMCCC_RET_SUCCESS, 0x22n] } },
];
