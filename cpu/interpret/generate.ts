// The evaluator: turns the effects of one instruction word into a JavaScript function.
//
// The text depends on the shape of the instruction only; register numbers and immediate values are
// parameters of it. So a few hundred texts are compiled, and a word is one cheap closure over its
// text.

import type { AccessDescriptor } from "../bits/access-descriptor.ts";
import type { Bits } from "../bits/bits.ts";
import type { Effect } from "../bits/effects.ts";
import { type FunctionName, lookAtPC, signatures } from "../bits/functions.ts";
import { meaning } from "../bits/meaning.ts";
import type { Core } from "../state.ts";
import { engineFunctions } from "./engine-functions.ts";
import { asNumber, comparisonText, operatorText, sliceText } from "./expressions.ts";
import { JUMPED, NEXT, type Outcome } from "./outcome.ts";

/** What a word does to a core. */
export interface Operation {
  readonly execute: (core: Core) => Outcome;
  /** `core.pc` and `core.retired` have to be right before it executes. */
  readonly needsPC: boolean;
  /** It may write memory, and so may change code and translation tables. */
  readonly stores: boolean;
}

type Factory = (constants: readonly unknown[]) => Operation["execute"];

const factories = new Map<string, Factory>();

interface Text {
  readonly lines: string[];
  readonly constants: unknown[];
  readonly names: Map<Bits, string>;
  readonly uses: Map<Bits, number>;
  /** Whether the address of the instruction is used, other than by a direct branch. */
  needsPC: boolean;
  /** Whether a function is called that may fail, and so may do more than give a value. */
  calls: boolean;
}

/** Makes the function of an instruction with these effects. */
export function generate(effects: readonly Effect[]): Operation {
  const text: Text = {
    lines: [],
    constants: [],
    names: new Map(),
    uses: new Map(),
    needsPC: false,
    calls: false,
  };
  for (const effect of effects) for (const operand of operandsOf(effect)) countUses(text, operand);
  for (const effect of effects)
    for (const operand of operandsOf(effect)) emitAccesses(text, operand);
  emitEffects(text, effects);
  const body = text.lines.join("\n");
  let factory = factories.get(body);
  if (factory === undefined) {
    factory = compile(body, text.constants.length);
    factories.set(body, factory);
  }
  const needsPC = text.needsPC || effects.some(({ effect }) => effect === "perform");
  const stores = needsPC || effects.some(({ effect }) => effect === "store") || text.calls;
  return { execute: factory(text.constants), needsPC, stores };
}

function compile(body: string, constantCount: number): Factory {
  const names = Array.from({ length: constantCount }, (_, i) => `k${i}`).join(", ");
  const source = `const { ${Object.keys(engineFunctions).join(", ")} } = engine;
return ([${names}]) => (core) => {
const x = core.x, w = core.w, p = core.pstate;
${body}
};`;
  return new Function("engine", source)(engineFunctions) as Factory;
}

/** The number of different texts compiled so far. */
export const shapeCount = (): number => factories.size;

function operandsOf(effect: Effect): readonly Bits[] {
  switch (effect.effect) {
    case "setX":
      return [registerValue(effect.value)];
    case "setSP":
    case "setPSTATE":
      return [effect.value];
    case "store":
      return [effect.address, effect.value, ...optional(effect.condition)];
    case "branch":
      // A direct branch is a distance, and needs no address.
      return [
        ...(distanceOf(effect.target) === undefined ? [effect.target] : []),
        ...optional(effect.condition),
      ];
    case "perform":
      return effect.args;
    case "UNDEFINED":
    case "unmodelled":
      return [];
  }
}

/** How far a target is from the instruction, where the encoding fixes that. */
function distanceOf(target: Bits): number | undefined {
  if (target.op === "PC") return 0;
  if (target.op !== "add") return undefined;
  const [from, by] = target.args;
  if (from?.op !== "PC" || by?.op !== "lit") return undefined;
  return Number(BigInt.asIntN(64, by.value));
}

const optional = (bits: Bits | undefined): readonly Bits[] => (bits === undefined ? [] : [bits]);

function argumentsOf(node: Bits): readonly Bits[] {
  if (node.op === "Mem") return [node.address];
  return "args" in node ? node.args : [];
}

function countUses(text: Text, node: Bits): void {
  const uses = text.uses.get(node) ?? 0;
  text.uses.set(node, uses + 1);
  if (uses === 0) for (const arg of argumentsOf(node)) countUses(text, arg);
}

