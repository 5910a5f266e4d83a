// What an action answers.

import type { HypVa } from "./address.ts";
import type { MemoryEvent } from "./memory-event.ts";

/**
 * Why the hypervisor or the host stopped for good.
 * Source: the console texts measured on android14-6.1.145 and Debian 6.1/6.12, mapped to reasons.
 */
export type PanicReason =
  | "BAD_HCALL_ADDRESS"
  | "UNMAP_NOT_OWNED"
  | "DONATE_MAP_FAILED"
  | "TEARDOWN_WHILE_LOADED"
  | "HOST_ABORT_UNHANDLED"
  | "EL2_ABORT"
  | "EL2_UNDEFINED"
  | "EL2_BUG"
  | "EL2_CFI_FAILURE"
  | "EL2_BRANCH_TARGET"
  | "EL2_PAUTH_FAILURE"
  | "EARLY_MAPPING_LEFT"
  | "UNKNOWN_HOST_TRAP"
  | "HOST_OOPS"
  | "HOST_PANIC"
  | "PROT_FINALIZE_TWICE";

/** The answer of one action. */
export type Outcome =
  /** A kernel function, a module op or a system call returned a number (negative: an errno). */
  | {
      readonly kind: "returned";
      readonly value: bigint;
      /** What was done to memory on the way, in order. */
      readonly events?: readonly MemoryEvent[];
    }
  /**
   * A host hypercall returned: x0 says whether it was known, x1 is its result; undefined leaves x1
   * as it was.
   */
  | {
      readonly kind: "hcall";
      readonly x0: bigint;
      readonly x1: bigint | undefined;
      /** What was done to memory on the way, in order. */
      readonly events?: readonly MemoryEvent[];
    }
  /**
   * EL2 code is entered: a dynamic handler, a callback or a module's init; a handler finds x0 of
   * the host as `hostX0`.
   */
  | {
      readonly kind: "enters";
      readonly address: HypVa;
      readonly hostX0?: bigint;
      /** What a PSCI notifier is told. */
      readonly event?: number;
    }
  /** An SMC returned: x0 and up as listed; every other register is as it was. */
  | {
      readonly kind: "registers";
      readonly x: readonly bigint[];
      /** What the firmware was asked; nothing: it was not. */
      readonly asked?: readonly bigint[];
    }
  /** The firmware does not return from this: the CPU is off, or the whole system. */
  | { readonly kind: "off"; readonly what: "CPU_OFF" | "SYSTEM_OFF" | "SYSTEM_RESET" }
  /** A vCPU is entered at EL1, after what EL2 did to its registers. */
  | { readonly kind: "runs"; readonly entry: GuestEntry; readonly events?: readonly MemoryEvent[] }
  /** EL2 answers a call of its guest itself: x0 and up, and the guest goes on. */
  | {
      readonly kind: "guest";
      readonly x: readonly bigint[];
      readonly events?: readonly MemoryEvent[];
    }
  /** The guest leaves for the host, which sees this of it. */
  | {
      readonly kind: "exits";
      /** x0 and up; undefined: every register, for a guest that is not protected. */
      readonly x: readonly bigint[] | undefined;
      readonly esr: bigint;
      readonly far: bigint;
      readonly ipa: bigint;
      /** The guest executes its instruction again when it comes back. */
      readonly again: boolean;
      readonly events?: readonly MemoryEvent[];
    }
  /** KVM_RUN ends with KVM_EXIT_SYSTEM_EVENT. */
  | {
      readonly kind: "user";
      readonly event: { readonly type: number; readonly data: readonly bigint[] };
    }
  /** EL2 panicked. */
  | { readonly kind: "hyp-panic"; readonly reason: PanicReason }
  /** The host kernel died. */
  | { readonly kind: "host-panic"; readonly reason: PanicReason }
  /** The CPU never came back within its budget of instructions. */
  | { readonly kind: "hang"; readonly where: string }
  /** The model does not know this yet; the run stops with its name. */
  | { readonly kind: "unmodelled"; readonly what: string };

/** What EL2 does to the registers of a vCPU when it enters it. Source: handle_pvm_entry_* */
export type GuestEntry =
  /** Nothing: it goes on where it was. */
  | { readonly kind: "continues" }
  /** The vCPU starts; `x` are x0 and up, all others are 0. */
  | { readonly kind: "starts"; readonly pc: bigint; readonly x: readonly bigint[] }
  /** The host's answer to a call arrives in x0. */
  | { readonly kind: "answered"; readonly x0: bigint }
  /** The access to a device is over; a load gets its value. */
  | {
      readonly kind: "accessed";
      readonly loads: { readonly register: number; readonly value: bigint } | undefined;
    }
  /** The guest takes an exception of EL1. */
  | { readonly kind: "aborts"; readonly ec: "instruction" | "data"; readonly far: bigint }
  /** All registers come from the host. */
  | { readonly kind: "from the host" };

export const SMCCC_RET_SUCCESS = 0n;
export const SMCCC_RET_NOT_SUPPORTED = 0xffff_ffff_ffff_ffffn;

export const returned = (value: number | bigint): Outcome => ({
  kind: "returned",
  value: BigInt.asUintN(64, BigInt(value)),
});

/** A host hypercall that was known and answered `value`. */
export const answered = (value: number | bigint): Outcome => ({
  kind: "hcall",
  x0: SMCCC_RET_SUCCESS,
  x1: BigInt.asUintN(64, BigInt(value)),
});

/** A known host hypercall that answers nothing: x1 stays as it was. */
export const ANSWERS_NOTHING: Outcome = { kind: "hcall", x0: SMCCC_RET_SUCCESS, x1: undefined };

const TELLS_EVENTS: ReadonlySet<string> = new Set(["hcall", "returned", "runs", "guest", "exits"]);

/** The same answer, with what happened to memory before it. */
export const after = (events: readonly MemoryEvent[], outcome: Outcome): Outcome =>
  events.length > 0 && TELLS_EVENTS.has(outcome.kind)
    ? ({ ...outcome, events: [...events, ...eventsOf(outcome)] } as Outcome)
    : outcome;

/** What was done to memory, in order. */
export const eventsOf = (outcome: Outcome): readonly MemoryEvent[] =>
  ("events" in outcome ? outcome.events : undefined) ?? [];

/** A host hypercall that nobody knows; x1 and above are untouched. */
export const NOT_SUPPORTED: Outcome = {
  kind: "hcall",
  x0: SMCCC_RET_NOT_SUPPORTED,
  x1: undefined,
};

/** A 64-bit value read as a signed number. */
export const signed = (value: bigint): bigint => BigInt.asIntN(64, value);
