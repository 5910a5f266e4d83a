// The calls that a guest can make, by number, and what they answer with.

import type { VmPolicy } from "./branches/vm-policy.ts";
/** Source: linux/arm-smccc.h; the vendor calls are those of KVM (android14-6.1). */
export const SMCCC = {
  VERSION: 0x8000_0000,
  ARCH_FEATURES: 0x8000_0001,
  VENDOR_HYP_UID: 0x8600_ff01,
  VENDOR_HYP_FEATURES: 0x8600_0000,
  HYP_MEMINFO: 0xc600_0002,
  MEM_SHARE: 0xc600_0003,
  MEM_UNSHARE: 0xc600_0004,
  MMIO_GUARD_INFO: 0xc600_0005,
  MMIO_GUARD_ENROLL: 0xc600_0006,
  MMIO_GUARD_MAP: 0xc600_0007,
  MMIO_GUARD_UNMAP: 0xc600_0008,
  MEM_RELINQUISH: 0xc600_0009,
  TRNG_VERSION: 0x8400_0050,
  TRNG_FEATURES: 0x8400_0051,
  TRNG_GET_UUID: 0x8400_0052,
  TRNG_RND32: 0x8400_0053,
  TRNG_RND64: 0xc400_0053,
  PTP: 0x8600_0001,
} as const;

/** Source: uapi/linux/psci.h. */
export const PSCI = {
  VERSION: 0x8400_0000,
  CPU_SUSPEND: 0x8400_0001,
  CPU_OFF: 0x8400_0002,
  CPU_ON: 0x8400_0003,
  AFFINITY_INFO: 0x8400_0004,
  MIGRATE_INFO_TYPE: 0x8400_0006,
  SYSTEM_OFF: 0x8400_0008,
  SYSTEM_RESET: 0x8400_0009,
  FEATURES: 0x8400_000a,
  SYSTEM_RESET2: 0x8400_0012,
  CPU_SUSPEND64: 0xc400_0001,
  CPU_ON64: 0xc400_0003,
  AFFINITY_INFO64: 0xc400_0004,
  SYSTEM_RESET2_64: 0xc400_0012,
} as const;

/** The vendor's calls: number n has bit n in the features that a guest is told. */
const VENDOR_CALLS: readonly number[] = [
  SMCCC.VENDOR_HYP_FEATURES,
  SMCCC.PTP,
  SMCCC.HYP_MEMINFO,
  SMCCC.MEM_SHARE,
  SMCCC.MEM_UNSHARE,
  SMCCC.MMIO_GUARD_INFO,
  SMCCC.MMIO_GUARD_ENROLL,
  SMCCC.MMIO_GUARD_MAP,
  SMCCC.MMIO_GUARD_UNMAP,
  SMCCC.MEM_RELINQUISH,
];

/** Whether a call is the vendor's, of those with a number. */
export const isVendorCall = (id: number): boolean => VENDOR_CALLS.includes(id);

/**
 * Whether EL2 looks at a call of a protected guest: at every one where it keeps the registers,
 * otherwise at those that it tells the guest of. Source: kvm_handle_pvm_hvc64, hyp/nvhe/pkvm.c.
 */
export function isOfEl2({ keepsRegisters, features }: VmPolicy, id: number): boolean {
  const bit = VENDOR_CALLS.indexOf(id);
  return keepsRegisters || (bit >= 0 && ((features >> bit) & 1) === 1);
}

const signed64 = (value: number): bigint => BigInt.asUintN(64, BigInt(value));

/** Answers of both. Source: SMCCC_RET_*, linux/arm-smccc.h; PSCI_RET_*, uapi/linux/psci.h. */
export const RET = {
  SUCCESS: 0n,
  NOT_SUPPORTED: signed64(-1),
  INVALID_PARAMETERS: signed64(-2),
  INVALID_PARAMETER: signed64(-3),
  ALREADY_ON: signed64(-4),
  ON_PENDING: signed64(-5),
  INTERNAL_FAILURE: signed64(-6),
} as const;

/** AFFINITY_INFO. Source: PSCI_0_2_AFFINITY_LEVEL_*, uapi/linux/psci.h. */
export const AFFINITY = { ON: 0n, OFF: 1n, ON_PENDING: 2n } as const;

/** The call that x0 names: 32 bits of it. Source: smccc_get_function, kvm/arm_hypercalls.h. */
export const functionOf = (x: readonly bigint[]): number => Number(BigInt.asUintN(32, x[0] ?? 0n));

/** The affinity of a vCPU by its number. Source: reset_mpidr, arch/arm64/kvm/sys_regs.c. */
export const affinityOf = (vcpu: number): bigint =>
  BigInt(vcpu & 0xf) | (BigInt((vcpu >> 4) & 0xff) << 8n) | (BigInt((vcpu >> 12) & 0xff) << 16n);

/** Bits that an affinity may have. Source: MPIDR_HWID_BITMASK, asm/cputype.h. */
export const AFFINITY_BITS = 0xff_00ff_ffffn;

/** The bits that count at a lowest level of AFFINITY_INFO. Source: psci_affinity_mask, psci.c. */
export const affinityMask = (level: bigint): bigint =>
  level > 3n ? 0n : AFFINITY_BITS & ~((1n << (8n * level)) - 1n);
