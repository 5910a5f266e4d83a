// Every encoding of the tables against the word that the GNU assembler makes of the name.

import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { sysregRows } from "../../../cpu/sysregs/names.ts";
import {
  cacheInstructions,
  predictionInstructions,
  tlbInstructions,
  translationInstructions,
} from "../../../cpu/sysregs/tables/system-instructions.ts";

const assembled = new Map(
  readFileSync(new URL("./encodings.txt", import.meta.url), "utf8")
    .split("\n")
    .filter((line) => line !== "" && !line.startsWith("#"))
    .map((line) => [line.slice(9), Number.parseInt(line.slice(0, 8), 16)] as const),
);

/** op0, op1, CRn, CRm and op2 of a word. */
function fieldsOf(word: number): string {
  const op0 = (word >>> 19) & 3;
  const op1 = (word >>> 16) & 7;
  const [CRn, CRm, op2] = [(word >>> 12) & 15, (word >>> 8) & 15, (word >>> 5) & 7];
  return `${op0} ${op1} ${CRn} ${CRm} ${op2}`;
}

const rows = [
  ...sysregRows.map(([name, encoding]) => [name, encoding] as const),
  ...[
    ...cacheInstructions,
    ...translationInstructions,
    ...predictionInstructions,
    ...tlbInstructions,
  ].map(([name, encoding]) => [name, `1 ${encoding}`] as const),
];

test("every row has a word, and every word a row", () => {
  expect(new Set(rows.map(([name]) => name))).toEqual(new Set(assembled.keys()));
});

test.each(rows)("%s is %s", (name, encoding) => {
  expect(fieldsOf(assembled.get(name) ?? 0)).toBe(encoding);
});
