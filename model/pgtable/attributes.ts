// Which attribute bits each of the three kinds of table gives to a permission: EL1 stage 1, EL2
// stage 1, host stage 2.

import { PROT } from "../../spec/types/module.ts";
import { AF, INNER_SHAREABLE } from "./descriptor.ts";

/**
 * MAIR_EL1 and MAIR_EL2, byte by byte: 0 Normal write-back, 1 Normal tagged (as 0 until MTE is set
 * up), 2 Normal
 * non-cacheable, 3 Device-nGnRnE, 4 Device-nGnRE. Source: MT_NORMAL to MT_DEVICE_nGnRE,
 * asm/memory.h;
 * MAIR_EL1_SET, arch/arm64/mm/proc.S (linux 6.1).
 */
export const MAIR = 0x04_00_44_ff_ffn;
const MT_NORMAL = 0n;
const MT_NORMAL_NC = 2n;
const MT_DEVICE_nGnRE = 4n;

const ATTR_INDEX_SHIFT = 2n;
/** Stage 1, AP[2]: read-only. Source: DDI0487 D8.4, Data access permissions. */
const AP_READ_ONLY = 1n << 7n;
/** Stage 1, AP[1]: at EL1&0 access from EL0, at EL2 RES1. */
const AP_RES1_AT_EL2 = 1n << 6n;
/** Stage 1, EL1&0: not executable at EL1, at EL0. At EL2 bit 54 is XN, at stage 2 XN[1]. */
const PXN = 1n << 53n;
const XN = 1n << 54n;

/** What the kernel may do with one of its own pages. */
export type KernelProt = "rw" | "ro" | "rx" | "device";

/**
 * EL1&0 stage 1, kernel pages: never reachable from EL0.
 * Source: PAGE_KERNEL, PAGE_KERNEL_RO, PAGE_KERNEL_ROX, PROT_DEVICE_nGnRE, asm/pgtable-prot.h
 * (linux 6.1).
 */
export function kernelAttributes(prot: KernelProt): bigint {
  const normal = AF | INNER_SHAREABLE | (MT_NORMAL << ATTR_INDEX_SHIFT);
  switch (prot) {
    case "rw":
      return normal | PXN | XN;
    case "ro":
      return normal | AP_READ_ONLY | PXN | XN;
    case "rx":
      return normal | AP_READ_ONLY | XN;
    case "device":
      return AF | INNER_SHAREABLE | (MT_DEVICE_nGnRE << ATTR_INDEX_SHIFT) | PXN | XN;
  }
}

/** EL2 stage 1. `prot` is PROT bits. Source: hyp_set_prot_attr, hyp/pgtable.c (android14-6.1). */
export function hypAttributes(prot: number): bigint {
  const normal = (prot & PROT.NC) === 0 ? MT_NORMAL : MT_NORMAL_NC;
  const index = (prot & PROT.DEVICE) === 0 ? normal : MT_DEVICE_nGnRE;
  const writable = (prot & PROT.W) === 0 ? AP_READ_ONLY : 0n;
  const executable = (prot & PROT.X) === 0 ? XN : 0n;
  return (
    AF | INNER_SHAREABLE | (index << ATTR_INDEX_SHIFT) | AP_RES1_AT_EL2 | writable | executable
  );
}

/** The permission that EL2 stage-1 attributes give, as PROT bits; R is always there. */
export function hypProt(attributes: bigint): number {
  const writable = (attributes & AP_READ_ONLY) === 0n ? PROT.W : 0;
  const executable = (attributes & XN) === 0n ? PROT.X : 0;
  const index = (attributes >> ATTR_INDEX_SHIFT) & 7n;
  const device = index === MT_DEVICE_nGnRE ? PROT.DEVICE : 0;
  const noncacheable = index === MT_NORMAL_NC ? PROT.NC : 0;
  return PROT.R | writable | executable | device | noncacheable;
}

/**
 * Stage 2, MemAttr[3:0]: Normal write-back, or Device-nGnRE. Source: DDI0487 D8.5, stage 2 memory
 * type.
 */
const S2_NORMAL = 0xfn << 2n;
const S2_NORMAL_NC = 0x5n << 2n;
const S2_DEVICE_nGnRE = 0x1n << 2n;
/** Stage 2, XN[1:0]: 0b01 not at EL1, 0b11 not at EL0, 0b10 nowhere. Source: FEAT_XNX. */
const XN_SHIFT = 53n;
const XN_PXN = 1n;
const XN_NOWHERE = 2n;
const XN_UXN = 3n;
/** Who may execute: X, PXN or UXN alone, or none of them. */
const EXECUTION = PROT.X | PROT.PXN | PROT.UXN;
/** Stage 2, S2AP: read, write. */
const S2AP_R = 1n << 6n;
const S2AP_W = 1n << 7n;

/**
 * Host stage 2. `prot` is PROT bits.
 * Source: stage2_set_prot_attr, hyp/pgtable.c (android14-6.1); 1, 2, 3, 5, 6, 7, 8 and 0xf are
 * measured, trace ops, the others read. A device is a device whether cacheable or not.
 */
export function hostStage2Attributes(prot: number): bigint {
  const normal = (prot & PROT.NC) === 0 ? S2_NORMAL : S2_NORMAL_NC;
  const type = (prot & PROT.DEVICE) === 0 ? normal : S2_DEVICE_nGnRE;
  const readable = (prot & PROT.R) === 0 ? 0n : S2AP_R;
  const writable = (prot & PROT.W) === 0 ? 0n : S2AP_W;
  return AF | INNER_SHAREABLE | type | readable | writable | executeNever(prot);
}

/** Source: stage2_set_prot_attr, hyp/pgtable.c: exec_type. */
function executeNever(prot: number): bigint {
  switch (prot & EXECUTION) {
    case PROT.X:
      return 0n;
    case PROT.PXN:
      return XN_PXN << XN_SHIFT;
    case PROT.UXN:
      return XN_UXN << XN_SHIFT;
    default:
      return XN_NOWHERE << XN_SHIFT;
  }
}

/** Whether stage 2 has an entry for a protection: X, PXN and UXN exclude each other. */
export const hasHostEntry = (prot: number): boolean =>
  [0, PROT.X, PROT.PXN, PROT.UXN].includes(prot & EXECUTION);

const EXECUTION_OF = [PROT.X, PROT.PXN, 0, PROT.UXN] as const;

/** The permission that stage-2 attributes give, as PROT bits. */
export function hostStage2Prot(attributes: bigint): number {
  const readable = (attributes & S2AP_R) === 0n ? 0 : PROT.R;
  const writable = (attributes & S2AP_W) === 0n ? 0 : PROT.W;
  const type = attributes & (0xfn << 2n);
  const device = type === S2_DEVICE_nGnRE ? PROT.DEVICE : 0;
  const noncacheable = type === S2_NORMAL_NC ? PROT.NC : 0;
  const executable = EXECUTION_OF[Number((attributes >> XN_SHIFT) & 3n)] ?? 0;
  return readable | writable | executable | device | noncacheable;
}

/** Source: PKVM_HOST_MEM_PROT and PKVM_HOST_MMIO_PROT, nvhe/mem_protect.h (android14-6.1). */
export const HOST_MEMORY_PROT = PROT.R | PROT.W | PROT.X;
export const HOST_MMIO_PROT = PROT.R | PROT.W;
