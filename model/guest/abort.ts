// An abort of a guest's stage 2: what of it the host may see, and with that, emulate.

import { vmsOf } from "../../spec/branches/branches.ts";
import { cite } from "../../spec/sources.ts";
import type { GuestAbort } from "../../spec/types/guest-action.ts";
import type { Hyp } from "../../spec/types/hyp.ts";
import type { VcpuExit } from "../../spec/types/hyp-vm.ts";
import type { Outcome } from "../../spec/types/outcome.ts";
import type { Transition } from "../transition.ts";
import { loadedOn } from "../vm/loaded.ts";
import { gfnOf, running } from "./answers.ts";

/** Fields of ESR_EL2 for a data abort. Source: DDI0487 D24.2.40 ESR_EL2, ISS of a data abort. */
const ISV = 1n << 24n;
const WNR = 1n << 6n;
const SRT = 0x1fn << 16n;
const SAS_SHIFT = 22n;
const EC_SHIFT = 26n;
const INSTRUCTION_ABORT = 0x20n;
const PAGE_OFFSET = 0xfffn;

/**
 * Whether the host may emulate the access. Source: __pkvm_check_ioguard_page,
 * hyp/nvhe/mem_protect.c (android14-6.1).
 */
function isMmio(hyp: Hyp, { cpu, esr, far, ipa }: GuestAbort): boolean {
  const vm = loadedOn(hyp, cpu)?.vm;
  if (vm === undefined || (esr & ISV) === 0n) return false;
  if (!vm.mmioGuard) return true;
  const first = ipa | (far & PAGE_OFFSET);
  const last = first + (1n << ((esr >> SAS_SHIFT) & 3n)) - 1n;
  return [first, last].every((address) => {
    const gfn = gfnOf(address);
    return gfn !== undefined && vm.stage2.guarded.has(gfn);
  });
}

const exits = (action: GuestAbort, x: readonly bigint[] | undefined, esr: bigint): Outcome => ({
  kind: "exits",
  x,
  esr,
  // Of the address only the place in its page.
  far: x === undefined ? action.far : action.far & PAGE_OFFSET,
  ipa: action.ipa,
  again: false,
});

/** What the exit looks like to the host of a protected guest, and what EL2 remembers of it. */
function leave(
  action: GuestAbort,
  mmio: boolean,
): { readonly outcome: Outcome; readonly exit: VcpuExit } {
  const { esr, far, stored } = action;
  if (esr >> EC_SHIFT === INSTRUCTION_ABORT) {
    return { outcome: exits(action, [], esr), exit: { kind: "instruction abort", far } };
  }
  if (!mmio) {
    const exit: VcpuExit = { kind: "data abort", mmio, loads: undefined, far };
    return { outcome: exits(action, [], esr & ~ISV), exit };
  }
  const writes = (esr & WNR) !== 0n;
  const loads = writes ? undefined : Number((esr & SRT) >> 16n);
  // x0 of the host's copy carries the value, whatever register the guest uses.
  const outcome = exits(action, [writes ? stored : 0n], esr & ~SRT);
  return { outcome, exit: { kind: "data abort", mmio, loads, far } };
}

/** The exit; guards have no say in it, the host decides what becomes of the access. */
export const guestAbort: Transition<GuestAbort> = {
  name: "guest_abort",
  source: [
    cite("android14-6.1", "handle_pvm_exit_dabt, handle_pvm_exit_iabt, hyp/nvhe/hyp-main.c"),
    cite("measured", "pvm-peek, pvm-nolegacy: before ENROLL the host sees every access"),
  ],
  guards: [],
  effect: (hyp, action) => {
    const { vm, vcpu } = running(hyp, action.cpu);
    const { keepsRegisters } = vmsOf(hyp.config);
    if (!vm.isProtected || !keepsRegisters) return exits(action, undefined, action.esr);
    const { outcome, exit } = leave(action, isMmio(hyp as unknown as Hyp, action));
    vcpu.exit = exit;
    return outcome;
  },
};
