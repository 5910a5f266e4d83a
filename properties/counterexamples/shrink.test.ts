// Shrinking: what is left cannot lose a single part, whatever made it fail.

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { shrink, sizeOf } from "../../counterexamples/shrink.ts";
import type { HostAction, HostHvc, Scenario } from "../../model/scenario.ts";

const scenarioOf = (
  names: readonly string[],
  program: readonly string[],
  vms: readonly number[],
): Scenario => ({
  system: { branch: "android14-6.1", build: "production", documented: false, cpuCount: 2 },
  boot: {
    commandLine: [
      "quiet kvm-arm.mode=protected",
      `kvm-arm.protected_modules=${names.join(",")}`,
      `ovm.seq=${program.join(",")}`,
    ].join(" "),
    firmwareBytes: 0,
    modprobe: "stand-in",
    modulePath: "",
    initramfs: [
      { name: "ovm", file: "ovm.ko", needs: [] },
      { name: "other", file: "other.ko", needs: [] },
    ],
    faults: [{ call: "__pkvm_map_module_page", nth: 0, errno: "EPERM" }],
  },
  actions: vms.map((vm): HostAction => ({ kind: "KVM_CLOSE", vm })),
});

const vmsOf = ({ actions }: Scenario): readonly number[] =>
  actions.map((action) => (action.kind === "KVM_CLOSE" ? action.vm : -1));

describe("shrink", () => {
  it("finds two actions among 60, within 40 runs", () => {
    const vms = Array.from({ length: 60 }, (_, n) => n);
    const shrunk = shrink(scenarioOf(["ovm"], ["load"], vms), (candidate) => {
      const left = vmsOf(candidate);
      return left.includes(7) && left.includes(41);
    });
    expect(vmsOf(shrunk.scenario)).toEqual([7, 41]);
    expect(shrunk.from).toBe(60 + 1 + 1 + 1 + 4 + 2);
    expect(shrunk.runs).toBeLessThanOrEqual(40);
  });

  it("leaves out names, programs, words, modules and faults that do not matter", () => {
    const full = scenarioOf(["other", "", "ovm"], ["load", "reg", "loadfail", "cont"], [1, 2]);
    const { scenario } = shrink(full, ({ boot }) => {
      const words = boot.commandLine.split(" ");
      return (
        words.some((word) => /^kvm-arm\.protected_modules=(.*,)?ovm(,|$)/.test(word)) &&
        words.some((word) => /^ovm\.seq=(.*,)?loadfail(,|$)/.test(word)) &&
        boot.initramfs.some(({ name }) => name === "ovm")
      );
    });
    expect(scenario.boot.commandLine).toBe("kvm-arm.protected_modules=ovm ovm.seq=loadfail");
    expect(scenario.boot.initramfs.map(({ name }) => name)).toEqual(["ovm"]);
    expect(scenario.boot.faults).toEqual([]);
    expect(scenario.actions).toEqual([]);
  });

  it("ends where no single action can go, for any reason to fail", () => {
    const subsets = fc.uniqueArray(fc.nat(19), { minLength: 1, maxLength: 5 });
    fc.assert(
      fc.property(subsets, fc.boolean(), (needed, together) => {
        const vms = Array.from({ length: 20 }, (_, n) => n);
        const fails = (candidate: Scenario) => {
          const left = vmsOf(candidate);
          const has = needed.filter((vm) => left.includes(vm)).length;
          return together ? has === needed.length : has > needed.length / 2;
        };
        const { scenario } = shrink(scenarioOf(["ovm"], ["load"], vms), fails);
        expect(fails(scenario)).toBe(true);
        const { actions } = scenario;
        for (let n = 0; n < actions.length; n += 1) {
          expect(fails({ ...scenario, actions: actions.toSpliced(n, 1) })).toBe(false);
        }
      }),
      { seed: 20261123, numRuns: 200 },
    );
  });

  it("keeps what fails whatever is left out as small as it can be", () => {
    const { scenario } = shrink(scenarioOf(["ovm"], ["load"], [1, 2, 3]), () => true);
    expect(scenario.actions).toEqual([]);
    expect(sizeOf(scenario)).toBeLessThanOrEqual(2);
  });
});

describe("what another CPU does inside a call", () => {
  const call = (meanwhile: HostHvc["meanwhile"]): Scenario => ({
    ...scenarioOf(["ovm"], ["load"], []),
    actions: [{ kind: "hvc", cpu: 0, imm: 0, x: [0xc600_0080n, 5n], meanwhile }],
  });
  const write = (address: bigint, value: bigint) =>
    ({ kind: "host_write", cpu: 1, address, value }) as const;
  const meanwhileOf = ({ actions: [first] }: Scenario): HostHvc["meanwhile"] =>
    first?.kind === "hvc" ? first.meanwhile : undefined;

  it.each([0, 1, 7, 40, 1234])("shrinks to the earliest point, %i", (earliest) => {
    const full = call([
      { before: 3, action: write(0x5000_0008n, 9n) },
      { before: 2000, action: write(0x5000_0000n, 0x7fff_ffffn) },
    ]);
    const { scenario } = shrink(full, (candidate) =>
      (meanwhileOf(candidate) ?? []).some(
        ({ before, action }) =>
          before >= earliest && action.kind === "host_write" && action.address === 0x5000_0000n,
      ),
    );
    expect(meanwhileOf(scenario)).toEqual([{ before: earliest, action: write(0x5000_0000n, 0n) }]);
  });

  it("goes where it does not matter, and so do ops that fail", () => {
    const full = call([{ before: 3, action: write(0x5000_0008n, 9n) }]);
    expect(meanwhileOf(shrink(full, () => true).scenario)).toBeUndefined();
    const failing = [
      { nth: 0, errno: "EPERM" },
      { nth: 1, errno: "EBUSY" },
    ] as const;
    const [action] = full.actions as readonly HostHvc[];
    const both = { ...full, actions: [{ ...action!, failing }] };
    const { scenario } = shrink(
      both,
      ({ actions: [first] }) =>
        first?.kind === "hvc" && first.failing?.some(({ nth }) => nth === 1) === true,
    );
    expect(scenario.actions).toEqual([
      { kind: "hvc", cpu: 0, imm: 0, x: [0xc600_0080n], failing: [{ nth: 1, errno: "EBUSY" }] },
    ]);
  });
});
