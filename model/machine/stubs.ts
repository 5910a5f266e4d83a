// Kernel code that is really executed: an HVC, an SMC, a load, a store, an ERET, each followed by a
// gate.

import { type KernVa, kernVa } from "../../spec/types/address.ts";
import { KERNEL_STUBS, KERNEL_TEXT, KERNEL_TEXT_PA } from "./layout.ts";

/** ERET. Source: DDI0487 C6.2.117. */
export const ERET = 0xd69f_03e0;

/** HVC #imm16, SMC #imm16. Source: DDI0487 C6.2.124 and C6.2.289. */
export const hvcWord = (imm: number): number => (0xd400_0002 | (imm << 5)) >>> 0;
export const smcWord = (imm: number): number => (0xd400_0003 | (imm << 5)) >>> 0;

/**
 * LDR and STR of x0 or w0 at [x1], by size in bytes. Source: DDI0487 C4.1, Load/store register
 * (unsigned immediate).
 */
const LOADS = { 1: 0x3940_0020, 2: 0x7940_0020, 4: 0xb940_0020, 8: 0xf940_0020 } as const;
const STORES = { 1: 0x3900_0020, 2: 0x7900_0020, 4: 0xb900_0020, 8: 0xf900_0020 } as const;
export type StubAccessSize = keyof typeof LOADS;
const SIZES = [1, 2, 4, 8] as const satisfies readonly StubAccessSize[];

const STUB_BYTES = 16n;
const stub = (n: number): KernVa => kernVa(KERNEL_STUBS + BigInt(n) * STUB_BYTES);

export const HVC_STUB = stub(0);
export const SMC_STUB = stub(1);
/** Holds whatever immediate is wanted; rewritten when it changes. */
export const IMMEDIATE_STUB = stub(2);
export const KERNEL_ERET = stub(3);
export const loadStub = (size: StubAccessSize): KernVa => stub(4 + SIZES.indexOf(size));
export const storeStub = (size: StubAccessSize): KernVa => stub(8 + SIZES.indexOf(size));
const STUBS = 12;

/** The gate right after each stub. */
export const STUB_ENDS: readonly KernVa[] = Array.from({ length: STUBS }, (_, n) =>
  kernVa(stub(n) + 4n),
);

/** The words of the stubs by address, as they are at the start. */
export const STUB_WORDS: readonly (readonly [KernVa, number])[] = [
  [HVC_STUB, hvcWord(0)],
  [SMC_STUB, smcWord(0)],
  [IMMEDIATE_STUB, hvcWord(0)],
  [KERNEL_ERET, ERET],
  ...SIZES.map((size) => [loadStub(size), LOADS[size]] as const),
  ...SIZES.map((size) => [storeStub(size), STORES[size]] as const),
];

/** The physical address of kernel text. */
export const textPa = (va: KernVa): bigint => va - KERNEL_TEXT + KERNEL_TEXT_PA;
