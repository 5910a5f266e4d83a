// __pkvm_init_vm and __pkvm_init_vcpu of mainline 7.3: the VM of a handle that is reserved.

import type { ClauseId } from "../../spec/clause.ts";
import { cite } from "../../spec/sources.ts";
import { type Errno, negative } from "../../spec/types/errno.ts";
import type { Hyp } from "../../spec/types/hyp.ts";
import { HANDLE_OFFSET, type HypVm } from "../../spec/types/hyp-vm.ts";
import type { MemoryEvent } from "../../spec/types/memory-event.ts";
import { after, answered } from "../../spec/types/outcome.ts";
import { hypVcpuBytes, hypVmBytes, KVM, SIZE, VCPU } from "../../spec/vm-layout.ts";
import { argument, type Hypercall, type HypercallArgs, wordAt } from "../dispatch/hypercall.ts";
import type { Guard } from "../transition.ts";
import {
  canPin,
  canTake,
  type Offer,
  offered,
  physicalOf,
  pin,
  returns,
  take,
  takes,
} from "./donated.ts";
import { handleOf, vmOf } from "./loaded.ts";

const hostKvm = (call: HypercallArgs): bigint => physicalOf(argument(call, 1));
const createdVcpus = (call: HypercallArgs): bigint =>
  BigInt.asUintN(32, wordAt(call, hostKvm(call) + KVM.createdVcpus));
const hostHandle = (call: HypercallArgs): number =>
  handleOf(wordAt(call, hostKvm(call) + KVM.handle));

const vmMemory = (hyp: Pick<Hyp, "config">, call: HypercallArgs): Offer => ({
  pointer: argument(call, 2),
  bytes: hypVmBytes(hyp, createdVcpus(call)),
});
const rootMemory = (call: HypercallArgs): Offer => ({
  pointer: argument(call, 3),
  bytes: SIZE.pgd,
});

/** Everything so far was taken and emptied, and comes back empty. */
const undone = (...offers: readonly Offer[]): MemoryEvent[] => [
  ...offers.flatMap(takes),
  ...offers.flatMap(returns),
];

/** A check after both were taken: where it fails they come back, wiped. */
const wipingBoth = (
  clause: ClauseId,
  errno: Errno,
  permits: (hyp: Hyp, call: HypercallArgs) => boolean,
): Guard<HypercallArgs> => ({
  clause,
  permits,
  refusal: (hyp, call) =>
    after(undone(vmMemory(hyp, call), rootMemory(call)), answered(negative(errno))),
});

/** __pkvm_init_vm(host_kvm, vm, pgd): 0. */
export const initReservedVm: Hypercall = {
  name: "__pkvm_init_vm@mainline-7.3",
  source: [cite("mainline", "__pkvm_init_vm, insert_vm_table_entry, hyp/nvhe/pkvm.c")],
  guards: [
    {
      clause: "VM-15",
      permits: (hyp, call) => canPin(hyp, hostKvm(call), SIZE.kvm),
      refusal: () => answered(negative("EPERM")),
    },
    {
      clause: "VM-16",
      permits: (_, call) => createdVcpus(call) >= 1n,
      refusal: () => answered(negative("EINVAL")),
    },
    {
      clause: "VM-94",
      permits: (_, call) => hostHandle(call) >= HANDLE_OFFSET,
      refusal: () => answered(negative("EINVAL")),
    },
    {
      clause: "VM-95",
      permits: (hyp, call) => canTake(hyp, vmMemory(hyp, call)),
      refusal: () => answered(negative("ENOMEM")),
    },
    {
      clause: "VM-96",
      permits: (hyp, call) => canTake(hyp, rootMemory(call), vmMemory(hyp, call)),
      refusal: (hyp, call) => after(undone(vmMemory(hyp, call)), answered(negative("ENOMEM"))),
    },
    // A pool of two pages that are no pair cannot give the root, which is one.
    wipingBoth("VM-97", "ENOMEM", (_, call) => physicalOf(argument(call, 3)) % SIZE.pgd === 0n),
    wipingBoth("VM-98", "EINVAL", (hyp, call) => hyp.reservedHandles.has(hostHandle(call))),
  ],
  effect: (hyp, call) => {
    const offers = [vmMemory(hyp, call), rootMemory(call)] as const;
    const [memory, root] = offers.map((offer) => offered(offer)[0]);
    if (memory === undefined || root === undefined) {
      return { kind: "unmodelled", what: "__pkvm_init_vm without memory" };
    }
    for (const offer of offers) take(hyp, offer);
    pin(hyp, hostKvm(call), SIZE.kvm, 1);
    hyp.reservedHandles.delete(hostHandle(call));
    hyp.vmTable.set(hostHandle(call), {
      isProtected: (wordAt(call, hostKvm(call) + KVM.enabled) & 0xffn) !== 0n,
      hostKvm: hostKvm(call),
      memory,
      lastRan: undefined,
      createdVcpus: Number(createdVcpus(call)),
      vcpus: [],
      pvmfwLoadAddr: undefined,
      primaryVcpu: undefined,
      mmioGuard: false,
      isDying: false,
      stage2: {
        root,
        pages: new Map(),
        guarded: new Set(),
        level2: new Map(),
        level3: new Map(),
        pool: [],
      },
    });
    return after(offers.flatMap(takes), answered(0));
  },
};

