// A rule holds wherever it applies, and it does apply: one without the other says nothing.

import { expect, test } from "vitest";
import type { Invariant, StepClause } from "../../spec/clause.ts";
import type { Explored } from "./explore.ts";
import { reportSurprise } from "./report-surprise.ts";

/**
 * States as a test that a rule is never broken where nobody expects it, in runs in which it
 * applied.
 */
export function always({ id, statement }: StepClause | Invariant, runs: () => Explored): void {
  test(`${id} always: ${statement}`, () => {
    const { coverage, surprises } = runs();
    expect(
      coverage.applied.get(id) ?? 0,
      "it never applied, so it was not checked",
    ).toBeGreaterThan(0);
    const surprise = surprises.find(({ violation }) => violation.rule === id);
    if (surprise !== undefined) throw new Error(reportSurprise(surprise));
  });
}