/** Emits what may fault or read more than registers, in the order in which it is written. */
function emitAccesses(text: Text, node: Bits): void {
  if (text.names.has(node)) return;
  for (const arg of argumentsOf(node)) emitAccesses(text, arg);
  if (node.op === "Mem") {
    const access = constant(text, node.access);
    const result = `readMem(core, ${expression(text, node.address)}, ${node.width / 8}, ${access})`;
    emitFallible(text, node, result);
  } else if (node.op === "call") {
    const args = node.args.map((arg) => expression(text, arg));
    const result = callText(text, node.function, args, openBytes(node), node.access);
    if (lookAtPC.includes(node.function)) text.needsPC = true;
    if (signatures[node.function].kind === "fallible") {
      text.calls = true;
      emitFallible(text, node, result);
    } else {
      define(text, node, result);
    }
  }
}

/** A call: the core, the arguments, the size that the signature leaves open, the access. */
function callText(
  text: Text,
  name: FunctionName,
  args: readonly string[],
  sizeBytes: number | undefined,
  access: AccessDescriptor | undefined,
): string {
  const size = sizeBytes === undefined ? [] : [`${sizeBytes}`];
  const how = access === undefined ? [] : [constant(text, access)];
  return `${name}(${["core", ...args, ...size, ...how].join(", ")})`;
}

/** The size of the argument or of the value whose width the signature leaves open. */
function openBytes(node: Bits & { readonly op: "call" }): number | undefined {
  const { args, result } = signatures[node.function];
  const open = (args as readonly number[]).indexOf(0);
  if (open >= 0) return (node.args[open]?.width ?? 0) / 8;
  return result === 0 ? node.width / 8 : undefined;
}

/** Memory answers with big integers; a function answers with what its width asks for. */
function emitFallible(text: Text, node: Bits, result: string): void {
  const name = `f${text.names.size}`;
  text.lines.push(`const ${name} = ${result};`);
  text.lines.push(`if (typeof ${name} === "object") return ${name};`);
  const big = node.op === "Mem" || (node.op === "call" && node.function === "LoadExclusive");
  if (big && asNumber(node.width)) define(text, node, `Number(${name})`);
  else text.names.set(node, name);
}

function define(text: Text, node: Bits, value: string): string {
  const name = `t${text.names.size}`;
  text.names.set(node, name);
  text.lines.push(`const ${name} = ${value};`);
  return name;
}

function constant(text: Text, value: unknown): string {
  return `k${text.constants.push(value) - 1}`;
}

/** The text of a value; one that is used several times is computed once. */
function expression(text: Text, node: Bits): string {
  const name = text.names.get(node);
  if (name !== undefined) return name;
  const value = valueText(text, node);
  const shared = (text.uses.get(node) ?? 0) > 1 && node.op !== "lit";
  return shared ? define(text, node, value) : value;
}

function valueText(text: Text, node: Bits): string {
  switch (node.op) {
    case "lit":
      if (node.width === 1) return `${node.value}`;
      return constant(text, asNumber(node.width) ? Number(node.value) : node.value);
    case "X":
      return node.width === 32
        ? `w[${constant(text, 2 * node.n)}]`
        : `x[${constant(text, node.n)}]`;
    case "SP":
      return "core.sp[p.SP === 0 ? 0 : p.EL]";
    case "PC":
      text.needsPC = true;
      return "core.pc";
    case "PSTATE":
      return `p.${node.field}`;
    case "Mem":
    case "call":
      throw new Error("an access was not emitted");
    case "slice":
      return slicedText(text, node.args[0], node.low, node.width);
    case "select": {
      const [condition, a, b] = node.args as readonly [Bits, Bits, Bits];
      const [yes, no] = [expression(text, a), expression(text, b)];
      return `(${conditionText(text, condition)} ? ${yes} : ${no})`;
    }
    default: {
      const operands = node.args.map((arg) => ({ text: expression(text, arg), width: arg.width }));
      return operatorText(node.op, node.width, operands) ?? meaningText(text, node, operands);
    }
  }
}

/** A slice of half a register reads just that half. */
function slicedText(text: Text, from: Bits, low: number, width: number): string {
  const within = low % 32;
  if (from.op === "X" && from.width === 64 && within + width <= 32) {
    const half = `w[${constant(text, 2 * from.n + (low < 32 ? 0 : 1))}]`;
    return sliceText({ text: half, width: 32 }, within, width);
  }
  return sliceText({ text: expression(text, from), width: from.width }, low, width);
}

function conditionText(text: Text, condition: Bits): string {
  const { op } = condition;
  const [a, b] = argumentsOf(condition);
  const compares = op === "eq" || op === "ult" || op === "slt";
  if (!compares || a === undefined || b === undefined || text.names.has(condition))
    return expression(text, condition);
  if ((text.uses.get(condition) ?? 0) > 1) return expression(text, condition);
  return comparisonText(op, a.width, expression(text, a), expression(text, b));
}

