// What a run leaves behind: everything that happened, in order.

import type { Hyp } from "../spec/types/hyp.ts";
import type { LoadedModule } from "./elf/load.ts";
import type { KvmExit } from "./kernel/kvm/run.ts";
import type { ModelStep } from "./step.ts";

/** The registers x0 to x17 around one HVC; `after` is undefined when the call did not return. */
export interface HvcRecord {
  readonly kind: "hvc";
  /** It was an SMC. */
  readonly smc?: true;
  readonly cpu: number;
  readonly imm: number;
  readonly before: readonly bigint[];
  readonly after: readonly bigint[] | undefined;
  /**
   * Who executed it: a module's EL1 code, the kernel on a module's behalf, or the host's scenario.
   */
  readonly by: "module" | "kernel" | "host";
}

/** A load or store of the host; no value is an abort that its kernel fixed up. */
export interface AccessRecord {
  readonly kind: "access";
  readonly cpu: number;
  readonly address: bigint;
  readonly store: boolean;
  readonly value: bigint | undefined;
  /** The system ended in it. */
  readonly ended?: true;
}

/** One instruction of the host; `after` is undefined when it did not come to its end. */
export interface InsnRecord {
  readonly kind: "insn";
  readonly cpu: number;
  readonly word: number;
  readonly before: readonly bigint[];
  readonly after: readonly bigint[] | undefined;
}

/** One line of a run's log. */
export type LogEvent =
  | { readonly kind: "step"; readonly step: ModelStep; readonly depth: number }
  | { readonly kind: "console"; readonly text: string }
  /** Characters that went out at the serial port. */
  | { readonly kind: "serial"; readonly text: string }
  | { readonly kind: "modprobe"; readonly argv: readonly string[] }
  | {
      readonly kind: "modprobe-exit";
      readonly name: string;
      readonly parameters: string;
      readonly status: number;
    }
  | HvcRecord
  | AccessRecord
  | InsnRecord
  | { readonly kind: "userspace" }
  | {
      readonly kind: "answer";
      readonly of: "insmod" | "rmmod" | "ioctl";
      readonly name: string;
      readonly value: number;
    }
  /** KVM_RUN came back to user space. */
  | {
      readonly kind: "kvm-exit";
      readonly vm: number;
      readonly vcpu: number;
      readonly exit: KvmExit;
    }
  /** The process touched memory that it gave to a VM; no value: a signal ended it. */
  | {
      readonly kind: "user-access";
      readonly vm: number;
      readonly offset: bigint;
      readonly store: boolean;
      readonly value: bigint | undefined;
    }
  | { readonly kind: "unmodelled"; readonly what: string };

/** How a run ended. */
export interface Run {
  readonly log: readonly LogEvent[];
  readonly final: Hyp;
  /** What the model does not know, if that is why it stopped. */
  readonly unmodelled: string | undefined;
  /** Kernel functions that were answered by a stub, not by a model: the verdict is partial. */
  readonly stubbed: readonly string[];
  /** Instructions executed by module code. */
  readonly instructions: number;
  /** The modules as they were loaded last, by name: first those that are gone. */
  readonly loaded: ReadonlyMap<string, LoadedModule>;
  /** Calls of each function that a fault can be injected into. */
  readonly calls: ReadonlyMap<string, number>;
}
