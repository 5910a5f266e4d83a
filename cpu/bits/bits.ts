// Bits: the values that instructions compute with, as expressions over the state before them.

import type { PState } from "../state.ts";
import type { AccessDescriptor } from "./access-descriptor.ts";
import { type FunctionName, signatures } from "./functions.ts";
import { meaning, onesOf } from "./meaning.ts";

/** An operator whose value depends on its operands alone. */
export type PureOperator =
  | "not"
  | "and"
  | "or"
  | "xor"
  | "add"
  | "sub"
  | "mul"
  | "umulh"
  | "smulh"
  | "udiv"
  | "sdiv"
  | "lsl"
  | "lsr"
  | "asr"
  | "ror"
  | "eq"
  | "ult"
  | "slt"
  | "select"
  | "concat"
  | "zeroExtend"
  | "signExtend"
  | "clz"
  | "reverseBits"
  | "reverseBytes";

/** A value of `width` bits, known when the instruction runs. A single bit is also a truth value. */
export type Bits = { readonly width: number } & (
  | { readonly op: "lit"; readonly value: bigint }
  | { readonly op: PureOperator; readonly args: readonly Bits[] }
  | { readonly op: "slice"; readonly low: number; readonly args: readonly [Bits] }
  | { readonly op: "X"; readonly n: number }
  | { readonly op: "SP" }
  | { readonly op: "PC" }
  | { readonly op: "PSTATE"; readonly field: keyof PState }
  | { readonly op: "Mem"; readonly address: Bits; readonly access: AccessDescriptor }
  | {
      readonly op: "call";
      readonly function: FunctionName;
      readonly args: readonly Bits[];
      readonly access: AccessDescriptor | undefined;
    }
);

const widthMax = 128;

function check(holds: boolean, message: string): void {
  if (!holds) throw new Error(`Bits: ${message}`);
}

function sameWidth(op: string, a: Bits, b: Bits): void {
  check(a.width === b.width, `${op} of ${a.width} and ${b.width} bits`);
}

/**
 * A value that the encoding fixes. A negative one is taken modulo 2^width, if it fits as signed.
 */
export function lit(value: number | bigint, width: number): Bits {
  const big = BigInt(value);
  const fits = big >= 0n ? big <= onesOf(width) : -big <= 1n << BigInt(width - 1);
  check(width >= 1 && width <= widthMax && fits, `${value} does not fit ${width} bits`);
  return { op: "lit", width, value: BigInt.asUintN(width, big) };
}

/** The low `width` bits of general-purpose register n; register 31 reads as zero. */
export function X(n: number, width: number): Bits {
  check(n >= 0 && n <= 31, `X${n}`);
  if (n === 31) return lit(0, width);
  return width === 32 || width === 64
    ? { op: "X", width, n }
    : slice({ op: "X", width: 64, n }, 0, width);
}

/** The stack pointer in use. */
export const SP: Bits = { op: "SP", width: 64 };

/** The address of this instruction. */
export const PC: Bits = { op: "PC", width: 64 };

/** The low bits of register n, where register 31 is the stack pointer. */
export function XorSP(n: number, width: number): Bits {
  return n === 31 ? slice(SP, 0, width) : X(n, width);
}

/** A field of PSTATE. */
export function PSTATE(field: keyof PState): Bits {
  return { op: "PSTATE", width: field === "EL" || field === "BTYPE" ? 2 : 1, field };
}

/** Data memory at an address; reading it may fault. */
export function Mem(address: Bits, sizeBytes: number, access: AccessDescriptor): Bits {
  check(address.width === 64, `address of ${address.width} bits`);
  return { op: "Mem", width: 8 * sizeBytes, address, access };
}

/** The value of one of the functions of functions.ts. */
export function call(
  name: FunctionName,
  args: readonly Bits[],
  result?: { readonly width?: number; readonly access?: AccessDescriptor },
): Bits {
  const signature = signatures[name];
  checkArguments(name, args);
  const width = result?.width ?? signature.result;
  check(width > 0, `${name} has no value`);
  return { op: "call", width, function: name, args, access: result?.access };
}

/** Refuses arguments whose number or widths differ from the function's signature. */
export function checkArguments(name: FunctionName, args: readonly Bits[]): void {
  const widths = signatures[name].args;
  check(args.length === widths.length, `${name} with ${args.length} arguments`);
  widths.forEach((width, i) => {
    const given = args[i]?.width ?? 0;
    check(width === 0 || width === given, `${name}: argument ${i} has ${given} bits`);
  });
}

function pure(op: PureOperator, width: number, args: readonly Bits[]): Bits {
  const values = args.map((arg) => (arg.op === "lit" ? arg.value : undefined));
  if (values.some((value) => value === undefined)) return { op, width, args };
  const widths = args.map((arg) => arg.width);
  return { op: "lit", width, value: meaning[op](values as bigint[], widths, width) };
}