/** Calls the reference meaning, for operators too rare to have a text. */
function meaningText(
  text: Text,
  node: Bits,
  operands: readonly { readonly text: string; readonly width: number }[],
): string {
  if (node.op === "slice" || !(node.op in meaning)) throw new Error(`no meaning for ${node.op}`);
  const apply = meaning[node.op as keyof typeof meaning];
  const widths = operands.map((operand) => operand.width);
  const call = (...values: readonly (number | bigint)[]): number | bigint => {
    const result = apply(values.map(BigInt), widths, node.width);
    return asNumber(node.width) ? Number(result) : result;
  };
  return `${constant(text, call)}(${operands.map((operand) => operand.text).join(", ")})`;
}

/** Stores, then calls, then registers, then the branch; their values are all taken before. */
function emitEffects(text: Text, effects: readonly Effect[]): void {
  const writes = effects.filter((e) => e.effect !== "store");
  const operands = effects.map((effect) =>
    operandsOf(effect).map((operand) => {
      const value = expression(text, operand);
      const keeps = writes.length > 1 && operand.op !== "lit" && !text.names.has(operand);
      return keeps ? define(text, operand, value) : value;
    }),
  );
  emitStores(text, effects, operands);
  emitInOrder(text, effects, operands, (e) => e.effect === "perform");
  emitInOrder(text, effects, operands, (e) => e.effect.startsWith("set"));
  emitInOrder(text, effects, operands, (e) => /branch|UNDEFINED|unmodelled/.test(e.effect));
  text.lines.push(`return ${NEXT};`);
}

/** Where there are several stores, all are checked before the first one writes. */
function emitStores(
  text: Text,
  effects: readonly Effect[],
  operands: readonly (readonly string[])[],
): void {
  const lines: string[] = [];
  const several = effects.filter((e) => e.effect === "store").length > 1;
  effects.forEach((effect, i) => {
    if (effect.effect !== "store") return;
    const [address, value, condition] = operands[i] as readonly [string, string, string?];
    const access = constant(text, effect.access);
    const where = `${address}, ${effect.value.width / 8}`;
    const big = asNumber(effect.value.width) ? `BigInt(${value})` : value;
    if (several || condition !== undefined)
      emitCheck(text.lines, `probeWrite(core, ${where}, ${access})`);
    const guard = condition === undefined ? "" : `if (${condition}) `;
    emitCheck(lines, `writeMem(core, ${where}, ${big}, ${access})`, guard);
  });
  text.lines.push(...lines);
}

function emitCheck(lines: string[], call: string, guard = ""): void {
  lines.push(`${guard}{ const f = ${call}; if (f !== undefined) return f; }`);
}

function emitInOrder(
  text: Text,
  effects: readonly Effect[],
  operands: readonly (readonly string[])[],
  chosen: (effect: Effect) => boolean,
): void {
  effects.forEach((effect, i) => {
    if (chosen(effect)) text.lines.push(effectText(text, effect, operands[i] ?? []));
  });
}

function effectText(text: Text, effect: Effect, operands: readonly string[]): string {
  const [a] = operands;
  switch (effect.effect) {
    case "setX":
      return effect.n === 31 ? "" : setXText(text, effect.n, effect.value, a ?? "");
    case "setSP":
      return `core.sp[p.SP === 0 ? 0 : p.EL] = ${a};`;
    case "setPSTATE":
      return `p.${effect.field} = ${a};`;
    case "branch":
      return branchText(text, effect, operands);
    case "perform": {
      const call = callText(text, effect.function, operands, undefined, effect.access);
      return `{ const o = ${call}; if (o !== ${NEXT}) return o; }`;
    }
    case "UNDEFINED":
      return "return undefinedInstruction(core);";
    case "unmodelled":
      return `return unmodelled(${constant(text, effect.what)});`;
    case "store":
      throw new Error("stores are emitted first");
  }
}

function branchText(
  text: Text,
  effect: Effect & { readonly effect: "branch" },
  operands: readonly string[],
): string {
  const distance = distanceOf(effect.target);
  const [target, condition] = distance === undefined ? operands : [undefined, ...operands];
  // An indirect jump or call says itself what it was; a return was none.
  const clear = effect.type === "RET" ? "p.BTYPE = 0; " : "";
  const jump =
    distance === undefined
      ? `${clear}core.pc = ${target}; return ${JUMPED};`
      : `return ${constant(text, distance)};`;
  return condition === undefined ? jump : `if (${condition}) { ${jump} }`;
}

/** Writes a register; a value of up to 32 bits is written as two halves. */
function setXText(text: Text, n: number, value: Bits, written: string): string {
  return asNumber(registerValue(value).width)
    ? `w[${constant(text, 2 * n)}] = ${written}; w[${constant(text, 2 * n + 1)}] = 0;`
    : `x[${constant(text, n)}] = ${written};`;
}

/** What is zero-extended to a register, where that fits in 32 bits; the value itself elsewhere. */
function registerValue(value: Bits): Bits {
  const inner = value.op === "zeroExtend" ? value.args[0] : undefined;
  return inner !== undefined && asNumber(inner.width) ? inner : value;
}
