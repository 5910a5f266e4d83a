// Where a CPU is in its program: what it did last decides what it can do next.

import type { FirmwareClear } from "../../../spec/types/action.ts";

/** Loading one module, from its file to what its init returned. */
export interface Loading {
  readonly at: "module";
  readonly name: string;
  /** Where to go back to: the place of the name in the list, or user space. */
  readonly back: number | "insmod";
  readonly step:
    | "init"
    | "reserve"
    | "token"
    | "imports"
    | "share"
    | "map"
    | "start"
    | "code"
    | "unshare"
    | "unmap"
    | "loaded"
    | "return";
  /** EL2 address of the reservation. */
  readonly base: bigint;
  /** Whether the init asked for its EL2 half already, and what it was answered. */
  readonly value: number | undefined;
}

/** EL2 runs a callback of a module; what it was called for decides what it can answer. */
export interface Callback {
  readonly at: "callback";
  readonly of: "smc" | "psci" | "entry" | "fault" | "abort" | "trap";
  /** What the host's SMC had in its registers. */
  readonly x: readonly bigint[];
  /** Which one in the order of registration, from 0. */
  readonly handler: number;
}

/** A CPU's place. */
export type At =
  /** An EL1 CPU that nobody uses before EL2 is up. */
  | { readonly at: "off" }
  | { readonly at: "command line" }
  | { readonly at: "kvm_arm_init" }
  | { readonly at: "name"; readonly n: number }
  | { readonly at: "modprobe"; readonly n: number }
  | { readonly at: "exit"; readonly n: number; readonly status: number }
  | { readonly at: "list done" }
  | { readonly at: "clear"; readonly because: FirmwareClear["because"] }
  | { readonly at: "drop" }
  | { readonly at: "finalise"; readonly cpu: number; readonly refused: boolean }
  /** Privileges could not be dropped, and the branch stops the kernel for it. */
  | { readonly at: "bug" }
  /** The kernel is idle, or user space runs. */
  | { readonly at: "host" }
  /** EL2 runs a registered function. */
  | { readonly at: "handler" }
  | Callback
  /** EL2 is about to give the host an abort: before the notifier hears of it, and after. */
  | { readonly at: "aborting" }
  | { readonly at: "injecting" }
  /** CPU_OFF. */
  | { readonly at: "powered off" }
  /** A vCPU runs. */
  | { readonly at: "guest" }
  | Loading;

export const HOST: At = { at: "host" };
