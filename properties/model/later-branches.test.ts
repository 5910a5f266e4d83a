// The example of each later branch runs on it as its sources say, with every rule held against it.

import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { runChecked } from "../../counterexamples/run-checked.ts";
import type { HostAction, Scenario } from "../../model/scenario.ts";
import type { BranchName } from "../../spec/branches/branch.ts";
import { findingOf } from "../../spec/findings.ts";

const at = (path: string): string => fileURLToPath(new URL(`../../${path}`, import.meta.url));

/** Runs the branch's example with a boot of its own. */
function run(branch: BranchName, actions: readonly HostAction[], list?: string) {
  const name = `kmi_${branch.replaceAll(/[-.]/g, "_")}`;
  const file = `examples/kmi-${branch}/${name}.ko`;
  const files = new Map([[file, readFileSync(at(file))]]);
  const scenario: Scenario = {
    system: { branch, build: "production", documented: false, cpuCount: 2 },
    boot: {
      commandLine: `kvm-arm.mode=protected kvm-arm.protected_modules=${list ?? name}`,
      firmwareBytes: 0x10_0000,
      modprobe: "kmod",
      modulePath: "",
      initramfs: [{ name, file, needs: [] }],
      faults: [],
    },
    actions,
  };
  const checked = runChecked(scenario, files, { budget: 10_000 });
  const broken = checked.violations.filter(
    ({ rule }) => findingOf(rule, scenario.system) === undefined,
  );
  expect(broken).toEqual([]);
  expect(checked.run.unmodelled).toBeUndefined();
  const lines = checked.run.log.flatMap((event) => (event.kind === "console" ? [event.text] : []));
  const hvcs = checked.run.log.flatMap((event) =>
    event.kind === "hvc" && event.by === "host" ? [event.after?.slice(0, 4)] : [],
  );
  return { ...checked, lines, hvcs };
}

const CALL = 0xc600_0080n;
const hvc = (...x: bigint[]): HostAction => ({ kind: "hvc", cpu: 1, imm: 0, x });
const smc = (...x: bigint[]): HostAction => ({ kind: "smc", cpu: 0, imm: 0, x });
const UNKNOWN = 0xffff_ffff_ffff_ffffn;

/** What the second registration of a handler answers, by what the branch keeps. */
const SECOND = {
  "android15-6.6": BigInt.asUintN(64, -16n),
  "android16-6.12": 0n,
  "android17-6.18": 0n,
} as const;

describe.each(Object.keys(SECOND) as (keyof typeof SECOND)[])("%s", (branch) => {
  const second = SECOND[branch];

  test("a handler finds the id in x0 and writes x0 itself, with the hint and without", () => {
    const { hvcs, lines } = run(branch, [
      hvc(CALL, 0x11n, 0x22n, 0x33n),
      hvc(CALL | 0x1_0000n, 1n, 2n, 3n),
      hvc(0x1_0000_0000n | CALL, 1n, 2n, 3n),
      hvc(CALL + 1n, 1n, 2n, 3n),
    ]);
    expect(lines.some((line) => line.endsWith("hypercall 128 answers 51"))).toBe(true);
    expect(hvcs).toEqual([
      [0n, 0x33n, CALL, second],
      [0n, 3n, CALL | 0x1_0000n, second],
      [0n, 3n, 0x1_0000_0000n | CALL, second],
      [UNKNOWN, 1n, 2n, 3n],
    ]);
  });

  test("SMCs go through the handlers in order, and then to the firmware", () => {
    const { hvcs, run: done } = run(branch, [smc(0x8300_ff01n, 7n), smc(0x8300_ff02n, 7n)]);
    const answered = second === 0n ? [0n, 1n] : [UNKNOWN, 7n];
    expect(hvcs.map((x) => x?.slice(0, 2))).toEqual([answered, [UNKNOWN, 7n]]);
    const calls = done.log.filter(
      (event) => event.kind === "step" && event.step.action.kind === "host_smc_handler_returned",
    );
    expect(calls).toHaveLength(second === 0n ? 4 : 2);
  });

  test("nothing is loaded after the key, and a second finalisation is refused", () => {
    const number = { "android15-6.6": 20n, "android16-6.12": 21n, "android17-6.18": 21n }[branch];
    const { hvcs } = run(branch, [
      hvc(0xc600_0000n + number, 0n),
      hvc(0xc600_0000n + number - 1n, 1n),
    ]);
    const refused = branch === "android17-6.18" ? -22n : -1n;
    expect(hvcs.map((x) => x?.slice(0, 2))).toEqual([
      [0n, BigInt.asUintN(64, refused)],
      [UNKNOWN, 1n],
    ]);
  });

  test("a name that is not there costs the firmware; 6.6 goes on advertising it", () => {
    const { run: done } = run(branch, [], "nosuch");
    const { content, advertisedBytes } = done.final.firmware;
    expect(content).toBe("zero");
    expect(advertisedBytes).toBe(branch === "android15-6.6" ? 0x10_0000 : 0);
  });
});
