// What an instruction does: writes that all take their values from the state before it.

import type { PState } from "../state.ts";
import type { AccessDescriptor } from "./access-descriptor.ts";
import { type Bits, checkArguments, lit, zeroExtend } from "./bits.ts";
import { type FunctionName, signatures } from "./functions.ts";

/** What a branch is to the software that traces it; only indirect ones set BTYPE. */
export type BranchType = "DIR" | "INDIR" | "DIRCALL" | "INDCALL" | "RET";

export type Effect =
  | { readonly effect: "setX"; readonly n: number; readonly value: Bits }
  | { readonly effect: "setSP"; readonly value: Bits }
  | { readonly effect: "setPSTATE"; readonly field: keyof PState; readonly value: Bits }
  | {
      readonly effect: "store";
      readonly address: Bits;
      readonly value: Bits;
      readonly access: AccessDescriptor;
      /** The write happens where this is 1; the check for permission happens always. */
      readonly condition: Bits | undefined;
    }
  | {
      readonly effect: "branch";
      readonly type: BranchType;
      readonly target: Bits;
      readonly condition: Bits | undefined;
    }
  | {
      readonly effect: "perform";
      readonly function: FunctionName;
      readonly args: readonly Bits[];
      readonly access: AccessDescriptor | undefined;
    }
  | { readonly effect: "UNDEFINED"; readonly allocated: boolean }
  | { readonly effect: "unmodelled"; readonly what: string };

/**
 * What `execute` returns: an effect, or several. All reads come first, then stores, then registers.
 */
export type Execution = Effect | readonly Execution[];

/** The encoding is unallocated, with these fields: the Undefined Instruction exception. */
export const UNDEFINED: Effect = { effect: "UNDEFINED", allocated: false };

/** The same exception, where the encoding is allocated: by choice, or for being just that. */
export const undefinedThough: Effect = { effect: "UNDEFINED", allocated: true };

/** Does nothing but go to the next instruction. */
export const NOP: Execution = [];

/** Writes general-purpose register n, zero-extended; a write to register 31 is discarded. */
export function setX(n: number, value: Bits): Effect {
  return { effect: "setX", n, value: zeroExtend(value, 64) };
}

/** Writes the stack pointer in use, zero-extended. */
export function setSP(value: Bits): Effect {
  return { effect: "setSP", value: zeroExtend(value, 64) };
}

/** Writes register n, where register 31 is the stack pointer. */
export function setXorSP(n: number, value: Bits): Effect {
  return n === 31 ? setSP(value) : setX(n, value);
}

export function setPSTATE(field: keyof PState, value: Bits): Effect {
  const width = field === "EL" || field === "BTYPE" ? 2 : 1;
  if (value.width !== width) throw new Error(`Bits: PSTATE.${field} from ${value.width} bits`);
  return { effect: "setPSTATE", field, value };
}

/** The condition flags, or some of them. */
export interface Flags {
  readonly N?: Bits;
  readonly Z?: Bits;
  readonly C?: Bits;
  readonly V?: Bits;
}

/** Writes the condition flags that are given. */
export function setFlags(flags: Flags): Execution {
  return (["N", "Z", "C", "V"] as const).flatMap((field) => {
    const value = flags[field];
    return value === undefined ? [] : [setPSTATE(field, value)];
  });
}

/** Writes the value to memory. */
export function store(
  address: Bits,
  value: Bits,
  access: AccessDescriptor,
  condition?: Bits,
): Effect {
  if (address.width !== 64 || value.width % 8 !== 0) throw new Error("Bits: store of odd width");
  return { effect: "store", address, value, access, condition };
}

/** Continues at the target, where the condition is 1 or absent. */
export function branch(type: BranchType, target: Bits, condition?: Bits): Effect {
  if (target.width !== 64 || (condition !== undefined && condition.width !== 1))
    throw new Error("Bits: branch of odd width");
  return { effect: "branch", type, target, condition };
}

/** Calls a function for what it does to the state. */
export function perform(
  name: FunctionName,
  args: readonly (Bits | number)[] = [],
  access?: AccessDescriptor,
): Effect {
  const widths = signatures[name].args;
  const bits = args.map((arg, i) => (typeof arg === "number" ? lit(arg, widths[i] ?? 32) : arg));
  checkArguments(name, bits);
  return { effect: "perform", function: name, args: bits, access };
}

/** Stops the run: this core does not have it. */
export function unmodelled(what: string): Effect {
  return { effect: "unmodelled", what };
}

/** The effects in order, without their nesting. */
export function flatten(execution: Execution): readonly Effect[] {
  return "effect" in execution ? [execution] : execution.flatMap(flatten);
}
