// Generated code computes what the reference meaning says, for every operator and for whole trees.

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  add,
  and,
  asr,
  type Bits,
  clz,
  concat,
  eq,
  lit,
  lsl,
  lsr,
  mul,
  not,
  or,
  reverseBits,
  reverseBytes,
  ror,
  sdiv,
  select,
  signExtend,
  slice,
  slt,
  smulh,
  sub,
  udiv,
  ult,
  umulh,
  X,
  xor,
  zeroExtend,
} from "../../../cpu/bits/bits.ts";
import { setX } from "../../../cpu/bits/effects.ts";
import { meaning } from "../../../cpu/bits/meaning.ts";
import { createCore } from "../../../cpu/core.ts";
import { max } from "../../../cpu/cpu-model.ts";
import { generate } from "../../../cpu/interpret/generate.ts";
import { createMemory } from "../../../cpu/memory.ts";

const core = createCore(max, createMemory([]), 0n);
const inputs = [0, 1, 2, 3];
const seed = 20_240_612;

/** The value of a tree by the reference meanings, over the registers that it reads. */
function evaluate(node: Bits, x: readonly bigint[]): bigint {
  switch (node.op) {
    case "lit":
      return node.value;
    case "X":
      return BigInt.asUintN(node.width, x[node.n] ?? 0n);
    case "slice":
      return BigInt.asUintN(node.width, evaluate(node.args[0], x) >> BigInt(node.low));
    case "SP":
    case "PC":
    case "PSTATE":
    case "Mem":
    case "call":
      throw new Error(`${node.op} is not in these trees`);
    default: {
      const values = node.args.map((arg) => evaluate(arg, x));
      return meaning[node.op](
        values,
        node.args.map((arg) => arg.width),
        node.width,
      );
    }
  }
}

/** The value of a tree by generated code. */
function execute(value: Bits, x: readonly bigint[]): bigint {
  x.forEach((input, n) => {
    core.x[n] = input;
  });
  generate([setX(9, value)]).execute(core);
  return core.x[9]!;
}

const big = fc.oneof(
  fc.bigInt({ min: 0n, max: 0xffff_ffff_ffff_ffffn }),
  fc.constantFrom(0n, 1n, 0x7fff_ffffn, 0x8000_0000n, 0xffff_ffffn, 1n << 63n, (1n << 63n) - 1n),
  fc.constant(0xffff_ffff_ffff_ffffn),
);
const registers = fc.tuple(big, big, big, big);

const widths = [1, 4, 5, 8, 16, 31, 32, 33, 48, 64];
const binaries = { and, or, xor, add, sub, mul, udiv, sdiv };
const comparisons = { eq, ult, slt };
const shifts = { lsl, lsr, asr, ror };

describe("generated operators agree with their meaning", () => {
  const cases = widths.flatMap((width): (readonly [string, Bits])[] => {
    const [a, b] = [slice(X(0, 64), 0, width), slice(X(1, 64), 64 - width, width)];
    const amountWidth = Math.floor(Math.log2(width));
    const amount = slice(X(2, 64), 0, Math.max(amountWidth, 1));
    return [
      ...Object.entries(binaries).map(([name, f]) => [`${name} ${width}`, f(a, b)] as const),
      ...Object.entries(comparisons).map(([name, f]) => [`${name} ${width}`, f(a, b)] as const),
      ...(amountWidth === 0
        ? []
        : Object.entries(shifts).map(([name, f]) => [`${name} ${width}`, f(a, amount)] as const)),
      [`not ${width}`, not(a)],
      [`clz ${width}`, clz(a)],
      [`reverseBits ${width}`, reverseBits(a)],
      [`select ${width}`, select(slice(X(2, 64), 9, 1), a, b)],
      [`zeroExtend ${width}`, zeroExtend(a, 64)],
      [`signExtend ${width}`, signExtend(a, 64)],
      ...(width > 32 ? [] : ([[`concat ${width}`, concat(a, b)]] as const)),
      ...(width >= 8 && width % 8 === 0
        ? ([[`reverseBytes ${width}`, reverseBytes(a)]] as const)
        : []),
    ];
  });
  const halves: readonly (readonly [string, Bits])[] = [
    ["umulh 64", umulh(X(0, 64), X(1, 64))],
    ["smulh 64", smulh(X(0, 64), X(1, 64))],
    ["slice of 128", slice(concat(X(0, 64), X(1, 64)), 40, 64)],
  ];

  it.each([...cases, ...halves])("%s", (_name, value) => {
    const property = fc.property(registers, (x) => execute(value, x) === evaluate(value, x));
    fc.assert(property, { seed, numRuns: 40 });
  });
});

const bitsOf = (width: number): fc.Arbitrary<Bits> =>
  fc.letrec<{ node: Bits }>((tie) => ({
    node: fc.oneof(
      { depthSize: "small", withCrossShrink: true },
      fc.constantFrom(...inputs).map((n) => slice(X(n, 64), 0, width)),
      big.map((value) => lit(BigInt.asUintN(width, value), width)),
      fc
        .tuple(fc.constantFrom(...Object.values(binaries)), tie("node"), tie("node"))
        .map(([f, a, b]) => f(a, b)),
      fc
        .tuple(
          fc.constantFrom(...Object.values(comparisons)),
          tie("node"),
          tie("node"),
          tie("node"),
        )
        .map(([f, a, b, c]) => select(f(a, b), b, c)),
      fc
        .tuple(fc.constantFrom(...Object.values(shifts)), tie("node"), tie("node"))
        .map(([f, a, b]) => f(a, slice(b, 0, Math.log2(width)))),
      fc
        .tuple(tie("node"), tie("node"), fc.integer({ min: 1, max: width - 1 }))
        .map(([a, b, at]) => concat(slice(a, 0, width - at), slice(b, width - at, at))),
      tie("node").map((a) => signExtend(slice(a, width / 4, width / 2), width)),
      tie("node").map((a) => add(a, not(a))),
    ),
  })).node;

describe("generated trees agree with the reference meanings", () => {
  it.each([8, 32, 64])("of %i bits", (width) => {
    const property = fc.property(bitsOf(width), registers, (value, x) => {
      expect(execute(value, x)).toBe(evaluate(value, x));
    });
    fc.assert(property, { seed, numRuns: 400 });
  });
});
