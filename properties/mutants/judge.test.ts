// A fault that anybody would notice is killed, and one that does not compile is none.

import { readFileSync } from "node:fs";
import { afterAll, beforeAll, expect, it } from "vitest";
import type { Mutant } from "../../tools/mutants/cpu/candidates.ts";
import { failures, judge, runTests } from "../../tools/mutants/cpu/judge.ts";
import { createSandbox, remove, type Sandbox, write } from "../../tools/mutants/cpu/sandbox.ts";

const file = "cpu/isa/shared/add-with-carry.ts";
const original = readFileSync(file, "utf8");
let sandbox: Sandbox;
beforeAll(() => {
  sandbox = createSandbox(process.cwd());
});
afterAll(() => remove(sandbox));

function fault(before: string, after: string): Mutant {
  expect(original).toContain(before);
  const text = original.replace(before, after);
  return { file, line: 1, start: 0, operator: "by hand", before, after, text };
}

it("an addition that forgets its carry is killed by a vector", async () => {
  const verdict = await judge(sandbox, fault("add(x, y), zeroExtend", "x, zeroExtend"), original, {
    without: [],
  });
  expect(verdict).toMatchObject({ kind: "killed", by: expect.stringMatching(/^dp1 \d+ EL1h /) });
});

it("one that does not compile is refused, by the compiler's word", async () => {
  const verdict = await judge(sandbox, fault("x.width - 1", "x.width - x"), original, {
    without: [],
  });
  expect(verdict).toMatchObject({ kind: "refused", by: expect.stringContaining("TS2363") });
});

it("one that keeps the core from loading is refused", async () => {
  const thrower = fault("import {", "JSON.parse('no');\nimport {");
  expect(await judge(sandbox, thrower, original, { without: [] })).toMatchObject({
    kind: "refused",
  });
});

it("the file is as it was, and its tests say so", async () => {
  expect(readFileSync(`${sandbox.root}/${file}`, "utf8")).toBe(original);
  const paths = ["properties/cpu/isa/data-processing-register/add-subtract.test.ts"];
  const report = await runTests(sandbox, paths, { bail: true, without: [] });
  expect([report?.success, report && failures(sandbox, report)]).toEqual([true, []]);
  write(sandbox, file, fault("N: resultTop", "N: xTop").text);
  const failed = await runTests(sandbox, paths, { bail: true, without: [] });
  expect(failed && failures(sandbox, failed)).toMatchObject([{ file: paths[0] }]);
});
