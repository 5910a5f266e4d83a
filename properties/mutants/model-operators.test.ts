// Each operator for the model makes the mistake that it is named after; coverage says what ran.

import { expect, it } from "vitest";
import { readSource } from "../../tools/mutants/cpu/tokens.ts";
import { includes, meets } from "../../tools/mutants/model/coverage.ts";
import { modelOperators } from "../../tools/mutants/model/operators.ts";

/** What an operator makes of a text, in the order of the text. */
function made(operator: string, text: string): string[] {
  const source = readSource("model/f.ts", text);
  const edits = modelOperators.find(({ name }) => name === operator)?.edits(source) ?? [];
  return edits.map(
    ({ start, end, replacement }) => text.slice(0, start) + replacement + text.slice(end),
  );
}

const GUARDS = "x = { guards: [{ p: (a) => a > 1 }, { p: (b) => !b }], effect };";

const rows: readonly (readonly [operator: string, text: string, ...expected: string[]])[] = [
  [
    "dropped guard",
    GUARDS,
    "x = { guards: [ { p: (b) => !b }], effect };",
    "x = { guards: [{ p: (a) => a > 1 }, ], effect };",
  ],
  ["swapped guards", GUARDS, "x = { guards: [{ p: (b) => !b }, { p: (a) => a > 1 }], effect };"],
  [
    "negated guard",
    GUARDS,
    "x = { guards: [{ p: (a) => !(a > 1) }, { p: (b) => !b }], effect };",
    "x = { guards: [{ p: (a) => a > 1 }, { p: (b) => !(!b) }], effect };",
  ],
  ["wrong errno", "x = returns(-EPERM);", "x = returns(-EINVAL);"],
  [
    "wrong owner",
    'x = { owner: "HOST", state: "OWNED" };',
    'x = { owner: "HYP", state: "OWNED" };',
  ],
  ["swapped operands", 'x = { source: [cite("a", "b")] };'],
  ["dropped write", 'x = cite("a", f(1)); y(2);', 'x = cite("a", f(1)); ;'],
];

it.each(rows)("%s: %s", (operator, text, ...expected) => {
  expect(made(operator, text).slice(0, expected.length || 1)).toEqual(expected);
});

it("a character ran when the innermost stretch around it did", () => {
  const stretches = [2, 4, 8, 10];
  expect([1, 2, 3, 4, 7, 8, 9, 10].map((at) => includes(stretches, at))).toEqual([
    false,
    true,
    true,
    false,
    false,
    true,
    true,
    false,
  ]);
  expect(meets(stretches, 4, 8)).toBe(false);
  expect(meets(stretches, 4, 9)).toBe(true);
  expect(includes([], 0)).toBe(false);
});
