// Each operator makes the mistake that it is named after, and no other.

import { describe, expect, it } from "vitest";
import { candidates, operators, quota } from "../../tools/mutants/cpu/candidates.ts";
import { readSource } from "../../tools/mutants/cpu/tokens.ts";

/** What an operator makes of a line, in the order of the text. */
function made(operator: string, text: string, file = "f.ts"): string[] {
  const source = readSource(file, text);
  const edits = operators.find(({ name }) => name === operator)?.edits(source) ?? [];
  return edits.map(
    ({ start, end, replacement }) => text.slice(0, start) + replacement + text.slice(end),
  );
}

const rows: readonly (readonly [operator: string, text: string, ...expected: string[]])[] = [
  ["swapped operands", "f(a.b, c[1]);", "f(c[1], a.b);"],
  ["swapped operands", "x = a.b(1) << c.d;", "x = c.d << a.b(1);"],
  ["swapped operands", "x = (a + b) - 1;", "x = 1 - (a + b);"],
  ["swapped operands", "f(a, a); x = a + b;"],
  ["flipped condition", "x = a === b;", "x = a !== b;"],
  ["flipped condition", "x = !a;", "x = a;"],
  ["flipped condition", "x = not(a);", "x = (a);"],
  ["flipped condition", "if (a) b();", "if (!(a)) b();"],
  ["flipped condition", 'x = "true";'],
  ["off by one", "x = a < 4;", "x = a <= 4;", "x = a < 5;", "x = a < 3;"],
  ["off by one", "x = 0x10n;", "x = 0x11n;", "x = 0xfn;"],
  ["off by one", "x = 0;", "x = 1;"],
  [
    "wrong width",
    "x = BigInt.asUintN(64, a);",
    "x = BigInt.asIntN(64, a);",
    "x = BigInt.asUintN(32, a);",
  ],
  ["wrong operator", "x = a & b;", "x = a | b;"],
  ["wrong operator", "x = -a;"],
  ["wrong operator", "x = add(a, b);", "x = sub(a, b);"],
  ["wrong operator", "x = `($" + "{a} >> 3)`;", "x = `($" + "{a} << 3)`;"],
  ["wrong constant bit", "x = 0b100;", "x = 0b101;", "x = 0b110;", "x = 0b0;"],
  ["wrong level", "x = core.EL === 1;", "x = core.EL === 2;", "x = core.EL === 0;"],
  ["wrong level", "x = a.lower + 1;"],
  ["wrong level", "x = a.A_EL1 + a.A_EL2;", "x = a.A_EL2 + a.A_EL2;", "x = a.A_EL1 + a.A_EL1;"],
  ["swapped field", "x = f(Rn, 1) + Rm;", "x = f(Rm, 1) + Rm;", "x = f(Rn, 1) + Rn;"],
  ["swapped field", "x = { a: 1, b: 2 };", "x = { a: 2, b: 1 };"],
  ["swapped field", 'x = "0 1 Rn:5 Rd:5";', 'x = "0 1 Rd:5 Rn:5";'],
  ["wrong encoding", 'x = "0 sh Rd:5";', 'x = "1 sh Rd:5";'],
  ["wrong encoding", 'x = "3 0";', 'x = "2 0";', 'x = "3 1";'],
  [
    "dropped write",
    "{ a.b = 1; c(2); const d = 3; }",
    "{ ; c(2); const d = 3; }",
    "{ a.b = 1; ; const d = 3; }",
  ],
  ["dropped write", "x = [f(1), g(2), 3];", "x = [g(2), 3];", "x = [f(1), 3];"],
  ["dropped check", "for (;;) { if (a) continue; c(); }", "for (;;) { ; c(); }"],
  ["dropped check", "for (;;) if (a) b(); else if (c) continue;"],
];

describe("operators", () => {
  it.each(rows)("%s: %s", (operator, text, ...expected) => {
    const squeezed = (line: string) => line.replaceAll(/\s+/g, " ").replaceAll("[ ", "[");
    expect(made(operator, text).map(squeezed)).toEqual(expected);
  });

  it("dropped rule: members and traps of a table's rows", () => {
    const row = 'x = f({ access: "RO", traps: ["TVM"] });';
    expect(made("dropped rule", row)).toEqual([]);
    expect(made("dropped rule", row, "cpu/sysregs/tables/control.ts")).toEqual([
      'x = f({  traps: ["TVM"] });',
      'x = f({ access: "RO",  });',
      'x = f({ access: "RO", traps: [] });',
    ]);
  });

  it("wrong bit number: the neighbouring one", () => {
    expect(made("wrong bit number", "x = { fgt: 4 };", "cpu/sysregs/fields.ts")).toEqual([
      "x = { fgt: 5 };",
    ]);
  });

  it("every operator has a row here", () => {
    const shown = new Set([...rows.map(([name]) => name), "dropped rule", "wrong bit number"]);
    expect(operators.map(({ name }) => name).filter((name) => !shown.has(name))).toEqual([]);
  });
});

describe("candidates", () => {
  const text = "export const f = (a: number) => (a < 4 ? a - 1 : 8);\nexport const g = 3;\n";
  const of = (seed: string, body = text) =>
    candidates(readSource("cpu/f.ts", body), seed).map(({ operator, after }) => [operator, after]);

  it("the seed fixes them, and another seed changes their order", () => {
    expect(of("1")).toEqual(of("1"));
    expect(of("1")).not.toEqual(of("2"));
  });

  it("operators take turns", () => {
    const kinds = of("1").map(([operator]) => operator);
    expect(new Set(kinds.slice(0, 5)).size).toBe(5);
  });

  it("what is added elsewhere in the file leaves the order of the others alone", () => {
    const known = of("1").map(String);
    const added = of("1", `export const h = [];\n${text}`).map(String);
    expect(added).toEqual(known);
  });

  it("say where they are, and what the line was", () => {
    const [first] = candidates(readSource("cpu/f.ts", `\n\n${text}`), "1");
    expect([first?.file, first?.line === 3 || first?.line === 4]).toEqual(["cpu/f.ts", true]);
    expect(text.split("\n")).toContain(first?.before);
  });

  it("a file has at least two, more where it is longer, none where it is types alone", () => {
    expect(quota(readSource("cpu/f.ts", text))).toBe(2);
    expect(quota(readSource("cpu/f.ts", text.repeat(60)))).toBe(4);
    expect(quota(readSource("cpu/f.ts", "export type A = 1;\n"))).toBe(0);
  });
});
