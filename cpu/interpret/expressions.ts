// The JavaScript text of each operator: up to 32 bits are numbers, wider values big integers.

import type { PureOperator } from "../bits/bits.ts";

/** Whether a value of this width is a JavaScript number in generated code. */
export const asNumber = (width: number): boolean => width <= 32;

/** An operand: its text, and its width. */
export interface Operand {
  readonly text: string;
  readonly width: number;
}

/** Undefined where there is no text for the width. */
type Template = (width: number, a: string, b: string) => string | undefined;

const only = (width: number, text: (a: string, b: string) => string): Template => {
  return (w, a, b) => (w === width ? text(a, b) : undefined);
};

const maskOf = (width: number): string => `0x${(2 ** width - 1).toString(16)}`;

/** Brings a number expression back to `width` unsigned bits. */
const toUnsigned = (width: number, text: string): string =>
  width === 32 ? `(${text} >>> 0)` : `(${text} & ${maskOf(width)})`;

/** A number expression of `width` unsigned bits as a signed 32-bit number. */
const toSigned = (width: number, text: string): string =>
  width === 32 ? `(${text} | 0)` : `(${text} << ${32 - width} >> ${32 - width})`;

const wrap = (width: number, text: string): string => `BigInt.asUintN(${width}, ${text})`;
const signed = (width: number, text: string): string => `BigInt.asIntN(${width}, ${text})`;

/** Operators whose operands and result have one width of up to 32 bits. */
const narrow: Partial<Record<PureOperator, Template>> = {
  not: (w, a) => (w === 1 ? `(${a} ^ 1)` : toUnsigned(w, `~${a}`)),
  and: (w, a, b) => (w === 32 ? `((${a} & ${b}) >>> 0)` : `(${a} & ${b})`),
  or: (w, a, b) => (w === 32 ? `((${a} | ${b}) >>> 0)` : `(${a} | ${b})`),
  xor: (w, a, b) => (w === 32 ? `((${a} ^ ${b}) >>> 0)` : `(${a} ^ ${b})`),
  add: (w, a, b) => toUnsigned(w, `(${a} + ${b})`),
  sub: (w, a, b) => toUnsigned(w, `(${a} - ${b})`),
  mul: (w, a, b) => toUnsigned(w, `Math.imul(${a}, ${b})`),
  // A quotient by zero is Infinity or NaN, and the integer part of both is zero.
  udiv: (_w, a, b) => `(${a} / ${b} >>> 0)`,
  sdiv: (w, a, b) => toUnsigned(w, `(${toSigned(w, a)} / ${toSigned(w, b)})`),
  lsl: (w, a, b) => toUnsigned(w, `(${a} << ${b})`),
  lsr: (_w, a, b) => `(${a} >>> ${b})`,
  asr: (w, a, b) => toUnsigned(w, `(${toSigned(w, a)} >> ${b})`),
  ror: only(32, (a, b) => `rotateRight32(${a}, ${b})`),
  clz: (w, a) => `(Math.clz32(${a}) - ${32 - w})`,
  reverseBytes: only(32, (a) => `reverseBytes32(${a})`),
};

/** Operators whose operands and result have one width of more than 32 bits. */
const wide: Partial<Record<PureOperator, Template>> = {
  not: (w, a) => `(${a} ^ ${maskBig(w)})`,
  and: (_w, a, b) => `(${a} & ${b})`,
  or: (_w, a, b) => `(${a} | ${b})`,
  xor: (_w, a, b) => `(${a} ^ ${b})`,
  add: (w, a, b) => wrap(w, `${a} + ${b}`),
  sub: (w, a, b) => wrap(w, `${a} - ${b}`),
  mul: (w, a, b) => wrap(w, `${a} * ${b}`),
  umulh: (w, a, b) => `(${a} * ${b} >> ${w}n)`,
  smulh: (w, a, b) => wrap(w, `${signed(w, a)} * ${signed(w, b)} >> ${w}n`),
  lsl: (w, a, b) => wrap(w, `${a} << BigInt(${b})`),
  lsr: (_w, a, b) => `(${a} >> BigInt(${b}))`,
  asr: (w, a, b) => wrap(w, `${signed(w, a)} >> BigInt(${b})`),
  ror: only(64, (a, b) => `rotateRight64(${a}, ${b})`),
  udiv: only(64, (a, b) => `unsignedQuotient64(${a}, ${b})`),
  sdiv: only(64, (a, b) => `signedQuotient64(${a}, ${b})`),
  clz: only(64, (a) => `countLeadingZeros64(${a})`),
  reverseBytes: only(64, (a) => `reverseBytes64(${a})`),
};

const maskBig = (width: number): string => `0x${((1n << BigInt(width)) - 1n).toString(16)}n`;

/** The condition of a comparison as a JavaScript boolean. */
export function comparisonText(op: "eq" | "ult" | "slt", width: number, a: string, b: string) {
  if (op === "eq") return `${a} === ${b}`;
  if (op === "ult") return `${a} < ${b}`;
  return asNumber(width)
    ? `${toSigned(width, a)} < ${toSigned(width, b)}`
    : `${signed(width, a)} < ${signed(width, b)}`;
}

/** Bits `low` and up of a value. */
export function sliceText(from: Operand, low: number, width: number): string {
  if (asNumber(from.width)) {
    const shifted = low === 0 ? from.text : `(${from.text} >>> ${low})`;
    return low + width === from.width ? shifted : `(${shifted} & ${maskOf(width)})`;
  }
  if (width === 1 && low === from.width - 1)
    return `(${from.text} > ${maskBig(from.width - 1)} ? 1 : 0)`;
  const bits = wrap(width, low === 0 ? from.text : `${from.text} >> ${low}n`);
  return asNumber(width) ? `Number(${bits})` : bits;
}

function concatText(high: Operand, low: Operand, width: number): string {
  if (asNumber(width)) return toUnsigned(width, `(${high.text} << ${low.width} | ${low.text})`);
  return `(${toBig(high)} << ${low.width}n | ${toBig(low)})`;
}

const toBig = (a: Operand): string => (asNumber(a.width) ? `BigInt(${a.text})` : a.text);

function signExtendText(a: Operand, width: number): string {
  if (!asNumber(a.width)) return wrap(width, signed(a.width, a.text));
  const number = toSigned(a.width, a.text);
  return asNumber(width) ? toUnsigned(width, number) : wrap(width, `BigInt(${number})`);
}

/** The text of a pure operator, or nothing where the reference meaning has to be called. */
export function operatorText(
  op: PureOperator,
  width: number,
  operands: readonly Operand[],
): string | undefined {
  const [a, b, c] = operands;
  if (a === undefined) throw new Error(`${op} without operands`);
  switch (op) {
    case "eq":
    case "ult":
    case "slt":
      return `(${comparisonText(op, a.width, a.text, b?.text ?? "")} ? 1 : 0)`;
    case "select":
      return `(${a.text} ? ${b?.text} : ${c?.text})`;
    case "concat":
      return b === undefined ? undefined : concatText(a, b, width);
    case "zeroExtend":
      return asNumber(width) ? a.text : toBig(a);
    case "signExtend":
      return signExtendText(a, width);
    default:
      return (asNumber(width) ? narrow : wide)[op]?.(width, a.text, b?.text ?? "");
  }
}
