// What a translation is asked for: the address, who asks, and what for.

import type { El } from "../state.ts";

/** Why an address is translated. `cache` is maintenance by address, `at` an AT instruction. */
export type AccessKind = "read" | "write" | "fetch" | "cache" | "at";

/** One access, as far as translation and its checks care. */
export interface Request {
  readonly va: bigint;
  readonly kind: AccessKind;
  /** The access is a write, or is checked as one: AT S1E1W, DC IVAC. */
  readonly write: boolean;
  /** The Exception level whose permissions count: EL0 for LDTR. */
  readonly el: El;
  /** PSTATE.PAN, where it counts for the access. */
  readonly pan: boolean;
  /** The address is a multiple of what it has to be a multiple of. */
  readonly aligned: boolean;
}
