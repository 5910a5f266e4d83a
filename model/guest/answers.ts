// The shapes of a call of a guest and of what EL2 does with it.

import { RET } from "../../spec/guest-calls.ts";
import type { GuestHvc } from "../../spec/types/guest-action.ts";
import type { Hyp } from "../../spec/types/hyp.ts";
import type { HypVcpu, HypVm } from "../../spec/types/hyp-vm.ts";
import type { MemoryEvent } from "../../spec/types/memory-event.ts";
import type { Outcome } from "../../spec/types/outcome.ts";
import type { Mutable, Transition } from "../transition.ts";
import { loadedOn } from "../vm/loaded.ts";

/** A call that EL2 handles for its guest. */
export type GuestCall = Transition<GuestHvc>;

/** EL2 answers: x0, and 0 in x1 to x3 unless more is said. Source: smccc_set_retval. */
export const toGuest = (...x: readonly bigint[]): Outcome => ({
  kind: "guest",
  x: [x[0] ?? 0n, x[1] ?? 0n, x[2] ?? 0n, x[3] ?? 0n],
});

export const INVALID = (): Outcome => toGuest(RET.INVALID_PARAMETER);

/** EC of HVC64 with IL. Source: DDI0487 D24.2.40 ESR_EL2. */
export const ESR_HVC = (0x16n << 26n) | (1n << 25n);

/**
 * The call goes to the host, which sees the first registers of it.
 * Source: handle_pvm_exit_hvc64, hyp/nvhe/hyp-main.c (android14-6.1).
 */
export const toHost = (
  { x }: Pick<GuestHvc, "x">,
  registers: number,
  events: readonly MemoryEvent[] = [],
): Outcome => ({
  kind: "exits",
  x: x.slice(0, registers),
  esr: ESR_HVC,
  far: 0n,
  ipa: 0n,
  again: false,
  ...(events.length > 0 ? { events } : {}),
});

/** The vCPU that runs on a CPU, to be changed. */
export function running(
  hyp: Mutable<Hyp>,
  cpu: number,
): { readonly vm: Mutable<HypVm>; readonly vcpu: Mutable<HypVcpu> } {
  const loaded = loadedOn(hyp as unknown as Hyp, cpu);
  if (loaded === undefined) throw new Error(`CPU ${cpu} has no vCPU that could run`);
  return { vm: loaded.vm as Mutable<HypVm>, vcpu: loaded.vcpu as Mutable<HypVcpu> };
}

/** The frame number of an address of the guest; undefined for one past its 40 bits. */
export const gfnOf = (address: bigint): number | undefined =>
  address >> 40n === 0n ? Number(address >> 12n) : undefined;

/** Argument n of a call: 1 is x1. */
export const argument = ({ x }: Pick<GuestHvc, "x">, n: number): bigint => x[n] ?? 0n;
