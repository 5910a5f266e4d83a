// The table of faults is read back as it was written, and says what to ask first the next time.

import { expect, it } from "vitest";
import type { Mutant } from "../../tools/mutants/cpu/candidates.ts";
import { killerOf } from "../../tools/mutants/cpu/suites.ts";
import type { Survivor } from "../../tools/mutants/cpu/survivors.ts";
import { aliveLine, fates, keyOf, type Tried, tableText } from "../../tools/mutants/cpu/table.ts";

const mutant = (file: string, before: string, after: string): Mutant => ({
  ...{ file, line: 7, start: 0, operator: "wrong operator", text: "" },
  ...{ before, after },
});

const dead = mutant("cpu/a.ts", "x = a || b;", "x = a && b;");
const explained = mutant("cpu/b.ts", "y = a | `b`;", "y = a & `b`;");
const unexplained = mutant("cpu/b.ts", "return;", ";");
const by = "properties/cpu/a.test.ts: a | b is b | a";
const tried: readonly Tried[] = [
  { mutant: dead, verdict: { kind: "killed", by } },
  { mutant: explained, verdict: { kind: "survived" } },
  { mutant: unexplained, verdict: { kind: "survived" } },
];
const { file, before, after } = explained;
const survivor: Survivor = { file, before, after, kind: "equivalent", reason: "a and b are one." };

it("a table gives back who killed each fault, and which are alive", () => {
  const text = tableText(tried, [survivor], "1");
  expect([...fates(text)]).toEqual([
    [keyOf(dead), by],
    [keyOf(explained), undefined],
    [keyOf(unexplained), undefined],
  ]);
  expect(text).toContain(`\n${aliveLine(survivor)}\n`);
  expect(text).toContain("no reason yet");
  expect(text).toContain("3 faults, 1 killed (33.3 %), 1 equivalent");
});

it("the killer of the last time is asked first, unless it is large", () => {
  expect(killerOf(by)).toEqual({ kind: "tests", paths: ["properties/cpu/a.test.ts"] });
  expect(killerOf("mmu3 12 EL1h b8400820 ldtr w0, [x1]")).toEqual({
    ...{ kind: "vectors", sets: ["mmu3"] },
  });
  expect(killerOf("dp1: Error: Bits")).toEqual({ kind: "vectors", sets: ["dp1"] });
  expect(killerOf("recorded/neoverse-n2: 8b020020 ADD")).toBeUndefined();
  expect(killerOf("does not end within 90 s of processor time")).toBeUndefined();
});
