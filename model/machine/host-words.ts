// What EL2 will find in memory of the host when a hypercall makes it look there.

import { readBytes } from "../../cpu/memory.ts";
import { branchOf } from "../../spec/branches/branches.ts";
import { MODULE_STRUCT } from "../../spec/module-struct.ts";
import type { Hvc } from "../../spec/types/action.ts";
import type { Hyp } from "../../spec/types/hyp.ts";
import { KVM, MEMCACHE_HEAD, MEMCACHE_NR_PAGES, VCPU } from "../../spec/vm-layout.ts";
import { reached } from "../dispatch/hvc.ts";
import { argument, type HypercallArgs, structureAddress } from "../dispatch/hypercall.ts";
import { physicalOf } from "../vm/donated.ts";
import { handleOf, loadedOn, vmOf } from "../vm/loaded.ts";
import type { Machine } from "./machine.ts";

/** The word at a physical address, which need not be a multiple of 8; 0 where no memory is. */
function readWord(machine: Machine, address: bigint): bigint {
  const bytes = readBytes(machine.memory, address, 8);
  if (bytes === undefined) return 0n;
  return new DataView(bytes.buffer, bytes.byteOffset, 8).getBigUint64(0, true);
}

const listAt = (at: bigint): readonly bigint[] => [at + MEMCACHE_HEAD, at + MEMCACHE_NR_PAGES];

/** The links of a list from its head on, as many as EL2 follows in one call. */
function links(machine: Machine, at: bigint): readonly bigint[] {
  const first = readWord(machine, at + MEMCACHE_HEAD);
  return [first, readWord(machine, first)];
}

/** The structure that __pkvm_init_module is given from 6.12 on. */
function moduleStruct({ config }: Hyp, call: HypercallArgs): readonly bigint[] {
  if (branchOf(config).initArgument !== "shared struct") return [];
  const at = structureAddress(argument(call, 1));
  return [MODULE_STRUCT.spanStart, MODULE_STRUCT.hypVa, MODULE_STRUCT.init].map(
    (offset) => at + offset,
  );
}

/** The host's list of pages for the vCPU that a CPU has loaded. */
function cacheWords(machine: Machine, hyp: Hyp, { cpu }: HypercallArgs): readonly bigint[] {
  const loaded = loadedOn(hyp, cpu);
  if (loaded === undefined) return [];
  const at = loaded.vcpu.hostVcpu + VCPU.memcache;
  return [...listAt(at), ...links(machine, at)];
}

/** Where each hypercall looks. */
const LOOKS: Readonly<
  Record<string, (machine: Machine, hyp: Hyp, call: HypercallArgs) => readonly bigint[]>
> = {
  __pkvm_init_module: (_, hyp, call) => moduleStruct(hyp, call),
  __kvm_vcpu_run: (_, hyp, { cpu }) => {
    const loaded = loadedOn(hyp, cpu);
    if (loaded === undefined) return [];
    const registers = Array.from({ length: 15 }, (_, n) => VCPU.regs + BigInt(8 * n));
    return [VCPU.iflags, ...registers].map((offset) => loaded.vcpu.hostVcpu + offset);
  },
  __pkvm_init_vm: (_, __, call) => {
    const kvm = physicalOf(argument(call, 1));
    return [kvm + KVM.createdVcpus, kvm + KVM.enabled, kvm + KVM.pvmfwLoadAddr];
  },
  __pkvm_init_vcpu: (_, __, call) => {
    const vcpu = physicalOf(argument(call, 2));
    return [VCPU.vcpuIdx, VCPU.features, VCPU.pc, VCPU.regs].map((offset) => vcpu + offset);
  },
  "__pkvm_init_vm@mainline-7.3": (_, __, call) => {
    const kvm = physicalOf(argument(call, 1));
    return [kvm + KVM.createdVcpus, kvm + KVM.handle, kvm + KVM.enabled];
  },
  "__pkvm_init_vcpu@mainline-7.3": (_, __, call) => [physicalOf(argument(call, 2)) + VCPU.vcpuIdx],
  __pkvm_host_map_guest: cacheWords,
  handle___pkvm_host_donate_guest: cacheWords,
  __pkvm_reclaim_dying_guest_page: (_, hyp, call) => {
    const vm = vmOf(hyp, handleOf(argument(call, 1)));
    return vm === undefined ? [] : listAt(vm.hostKvm + KVM.teardownStage2Mc);
  },
  __pkvm_finalize_teardown_vm: (_, hyp, call) => {
    const vm = vmOf(hyp, handleOf(argument(call, 1)));
    if (vm === undefined) return [];
    return [...listAt(vm.hostKvm + KVM.teardownMc), ...listAt(vm.hostKvm + KVM.teardownStage2Mc)];
  },
};

/** The words that EL2 will read, for the action. */
export function hostWords(machine: Machine, hyp: Hyp, action: Hvc): Pick<Hvc, "words"> {
  const target = reached(hyp, action);
  const look = typeof target === "string" ? undefined : LOOKS[target.call.name];
  if (typeof target === "string" || look === undefined) return {};
  const places = look(machine, hyp, target.args);
  return { words: new Map(places.map((place) => [place, readWord(machine, place)])) };
}
