// A property that must fail does fail: a checker that finds nothing is indistinguishable from one
// that looks at nothing.

import { describe, expect, test } from "vitest";
import { checkSteps, type Judge } from "../counterexamples/check.ts";
import { runChecked } from "../counterexamples/run-checked.ts";
import { shrink } from "../counterexamples/shrink.ts";
import type { Scenario } from "../model/scenario.ts";
import type { Invariant } from "../spec/clause.ts";
import { judgeStep } from "../spec/registry.ts";
import { GOOD_BOOTS, probed } from "./arbitraries/failing-loads.ts";
import { SYSTEMS } from "./arbitraries/scenario.ts";
import { BUDGET, EXAMPLE_FILES, explore } from "./support/explore.ts";

/** A rule that is wrong: every load of the page's module breaks it. */
const NOTHING_REGISTERED: Invariant = {
  id: "INV-9999",
  kind: "kernel",
  statement: "Nothing is ever registered.",
  source: [{ text: "linux", at: "made up, to be broken" }],
  applies: () => true,
  violations: ({ dispatch }) =>
    dispatch.dynamicHcalls.map((address) => `0x${address.toString(16)}`),
};
const JUDGE: Judge = {
  step: judgeStep,
  state: (hyp) => [{ rule: NOTHING_REGISTERED, wrong: NOTHING_REGISTERED.violations(hyp) }],
};

const [system] = SYSTEMS;
const [good] = GOOD_BOOTS;

describe("the canary", () => {
  test("a rule that the page's module breaks is found, and shrunk to its load", () => {
    if (system === undefined || good === undefined) throw new Error("no system, no boot");
    const broken = (scenario: Scenario) =>
      checkSteps(runChecked(scenario, EXAMPLE_FILES, { budget: BUDGET }).steps, JUDGE).violations;
    const scenario = probed(system, good);
    expect(broken(scenario).map(({ rule }) => rule)).toEqual(["INV-9999"]);
    const shrunk = shrink(scenario, (candidate) => broken(candidate).length > 0);
    expect(shrunk.scenario.actions).toEqual([]);
    expect(shrunk.scenario.boot.commandLine).toBe(
      "kvm-arm.mode=protected kvm-arm.protected_modules=pkvm_module",
    );
  });

  test("a model without a guard surprises the exploration", () => {
    const omit = new Set(["handle_host_hcall/DISP-2"]);
    const { surprises } = explore(1, 20, omit);
    expect(surprises.map(({ violation }) => violation.rule)).toContain("DISP-2");
  });
});
