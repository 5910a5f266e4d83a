// How the execution of one instruction ends, as seen by the loop that runs instructions.

import type { El } from "../state.ts";

/** Go on with the next instruction. */
export const NEXT = 0;
/** `core.pc` has been written: a branch was taken. */
export const JUMPED = 1;
/** Go on with the next instruction, in a context that may have changed. */
export const SYNCED = 2;
/** `core.pc` has been written, and the context may have changed: an exception or its return. */
export const ENTERED = 3;

/** Why `run` came back. */
export type Stop =
  /** The program counter is at an address that the caller owns. */
  | { readonly kind: "gate"; readonly el: El; readonly address: bigint }
  /** The budget of instructions is used up. */
  | { readonly kind: "budget" }
  /** An SMC that is not trapped; the program counter is its own address. */
  | { readonly kind: "smc"; readonly imm: number }
  /** A wait with nothing pending; the program counter is after it. */
  | { readonly kind: "wait"; readonly instruction: "WFI" | "WFE" }
  /** Something that this core does not have; the program counter is its own address. */
  | {
      readonly kind: "unmodelled";
      readonly what: string;
      readonly word: number;
      readonly pc: bigint;
    };

export type Outcome = typeof NEXT | typeof JUMPED | typeof SYNCED | typeof ENTERED | Stop;
