// Code that does not come back: an exception of its own, or no end.

import { cite } from "../../spec/sources.ts";
import type { BudgetSpent, El2Exception, HostOops, HostPanic } from "../../spec/types/action.ts";
import type { PanicReason } from "../../spec/types/outcome.ts";
import type { Transition } from "../transition.ts";

/** Exception classes that EL2 takes from itself. Source: DDI0487 D24.2.40 ESR_EL2, field EC. */
const EC = { UNKNOWN: 0x00, BTI: 0x0d, PAC: 0x1c, IABT: 0x21, DABT: 0x25, BRK: 0x3c } as const;

/**
 * The BRK immediates of kCFI checks. Source: CFI_BRK_IMM_BASE 0x8000, mask 0x1fff, asm/brk-imm.h.
 */
const isCfi = (iss: bigint): boolean => (iss & 0xe000n) === 0x8000n;

/** Why EL2 stopped, from the syndrome and from how the address was reached. */
export function panicReason({ esr, entered }: El2Exception): PanicReason {
  switch (Number((esr >> 26n) & 0x3fn)) {
    case EC.IABT:
      return entered === "inside" ? "EL2_ABORT" : "BAD_HCALL_ADDRESS";
    case EC.DABT:
      return "EL2_ABORT";
    case EC.BRK:
      return isCfi(esr & 0xffffn) ? "EL2_CFI_FAILURE" : "EL2_BUG";
    case EC.BTI:
      return "EL2_BRANCH_TARGET";
    case EC.PAC:
      return "EL2_PAUTH_FAILURE";
    case EC.UNKNOWN:
      return "EL2_UNDEFINED";
    default:
      return "EL2_ABORT";
  }
}

/** Any exception from EL2 to EL2 is a panic: there is no fix-up and no recovery. */
export const el2Exception: Transition<El2Exception> = {
  name: "hyp_panic",
  source: [cite("android14-6.1", "hyp_panic, hyp/nvhe/switch.c; host.S vectors")],
  guards: [],
  effect: (hyp, action) => {
    const reason = panicReason(action);
    hyp.end = { kind: "hyp-panic", reason, esr: action.esr };
    return { kind: "hyp-panic", reason };
  },
};

/** The host kernel dies of an exception in its own code. */
export const hostOops: Transition<HostOops> = {
  name: "host_oops",
  source: [cite("linux", "die, arch/arm64/kernel/traps.c; panic_on_oops as Android sets it")],
  guards: [],
  effect: () => ({ kind: "host-panic", reason: "HOST_OOPS" }),
};

/** The kernel stopped itself. */
export const hostPanic: Transition<HostPanic> = {
  name: "host_panic",
  source: [cite("linux", "panic, kernel/panic.c")],
  guards: [],
  effect: () => ({ kind: "host-panic", reason: "HOST_PANIC" }),
};

/** EL2 is not preemptible: code that does not end takes its CPU with it. */
export const budgetSpent: Transition<BudgetSpent> = {
  name: "budget_spent",
  source: [cite("android14-6.1", "EL2 runs with interrupts masked; no watchdog at EL2")],
  guards: [],
  effect: (_, { where }) => ({ kind: "hang", where }),
};
