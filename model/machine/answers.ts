// What running code asks of its environment, what it is answered, and how a run ends.

import type { Exception } from "../../cpu/exceptions/exception.ts";
import type { El2Exception } from "../../spec/types/action.ts";
import type { HostAbort } from "./host-abort.ts";

/** How the address that EL2 executes was reached. */
export type Entered = El2Exception["entered"];

/** The system ended, or met what is not modelled: nothing more runs. */
export interface Ended {
  readonly kind: "ended";
}

/**
 * What a function returns in x0; a void function leaves x0 alone. Or the abort that it met on a
 * pointer it was given.
 */
export type Answer =
  | { readonly kind: "value"; readonly x0: bigint | undefined }
  | { readonly kind: "fault"; readonly fault: Exception }
  | Ended;

/** The registers that the host finds after its trap: x0 to x17, or as many as are given. */
export type HvcAnswer = { readonly kind: "registers"; readonly x: readonly bigint[] } | Ended;

/** An abort of the host: given to it, or tried again because EL2 code changed something. */
export type AbortAnswer = { readonly kind: "inject" } | { readonly kind: "retry" } | Ended;

/** Any other trap of the host. `advance` skips the instruction. */
export type TrapAnswer = { readonly kind: "resume"; readonly advance: boolean } | Ended;

/** Who answers what the code asks. */
export interface Environment {
  /** A record for the kernel's log, without the newline at its end. */
  readonly printk: (text: string, level: number | undefined) => void;
  /** A kernel function that is exported and not modelled in `model/kernel/exported`; x0 to x7. */
  readonly kernelFunction: (name: string, args: readonly bigint[], cpu: number) => Answer;
  /** An HVC of the host, with x0 to x17. */
  readonly hvc: (cpu: number, imm: number, x: readonly bigint[]) => HvcAnswer;
  /** An SMC of the host, with x0 to x17 and its immediate; the instruction is skipped. */
  readonly smc: (cpu: number, x: readonly bigint[], imm: number) => HvcAnswer;
  /** An abort of the host on a page that is not its own, or that its permission forbids. */
  readonly hostAbort: (cpu: number, abort: HostAbort) => AbortAnswer;
  /** Any other exception from the host to EL2. */
  readonly hostTrap: (cpu: number, esr: bigint) => TrapAnswer;
  /** EL2 code calls a slot of struct pkvm_module_ops; x0 to x7. */
  readonly op: (name: string, args: readonly bigint[], cpu: number) => Answer;
  /**
   * An exception that EL1 takes from itself: where the kernel goes on (a WARN, a fix-up), or
   * undefined when it does not.
   */
  readonly hostException?: (
    cpu: number,
    esr: bigint,
    elr: bigint,
    far: bigint,
  ) => bigint | undefined;
  /** Called before each instruction. */
  readonly trace?: (cpu: number, pc: bigint, word: number) => void;
}

/** How a run ended. `instructions` does not count those of runs nested in it. */
export type Ran =
  /** It came back, with x0 to x17 as it left them. */
  | { readonly kind: "returned"; readonly x: readonly bigint[]; readonly instructions: number }
  /**
   * An exception that was not expected: EL2's own, or one that the host's kernel does not survive.
   */
  | {
      readonly kind: "exception";
      readonly el: 1 | 2;
      readonly esr: bigint;
      readonly elr: bigint;
      readonly far: bigint;
      readonly entered: Entered;
      /** x30 when it was taken. */
      readonly lr: bigint;
      readonly instructions: number;
    }
  /** It used up its instructions, or waits for an interrupt that never comes. */
  | {
      readonly kind: "budget";
      readonly where: string;
      readonly pc: bigint;
      readonly instructions: number;
    }
  /** A kernel function ended the kernel. */
  | { readonly kind: "panic"; readonly what: string; readonly instructions: number }
  | { readonly kind: "unmodelled"; readonly what: string }
  /** The environment said so. */
  | Ended;
