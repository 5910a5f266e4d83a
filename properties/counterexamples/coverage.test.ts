// What is said after a run: shares, names in short, and which rules a missing guard would break.

import { describe, expect, it } from "vitest";
import { atRisk, createCoverage, neverExercised } from "../../counterexamples/coverage.ts";
import { countRisk, type Risk, rulesAtRisk, unnoticedGuards } from "../../counterexamples/risk.ts";
import { runChecked } from "../../counterexamples/run-checked.ts";
import { coverageLine, idsInShort, neverLines } from "../../tools/report/coverage-lines.ts";
import { coverageJson } from "../../tools/report/search-json.ts";
import { FAILING_LOADS, probed } from "../arbitraries/failing-loads.ts";
import { BUDGET, EXAMPLE_FILES } from "../support/explore.ts";

const SYSTEM = {
  branch: "android14-6.1",
  build: "production",
  documented: false,
  cpuCount: 2,
} as const;

/** One boot whose module is missing, with what a host tries after it. */
const [, missing] = FAILING_LOADS;
const coverage = createCoverage();
const { steps } = runChecked(probed(SYSTEM, missing!), EXAMPLE_FILES, { budget: BUDGET }, coverage);

describe("what was covered", () => {
  it("is two lines of at most 80 columns, with shares", () => {
    const lines = coverageLine(coverage);
    expect(lines.length).toBe(2);
    for (const line of lines) expect(line.length).toBeLessThanOrEqual(80);
    expect(lines.join("\n")).toMatch(
      /rules \d+\/\d+ .*error codes \d+\/17\naction pairs \d+\/[\d,]+ .*invariants put at risk/,
    );
  });

  it("names what never was, in lines of at most 80 columns", () => {
    const lines = neverLines(coverage);
    for (const line of lines) expect(line.length).toBeLessThanOrEqual(80);
    const never = neverExercised(coverage);
    expect(never.errnos).toContain("E2BIG");
    expect(never.errnos).not.toContain("EINVAL");
    expect(lines.join("\n")).toContain("E2BIG");
  });

  it("draws numbers together", () => {
    expect(idsInShort(["OWN-6", "OWN-5", "OWN-11", "OWN-12", "OWN-13", "VM-1"])).toEqual([
      "OWN-5 6 11-13",
      "VM-1",
    ]);
  });

  it("is told as data, too", () => {
    const json = coverageJson(coverage) as {
      invariantsAtRisk: { invariants: string[]; weak: string[] };
      guardsNoticedBy: Record<string, string[]>;
      errorCodes: Record<string, number>;
    };
    expect(json.invariantsAtRisk).toEqual(atRisk(coverage));
    // The probe removes a module that is not in the list: LIFE-20 is the guard, and the rule.
    expect(json.guardsNoticedBy["delete_module/LIFE-20"]).toContain("LIFE-20");
    expect(json.errorCodes["-ENOENT"]).toBeGreaterThan(0);
  });
});

describe("risk", () => {
  it("is what a missing guard breaks; a step that is not refused puts nothing at risk", () => {
    const risk: Risk = new Map();
    const refused = steps.find(({ refusedBy }) => refusedBy === "LIFE-20");
    const letIn = steps.find(({ refusedBy }) => refusedBy === undefined);
    countRisk(risk, letIn!);
    expect(risk.size).toBe(0);
    countRisk(risk, refused!);
    expect([...rulesAtRisk(risk)]).toContain("LIFE-20");
    expect(unnoticedGuards(risk)).toEqual([]);
  });

  it("counts an invariant that is broken", () => {
    expect(coverage.broken.has("INV-1")).toBe(true);
    expect(atRisk(coverage).invariants).toContain("INV-1");
  });
});
