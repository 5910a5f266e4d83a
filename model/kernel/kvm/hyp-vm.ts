// The VM at EL2 as the host makes and ends it: donations before, pages reclaimed after.

import { addressOf, type Pfn } from "../../../spec/types/address.ts";
import { ERRNO } from "../../../spec/types/errno.ts";
import { KVM, MEMCACHE_NR_PAGES, pagesFor, SIZE, VCPU } from "../../../spec/vm-layout.ts";
import { kernelLinear } from "../../machine/layout.ts";
import { perform, type System } from "../../machine/system.ts";
import { freePages } from "../exported/page-allocator.ts";
import { hypercall } from "../hypercall.ts";
import { allocExact, clearPages, freeExact, setWordOf, wordOf } from "./host-kvm.ts";
import { PROCESS_CPU, releaseStructures, warn } from "./ioctls.ts";

/** The kernel's address of a page. */
const at = (system: System, page: Pfn): bigint =>
  kernelLinear(system.machine.branch, addressOf(page));

/** Pages of the kernel, zeroed. */
function take(system: System, count: number): Pfn | undefined {
  const first = allocExact(system.machine.pages, count);
  if (first !== undefined) clearPages(system.machine, first, count);
  return first;
}

/**
 * Makes the VM and its vCPUs at EL2: 0, a negative errno, or undefined when the system ended.
 * Source: __pkvm_create_hyp_vm, arch/arm64/kvm/pkvm.c (android14-6.1).
 */
export function createHypVm(system: System, vm: number): number | undefined {
  const files = system.kvm.vms.get(vm);
  if (files === undefined) throw new Error(`VM ${vm} has no structure`);
  const handle = initVm(system, files.kvm, files.vcpus.size);
  if (handle === undefined) return undefined;
  if (handle > 0) {
    setWordOf(system.machine, files.kvm, KVM.handle, BigInt(handle));
    const value = initVcpus(system, vm, handle);
    if (value === undefined) return undefined;
    if (value !== 0) {
      destroyHypVm(system, vm, handle);
      perform(system, { kind: "pkvm_create_hyp_vm", vm, value });
      return value;
    }
  }
  perform(system, { kind: "pkvm_create_hyp_vm", vm, value: handle });
  return handle > 0 ? 0 : handle;
}

/** __pkvm_init_vm with everything that it takes: the handle or a negative errno. */
function initVm(system: System, kvm: Pfn, vcpus: number): number | undefined {
  const sizes = [
    Number(pagesFor(SIZE.pgd)),
    Number(pagesFor(SIZE.hypVm + SIZE.hypVcpuPointer * BigInt(vcpus))),
    Number(pagesFor(SIZE.lastRanEntry * BigInt(system.hyp.config.cpuCount))),
  ] as const;
  const taken: (readonly [Pfn, number])[] = [];
  for (const size of sizes) {
    const first = take(system, size);
    if (first === undefined) {
      for (const [page, count] of taken) freeExact(system.machine.pages, page, count);
      return -ERRNO.ENOMEM;
    }
    taken.push([first, size]);
  }
  const [pgd, memory, lastRan] = taken.map(([first]) => at(system, first));
  const args = [at(system, kvm), memory!, pgd!, lastRan!];
  const answer = hypercall(system, PROCESS_CPU, "__pkvm_init_vm", args);
  if (answer === undefined) return undefined;
  const value = Number(answer.x1);
  if (value <= 0) for (const [page, count] of taken) freeExact(system.machine.pages, page, count);
  return value;
}

function initVcpus(system: System, vm: number, handle: number): number | undefined {
  const count = Number(pagesFor(SIZE.hypVcpu));
  for (const { first } of system.kvm.vms.get(vm)?.vcpus.values() ?? []) {
    const memory = take(system, count);
    if (memory === undefined) return -ERRNO.ENOMEM;
    const args = [BigInt(handle), at(system, first), at(system, memory)];
    const answer = hypercall(system, PROCESS_CPU, "__pkvm_init_vcpu", args);
    if (answer === undefined) return undefined;
    if (answer.x1 !== 0n) {
      freeExact(system.machine.pages, memory, count);
      return Number(answer.x1);
    }
  }
  return 0;
}

/**
 * Fills the host's cache of pages for tables. Source: topup_hyp_memcache, arch/arm64/kvm/mmu.c.
 */
export function topUp(system: System, vcpu: Pfn): boolean {
  const { machine } = system;
  const count = VCPU.memcache + MEMCACHE_NR_PAGES;
  while (wordOf(machine, vcpu, count) < CACHE_PAGES) {
    const page = take(system, 1);
    if (page === undefined) return false;
    machine.physical.write64(addressOf(page), wordOf(machine, vcpu, VCPU.memcache));
    setWordOf(machine, vcpu, VCPU.memcache, addressOf(page));
    setWordOf(machine, vcpu, count, wordOf(machine, vcpu, count) + 1n);
  }
  return true;
}

/** Tables below level 1. Source: kvm_mmu_cache_min_pages, kvm_pgtable_stage2 of 40 bits. */
const CACHE_PAGES = 2n;

/** Every page of a list in a structure of the host goes to the kernel's allocator. */
function freeList(system: System, structure: Pfn, list: bigint): void {
  const { machine } = system;
  let page = wordOf(machine, structure, list);
  for (let left = wordOf(machine, structure, list + MEMCACHE_NR_PAGES); left > 0n; left--) {
    const next = machine.physical.read64(page);
    freePages(machine.pages, Number(page >> 12n), 0);
    page = next;
  }
  setWordOf(machine, structure, list, 0n);
  setWordOf(machine, structure, list + MEMCACHE_NR_PAGES, 0n);
}

/**
 * Ends the VM at EL2; every refusal is a warning and no more. False when the system ended.
 * Source: pkvm_destroy_hyp_vm, arch/arm64/kvm/pkvm.c (android14-6.1).
 */
export function destroyHypVm(system: System, vm: number, handle: number): boolean {
  const call = (name: string, ...args: readonly bigint[]): boolean => {
    const answer = hypercall(system, PROCESS_CPU, name, args);
    if (answer !== undefined && answer.x1 !== 0n) warn(system, "pkvm_destroy_hyp_vm");
    return answer !== undefined;
  };
  const id = BigInt(handle);
  if (!call("__pkvm_start_teardown_vm", id)) return false;
  const pinned = [...(system.hyp.vms.get(vm)?.pinned ?? [])].sort((a, b) => a[0] - b[0]);
  for (const [gfn, page] of pinned) {
    if (!call("__pkvm_reclaim_dying_guest_page", id, BigInt(page), BigInt(gfn) << 12n))
      return false;
  }
  if (!call("__pkvm_finalize_teardown_vm", id)) return false;
  const files = system.kvm.vms.get(vm);
  if (files === undefined) return true;
  setWordOf(system.machine, files.kvm, KVM.handle, 0n);
  freeList(system, files.kvm, KVM.teardownMc);
  freeList(system, files.kvm, KVM.teardownStage2Mc);
  for (const { first } of files.vcpus.values()) freeList(system, first, VCPU.memcache);
  return true;
}

/** close() of a VM, its vCPUs being closed. Source: kvm_arch_destroy_vm, arch/arm64/kvm/arm.c. */
export function closeVm(system: System, vm: number): boolean {
  const handle = system.hyp.vms.get(vm)?.handle;
  if (handle !== undefined && !destroyHypVm(system, vm, handle)) return false;
  return releaseStructures(system, vm);
}
