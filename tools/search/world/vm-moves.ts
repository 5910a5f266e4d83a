// What a host does with VMs that EL2 keeps: births, loads on any CPU, pages, ends, stale handles.

import { branchOf } from "../../../spec/branches/branches.ts";
import type { Action } from "../../../spec/types/action.ts";
import type { SystemConfig } from "../../../spec/types/hyp.ts";
import { HANDLE_OFFSET } from "../../../spec/types/hyp-vm.ts";
import { KVM, MEMCACHE_HEAD, MEMCACHE_NR_PAGES, NO_PVMFW, VCPU } from "../../../spec/vm-layout.ts";
import { hasHcall, hcall } from "./calls.ts";
import { runGuest } from "./guest-moves.ts";
import type { World, WorldState } from "./world.ts";

/** Frames of the first VM's structures; those of the next one lie a stride further. */
const FIRST = 0x5_1000n;
const STRIDE = 0x100n;
/** Pages of struct kvm_vcpu. */
const VCPU_PAGES = 3n;

interface Frames {
  readonly kvm: bigint;
  readonly vcpu: bigint;
  readonly memory: bigint;
  readonly lastRan: bigint;
  readonly root: bigint;
  readonly vcpuMemory: bigint;
  readonly guest: bigint;
  readonly tables: readonly bigint[];
}

/** Where the structures of a VM lie. */
export function framesOf(vm: number): Frames {
  const base = FIRST + BigInt(vm) * STRIDE;
  return {
    kvm: base,
    vcpu: base + 0x10n,
    memory: base + 0x20n,
    lastRan: base + 0x23n,
    root: base + 0x24n,
    vcpuMemory: base + 0x28n,
    guest: base + 0x30n,
    tables: [base + 0x40n, base + 0x41n],
  };
}

export const pa = (frame: bigint): bigint => frame << 12n;
/** The kernel's address of a page. Source: measured, machines. */
export const kva = (frame: bigint): bigint => 0xffff_ff80_0000_0000n + pa(frame) - 0x4000_0000n;

/** The guest frame that is asked for. */
export const GFN = 0x8_0000n;

/** A call with what EL2 finds in the host's structures. */
export const withWords = (action: Action, words: readonly (readonly [bigint, bigint])[]): Action =>
  action.kind === "hvc" ? { ...action, words: new Map(words) } : action;

/** Pages that EL2 pins are shared first, one after the other. */
function sharing({ system }: World, cpu: number, state: WorldState, frames: Frames): Action[] {
  const wanted = [frames.kvm];
  for (let n = 0n; n < VCPU_PAGES; n += 1n) wanted.push(frames.vcpu + n);
  const next = wanted.find((frame) => !state.pages.has(Number(frame) as never));
  return next === undefined ? [] : [hcall(system, cpu, "__pkvm_host_share_hyp", next)];
}

function birth({ system }: World, cpu: number, frames: Frames, isProtected: boolean): Action {
  const { kvm, memory, root, lastRan } = frames;
  const args = [kvm, memory, root, lastRan].map(kva);
  return withWords(hcall(system, cpu, "__pkvm_init_vm", ...args), [
    [pa(kvm) + KVM.createdVcpus, 1n],
    [pa(kvm) + KVM.enabled, isProtected ? 1n : 0n],
    [pa(kvm) + KVM.pvmfwLoadAddr, NO_PVMFW],
  ]);
}

/** A page for the guest, with pages for its tables. */
function mapping({ system }: World, cpu: number, frames: Frames): Action {
  const { guest, tables, vcpu } = frames;
  const list = pa(vcpu) + VCPU.memcache;
  return withWords(hcall(system, cpu, "__pkvm_host_map_guest", guest, GFN), [
    [list + MEMCACHE_HEAD, pa(tables[0] ?? 0n)],
    [list + MEMCACHE_NR_PAGES, BigInt(tables.length)],
    ...tables.map((frame, n) => [pa(frame), pa(tables[n + 1] ?? 0n)] as const),
  ]);
}

/** Births and ends: who calls does not matter, so one CPU stands for all. */
function lifeActions(world: World, cpu: number, state: WorldState, vm: number): Action[] {
  const { system, size } = world;
  const frames = framesOf(vm);
  const handle = BigInt(HANDLE_OFFSET + vm);
  const { kvm, vcpu, vcpuMemory, guest } = frames;
  return [
    ...sharing(world, cpu, state, frames),
    hcall(system, cpu, "__pkvm_host_unshare_hyp", kvm),
    birth(world, cpu, frames, true),
    birth(world, cpu, frames, false),
    ...(size.edges ? [birth(world, cpu, { ...frames, root: frames.root + 1n }, true)] : []),
    hcall(system, cpu, "__pkvm_init_vcpu", handle, kva(vcpu), kva(vcpuMemory)),
    hcall(system, cpu, "__pkvm_start_teardown_vm", handle),
    hcall(system, cpu, "__pkvm_reclaim_dying_guest_page", handle, guest, pa(GFN)),
    hcall(system, cpu, "__pkvm_finalize_teardown_vm", handle),
  ];
}

/** Loads and pages: each CPU has its own vCPU. */
function runActions(world: World, cpu: number, vm: number): Action[] {
  const handle = BigInt(HANDLE_OFFSET + vm);
  return [
    hcall(world.system, cpu, "__pkvm_vcpu_load", handle, 0n, 0n),
    mapping(world, cpu, framesOf(vm)),
    ...(world.size.guests ? runGuest(world, cpu, vm) : []),
  ];
}

/** Whether these are the hypercalls of VMs on a branch, and the model knows them. */
export const knowsVms = (system: SystemConfig): boolean =>
  branchOf(system).vms !== undefined && hasHcall(system, "__pkvm_host_map_guest");

/** Everything about the VMs of a world, on one CPU. */
export function hypVmActions(world: World, cpu: number, state: WorldState): readonly Action[] {
  const { system, size } = world;
  if (size.hypVms === 0 || !state.boot.hypUp || !knowsVms(system)) return [];
  const vms = Array.from({ length: size.hypVms }, (_, vm) => vm);
  const standsForAll = cpu === size.cpus - 1;
  return [
    hcall(system, cpu, "__pkvm_vcpu_put"),
    ...vms.flatMap((vm) => [
      ...runActions(world, cpu, vm),
      ...(standsForAll ? lifeActions(world, cpu, state, vm) : []),
    ]),
  ];
}
