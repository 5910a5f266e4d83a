// Kernel variables and pieces of kernel code that modules refer to by name.

import { PARAM_OPS, PARAM_OPS_BYTES } from "./parameter-functions.ts";

/** Where the kernel is, as far as its variables say so. */
export interface KernelPlace {
  /** Physical address of the first byte of memory. */
  readonly memoryStart: bigint;
  /** Kernel image: virtual minus physical address. */
  readonly imageOffset: bigint;
  readonly cpuCount: number;
  /** The address of an exported name. */
  readonly addressOf: (name: string) => bigint;
}

/** A variable: how big it is and what it holds, 64 bits each. */
export interface ExportedObject {
  readonly name: string;
  readonly sizeBytes: number;
  readonly words: (place: KernelPlace, address: bigint) => readonly bigint[];
}

const word = (name: string, value: (place: KernelPlace) => bigint): ExportedObject => ({
  name,
  sizeBytes: 8,
  words: (place) => [value(place)],
});

/**
 * CHOICE: the boot's canary is random in a kernel; a byte of it is zero there as well. Source:
 * get_random_canary.
 */
const STACK_CANARY = 0x00c0_ffee_5ca1_ab1en & ~0xffn;

/**
 * The first value of the clock tick: 32 bits of it wrap after five minutes. Source:
 * INITIAL_JIFFIES, -300 * HZ, linux/jiffies.h; HZ 250.
 */
const INITIAL_JIFFIES = BigInt.asUintN(32, -300n * 250n);

/**
 * Kinds and sizes of kmalloc caches. Source: NR_KMALLOC_TYPES, KMALLOC_SHIFT_HIGH + 1 = 14,
 * linux/slab.h.
 */
const KMALLOC_CACHES = 4 * 14;

/** Every variable, in the order of its address. */
export const EXPORTED_OBJECTS: readonly ExportedObject[] = [
  ...PARAM_OPS.map(
    ({ name, set, noArgument }): ExportedObject => ({
      name,
      sizeBytes: PARAM_OPS_BYTES,
      words: ({ addressOf }) => [noArgument ? 1n : 0n, addressOf(set), 0n, 0n],
    }),
  ),
  word("memstart_addr", ({ memoryStart }) => memoryStart),
  word("kimage_voffset", ({ imageOffset }) => imageOffset),
  word("nr_cpu_ids", ({ cpuCount }) => BigInt(cpuCount)),
  word("__stack_chk_guard", () => STACK_CANARY),
  word("jiffies", () => INITIAL_JIFFIES),
  word("jiffies_64", () => INITIAL_JIFFIES),
  // Inlined kmalloc passes a cache and the size; only the size is looked at, so any address will
  // do.
  {
    name: "kmalloc_caches",
    sizeBytes: 8 * KMALLOC_CACHES,
    words: (_, address) => new Array<bigint>(KMALLOC_CACHES).fill(address),
  },
];

/** A piece of kernel code that is executed, not modelled. */
export interface ExportedCode {
  readonly name: string;
  readonly words: readonly number[];
}

/**
 * __arm_smccc_hvc(a0 … a7, result, quirk): the result structure and the quirk are passed on the
 * stack. Ours leaves the
 * quirk alone. Source: the C prototype in linux/arm-smccc.h and SMCCC 1.3, section 2.6.
 */
const smccc = (conduit: number): readonly number[] => [
  conduit,
  0xf940_03e4, // ldr x4, [sp]
  0xa900_0480, // stp x0, x1, [x4]
  0xa901_0c82, // stp x2, x3, [x4, #16]
  0xd65f_03c0, // ret
];

export const EXPORTED_CODE: readonly ExportedCode[] = [
  { name: "__arm_smccc_hvc", words: smccc(0xd400_0002) }, // hvc #0
  { name: "__arm_smccc_smc", words: smccc(0xd400_0003) }, // smc #0
];
