// Mistakes in expressions: operands, conditions, operators, numbers.

import {
  atTokens,
  type Edit,
  elements,
  exchange,
  isBinary,
  isCall,
  type Operator,
  operandAfter,
  operandBefore,
  replace,
} from "./edit.ts";
import type { Source } from "./tokens.ts";

const asymmetric = new Set(["-", "/", "%", "<<", ">>", ">>>", "**"]);

/** Functions to whom the order of their arguments is nothing: sets of bits, extremes. */
const unordered = new Set(["bits", "min", "max"]);

/** `a - b` becomes `b - a`, `f(a, b)` becomes `f(b, a)`. */
const swappedOperands: Operator = {
  name: "swapped operands",
  edits: (source) =>
    atTokens(source, (i, text) => {
      if (isCall(source, i)) {
        if (unordered.has(source.tokens[i - 1]!.text)) return [];
        const spans = elements(source, i);
        return spans.slice(1).flatMap((span, n) => exchange(source, spans[n]!, span));
      }
      if (!asymmetric.has(text) || !isBinary(source, i)) return [];
      const [left, right] = [operandBefore(source, i - 1), operandAfter(source, i + 1)];
      return left && right ? exchange(source, left, right) : [];
    }),
};

const opposite: Readonly<Record<string, string>> = {
  "===": "!==",
  "!==": "===",
  "<": ">=",
  "<=": ">",
  ">": "<=",
  ">=": "<",
  "&&": "||",
  "||": "&&",
  true: "false",
  false: "true",
};

/** A condition becomes its opposite: an operator, a negation, a whole `if`. */
const flippedCondition: Operator = {
  name: "flipped condition",
  edits: (source) =>
    atTokens(source, (i, text) => {
      const { tokens, partner } = source;
      const next = tokens[i + 1];
      const other = opposite[text];
      if (other !== undefined && tokens[i]!.kind !== "string")
        return [replace(source, i, i, other)];
      if (text === "!") return [replace(source, i, i, "")];
      if (text === "not" && isCall(source, i + 1)) return [replace(source, i, i, "")];
      if (text !== "if" || next?.text !== "(") return [];
      const inside = source.text.slice(next.start, tokens[partner[i + 1]!]!.end);
      return [replace(source, i + 1, partner[i + 1]!, `(!${inside})`)];
    }),
};

const nearby: Readonly<Record<string, string>> = { "<": "<=", "<=": "<", ">": ">=", ">=": ">" };

/** The value of a number, and how to write another one the way it is written. */
export function readNumber(text: string) {
  const digits = text.replaceAll("_", "").replace(/n$/, "");
  if (digits.includes(".")) return undefined;
  const suffix = text.endsWith("n") ? "n" : "";
  const radix = /^0x/i.test(digits) ? 16 : /^0b/i.test(digits) ? 2 : 10;
  const prefix = { 16: "0x", 2: "0b", 10: "" }[radix];
  return {
    value: BigInt(digits),
    write: (value: bigint) => `${prefix}${value.toString(radix)}${suffix}`,
  };
}

/** Bounds and amounts by one too many or too few. */
const offByOne: Operator = {
  name: "off by one",
  edits: (source) =>
    atTokens(source, (i, text) => {
      const other = nearby[text];
      if (other !== undefined) return [replace(source, i, i, other)];
      if (source.tokens[i]!.kind !== "number") return [];
      const number = readNumber(text);
      if (number === undefined) return [];
      const { value, write } = number;
      const less = value > 0n ? [replace(source, i, i, write(value - 1n))] : [];
      return [replace(source, i, i, write(value + 1n)), ...less];
    }),
};

const otherWidth: Readonly<Record<string, string>> = {
  ...{ "64": "32", "32": "64", "16": "8", "8": "16", "64n": "32n", "32n": "64n" },
  ...{ asUintN: "asIntN", asIntN: "asUintN" },
  ...{ zeroExtend: "signExtend", signExtend: "zeroExtend" },
  ...{ getUint32: "getUint16", getBigUint64: "getBigInt64", setUint32: "setUint16" },
};

/** A value of the wrong width, or extended the wrong way. */
const wrongWidth: Operator = {
  name: "wrong width",
  edits: (source) =>
    atTokens(source, (i, text) => {
      const other = Object.hasOwn(otherWidth, text) ? otherWidth[text] : undefined;
      const isMember = source.tokens[i + 1]?.text === ":";
      return other === undefined || isMember ? [] : [replace(source, i, i, other)];
    }),
};

const otherOperator: Readonly<Record<string, string>> = {
  ...{ "+": "-", "-": "+", "*": "+", "/": "*", "%": "/", "&": "|", "|": "&", "^": "|" },
  ...{ "<<": ">>", ">>": "<<", ">>>": ">>", "+=": "-=", "|=": "&=", "&=": "|=", "^=": "|=" },
};
const otherFunction: Readonly<Record<string, string>> = {
  ...{ add: "sub", sub: "add", and: "or", or: "and", xor: "or", umulh: "smulh", smulh: "umulh" },
  ...{ udiv: "sdiv", sdiv: "udiv", lsl: "lsr", lsr: "asr", asr: "lsr", ror: "lsr" },
  ...{ ult: "slt", slt: "ult", min: "max", max: "min", floor: "ceil", ceil: "floor" },
  ...{ some: "every", every: "some", loadPair: "savePair", preIndex: "postIndex" },
};
/** Operators in templates of generated code stand between spaces. */
const inTemplate = /(?<= )(?:>>>|>>|<<|[+\-*/&|^])(?= )/g;

function inChunk(source: Source, i: number): readonly Edit[] {
  const { start, text } = source.tokens[i]!;
  return [...text.matchAll(inTemplate)].map(({ 0: operator, index }) => ({
    start: start + index,
    end: start + index + operator.length,
    replacement: otherOperator[operator] ?? operator,
  }));
}

/** Another operator or function of the same shape. */
const wrongOperator: Operator = {
  name: "wrong operator",
  edits: (source) =>
    atTokens(source, (i, text) => {
      const { kind } = source.tokens[i]!;
      if (kind === "chunk") return inChunk(source, i);
      const table = kind === "name" ? otherFunction : isBinary(source, i) ? otherOperator : {};
      const other = Object.hasOwn(table, text) ? table[text] : undefined;
      const declared = /^(?:function|const|:)$/.test(source.tokens[i - 1]?.text ?? "");
      const called = kind !== "name" || source.tokens[i + 1]?.text === "(";
      return other === undefined || declared || !called ? [] : [replace(source, i, i, other)];
    }),
};

/** One bit of a constant is wrong: the lowest, or any up to the highest. */
const wrongConstantBit: Operator = {
  name: "wrong constant bit",
  edits: (source) =>
    atTokens(source, (i, text) => {
      if (source.tokens[i]!.kind !== "number") return [];
      const number = readNumber(text);
      if (number === undefined) return [];
      const { value, write } = number;
      const width = BigInt(value.toString(2).length);
      const positions = [...new Set([0n, width / 2n, width - 1n])];
      return positions.map((at) => replace(source, i, i, write(value ^ (1n << at))));
    }),
};

export const expressionOperators: readonly Operator[] = [
  swappedOperands,
  flippedCondition,
  offByOne,
  wrongWidth,
  wrongOperator,
  wrongConstantBit,
];
