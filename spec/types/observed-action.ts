// What is seen of module code at EL2: accesses, and calls beside others of the same kind.

import type { Pfn } from "./address.ts";
import type { Errno } from "./errno.ts";

/** What a call took for the module: pins, pages of the host, addresses, fewer where negative. */
export interface Taken {
  readonly pins: number;
  readonly pages: number;
  readonly addresses: number;
}

/** The host made the same call twice in a row, and was answered the same. */
export interface CallRepeated {
  readonly kind: "call_repeated";
  readonly cpu: number;
  /** x0 of the call. */
  readonly id: bigint;
  readonly first: Taken;
  readonly second: Taken;
  /** The op that took something last. */
  readonly from?: bigint;
}

/**
 * The host did something twice from the same state, and the second time with other contents of what
 * is not the host's: EL2's stacks, memory, tables and keys, other modules, the firmware, guests.
 */
export interface SecretsVaried {
  readonly kind: "secrets_varied";
  readonly cpu: number;
  /** Whose secrets were others. */
  readonly varied?: readonly string[];
  /** Whose secret it is that shows, if one owner's alone does. */
  readonly owner?: string;
  /** Whether it also came back the second time. */
  readonly returns: boolean;
  /** Registers of the host that differ. */
  readonly registers: readonly {
    readonly register: number;
    readonly value: bigint;
    readonly other: bigint;
  }[];
  /** Words that the host can read and that differ. */
  readonly words: readonly {
    readonly address: bigint;
    readonly value: bigint;
    readonly other: bigint;
  }[];
  /** The instruction that wrote the first of them. */
  readonly from?: bigint;
}

/** A call came back in which an op of its handler was made to fail, beside one without. */
export interface OpFailed {
  readonly kind: "op_failed";
  readonly cpu: number;
  readonly op: string;
  readonly errno: Errno;
  /** x0 to x17 with the failure and without. */
  readonly answer: readonly bigint[];
  readonly otherAnswer: readonly bigint[];
  /** Ops that were called, the one that failed included. */
  readonly opCount: number;
  readonly otherOpCount: number;
  /** The modules' own data is left otherwise: it is noted for later. */
  readonly noted?: boolean;
  /** The call of the op. */
  readonly from: bigint;
}

/** EL2 code of a module touches memory outside its own sections, its stack and its context. */
export interface El2Access {
  readonly kind: "el2_access";
  readonly cpu: number;
  readonly va: bigint;
  readonly pfn: Pfn;
  readonly store: boolean;
  /** The slot of struct pkvm_module_ops that lies there; undefined where the table is not. */
  readonly slot?: number;
  /** The instruction. */
  readonly from: bigint;
}

export type ObservedAction = El2Access | CallRepeated | SecretsVaried | OpFailed;
