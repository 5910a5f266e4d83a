// Checking a run: what applied is counted, what is broken is found where it happens, and only once.

import { describe, expect, it } from "vitest";
import { checkSteps, type Judge } from "../../counterexamples/check.ts";
import {
  countApplied,
  countStep,
  createCoverage,
  neverExercised,
} from "../../counterexamples/coverage.ts";
import { stepLine } from "../../counterexamples/step-line.ts";
import { initialHyp } from "../../model/initial.ts";
import { type ModelStep, step } from "../../model/step.ts";
import { GUARDS, TRANSITIONS } from "../../model/transitions.ts";
import { BRANCH_NAMES } from "../../spec/branches/branch.ts";
import { clause, type Invariant } from "../../spec/clause.ts";
import { cite } from "../../spec/sources.ts";
import type { Action } from "../../spec/types/action.ts";

const CONFIG = {
  branch: "android14-6.1",
  build: "production",
  documented: false,
  cpuCount: 2,
} as const;

const BOOT: readonly Action[] = [
  { kind: "parse_early_param", commandLine: "kvm-arm.mode=protected" },
  { kind: "kvm_arm_init" },
  { kind: "pkvm_request_early_module", name: "nosuch" },
  { kind: "modprobe_exit", name: "nosuch", status: 256 },
  { kind: "pkvm_load_early_modules" },
  { kind: "pkvm_drop_host_privileges" },
  { kind: "pkvm_request_early_module", name: "late" },
];

function play(actions: readonly Action[]): ModelStep[] {
  const steps: ModelStep[] = [];
  for (const action of actions)
    steps.push(step(steps.at(-1)?.post ?? initialHyp(CONFIG, 0), action));
  return steps;
}

const source = [cite("linux", "made up for this test")];

const EXITS = clause({
  id: "LOAD-1",
  kind: "kernel",
  statement: "modprobe exits 0.",
  source,
  on: ["modprobe_exit"],
  applies: () => true,
  holds: ({ action }) => action.status === 0 || `it exited ${action.status}`,
});
const KEY_CLEAR: Invariant = {
  id: "INV-1",
  kind: "documented",
  statement: "The key is clear.",
  source,
  applies: () => true,
  violations: (hyp) => (hyp.boot.key ? ["the key is set"] : []),
};

/** Two rules that the boot above breaks. */
const JUDGE: Judge = {
  step: (one) => {
    if (one.action.kind !== "modprobe_exit") return [];
    const verdict = EXITS.holds(one);
    return [{ rule: EXITS, wrong: verdict === true ? [] : [verdict] }];
  },
  state: (hyp) => [{ rule: KEY_CLEAR, wrong: KEY_CLEAR.violations(hyp) }],
};

describe("checkSteps", () => {
  it("finds a broken clause at its step and a broken invariant where it breaks first", () => {
    const { violations, applied } = checkSteps(play(BOOT), JUDGE);
    expect(violations).toEqual([
      { rule: "LOAD-1", kind: "kernel", step: 3, sentence: "it exited 256" },
      { rule: "INV-1", kind: "documented", step: 5, sentence: "the key is set" },
    ]);
    expect([...applied]).toEqual([
      ["INV-1", 7],
      ["LOAD-1", 1],
    ]);
  });

  it("says nothing of a run that keeps every rule", () => {
    const { violations } = checkSteps(play(BOOT.slice(0, 3)), JUDGE);
    expect(violations).toEqual([]);
  });
});

describe("coverage", () => {
  it("counts transitions, refusals, errnos and outcomes, and names what never came", () => {
    const coverage = createCoverage();
    const steps = play(BOOT);
    for (const one of steps) countStep(coverage, one);
    countApplied(coverage, checkSteps(steps).applied);
    expect(coverage.steps).toBe(7);
    expect(coverage.transitions.get("pkvm_request_early_module")).toBe(2);
    expect([...coverage.refusals]).toEqual([["pkvm_request_early_module/LOAD-2", 1]]);
    expect([...coverage.errnos]).toEqual([["-EACCES", 1]]);
    expect([...coverage.outcomes]).toEqual([["returned", 7]]);
    const never = neverExercised(coverage);
    expect(never.rules).toContain("DISP-1");
    expect(never.rules).not.toContain("LIFE-13");
    expect(never.transitions).toContain("KVM_RUN");
    expect(never.transitions).not.toContain("kvm_arm_init");
    expect(never.guards).toContain("pkvm_request_early_module/LOAD-1");
    expect(never.guards).not.toContain("pkvm_request_early_module/LOAD-2");
  });
});

describe("the table of transitions", () => {
  it("names each transition once, and each guard once within its transition", () => {
    const names = TRANSITIONS.map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
    const keys = GUARDS.map(({ key }) => key);
    expect(new Set(keys).size).toBe(keys.length);
  });
});

describe("the names of transitions", () => {
  const parts = TRANSITIONS.map(({ name }) => name.split("@") as [string, string?, string?]);

  it("are those of functions; a variant says of which branch, and what of", () => {
    const names = new Set(parts.map(([name]) => name));
    for (const [name, branch, more] of parts) {
      expect(name).toMatch(/^[A-Za-z_][A-Za-z0-9_]*$/);
      if (branch !== undefined) expect(BRANCH_NAMES).toContain(branch);
      expect(more).toBeUndefined();
      // The handler of a hypercall bears its prefix only beside the function that it calls.
      if (name.startsWith("handle___")) expect(names).toContain(name.slice("handle_".length));
    }
    const variants = parts.filter(([, branch]) => branch !== undefined);
    for (const [name] of variants) {
      expect(parts.filter(([other]) => other === name).length).toBeGreaterThan(1);
    }
  });
});

describe("stepLine", () => {
  it("says what was done and what was answered", () => {
    const lines = play(BOOT).map(stepLine);
    expect(lines).toEqual([
      'parse_early_param "kvm-arm.mode=protected" -> 0',
      "kvm_arm_init -> 0",
      'pkvm_request_early_module "nosuch" -> 0',
      "modprobe nosuch exits 256 -> 256",
      "pkvm_load_early_modules -> 256",
      "pkvm_drop_host_privileges -> 0",
      'pkvm_request_early_module "late" -> -EACCES',
    ]);
  });

  it("shows registers that hold something, and a known answer of a hypercall", () => {
    const hyp = play(BOOT).at(-1)!.post;
    const x = [0xc600_0011n, 0xa0a0_0001n, 7n];
    const done = step(hyp, { kind: "hvc", cpu: 1, imm: 5, x });
    expect(stepLine(done)).toBe("cpu1 HVC #5 __pkvm_prot_finalize - 0x7 -> x1=0");
    const unknown = step(hyp, { kind: "hvc", cpu: 1, imm: 0, x: [0xc600_0001n] });
    expect(stepLine(unknown)).toBe("cpu1 HVC __kvm_get_mdcr_el2 -> x0=-1");
  });
});
