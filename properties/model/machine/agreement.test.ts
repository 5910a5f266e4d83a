// After every step of every example module the descriptors in memory say what the abstract state
// says.

import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { boot } from "../../../model/kernel/boot.ts";
import { disagreements } from "../../../model/machine/abstract.ts";
import { createSystem } from "../../../model/machine/run-scenario.ts";
import type { System } from "../../../model/machine/system.ts";
import type { Scenario } from "../../../model/scenario.ts";
import { EXAMPLES } from "../../arbitraries/examples.ts";

/** A boot of one module, on a machine with firmware. */
const booting = (name: string, file: string): Scenario => ({
  system: { branch: "android14-6.1", build: "production", documented: false, cpuCount: 2 },
  boot: {
    commandLine: `kvm-arm.mode=protected kvm-arm.protected_modules=${name}`,
    firmwareBytes: 0x10_0000,
    modprobe: "kmod",
    modulePath: "",
    initramfs: [{ name, file, needs: [] }],
    faults: [],
  },
  actions: [],
});

/** Boots, and counts the steps after which the two do not agree. */
function boots(scenario: Scenario, file: string): { steps: number; wrong: string[] } {
  const wrong: string[] = [];
  let steps = 0;
  const system: System = createSystem(scenario, new Map([[file, readFileSync(file)]]), {
    budget: 100_000,
    onStep: ({ transition }) => {
      steps += 1;
      for (const sentence of disagreements(system.machine, system.hyp)) {
        wrong.push(`after ${transition}: ${sentence}`);
      }
    },
  });
  boot(system);
  return { steps, wrong };
}

test.each(EXAMPLES)("$file", ({ name, file }) => {
  const { steps, wrong } = boots(booting(name, file), file);
  expect(wrong).toEqual([]);
  expect(steps).toBeGreaterThan(4);
});

test("an abstract change that no descriptor follows is noticed", () => {
  const file = "examples/page/pkvm_module.ko";
  const system = createSystem(
    booting("pkvm_module", file),
    new Map([[file, readFileSync(file)]]),
    {},
  );
  boot(system);
  expect(disagreements(system.machine, system.hyp)).toEqual([]);
  system.hyp = { ...system.hyp, pages: new Map() };
  expect(disagreements(system.machine, system.hyp)).not.toEqual([]);
});
