// The end of a VM: start_teardown, reclaim of its pages one by one, finalize_teardown.

import { cite } from "../../spec/sources.ts";
import { type Pfn, type PhysAddr, pfnOf } from "../../spec/types/address.ts";
import { negative } from "../../spec/types/errno.ts";
import type { Hyp } from "../../spec/types/hyp.ts";
import { type GuestPage, type HypVm, vmidOf } from "../../spec/types/hyp-vm.ts";
import type { MemoryEvent } from "../../spec/types/memory-event.ts";
import { after, answered } from "../../spec/types/outcome.ts";
import { hypVcpuBytes, hypVmBytes, KVM, pagesFor, SIZE } from "../../spec/vm-layout.ts";
import { argument, type Hypercall, type HypercallArgs } from "../dispatch/hypercall.ts";
import { pageOf } from "../ownership/page-of.ts";
import { rangeOf } from "../ownership/range.ts";
import type { Mutable } from "../transition.ts";
import { give, type HostList, hostList, pin, push } from "./donated.ts";
import { handleOf, timesLoaded, vmOf } from "./loaded.ts";
import { GUEST_GFN_LIMIT, tablesInOrder, unmapPage } from "./stage2.ts";

const handle = (call: HypercallArgs): number => handleOf(argument(call, 1));
const target = (hyp: Pick<Hyp, "vmTable">, call: HypercallArgs): HypVm | undefined =>
  vmOf(hyp, handle(call));

/** __pkvm_start_teardown_vm(handle): no vCPU is loaded from here on. */
export const startTeardown: Hypercall = {
  name: "__pkvm_start_teardown_vm",
  source: [
    cite("android14-6.1", "__pkvm_start_teardown_vm, hyp/nvhe/pkvm.c"),
    cite("measured", "life-p, life-teardown-loaded, vmbad"),
  ],
  guards: [
    {
      clause: "VM-40",
      permits: (hyp, call) => target(hyp, call) !== undefined,
      refusal: () => answered(negative("ENOENT")),
    },
    {
      clause: "VM-41",
      permits: (hyp, call) => timesLoaded(hyp, handle(call)) === 0,
      refusal: () => ({ kind: "hyp-panic", reason: "TEARDOWN_WHILE_LOADED" }),
    },
    {
      clause: "VM-42",
      permits: (hyp, call) => target(hyp, call)?.isDying !== true,
      refusal: () => answered(negative("EINVAL")),
    },
  ],
  effect: (hyp, call) => {
    const vm = hyp.vmTable.get(handle(call));
    if (vm === undefined) return { kind: "hyp-panic", reason: "EL2_ABORT" };
    vm.isDying = true;
    return answered(0);
  },
};

/** The guest frame number of an address, if the guest's table can be asked about it. */
function frameOf(ipa: bigint): number | undefined {
  const gfn = ipa >> 12n;
  return gfn < GUEST_GFN_LIMIT ? Number(gfn) : undefined;
}

/** What is mapped where the host says. */
function mappedAt(hyp: Pick<Hyp, "vmTable">, call: HypercallArgs): GuestPage | undefined {
  const gfn = frameOf(argument(call, 3));
  return gfn === undefined ? undefined : target(hyp, call)?.stage2.pages.get(gfn);
}

/** The page that a frame number in a register means; the shift loses the bits above 51. */
const pageArgument = (call: HypercallArgs, n: number): Pfn =>
  pfnOf(rangeOf(argument(call, n), 1n).start as PhysAddr);

type Draft = Mutable<Hyp>;

/** Pages of tables that the pool holds go to the host's list. Source: drain_hyp_pool. */
function drain(hyp: Draft, pages: readonly Pfn[], list: HostList, events: MemoryEvent[]): void {
  for (const page of pages) {
    events.push(...push(list, page), { kind: "give", page });
    give(hyp, page);
  }
}

/** __pkvm_reclaim_dying_guest_page(handle, pfn, ipa): emptied before the host has it. */
const reclaimPage: Hypercall = {
  name: "__pkvm_reclaim_dying_guest_page",
  source: [
    cite("android14-6.1", "__pkvm_reclaim_dying_guest_page, hyp/nvhe/pkvm.c"),
    cite("android14-6.1", "__pkvm_host_reclaim_page, hyp_poison_page, hyp/nvhe/mem_protect.c"),
    cite("measured", "life-map-p, life-map-np, random-life-201"),
  ],
  guards: [
    {
      clause: "VM-45",
      permits: (hyp, call) => target(hyp, call)?.isDying === true,
      refusal: () => answered(negative("EINVAL")),
    },
    {
      clause: "VM-46",
      permits: (_, call) => frameOf(argument(call, 3)) !== undefined,
      refusal: () => answered(negative("ERANGE")),
    },
    {
      clause: "VM-47",
      permits: (hyp, call) => mappedAt(hyp, call) !== undefined,
      refusal: () => answered(negative("EINVAL")),
    },
    {
      clause: "VM-48",
      permits: (hyp, call) => {
        const mapped = mappedAt(hyp, call);
        return mapped === undefined || mapped.pfn === pageArgument(call, 2);
      },
      refusal: () => answered(negative("EPERM")),
    },
  ],
  effect: (hyp, call) => {
    const vm = hyp.vmTable.get(handle(call));
    const gfn = frameOf(argument(call, 3));
    const mapped = gfn === undefined ? undefined : vm?.stage2.pages.get(gfn);
    // Only a removed guard gets here without one of them.
    if (vm === undefined || gfn === undefined || mapped === undefined) {
      return { kind: "hyp-panic", reason: "EL2_BUG" };
    }
    const page = pageArgument(call, 2);
    const events: MemoryEvent[] = [];
    const isPrivate = mapped.state === "OWNED";
    unmapPage(vm.stage2, gfn, events);
    if (isPrivate) {
      events.push({ kind: "zero", page, bytes: 4096 });
      hyp.memProtect -= 1;
    }
    events.push({ kind: "give", page });
    give(hyp, page);
    const list = hostList(call, vm.hostKvm + KVM.teardownStage2Mc);
    drain(hyp, vm.stage2.pool.splice(0), list, events);
    return after(events, answered(0));
  },
};

