// The printer: what an instruction word does, as pseudocode in Arm's notation.

import type { Bits, PureOperator } from "./bits.ts";
import type { Effect } from "./effects.ts";

interface Text {
  readonly lines: string[];
  readonly names: Map<Bits, string>;
  readonly uses: Map<Bits, number>;
}

/** One line for each value that is used several times, then one for each effect. */
export function pseudocode(effects: readonly Effect[]): readonly string[] {
  const text: Text = { lines: [], names: new Map(), uses: new Map() };
  const operands = effects.map(operandsOf);
  for (const operand of operands.flat()) countUses(text, operand);
  effects.forEach((effect, i) => {
    const values = (operands[i] ?? []).map((operand) => valueText(text, operand));
    const line = effectText(effect, values);
    if (line !== undefined) text.lines.push(line);
  });
  return text.lines.length === 0 ? ["// No effect but to go on."] : text.lines;
}

function operandsOf(effect: Effect): readonly Bits[] {
  switch (effect.effect) {
    case "setX":
    case "setSP":
    case "setPSTATE":
      return [effect.value];
    case "store":
    case "branch": {
      const value = effect.effect === "store" ? [effect.address, effect.value] : [effect.target];
      return effect.condition === undefined ? value : [...value, effect.condition];
    }
    case "perform":
      return effect.args;
    case "UNDEFINED":
    case "unmodelled":
      return [];
  }
}

function argumentsOf(node: Bits): readonly Bits[] {
  if (node.op === "Mem") return [node.address];
  return "args" in node ? node.args : [];
}

function countUses(text: Text, node: Bits): void {
  const uses = text.uses.get(node) ?? 0;
  text.uses.set(node, uses + 1);
  if (uses === 0) for (const arg of argumentsOf(node)) countUses(text, arg);
}

function effectText(effect: Effect, values: readonly string[]): string | undefined {
  const [a = "", b = "", c] = values;
  switch (effect.effect) {
    case "setX":
      if (effect.n !== 31) return `X[${effect.n}] = ${a};`;
      return reads(effect.value) ? `- = ${a};` : undefined;
    case "setSP":
      return `SP[] = ${a};`;
    case "setPSTATE":
      return `PSTATE.${effect.field} = ${a};`;
    case "store":
      return guarded(effect.condition, c, `Mem[${a}, ${effect.value.width / 8}] = ${b};`);
    case "branch":
      return guarded(effect.condition, b, `BranchTo(${a}, BranchType_${effect.type});`);
    case "perform":
      return `${effect.function}(${values.join(", ")});`;
    case "UNDEFINED":
      return "UNDEFINED;";
    case "unmodelled":
      return `// Not modelled: ${effect.what}.`;
  }
}

/** A comparison is a condition by itself; any other bit is compared with 1. */
function guarded(condition: Bits | undefined, text: string | undefined, line: string): string {
  if (condition === undefined || text === undefined) return line;
  const compares = ["eq", "ult", "slt"].includes(condition.op) && /[=<]/.test(text);
  return `if ${compares ? text : `${text} == '1'`} then ${line}`;
}

/**
 * Whether a value is read from memory or from a function, which matters even if it is discarded.
 */
function reads(node: Bits): boolean {
  return node.op === "Mem" || node.op === "call" || argumentsOf(node).some(reads);
}

const simple: readonly Bits["op"][] = ["lit", "X", "SP", "PC", "PSTATE"];

/** The text of a value; one that is used several times gets a line and a name of its own. */
function valueText(text: Text, node: Bits): string {
  const name = text.names.get(node);
  if (name !== undefined) return name;
  const value = expressionText(text, node);
  if ((text.uses.get(node) ?? 0) < 2 || simple.includes(node.op)) return value;
  const fresh = `t${text.names.size + 1}`;
  text.names.set(node, fresh);
  text.lines.push(`${fresh} = ${value};`);
  return fresh;
}

