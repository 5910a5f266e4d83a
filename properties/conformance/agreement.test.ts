// After every step of the recorded ownership runs the descriptors in memory say what the abstract
// state says, and no rule is broken.

import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { checkSteps } from "../../counterexamples/check.ts";
import { boot } from "../../model/kernel/boot.ts";
import { disagreements } from "../../model/machine/abstract.ts";
import { act, createSystem } from "../../model/machine/run-scenario.ts";
import { over, type System } from "../../model/machine/system.ts";
import type { ModelStep } from "../../model/step.ts";
import { findingOf } from "../../spec/findings.ts";
import { readImages } from "./folder.ts";
import { planOf, systemOf } from "./scenario.ts";
import { readTrace } from "./trace.ts";

const at = (path: string): string => fileURLToPath(new URL(path, import.meta.url));
const FILES = new Map([
  ["ovm", readFileSync(at("../../examples/measurement/ovm.ko"))],
  ...readImages(at("../../examples/guests")),
]);

/** Plays a trace's scenario, and looks at every step. */
function played(name: string): { steps: ModelStep[]; wrong: string[]; system: System } {
  const read = readTrace(readFileSync(at(`traces/android14-6.1.145-${name}.jsonl`), "utf8"));
  if (!read.ok) throw new Error(read.error);
  const config = systemOf(read.trace.header);
  if (config === undefined) throw new Error(`${name}: not a modelled kernel`);
  const { scenario } = planOf(read.trace, config, new Set());
  const [steps, wrong]: [ModelStep[], string[]] = [[], []];
  const system: System = createSystem(scenario, FILES, {
    onStep: (step) => {
      steps.push(step);
      for (const sentence of disagreements(system.machine, system.hyp)) {
        wrong.push(`after ${step.transition}: ${sentence}`);
      }
    },
  });
  boot(system);
  for (const action of scenario.actions) if (!over(system)) act(system, action);
  return { steps, wrong, system };
}

test.each([
  "production/ops-inrange",
  "el2debug/ops",
  "production/random-ops-104",
  "production/life-map-p",
  "el2debug/life-map-np",
  "el2debug/random-life-201",
  "production/pvm-nolegacy",
  "el2debug/pvm-relinq",
  "production/npvm",
])("%s", (name) => {
  const { steps, wrong, system } = played(name);
  expect(wrong).toEqual([]);
  const broken = checkSteps(steps).violations.filter(
    ({ rule }) => findingOf(rule, system.hyp.config) === undefined,
  );
  expect(broken).toEqual([]);
  expect(system.unmodelled).toBeUndefined();
  expect(steps.length).toBeGreaterThan(60);
});