function binary(op: PureOperator, a: Bits, b: Bits): Bits {
  sameWidth(op, a, b);
  return pure(op, a.width, [a, b]);
}

function comparison(op: PureOperator, a: Bits, b: Bits): Bits {
  sameWidth(op, a, b);
  return pure(op, 1, [a, b]);
}

/** Shift amounts are unsigned numbers of any width; an amount of the width or more is a mistake. */
function shift(op: PureOperator, a: Bits, amount: Bits | number): Bits {
  const by = typeof amount === "number" ? lit(amount, 6) : amount;
  check(by.width <= 32, `${op} by ${by.width} bits`);
  check(by.op !== "lit" || by.value < BigInt(a.width), `${op} of ${a.width} bits by too many`);
  return pure(op, a.width, [a, by]);
}

export const not = (a: Bits): Bits => pure("not", a.width, [a]);
export const and = (a: Bits, b: Bits): Bits => binary("and", a, b);
export const or = (a: Bits, b: Bits): Bits => binary("or", a, b);
export const xor = (a: Bits, b: Bits): Bits => binary("xor", a, b);
/** Adding zero is nothing, and two literals that are added one after the other are one. */
export function add(a: Bits, b: Bits): Bits {
  sameWidth("add", a, b);
  if (b.op !== "lit") return binary("add", a, b);
  if (b.value === 0n) return a;
  const [inner, first] = a.op === "add" ? a.args : [];
  if (inner === undefined || first?.op !== "lit") return binary("add", a, b);
  return add(inner, lit(BigInt.asUintN(a.width, first.value + b.value), a.width));
}

export const sub = (a: Bits, b: Bits): Bits => binary("sub", a, b);
/** The low half of the product. */
export const mul = (a: Bits, b: Bits): Bits => binary("mul", a, b);
/** The high half of the unsigned product. */
export const umulh = (a: Bits, b: Bits): Bits => binary("umulh", a, b);
/** The high half of the signed product. */
export const smulh = (a: Bits, b: Bits): Bits => binary("smulh", a, b);
/** Unsigned quotient; by zero it is zero. */
export const udiv = (a: Bits, b: Bits): Bits => binary("udiv", a, b);
/** Signed quotient rounded towards zero; by zero it is zero. */
export const sdiv = (a: Bits, b: Bits): Bits => binary("sdiv", a, b);
export const lsl = (a: Bits, amount: Bits | number): Bits => shift("lsl", a, amount);
export const lsr = (a: Bits, amount: Bits | number): Bits => shift("lsr", a, amount);
export const asr = (a: Bits, amount: Bits | number): Bits => shift("asr", a, amount);
export const ror = (a: Bits, amount: Bits | number): Bits => shift("ror", a, amount);
export const eq = (a: Bits, b: Bits): Bits => comparison("eq", a, b);
/** Unsigned less than. */
export const ult = (a: Bits, b: Bits): Bits => comparison("ult", a, b);
/** Signed less than. */
export const slt = (a: Bits, b: Bits): Bits => comparison("slt", a, b);
/** Number of zero bits above the highest one. */
export const clz = (a: Bits): Bits => pure("clz", a.width, [a]);
export const reverseBits = (a: Bits): Bits => pure("reverseBits", a.width, [a]);
export const reverseBytes = (a: Bits): Bits => pure("reverseBytes", a.width, [a]);
export const isZero = (a: Bits): Bits => eq(a, lit(0, a.width));

/** `a` where the condition is 1, `b` where it is 0. */
export function select(condition: Bits, a: Bits, b: Bits): Bits {
  check(condition.width === 1, `condition of ${condition.width} bits`);
  sameWidth("select", a, b);
  return pure("select", a.width, [condition, a, b]);
}

/** The bits of `high` above the bits of `low`. */
export function concat(high: Bits, low: Bits): Bits {
  check(high.width + low.width <= widthMax, `concat to ${high.width + low.width} bits`);
  return pure("concat", high.width + low.width, [high, low]);
}

/** Bits `low` to `low + width - 1`. */
export function slice(a: Bits, low: number, width: number): Bits {
  check(low >= 0 && width > 0 && low + width <= a.width, `slice ${low}+${width} of ${a.width}`);
  if (width === a.width) return a;
  if (a.op === "lit") return lit(BigInt.asUintN(width, a.value >> BigInt(low)), width);
  if (a.op === "X" && low === 0 && width === 32) return { op: "X", width: 32, n: a.n };
  return { op: "slice", width, low, args: [a] };
}

export const bit = (a: Bits, n: number): Bits => slice(a, n, 1);

export function zeroExtend(a: Bits, width: number): Bits {
  check(width >= a.width, `zeroExtend of ${a.width} to ${width} bits`);
  return width === a.width ? a : pure("zeroExtend", width, [a]);
}

export function signExtend(a: Bits, width: number): Bits {
  check(width >= a.width, `signExtend of ${a.width} to ${width} bits`);
  return width === a.width ? a : pure("signExtend", width, [a]);
}
