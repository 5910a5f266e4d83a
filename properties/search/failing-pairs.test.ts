// Two steps of a boot fail together on the machine: each pair is reached, and no rule breaks anew.

import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { type CheckedRun, runChecked } from "../../counterexamples/run-checked.ts";
import type { Fault, Scenario } from "../../model/scenario.ts";
import { findingOf } from "../../spec/findings.ts";
import type { SystemConfig } from "../../spec/types/hyp.ts";
import { createReached } from "../../tools/search/failing-pairs.ts";
import { directed, twoFail } from "../../tools/search/module-scenarios.ts";

const OVM = readFileSync(
  fileURLToPath(new URL("../../examples/measurement/ovm.ko", import.meta.url)),
);
const FILES = new Map([["ovm", OVM]]);
const SYSTEM: SystemConfig = {
  branch: "android14-6.1",
  build: "production",
  documented: false,
  cpuCount: 2,
};

/** The measurement module: with `cont` its program goes on after a load that failed. */
const checkedWith = (program: string) => ({
  system: SYSTEM,
  boot: {
    commandLine: `kvm-arm.mode=protected kvm-arm.protected_modules=ovm ovm.seq=${program}`,
    firmwareBytes: 0,
    modprobe: "stand-in",
    modulePath: "",
    initramfs: [{ name: "ovm", file: "ovm", needs: [] }],
    faults: [],
  } satisfies Scenario["boot"],
  names: ["ovm"],
  el2Pages: 4,
  hypercalls: 0,
});

const textOf = (faults: readonly Fault[]): string =>
  faults.map(({ call, nth }) => `${call} ${nth}`).join(", ");

/** The pairs of a program, from its boots with one fault. */
function pairsOf(program: string) {
  const checked = checkedWith(program);
  const reached = createReached();
  for (const scenario of directed(checked)) {
    if (scenario.boot.faults.length > 0) reached.note(scenario, runChecked(scenario, FILES).run);
  }
  return { checked, pairs: reached.pairs() };
}

/** Whether a boot came to the step that is made to fail. */
const came = ({ run }: CheckedRun, { call, nth }: Fault): boolean =>
  nth < (run.calls.get(call) ?? 0);

describe("two steps that fail", () => {
  it("are a pair where a module loads again after its first load failed", () => {
    const { checked, pairs } = pairsOf("load,load,cont");
    const texts = pairs.map(textOf);
    expect(texts).toContain("__pkvm_alloc_module_va 0, __pkvm_alloc_module_va 1");
    expect(texts).toContain("__pkvm_alloc_module_va 0, __pkvm_map_module_page 0");
    expect(texts).toContain("__pkvm_map_module_page 0, __pkvm_map_module_page 1");
    for (const [n, scenario] of twoFail(checked, pairs).entries()) {
      const checkedRun = runChecked(scenario, FILES);
      for (const fault of scenario.boot.faults) {
        expect(came(checkedRun, fault), `${texts[n]}: ${fault.call}`).toBe(true);
      }
      const fresh = checkedRun.violations.filter(
        ({ rule }) => findingOf(rule, SYSTEM) === undefined,
      );
      expect(fresh, texts[n]).toEqual([]);
    }
  });

  it("are none where the first failure ends the load and the list", () => {
    expect(pairsOf("load").pairs.map(textOf)).toEqual([]);
  });
});
