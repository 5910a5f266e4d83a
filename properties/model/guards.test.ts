// Every guard matters: without it, some rule is broken on a way on which it refused.

import { describe, expect, test } from "vitest";
import { checkSteps } from "../../counterexamples/check.ts";
import { runChecked } from "../../counterexamples/run-checked.ts";
import type { Scenario } from "../../model/scenario.ts";
import { GUARDS } from "../../model/transitions.ts";
import { BUDGET, EXAMPLE_FILES, explored, isWalk } from "../support/explore.ts";
import { play, type Walk } from "../support/walks.ts";

/** The rules that a way breaks, with some guards left out. */
function brokenOn(way: Scenario | Walk, omit: ReadonlySet<string>): ReadonlySet<string> {
  const violations = isWalk(way)
    ? checkSteps(play(way, omit)).violations
    : runChecked(way, EXAMPLE_FILES, { budget: BUDGET, omit }).violations;
  return new Set(violations.map(({ rule }) => rule));
}

/** The rules that only the removal breaks, on the first way on which it breaks any. */
function noticedBy(guard: string, ways: readonly (Scenario | Walk)[]): readonly string[] {
  for (const way of ways) {
    const before = brokenOn(way, new Set());
    const after = brokenOn(way, new Set([guard]));
    const added = [...after].filter((rule) => !before.has(rule));
    if (added.length > 0) return added;
  }
  return [];
}

describe("without a guard", () => {
  test.each(GUARDS)("$key: something is broken", ({ key }) => {
    const ways = explored().refused.get(key) ?? [];
    expect(ways.length, "no way on which it refuses").toBeGreaterThan(0);
    expect(noticedBy(key, ways), "no rule notices").not.toEqual([]);
  });
});
