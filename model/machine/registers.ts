// What the system registers hold once the kernel and the hypervisor are up, bit by bit.

import type { Core } from "../../cpu/state.ts";
import { MAIR } from "../pgtable/attributes.ts";
import {
  HOST_STAGE2_ROOT,
  HYP_STAGE1_ROOT,
  HYP_VECTORS,
  hypStack,
  KERNEL_TABLES_PA,
  KERNEL_VECTORS,
  kernelStack,
  shadowStackOf,
  taskOf,
} from "./layout.ts";

const bits = (...numbers: readonly number[]): bigint =>
  numbers.reduce((value, bit) => value | (1n << BigInt(bit)), 0n);
const field = (value: number, shift: number): bigint => BigInt(value) << BigInt(shift);

/**
 * M, C, SA, SA0, SED, EOS, I, DZE, UCT, nTWE, TSCXT, IESB, EIS, UCI, nTLSMD, LSMAOE. Source:
 * INIT_SCTLR_EL1_MMU_ON.
 */
const SCTLR_EL1 = bits(0, 2, 3, 4, 8, 11, 12, 14, 15, 18, 20, 21, 22, 26, 28, 29);
/**
 * M, C, SA, I, IESB, WXN, and the bits that are one. Source: INIT_SCTLR_EL2_MMU_ON, asm/sysreg.h
 * (linux 6.1).
 */
const SCTLR_EL2 = bits(0, 2, 3, 12, 21, 19, 4, 5, 11, 16, 18, 22, 23, 28, 29);
/**
 * EnIA, EnIB, EnDA, EnDB. Source: __pkvm_init_finalise, init_el2_state: EL2 has keys of its own.
 */
const SCTLR_PAUTH = bits(31, 30, 27, 13);
/** BT at EL2; BT1 at EL1. Source: SCTLR_EL2_BT, SCTLR_EL1_BT1 with ARM64_BTI_KERNEL. */
const SCTLR_BTI = bits(36);

/**
 * As many bits in both halves, 4 KiB granule, write-back inner shareable walks, 40-bit output,
 * 16-bit ASID, TBI0, A1.
 */
const tcrEl1 = (vaBits: number): bigint =>
  field(64 - vaBits, 0) |
  field(64 - vaBits, 16) |
  bits(8, 10, 24, 26) |
  field(3, 12) |
  field(3, 28) |
  field(2, 30) |
  field(2, 32) |
  bits(22, 36, 37);
/**
 * 4 KiB granule, write-back inner shareable walks, 40-bit output; bits 23 and 31 are one.
 */
const tcrEl2 = (vaBits: number): bigint =>
  field(64 - vaBits, 0) | bits(8, 10) | field(3, 12) | field(2, 16) | bits(23, 31);
/**
 * 40 bits from level 1, 4 KiB granule, 40-bit output, 16-bit VMID; bit 31 is one. Source:
 * kvm_get_vtcr.
 */
const VTCR_EL2 =
  field(24, 0) | field(1, 6) | bits(8, 10) | field(3, 12) | field(2, 16) | bits(19, 31);

/** RW, API, APK. Source: HCR_HOST_NVHE_FLAGS, asm/kvm_arm.h (android14-6.1). */
export const HCR_HOST = bits(31, 41, 40);
/** Traps SMC. Source: HCR_HOST_NVHE_PROTECTED_FLAGS. */
export const HCR_TSC = bits(19);
/** Stage 2 of the host is on. */
export const HCR_VM = bits(0);

/**
 * The reset values with TFP clear: FP and SIMD are not trapped. Source: CPTR_EL2_DEFAULT
 * (android14-6.1).
 */
const CPTR_EL2 = 0x33ffn;
/** FPEN: FP and SIMD at EL1 are not trapped. Source: __cpu_setup, arch/arm64/mm/proc.S. */
const CPACR_EL1 = field(3, 20);

/**
 * Puts a core where the kernel runs on it: EL1 with its own stack, translation on at both levels,
 * stage 2 built and off.
 * Source: __cpu_setup, arch/arm64/mm/proc.S; __kvm_init_el2_state, el2_setup.h;
 * __pkvm_init_finalise (android14-6.1).
 */
export function startKernel(core: Core, cpu: number, vaBits: number): void {
  const { features } = core.cpuModel;
  const optional = (features.PAuth ? SCTLR_PAUTH : 0n) | (features.BTI ? SCTLR_BTI : 0n);
  const { sysreg } = core;
  sysreg.MAIR_EL1 = MAIR;
  sysreg.TCR_EL1 = tcrEl1(vaBits);
  sysreg.TTBR1_EL1 = KERNEL_TABLES_PA;
  sysreg.TTBR0_EL1 = KERNEL_TABLES_PA + 0x1000n;
  sysreg.CPACR_EL1 = CPACR_EL1;
  sysreg.VBAR_EL1 = KERNEL_VECTORS;
  sysreg.SCTLR_EL1 = SCTLR_EL1 | optional;
  sysreg.MAIR_EL2 = MAIR;
  sysreg.TCR_EL2 = tcrEl2(vaBits);
  sysreg.TTBR0_EL2 = HYP_STAGE1_ROOT;
  sysreg.VTCR_EL2 = VTCR_EL2;
  sysreg.VTTBR_EL2 = HOST_STAGE2_ROOT;
  sysreg.CPTR_EL2 = CPTR_EL2;
  sysreg.VBAR_EL2 = HYP_VECTORS;
  sysreg.HCR_EL2 = HCR_HOST | HCR_TSC;
  sysreg.SCTLR_EL2 = SCTLR_EL2 | optional;
  core.sp[0] = taskOf(cpu); // current, in SP_EL0. Source: get_current, asm/current.h.
  core.sp[1] = kernelStack(cpu).top;
  core.x[18] = shadowStackOf(cpu); // where the kernel keeps return addresses a second time.
  core.sp[2] = hypStack(cpu).top;
  const pstate = core.pstate;
  pstate.EL = 1;
  pstate.SP = 1;
  pstate.D = 0;
  pstate.A = 0;
  pstate.I = 0;
  pstate.F = 0;
  pstate.PAN = features.PAN ? 1 : 0;
}
