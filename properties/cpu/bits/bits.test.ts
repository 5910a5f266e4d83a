// Bits: widths are checked when an instruction is built, and literals are computed at once.

import { describe, expect, it } from "vitest";
import {
  add,
  asr,
  type Bits,
  call,
  clz,
  concat,
  eq,
  lit,
  lsl,
  lsr,
  Mem,
  mul,
  not,
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
  XorSP,
  zeroExtend,
} from "../../../cpu/bits/bits.ts";
import { branch, perform, setPSTATE, setX, store } from "../../../cpu/bits/effects.ts";

const access = {
  unprivileged: false,
  ordered: false,
  atomic: false,
  alignBytes: 4,
  tagChecked: false,
  syndrome: 0,
};

describe("widths", () => {
  const mistakes: readonly (readonly [string, () => unknown])[] = [
    ["a literal that does not fit", () => lit(256, 8)],
    ["a negative literal that does not fit", () => lit(-129, 8)],
    ["operands of different widths", () => add(X(0, 64), X(1, 32))],
    ["a comparison of different widths", () => eq(X(0, 64), lit(0, 32))],
    ["alternatives of different widths", () => select(lit(1, 1), X(0, 64), X(1, 32))],
    ["a condition of two bits", () => select(lit(1, 2), X(0, 64), X(1, 64))],
    ["a slice beyond the value", () => slice(X(0, 32), 30, 3)],
    ["an extension to fewer bits", () => zeroExtend(X(0, 64), 32)],
    ["a shift by the width", () => lsl(X(0, 32), 32)],
    ["a value of more than 128 bits", () => concat(concat(X(0, 64), X(1, 64)), lit(0, 1))],
    ["register 32", () => X(32, 64)],
    ["an address of 32 bits", () => Mem(X(0, 32), 4, access)],
    ["a missing argument", () => call("AddPACIA", [X(0, 64)])],
    ["an argument of another width", () => call("AddPACIA", [X(0, 64), X(1, 32)])],
    ["a value of a function that has none", () => call("WFI", [])],
    ["an argument of a call for effect", () => perform("SVC", [lit(1, 32)])],
    ["a flag of two bits", () => setPSTATE("N", lit(1, 2))],
    ["a store of seven bits", () => store(X(0, 64), lit(0, 7), access)],
    ["a branch to 32 bits", () => branch("DIR", X(0, 32))],
    ["a register write of 65 bits", () => setX(0, concat(X(0, 64), lit(0, 1)))],
  ];

  it.each(mistakes)("%s is refused", (_name, build) => {
    expect(build).toThrow(/^Bits: /);
  });

  it("register 31 is zero, or the stack pointer", () => {
    expect(X(31, 64)).toEqual(lit(0, 64));
    expect(XorSP(31, 64)).toEqual({ op: "SP", width: 64 });
  });
});

describe("literals", () => {
  const cases: readonly (readonly [string, Bits, bigint])[] = [
    ["a negative one is two's complement", lit(-1, 8), 0xffn],
    ["not", not(lit(0xf0, 8)), 0x0fn],
    ["add wraps", add(lit(0xff, 8), lit(2, 8)), 1n],
    ["sub wraps", sub(lit(0, 8), lit(1, 8)), 0xffn],
    ["mul keeps the low half", mul(lit(0x10, 8), lit(0x11, 8)), 0x10n],
    ["umulh", umulh(lit(0xff, 8), lit(0xff, 8)), 0xfen],
    ["smulh", smulh(lit(0xff, 8), lit(0xff, 8)), 0n],
    ["smulh of -1 and 2", smulh(lit(0xff, 8), lit(2, 8)), 0xffn],
    ["udiv by zero", udiv(lit(5, 8), lit(0, 8)), 0n],
    ["sdiv rounds towards zero", sdiv(lit(-7, 8), lit(2, 8)), 0xfdn],
    ["sdiv overflows to the dividend", sdiv(lit(0x80, 8), lit(0xff, 8)), 0x80n],
    ["lsl", lsl(lit(0x81, 8), 1), 2n],
    ["lsr", lsr(lit(0x81, 8), 1), 0x40n],
    ["asr", asr(lit(0x81, 8), 1), 0xc0n],
    ["ror", ror(lit(0x81, 8), 1), 0xc0n],
    ["ult", ult(lit(1, 8), lit(0x80, 8)), 1n],
    ["slt", slt(lit(1, 8), lit(0x80, 8)), 0n],
    ["concat", concat(lit(1, 4), lit(2, 8)), 0x102n],
    ["slice", slice(lit(0xabc, 12), 4, 4), 0xbn],
    ["signExtend", signExtend(lit(0x8, 4), 8), 0xf8n],
    ["clz", clz(lit(1, 8)), 7n],
    ["clz of zero", clz(lit(0, 8)), 8n],
    ["reverseBits", reverseBits(lit(0x13, 8)), 0xc8n],
    ["reverseBytes", reverseBytes(lit(0x1234, 16)), 0x3412n],
  ];

  it.each(cases)("%s", (_name, value, expected) => {
    expect(value).toEqual({ op: "lit", width: value.width, value: expected });
  });
});
