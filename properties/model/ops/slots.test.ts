// Every slot of every branch: an op that the model has, or a stop that names it.

import { describe, expect, test } from "vitest";
import { initialHyp } from "../../../model/initial.ts";
import { OPS } from "../../../model/ops/ops.ts";
import { step } from "../../../model/step.ts";
import { BRANCHES } from "../../../spec/branches/branches.ts";

const WITH_OPS = Object.values(BRANCHES).filter(({ ops }) => ops.length > 0);

test("android14-6.1 has 33 ops in 64 slots, and the model has all of them", () => {
  const { ops } = BRANCHES["android14-6.1"];
  const named = ops.flatMap(({ op }) => (op === undefined ? [] : [op]));
  expect([ops.length, named.length]).toEqual([64, 33]);
  expect(named.filter((op) => !OPS.has(op))).toEqual([]);
});

describe.each(WITH_OPS.map((branch) => [branch.name, branch] as const))("%s", (name, branch) => {
  const hyp = initialHyp({ branch: name, build: "production", documented: false, cpuCount: 2 }, 0);
  const missing = branch.ops.flatMap(({ op }) => (op === undefined || OPS.has(op) ? [] : [op]));

  test("what it adds stops with its name", () => {
    for (const op of missing) {
      const done = step(hyp, { kind: "op", cpu: 0, op, args: [] });
      expect(done.outcome).toMatchObject({ kind: "unmodelled" });
      expect(JSON.stringify(done.outcome)).toContain(op);
      expect(done.post).toBe(hyp);
    }
  });
});
