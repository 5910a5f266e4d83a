// What the host's KVM and the process that uses it keep in the machine: structures, pages, buffers.

import { addressOf, type Pfn, pfn } from "../../../spec/types/address.ts";
import { VCPU } from "../../../spec/vm-layout.ts";
import type { Machine } from "../../machine/machine.ts";
import { allocPages, freePages, orderOf, type PageAllocator } from "../exported/page-allocator.ts";

/** An access to a device that user space is asked to emulate. Source: struct kvm_run, mmio. */
export interface Mmio {
  readonly address: bigint;
  readonly write: boolean;
  readonly bytes: number;
  /** The host's copy of this register takes the value of a load. */
  readonly register: number;
  readonly signExtends: boolean;
  readonly is64: boolean;
}

/** One vCPU: its struct kvm_vcpu, and what the shared struct kvm_run holds. */
export interface HostVcpuFiles {
  readonly first: Pfn;
  /** kvm_run.mmio.data, which an exit for a load leaves as it was. */
  data: bigint;
  mmio: Mmio | undefined;
  /** Whether EL2 knows the vCPU. Source: VCPU_PKVM_FINALIZED, asm/kvm_host.h (mainline 7.3). */
  isMade: boolean;
}

/** One VM: its struct kvm, and its vCPUs by number in the order in which they were made. */
export interface HostVmFiles {
  readonly kvm: Pfn;
  readonly vcpus: Map<number, HostVcpuFiles>;
}

/** Memory of the process that it gave to a VM: frames by page, taken at first touch. */
export interface UserMemory {
  readonly gpa: bigint;
  readonly bytes: bigint;
  readonly frames: Map<number, Pfn>;
}

/** Everything of one process. Mutable: one run owns it. */
export interface HostKvm {
  readonly vms: Map<number, HostVmFiles>;
  /** What a process gave to a VM stays its own when the VM is closed; the last one is the first. */
  readonly memory: Map<number, UserMemory[]>;
  /** A signal ended the process. */
  dead: boolean;
}

export const createHostKvm = (): HostKvm => ({ vms: new Map(), memory: new Map(), dead: false });

/** Pages in a row, each of its own from here on. Source: alloc_pages_exact, mm/page_alloc.c. */
export function allocExact(pages: PageAllocator, count: number): Pfn | undefined {
  const order = orderOf(count);
  const first = allocPages(pages, order);
  if (first === undefined) return undefined;
  pages.held.delete(first);
  for (let n = 0; n < 2 ** order; n++) {
    pages.held.set(first + n, 0);
    if (n >= count) freePages(pages, first + n, 0);
  }
  return pfn(first);
}

/** Gives single pages back. */
export function freeExact(pages: PageAllocator, first: Pfn, count: number): void {
  for (let n = 0; n < count; n++) freePages(pages, first + n, 0);
}

/** Zeroes pages that the kernel has just taken. Source: __GFP_ZERO. */
export function clearPages(machine: Machine, first: Pfn, count: number): void {
  for (let n = 0; n < count; n++) {
    machine.physical.writePage(addressOf(pfn(first + n)), new BigUint64Array(512));
  }
}

/** A word of a structure of the host. */
export const wordOf = (machine: Machine, structure: Pfn, offset: bigint): bigint =>
  machine.physical.read64(addressOf(structure) + offset);

export function setWordOf(machine: Machine, structure: Pfn, offset: bigint, value: bigint): void {
  machine.physical.write64(addressOf(structure) + offset, BigInt.asUintN(64, value));
}

/** A register in the host's copy; 31 is the zero register. */
export const hostX = (machine: Machine, vcpu: Pfn, n: number): bigint =>
  n === 31 ? 0n : wordOf(machine, vcpu, VCPU.regs + BigInt(8 * n));

export function setHostX(machine: Machine, vcpu: Pfn, n: number, value: bigint): void {
  if (n !== 31) setWordOf(machine, vcpu, VCPU.regs + BigInt(8 * n), value);
}

/** Asks for something at the next entry. Source: vcpu_set_flag, asm/kvm_host.h. */
export function raise(machine: Machine, vcpu: Pfn, flag: bigint): void {
  setWordOf(machine, vcpu, VCPU.iflags, wordOf(machine, vcpu, VCPU.iflags) | flag);
}

/** The frame behind an offset of user memory, taken and zeroed at first touch. */
export function userFrame(machine: Machine, { frames }: UserMemory, page: number): Pfn | undefined {
  const known = frames.get(page);
  if (known !== undefined) return known;
  const frame = allocExact(machine.pages, 1);
  if (frame === undefined) return undefined;
  clearPages(machine, frame, 1);
  frames.set(page, frame);
  return frame;
}
