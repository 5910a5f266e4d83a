// Sizes and byte offsets of the structures that host and EL2 exchange about a VM (android14-6.1).
// CHOICE: mainline 7.3 has the same places for the host's; only what EL2 keeps was measured there.

import { vmsOf } from "./branches/branches.ts";
import type { Hyp } from "./types/hyp.ts";

/** Bytes of a structure, and how it is known. Source: measured, machines (both builds equal). */
export const SIZE = {
  /** struct kvm. */
  kvm: 4080n,
  hypVcpuPointer: 8n,
  /** struct kvm_vcpu. */
  vcpu: 9120n,
  /** Level 1 of a guest's stage 2, which must be aligned to it. */
  pgd: 8192n,
  /** An int for each CPU. */
  lastRanEntry: 4n,
} as const;

/** struct pkvm_hyp_vm with a pointer for each vCPU that it may have. */
export const hypVmBytes = ({ config }: Pick<Hyp, "config">, vcpus: number | bigint): bigint =>
  BigInt(vmsOf(config).hypVmBytes) + SIZE.hypVcpuPointer * BigInt(vcpus);

/** struct pkvm_hyp_vcpu. */
export const hypVcpuBytes = ({ config }: Pick<Hyp, "config">): bigint =>
  BigInt(vmsOf(config).hypVcpuBytes);

/** Offsets in struct kvm. Source: measured, machines. */
export const KVM = {
  createdVcpus: 2312n,
  handle: 2976n,
  teardownMc: 2984n,
  teardownStage2Mc: 3000n,
  pvmfwLoadAddr: 3024n,
  enabled: 3032n,
} as const;

/**
 * Offsets in struct kvm_vcpu. Source: measured, machines, except arch.features
 * and what belongs to registers and faults.
 * CHOICE: no script writes those, so nobody knows where they are; they stand where nothing measured
 * does, for the model's own host and EL2 to exchange.
 */
export const VCPU = {
  vcpuIdx: 40n,
  memcache: 8016n,
  features: 7000n,
  regs: 512n,
  pc: 768n,
  pstate: 776n,
  /** arch.fault: what made the guest leave. */
  esr: 784n,
  far: 792n,
  hpfar: 800n,
  /** arch.iflags: what the host wants done at the next entry. */
  iflags: 808n,
} as const;

/** Bits of arch.iflags. Source: INCREMENT_PC, PENDING_EXCEPTION, asm/kvm_host.h. CHOICE: which. */
export const IFLAG = { incrementPc: 1n << 0n, pendingAbort: 1n << 1n } as const;

/** Of a kvm_hyp_memcache: the head, a physical address, and then the number of pages. */
export const MEMCACHE_HEAD = 0n;
export const MEMCACHE_NR_PAGES = 8n;

/** What stands for "no firmware". Source: PVMFW_INVALID_LOAD_ADDR; measured, life-map-p. */
export const NO_PVMFW = 0xffff_ffff_ffff_ffffn;

/** Bit of arch.features. Source: KVM_ARM_VCPU_POWER_OFF, uapi/asm/kvm.h. */
export const KVM_ARM_VCPU_POWER_OFF = 1n << 0n;

/** Pages that a size takes. */
export const pagesFor = (bytes: bigint): bigint => (bytes + 4095n) >> 12n;
