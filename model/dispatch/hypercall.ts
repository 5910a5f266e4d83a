// The shape of one host hypercall: a transition over its CPU and its arguments x1 to x7.

import { addressOf, PAGE_SIZE, type Pfn, pfn } from "../../spec/types/address.ts";
import { MEMORY } from "../initial.ts";
import type { Transition } from "../transition.ts";

/** What a hypercall handler sees: the CPU it runs on and the argument registers, x1 first. */
export interface HypercallArgs {
  readonly cpu: number;
  readonly args: readonly bigint[];
  /** What EL2 finds in memory of the host. */
  readonly words?: ReadonlyMap<bigint, bigint>;
}

export type Hypercall = Transition<HypercallArgs>;

/** The word that EL2 finds at a physical address of the host's memory. */
export const wordAt = ({ words }: HypercallArgs, address: bigint): bigint =>
  words?.get(address) ?? 0n;

/** Argument n of a hypercall; 1 is x1. */
export function argument({ args }: HypercallArgs, n: number): bigint {
  return args[n - 1] ?? 0n;
}

/**
 * The page of a host's structure as EL2 finds it: kern_hyp_va keeps the bits that tell the bytes of
 * memory apart and drops what is above them, so that every address is one of the linear map.
 * Source: kern_hyp_va, asm/kvm_mmu.h; tag_lsb, arch/arm64/kvm/va_layout.c.
 */
export function structurePage(address: bigint): Pfn {
  const frames = BigInt(MEMORY.last - MEMORY.first + 1);
  return pfn(MEMORY.first + Number((address / PAGE_SIZE) % frames));
}

/** The same to the byte. */
export const structureAddress = (address: bigint): bigint =>
  addressOf(structurePage(address)) + (address % PAGE_SIZE);
