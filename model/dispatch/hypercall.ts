// The shape of one host hypercall: a transition over its CPU and its arguments x1 to x7.

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
