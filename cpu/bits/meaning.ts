// What each pure operator of Bits means, as arithmetic on unsigned big integers.

import type { PureOperator } from "./bits.ts";

/** The value of an operator, from its operands, their widths and the width of the result. */
export type Meaning = (
  values: readonly bigint[],
  widths: readonly number[],
  width: number,
) => bigint;

/** The number with `width` ones. */
export const onesOf = (width: number): bigint => (1n << BigInt(width)) - 1n;

function operand(values: readonly bigint[], i: number): bigint {
  const value = values[i];
  if (value === undefined) throw new Error(`Bits: operand ${i} is missing`);
  return value;
}

function unary(f: (a: bigint, width: number) => bigint): Meaning {
  return (values, _widths, width) => BigInt.asUintN(width, f(operand(values, 0), width));
}

function binary(f: (a: bigint, b: bigint, width: number) => bigint): Meaning {
  return (values, _widths, width) =>
    BigInt.asUintN(width, f(operand(values, 0), operand(values, 1), width));
}

function comparison(f: (a: bigint, b: bigint, width: number) => boolean): Meaning {
  return (values, widths) => (f(operand(values, 0), operand(values, 1), widths[0] ?? 0) ? 1n : 0n);
}

const signed = (a: bigint, width: number): bigint => BigInt.asIntN(width, a);

function rotateRight(a: bigint, amount: bigint, width: number): bigint {
  const by = amount % BigInt(width);
  return (a >> by) | (a << (BigInt(width) - by));
}

function digits(a: bigint, width: number): string {
  return a.toString(2).padStart(width, "0");
}

/** One definition for each pure operator; engines are checked against it. */
export const meaning: Readonly<Record<PureOperator, Meaning>> = {
  not: unary((a) => ~a),
  and: binary((a, b) => a & b),
  or: binary((a, b) => a | b),
  xor: binary((a, b) => a ^ b),
  add: binary((a, b) => a + b),
  sub: binary((a, b) => a - b),
  mul: binary((a, b) => a * b),
  umulh: binary((a, b, width) => (a * b) >> BigInt(width)),
  smulh: binary((a, b, width) => (signed(a, width) * signed(b, width)) >> BigInt(width)),
  udiv: binary((a, b) => (b === 0n ? 0n : a / b)),
  sdiv: binary((a, b, width) => (b === 0n ? 0n : signed(a, width) / signed(b, width))),
  lsl: binary((a, by) => a << by),
  lsr: binary((a, by) => a >> by),
  asr: binary((a, by, width) => signed(a, width) >> by),
  ror: binary(rotateRight),
  eq: comparison((a, b) => a === b),
  ult: comparison((a, b) => a < b),
  slt: comparison((a, b, width) => signed(a, width) < signed(b, width)),
  select: (values) => (operand(values, 0) === 1n ? operand(values, 1) : operand(values, 2)),
  concat: (values, widths) => (operand(values, 0) << BigInt(widths[1] ?? 0)) | operand(values, 1),
  zeroExtend: unary((a) => a),
  signExtend: (values, widths, width) =>
    BigInt.asUintN(width, signed(operand(values, 0), widths[0] ?? 0)),
  clz: unary((a, width) => BigInt(width - (a === 0n ? 0 : a.toString(2).length))),
  reverseBits: unary((a, width) => BigInt(`0b${[...digits(a, width)].reverse().join("")}`)),
  reverseBytes: unary((a, width) =>
    BigInt(`0b${(digits(a, width).match(/.{8}/g) ?? []).reverse().join("")}`),
  ),
};
