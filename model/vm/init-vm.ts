// __pkvm_init_vm: the host gives the memory of a VM, and EL2 gives the VM a handle.

import { cite } from "../../spec/sources.ts";
import { negative } from "../../spec/types/errno.ts";
import type { Hyp } from "../../spec/types/hyp.ts";
import { HANDLE_OFFSET, KVM_MAX_PVMS } from "../../spec/types/hyp-vm.ts";
import type { MemoryEvent } from "../../spec/types/memory-event.ts";
import { after, answered } from "../../spec/types/outcome.ts";
import { hypVmBytes, KVM, NO_PVMFW, SIZE } from "../../spec/vm-layout.ts";
import { argument, type Hypercall, type HypercallArgs, wordAt } from "../dispatch/hypercall.ts";
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

const hostKvm = (call: HypercallArgs): bigint => physicalOf(argument(call, 1));

const createdVcpus = (call: HypercallArgs): bigint =>
  BigInt.asUintN(32, wordAt(call, hostKvm(call) + KVM.createdVcpus));

/** struct pkvm_hyp_vm with a pointer for each vCPU that it may have. */
const vmMemory = (hyp: Pick<Hyp, "config">, call: HypercallArgs): Offer => ({
  pointer: argument(call, 2),
  bytes: hypVmBytes(hyp, createdVcpus(call)),
});

const rootMemory = (call: HypercallArgs): Offer => ({
  pointer: argument(call, 3),
  bytes: SIZE.pgd,
});

/** One int for each CPU. */
const lastRanMemory = (hyp: Pick<Hyp, "config">, call: HypercallArgs): Offer => ({
  pointer: argument(call, 4),
  bytes: SIZE.lastRanEntry * BigInt(hyp.config.cpuCount),
});

/** Everything so far was taken and emptied, and now comes back empty. */
const undone = (...offers: readonly Offer[]): MemoryEvent[] => [
  ...offers.flatMap(takes),
  ...offers.flatMap(returns),
];

/** The lowest handle that is free. Source: find_free_vm_table_entry (android14-6.1). */
function freeHandle({ vmTable }: Pick<Hyp, "vmTable">): number | undefined {
  for (let index = 0; index < KVM_MAX_PVMS; index++) {
    if (!vmTable.has(HANDLE_OFFSET + index)) return HANDLE_OFFSET + index;
  }
  return undefined;
}

/** __pkvm_init_vm(host_kvm, vm, pgd, last_ran): the new handle. */
export const initVm: Hypercall = {
  name: "__pkvm_init_vm",
  source: [
    cite("android14-6.1", "__pkvm_init_vm, insert_vm_table_entry, hyp/nvhe/pkvm.c"),
    cite("measured", "life-p, vmbad, random-life-201"),
  ],
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
    // Nothing was set to an errno yet: the answer is that of the pin, 0.
    {
      clause: "VM-17",
      permits: (_, call) => argument(call, 3) % SIZE.pgd === 0n,
      refusal: () => answered(0),
    },
    {
      clause: "VM-18",
      permits: (hyp, call) => canTake(hyp, vmMemory(hyp, call)),
      refusal: () => answered(negative("ENOMEM")),
    },
    {
      clause: "VM-19",
      permits: (hyp, call) => canTake(hyp, lastRanMemory(hyp, call), vmMemory(hyp, call)),
      refusal: (hyp, call) => after(undone(vmMemory(hyp, call)), answered(negative("ENOMEM"))),
    },
    {
      clause: "VM-20",
      permits: (hyp, call) =>
        canTake(hyp, rootMemory(call), vmMemory(hyp, call), lastRanMemory(hyp, call)),
      refusal: (hyp, call) =>
        after(undone(vmMemory(hyp, call), lastRanMemory(hyp, call)), answered(negative("ENOMEM"))),
    },
    {
      clause: "VM-21",
      permits: (hyp) => freeHandle(hyp) !== undefined,
      refusal: (hyp, call) =>
        after(
          undone(vmMemory(hyp, call), lastRanMemory(hyp, call), rootMemory(call)),
          answered(negative("ENOMEM")),
        ),
    },
  ],
  effect: (hyp, call) => {
    const offers = [vmMemory(hyp, call), lastRanMemory(hyp, call), rootMemory(call)] as const;
    const [memory, lastRan, root] = offers.map((offer) => offered(offer)[0]);
    const handle = freeHandle(hyp);
    if (memory === undefined || lastRan === undefined || root === undefined) {
      return { kind: "unmodelled", what: "__pkvm_init_vm without memory" };
    }
    // Only a removed guard gets here without a handle: the kernel would write past its table.
    if (handle === undefined) return { kind: "hyp-panic", reason: "EL2_ABORT" };
    const isProtected = (wordAt(call, hostKvm(call) + KVM.enabled) & 0xffn) !== 0n;
    const loadAddress = wordAt(call, hostKvm(call) + KVM.pvmfwLoadAddr);
    for (const offer of offers) take(hyp, offer);
    pin(hyp, hostKvm(call), SIZE.kvm, 1);
    hyp.vmTable.set(handle, {
      isProtected,
      hostKvm: hostKvm(call),
      memory,
      lastRan,
      createdVcpus: Number(createdVcpus(call)),
      vcpus: [],
      pvmfwLoadAddr: isProtected && loadAddress !== NO_PVMFW ? loadAddress : undefined,
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
    return after(offers.flatMap(takes), answered(handle));
  },
};
