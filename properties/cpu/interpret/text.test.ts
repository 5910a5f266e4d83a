// The text of generated functions where there are two ways to say the same: the one that runs fast.
// What the text computes is the business of the other tests.

import { describe, expect, it } from "vitest";
import { add, type Bits, bit, eq, lit, select, slice, X, xor } from "../../../cpu/bits/bits.ts";
import { type Effect, setPSTATE, setX } from "../../../cpu/bits/effects.ts";
import { generate } from "../../../cpu/interpret/generate.ts";

/** The lines between the names of the state and the return; registers and values are k0, k1, … */
function textOf(...effects: readonly Effect[]): readonly string[] {
  const lines = generate(effects).execute.toString().split("\n");
  return lines.slice(2, -2);
}

const valueText = (bits: Bits): string => textOf(setX(0, bits)).join("\n");

describe("slices", () => {
  it.each([
    ["the upper half", 32, 32, "w[k1] = w[k0]; w[k2] = 0;"],
    ["the lower half", 0, 32, "w[k1] = w[k0]; w[k2] = 0;"],
    ["bits 8 to 19", 8, 12, "w[k1] = ((w[k0] >>> 8) & 0xfff); w[k2] = 0;"],
    ["bits 63 to 40", 40, 24, "w[k1] = (w[k0] >>> 8); w[k2] = 0;"],
  ])("%s of a register is read from that half", (_name, low, width, text) => {
    const value: Bits = { op: "zeroExtend", width: 64, args: [slice(X(1, 64), low, width)] };
    expect(valueText(value)).toBe(text);
  });

  it("one across both halves is not", () => {
    expect(valueText({ op: "zeroExtend", width: 64, args: [slice(X(1, 64), 31, 2)] })).toContain(
      "x[k0] >> 31n",
    );
  });

  it("the sign of 64 bits is a comparison, without a big integer more", () => {
    const sum = add(X(1, 64), X(2, 64));
    expect(textOf(setPSTATE("N", bit(sum, 63)))).toEqual([
      "p.N = (BigInt.asUintN(64, x[k0] + x[k1]) > 0x7fffffffffffffffn ? 1 : 0);",
    ]);
  });
});

describe("single bits", () => {
  it("are in the text, larger values beside it", () => {
    expect(textOf(setPSTATE("V", xor(bit(X(1, 64), 0), lit(1, 1))))).toEqual([
      "p.V = ((w[k0] & 0x1) ^ 1);",
    ]);
    expect(textOf(setX(0, lit(5, 64)))).toEqual(["x[k1] = k0;"]);
  });
});

describe("comparisons", () => {
  const same = eq(X(1, 64), X(2, 64));
  const chosen = select(same, X(3, 64), X(4, 64));

  it("are the condition itself, where nobody else asks", () => {
    expect(valueText(chosen)).toBe("x[k4] = (x[k2] === x[k3] ? x[k0] : x[k1]);");
  });

  it("are made once, where somebody does", () => {
    const text = textOf(setX(0, chosen), setPSTATE("Z", same)).join("\n");
    expect(text.split("===")).toHaveLength(2);
    expect(text).toMatch(/const (t\d) = \(x\[k\d\] === x\[k\d\] \? 1 : 0\);[\s\S]*p\.Z = \1;/);
  });
});