/** Bytes of EL2's own: emptied, put on the list in ascending order, and given back. */
function tearDown(
  hyp: Draft,
  first: Pfn,
  bytes: bigint,
  list: HostList,
  events: MemoryEvent[],
): void {
  const pages = Array.from({ length: Number(pagesFor(bytes)) }, (_, n) => (first + n) as Pfn);
  for (const page of pages) events.push({ kind: "zero", page, bytes: 4096 });
  for (const page of pages) events.push(...push(list, page));
  for (const page of pages) {
    events.push({ kind: "give", page });
    give(hyp, page);
  }
}

/** Every page that EL2 is about to give back. */
const allMemory = (
  hyp: Pick<Hyp, "config">,
  { memory, createdVcpus, lastRan, vcpus, stage2 }: HypVm,
): readonly Pfn[] => [
  ...tablesInOrder(stage2),
  ...vcpus.flatMap((vcpu) => [...vcpu.memcache, ...pagesFrom(vcpu.memory, hypVcpuBytes(hyp))]),
  ...(lastRan === undefined ? [] : [lastRan]),
  ...pagesFrom(memory, hypVmBytes(hyp, createdVcpus)),
];

const pagesFrom = (first: Pfn, bytes: bigint): readonly Pfn[] =>
  Array.from({ length: Number(pagesFor(bytes)) }, (_, n) => (first + n) as Pfn);

/** __pkvm_finalize_teardown_vm(handle): all memory goes back, in two lists; the handle is free. */
export const finalizeTeardown: Hypercall = {
  name: "__pkvm_finalize_teardown_vm",
  source: [
    cite("android14-6.1", "__pkvm_finalize_teardown_vm, teardown_donated_memory, hyp/nvhe/pkvm.c"),
    cite("measured", "life-p, life-map-p: order of the lists; random-life-201"),
  ],
  guards: [
    {
      clause: "VM-50",
      permits: (hyp, call) => target(hyp, call) !== undefined,
      refusal: () => answered(negative("ENOENT")),
    },
    {
      clause: "VM-51",
      permits: (hyp, call) => target(hyp, call)?.isDying !== false,
      refusal: () => answered(negative("EBUSY")),
    },
    // Giving back what is not EL2's any more is a failed check at EL2, or an abort before it.
    {
      clause: "VM-52",
      permits: (hyp, call) => {
        const vm = target(hyp, call);
        return (
          vm === undefined || allMemory(hyp, vm).every((page) => pageOf(hyp, page).hyp === "OWNED")
        );
      },
      refusal: () => ({ kind: "hyp-panic", reason: "EL2_ABORT" }),
    },
  ],
  effect: (hyp, call) => {
    const vm = hyp.vmTable.get(handle(call));
    if (vm === undefined) return { kind: "hyp-panic", reason: "EL2_ABORT" };
    const events: MemoryEvent[] = [{ kind: "flush vmid", vmid: vmidOf(handle(call)) }];
    hyp.vmTable.delete(handle(call));
    const metadata = hostList(call, vm.hostKvm + KVM.teardownMc);
    const tables = hostList(call, vm.hostKvm + KVM.teardownStage2Mc);
    const freed = tablesInOrder(vm.stage2 as HypVm["stage2"]);
    for (const page of freed) events.push({ kind: "zero", page, bytes: 4096 });
    drain(hyp, freed, tables, events);
    for (const { hostVcpu } of vm.vcpus) pin(hyp, hostVcpu, SIZE.vcpu, -1);
    for (const vcpu of vm.vcpus) {
      drain(hyp, vcpu.memcache, tables, events);
      tearDown(hyp, vcpu.memory, hypVcpuBytes(hyp), metadata, events);
    }
    if (vm.lastRan !== undefined) {
      tearDown(hyp, vm.lastRan, SIZE.lastRanEntry, metadata, events);
    }
    tearDown(hyp, vm.memory, hypVmBytes(hyp, vm.createdVcpus), metadata, events);
    pin(hyp, vm.hostKvm, SIZE.kvm, -1);
    return after(events, answered(0));
  },
};

export const TEARDOWN_HCALLS: readonly Hypercall[] = [startTeardown, reclaimPage, finalizeTeardown];
