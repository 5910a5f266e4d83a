// The ops that convert addresses: arithmetic on the linear maps, and nothing is looked up.

import { cite } from "../../spec/sources.ts";
import type { Op } from "../../spec/types/action.ts";
import { returned } from "../../spec/types/outcome.ts";
import type { Transition } from "../transition.ts";

/**
 * What EL2's linear map adds to a physical address, and what to a kernel linear address.
 * Source: measured on android14-6.1.145: EL2 VA = PA - 0x40000000 + 0x4000000000, EL1 VA = PA -
 * 0x40000000 + 0xffffff8000000000; ops 20, 21 and 26 of the trace `ops`.
 */
const HYP_LINEAR_OFFSET = 0x40_0000_0000n - 0x4000_0000n;

/**
 * Bits of a kernel address that the hypervisor keeps: those that tell the bytes of 1 GiB of memory
 * apart. Source: compute_layout, arch/arm64/kvm/va_layout.c (tag_lsb, va_mask).
 */
const VA_MASK = (1n << 30n) - 1n;
const HYP_TAG = 0x40_0000_0000n;

/** EL2's address for an address of the kernel. Source: kern_hyp_va, asm/kvm_mmu.h. */
export const kernHypVa = (address: bigint): bigint => (address & VA_MASK) | HYP_TAG;

const conversion = (name: string, convert: (address: bigint) => bigint): Transition<Op> => ({
  name,
  source: [cite("android14-6.1", `${name}: asm/kvm_mmu.h, nvhe/memory.h`), cite("measured", "ops")],
  guards: [],
  effect: (_, { args }) => returned(BigInt.asUintN(64, convert(args[0] ?? 0n))),
});

/** hyp_pa, hyp_va and kern_hyp_va. Of an address outside the linear map they answer nonsense. */
export const CONVERSIONS: readonly Transition<Op>[] = [
  conversion("hyp_pa", (address) => address - HYP_LINEAR_OFFSET),
  conversion("hyp_va", (address) => address + HYP_LINEAR_OFFSET),
  conversion("kern_hyp_va", kernHypVa),
];
