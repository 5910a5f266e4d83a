// Invalidation after a descriptor was changed: the TLBI that the kernel and the hypervisor execute.

import type { Core } from "../../cpu/state.ts";
import { executeSys } from "../../cpu/sysregs/system-instructions.ts";
import type { Machine } from "./machine.ts";

/** op1, CRn, CRm, op2 of a TLBI. Source: DDI0487 C5.5, one section each. */
type Operation = readonly [number, number, number, number];

const VAAE1IS: Operation = [0, 8, 3, 3];
const VALE2IS: Operation = [4, 8, 3, 5];
const IPAS2E1IS: Operation = [4, 8, 0, 1];
const VMALLE1IS: Operation = [0, 8, 3, 0];
const VMALLS12E1IS: Operation = [4, 8, 3, 6];

/**
 * Executes operations at EL2 of the first core; all of them reach the whole inner shareable domain.
 * A core that keeps no translations needs none.
 */
function invalidate(machine: Machine, operations: readonly (readonly [Operation, bigint])[]): void {
  const core = machine.cores[0]!;
  if (core.tlb.mode === "none") return;
  const { EL } = core.pstate;
  core.pstate.EL = 2;
  for (const [operation, value] of operations) execute(core, operation, value);
  core.pstate.EL = EL;
}

function execute(core: Core, [op1, CRn, CRm, op2]: Operation, value: bigint): void {
  const outcome = executeSys(core, op1, CRn, CRm, op2, 0, value);
  if (outcome !== undefined) throw new Error(`TLBI ${op1} ${CRn} ${CRm} ${op2} was refused at EL2`);
}

/** The page number of an address, as TLBI takes it in bits 43:0. */
const pageNumber = (address: bigint): bigint => (address >> 12n) & ((1n << 44n) - 1n);

/** A page of the kernel's stage 1. Source: flush_tlb_kernel_range, asm/tlbflush.h. */
export function invalidateKernel(machine: Machine, va: bigint): void {
  invalidate(machine, [[VAAE1IS, pageNumber(va)]]);
}

/**
 * A page of EL2's stage 1. Source: __tlbi_level(vale2is), hyp_unmap_walker and its kin,
 * hyp/pgtable.c.
 */
export function invalidateHyp(machine: Machine, va: bigint): void {
  invalidate(machine, [[VALE2IS, pageNumber(va)]]);
}

/**
 * A page of the host's stage 2, and what was combined with it. Source: __kvm_tlb_flush_vmid_ipa,
 * hyp/nvhe/tlb.c.
 */
export function invalidateHostStage2(machine: Machine, ipa: bigint): void {
  invalidate(machine, [
    [IPAS2E1IS, pageNumber(ipa)],
    [VMALLE1IS, 0n],
  ]);
}

/** Executes operations with a guest's stage 2 in place of the host's. */
function forGuest(
  machine: Machine,
  { root, vmid }: GuestTable,
  operations: readonly (readonly [Operation, bigint])[],
): void {
  const { sysreg } = machine.cores[0]!;
  const { VTTBR_EL2 } = sysreg;
  sysreg.VTTBR_EL2 = root | (BigInt(vmid) << 48n);
  invalidate(machine, operations);
  sysreg.VTTBR_EL2 = VTTBR_EL2;
}

/** A guest's stage 2: its root, and the number that its translations are kept under. */
export interface GuestTable {
  readonly root: bigint;
  readonly vmid: number;
}

/** A page of a guest's stage 2. Source: __kvm_tlb_flush_vmid_ipa, hyp/nvhe/tlb.c. */
export function invalidateGuest(machine: Machine, table: GuestTable, ipa: bigint): void {
  forGuest(machine, table, [
    [IPAS2E1IS, pageNumber(ipa)],
    [VMALLE1IS, 0n],
  ]);
}

/** Everything that is kept for a guest. Source: __kvm_tlb_flush_vmid, hyp/nvhe/tlb.c. */
export function invalidateVmid(machine: Machine, vmid: number): void {
  forGuest(machine, { root: 0n, vmid }, [[VMALLS12E1IS, 0n]]);
}
