// The VM at EL2 as the host makes and ends it: donations before, pages reclaimed after.

import { branchOf, vmsOf } from "../../../spec/branches/branches.ts";
import { addressOf, type Pfn } from "../../../spec/types/address.ts";
import { ERRNO } from "../../../spec/types/errno.ts";
import {
  hypVcpuBytes,
  hypVmBytes,
  KVM,
  MEMCACHE_NR_PAGES,
  pagesFor,
  SIZE,
  VCPU,
} from "../../../spec/vm-layout.ts";
import { kernelLinear } from "../../machine/layout.ts";
import { perform, type System, stop } from "../../machine/system.ts";
import { freePages } from "../exported/page-allocator.ts";
import { hypercall } from "../hypercall.ts";
import {
  allocExact,
  clearPages,
  freeExact,
  type HostVcpuFiles,
  setWordOf,
  wordOf,
} from "./host-kvm.ts";
import { PROCESS_CPU, releaseStructures, reservesHandles, warn } from "./ioctls.ts";

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
  if (branchOf(system.hyp.config).vms === undefined) {
    stop(system, "__pkvm_init_vm");
    return undefined;
  }
  const { reservesHandles, makesVcpusLate } = vmsOf(system.hyp.config);
  const given = initVm(system, files.kvm, files.vcpus.size);
  if (given === undefined) return undefined;
  const reserved = Number(wordOf(system.machine, files.kvm, KVM.handle));
  const handle = reservesHandles && given === 0 ? reserved : given;
  if (handle > 0) setWordOf(system.machine, files.kvm, KVM.handle, BigInt(handle));
  if (handle > 0 && !makesVcpusLate) {
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

/** __pkvm_init_vm with everything that it takes: what it answers, or a negative errno. */
function initVm(system: System, kvm: Pfn, vcpus: number): number | undefined {
  const { reservesHandles } = vmsOf(system.hyp.config);
  const lastRanBytes = SIZE.lastRanEntry * BigInt(system.hyp.config.cpuCount);
  const sizes = [
    Number(pagesFor(SIZE.pgd)),
    Number(pagesFor(hypVmBytes(system.hyp, vcpus))),
    ...(reservesHandles ? [] : [Number(pagesFor(lastRanBytes))]),
  ];
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
  const args = [at(system, kvm), memory!, pgd!, ...(lastRan === undefined ? [] : [lastRan])];
  const answer = hypercall(system, PROCESS_CPU, "__pkvm_init_vm", args);
  if (answer === undefined) return undefined;
  const value = Number(answer.x1);
  const isMade = reservesHandles ? value === 0 : value > 0;
  if (!isMade) for (const [page, count] of taken) freeExact(system.machine.pages, page, count);
  return value;
}

function initVcpus(system: System, vm: number, handle: number): number | undefined {
  for (const files of system.kvm.vms.get(vm)?.vcpus.values() ?? []) {
    const value = initVcpu(system, files, handle);
    if (value !== 0) return value;
  }
  return 0;
}

/** __pkvm_init_vcpu with the memory that it takes. */
function initVcpu(system: System, files: HostVcpuFiles, handle: number): number | undefined {
  const count = Number(pagesFor(hypVcpuBytes(system.hyp)));
  const memory = take(system, count);
  if (memory === undefined) return -ERRNO.ENOMEM;
  const args = [BigInt(handle), at(system, files.first), at(system, memory)];
  const answer = hypercall(system, PROCESS_CPU, "__pkvm_init_vcpu", args);
  if (answer === undefined) return undefined;
  files.isMade = answer.x1 === 0n;
  if (!files.isMade) freeExact(system.machine.pages, memory, count);
  return Number(answer.x1);
}

/**
 * A vCPU that EL2 does not know yet, where it is made when it first runs.
 * Source: pkvm_create_hyp_vcpu, arch/arm64/kvm/pkvm.c (mainline 7.3).
 */
export function createHypVcpu(
  system: System,
  files: HostVcpuFiles,
  handle: number,
): number | undefined {
  const { makesVcpusLate } = vmsOf(system.hyp.config);
  return files.isMade || !makesVcpusLate ? 0 : initVcpu(system, files, handle);
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
  const { reservesHandles } = vmsOf(system.hyp.config);
  if (!call("__pkvm_start_teardown_vm", id)) return false;
  const pinned = [...(system.hyp.vms.get(vm)?.pinned ?? [])].sort((a, b) => a[0] - b[0]);
  for (const [gfn, page] of pinned) {
    const where = reservesHandles ? [BigInt(gfn)] : [BigInt(page), BigInt(gfn) << 12n];
    if (!call("__pkvm_reclaim_dying_guest_page", id, ...where)) return false;
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

/** A handle whose VM was never made is given back. Source: __pkvm_destroy_hyp_vm (mainline 7.3). */
function unreserve(system: System, vm: number): boolean {
  const files = system.kvm.vms.get(vm);
  if (files === undefined || !reservesHandles(system)) return true;
  const handle = wordOf(system.machine, files.kvm, KVM.handle);
  if (handle === 0n) return true;
  return hypercall(system, PROCESS_CPU, "__pkvm_unreserve_vm", [handle]) !== undefined;
}

/** close() of a VM, its vCPUs being closed. Source: kvm_arch_destroy_vm, arch/arm64/kvm/arm.c. */
export function closeVm(system: System, vm: number): boolean {
  const handle = system.hyp.vms.get(vm)?.handle;
  if (handle !== undefined && !destroyHypVm(system, vm, handle)) return false;
  if (handle === undefined && !unreserve(system, vm)) return false;
  return releaseStructures(system, vm);
}