/** As an operand: in parentheses where it is more than one word or call. */
function operandText(text: Text, node: Bits): string {
  const value = valueText(text, node);
  return /^[\w.]+(?:[[(<][^ ]*)?$|^\w+\([^()]*\)$|^'[01]'$/.test(value) ? value : `(${value})`;
}

function expressionText(text: Text, node: Bits): string {
  switch (node.op) {
    case "lit":
      return literalText(node.value, node.width);
    case "X":
      return node.width === 64 ? `X[${node.n}]` : `X[${node.n}]<${node.width - 1}:0>`;
    case "SP":
      return "SP[]";
    case "PC":
      return "PC[]";
    case "PSTATE":
      return `PSTATE.${node.field}`;
    case "Mem":
      return `Mem[${valueText(text, node.address)}, ${node.width / 8}]`;
    case "call":
      return `${node.function}(${node.args.map((arg) => valueText(text, arg)).join(", ")})`;
    case "slice": {
      const { low, width, args } = node;
      const high = low + width - 1;
      const [from] = args;
      const whole = from.op === "X" ? `X[${from.n}]` : operandText(text, from);
      return `${whole}<${high === low ? low : `${high}:${low}`}>`;
    }
    case "add":
      return sumText(text, node.args as readonly [Bits, Bits]);
    default:
      return infix.includes(node.op)
        ? operatorText(
            node.op,
            node.width,
            node.args.map((arg) => operandText(text, arg)),
          )
        : operatorText(
            node.op,
            node.width,
            node.args.map((arg) => valueText(text, arg)),
          );
  }
}

/** Operators between or before their operands; the others are written as calls. */
const infix: readonly PureOperator[] = ["and", "or", "xor", "sub", "mul", "eq", "select", "concat"];

/** Adding a literal with its top bit set is subtracting. */
function sumText(text: Text, [a, b]: readonly [Bits, Bits]): string {
  const signed = b.op === "lit" ? BigInt.asIntN(b.width, b.value) : 0n;
  const second = signed < 0n ? `- ${literalText(-signed, b.width)}` : `+ ${operandText(text, b)}`;
  return `${operandText(text, a)} ${second}`;
}

function literalText(value: bigint, width: number): string {
  if (width === 1) return `'${value}'`;
  return value < 10n ? `${value}` : `0x${value.toString(16)}`;
}

function operatorText(
  op: Exclude<PureOperator, "add">,
  width: number,
  operands: readonly string[],
): string {
  const [a = "", b = "", c = ""] = operands;
  switch (op) {
    case "not":
      return `NOT(${a})`;
    case "and":
      return `${a} AND ${b}`;
    case "or":
      return `${a} OR ${b}`;
    case "xor":
      return `${a} EOR ${b}`;
    case "sub":
      return `${a} - ${b}`;
    case "mul":
      return `${a} * ${b}`;
    case "umulh":
      return `(UInt(${a}) * UInt(${b}))<127:64>`;
    case "smulh":
      return `(SInt(${a}) * SInt(${b}))<127:64>`;
    case "udiv":
      return `UInt(${a}) DIV UInt(${b})`;
    case "sdiv":
      return `SInt(${a}) DIV SInt(${b})`;
    case "lsl":
    case "lsr":
    case "asr":
    case "ror":
      return `${op.toUpperCase()}(${a}, ${b})`;
    case "eq":
      return `${a} == ${b}`;
    case "ult":
      return `UInt(${a}) < UInt(${b})`;
    case "slt":
      return `SInt(${a}) < SInt(${b})`;
    case "select":
      return `if ${a} then ${b} else ${c}`;
    case "concat":
      return `${a}:${b}`;
    case "zeroExtend":
      return `ZeroExtend(${a}, ${width})`;
    case "signExtend":
      return `SignExtend(${a}, ${width})`;
    case "clz":
      return `CountLeadingZeroBits(${a})`;
    case "reverseBits":
      return `BitReverse(${a})`;
    case "reverseBytes":
      return `BigEndianReverse(${a})`;
  }
}