const hostVcpu = (call: HypercallArgs): bigint => physicalOf(argument(call, 2));
const vcpuMemory = (hyp: Pick<Hyp, "config">, call: HypercallArgs): Offer => ({
  pointer: argument(call, 3),
  bytes: hypVcpuBytes(hyp),
});
const hostIndex = (call: HypercallArgs): bigint =>
  BigInt.asUintN(32, wordAt(call, hostVcpu(call) + VCPU.vcpuIdx));
const target = (hyp: Pick<Hyp, "vmTable">, call: HypercallArgs): HypVm | undefined =>
  vmOf(hyp, handleOf(argument(call, 1)));

/** A check after the memory was taken: where it fails the memory comes back, wiped. */
const wiping = (
  clause: ClauseId,
  errno: Errno,
  permits: (hyp: Hyp, call: HypercallArgs) => boolean,
): Guard<HypercallArgs> => ({
  clause,
  permits,
  refusal: (hyp, call) => after(undone(vcpuMemory(hyp, call)), answered(negative(errno))),
});

/** __pkvm_init_vcpu(handle, host_vcpu, memory): the place is the one that the host names. */
export const initHostVcpu: Hypercall = {
  name: "__pkvm_init_vcpu@mainline-7.3",
  source: [cite("mainline", "__pkvm_init_vcpu, init_pkvm_hyp_vcpu, hyp/nvhe/pkvm.c")],
  guards: [
    {
      clause: "VM-23",
      permits: (hyp, call) => canTake(hyp, vcpuMemory(hyp, call)),
      refusal: () => answered(negative("ENOMEM")),
    },
    wiping("VM-24", "ENOENT", (hyp, call) => target(hyp, call) !== undefined),
    wiping("VM-100", "EBUSY", (hyp, call) => canPin(hyp, hostVcpu(call), SIZE.vcpu)),
    wiping("VM-101", "EINVAL", (hyp, call) => {
      const vm = target(hyp, call);
      return vm === undefined || hostIndex(call) < BigInt(vm.createdVcpus);
    }),
    wiping("VM-102", "EINVAL", (hyp, call) => {
      const vm = target(hyp, call);
      return vm === undefined || hostIndex(call) >= BigInt(vm.vcpus.length);
    }),
  ],
  effect: (hyp, call) => {
    const vm = hyp.vmTable.get(handleOf(argument(call, 1)));
    const offer = vcpuMemory(hyp, call);
    const memory = offered(offer)[0];
    // Only a removed guard gets here without a VM: the kernel would follow NULL.
    if (vm === undefined || memory === undefined) {
      return { kind: "hyp-panic", reason: "EL2_ABORT" };
    }
    if (hostIndex(call) > BigInt(vm.vcpus.length)) {
      return { kind: "unmodelled", what: "__pkvm_init_vcpu out of order" };
    }
    take(hyp, offer);
    pin(hyp, hostVcpu(call), SIZE.vcpu, 1);
    const vcpu = { hostVcpu: hostVcpu(call), memory, memcache: [] };
    vm.vcpus.push({ ...vcpu, power: "ON", reset: undefined });
    return after(takes(offer), answered(0));
  },
};
