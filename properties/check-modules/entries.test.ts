// Every callback of a module is entered as the host enters it; ops fail with what they can give.

import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { runChecked } from "../../counterexamples/run-checked.ts";
import { boot } from "../../model/kernel/boot.ts";
import { forkSystem } from "../../model/machine/fork-system.ts";
import { act, createSystem } from "../../model/machine/run-scenario.ts";
import { perform, type System } from "../../model/machine/system.ts";
import type { Fault, Scenario } from "../../model/scenario.ts";
import { BRANCHES, slotOf, VENDOR_BRANCHES } from "../../spec/branches/branches.ts";
import { OP_ERRORS, opErrnos } from "../../spec/branches/op-errors.ts";
import { PSCI } from "../../spec/smccc.ts";
import type { CallbackType } from "../../spec/types/hyp.ts";
import { subjectOf } from "../../tools/cli/subject.ts";
import { openDisassembler } from "../../tools/disassembler.ts";
import { boundLine } from "../../tools/report/check-report.ts";
import { checkModule } from "../../tools/search/check-module.ts";
import { callOf, entriesOf } from "../../tools/search/entries.ts";
import { failingInits } from "../../tools/search/varied-calls.ts";

const OVM = readFileSync(
  fileURLToPath(new URL("../../examples/measurement/ovm.ko", import.meta.url)),
);
const FILES = new Map([["ovm", OVM]]);

const scenarioOf = (seq: string, faults: readonly Fault[] = []): Scenario => ({
  system: { branch: "android14-6.1", build: "production", documented: false, cpuCount: 2 },
  boot: {
    commandLine: `kvm-arm.mode=protected kvm-arm.protected_modules=ovm ovm.seq=${seq}`,
    firmwareBytes: 0,
    modprobe: "stand-in",
    modulePath: "",
    initramfs: [{ name: "ovm", file: "ovm", needs: [] }],
    faults,
  },
  actions: [],
});

/** Ops of the measurement module that register its callbacks, by its own numbers. */
const REGISTER = [8n, 9n, 10n, 11n, 12n];
const PROTECT = 7n;
const READ_ONLY = 4n;
const HCR_TID3 = 1n << 18n;

/** The measurement module with all its callbacks, a page that it restricts, a group it traps. */
function withCallbacks(): System {
  const system = createSystem(scenarioOf("load,regops"), FILES, { watch: true });
  boot(system);
  const ops = (...args: readonly bigint[]): void =>
    act(system, { kind: "hvc", cpu: 0, imm: 0, x: [0xc600_0080n, ...args] });
  for (const op of REGISTER) ops(op);
  ops(PROTECT, 0x5_0000n, READ_ONLY);
  perform(system, { kind: "op", cpu: 0, op: "update_hcr_el2", args: [HCR_TID3, 0n] });
  return system;
}

/** The callbacks whose code runs when the host goes each way that a state has. */
function entered(system: System): ReadonlySet<string> {
  const { callbacks } = system.hyp.dispatch;
  const ran = new Set<string>();
  for (const entry of entriesOf(system)) {
    const fork = forkSystem(system);
    act(fork, callOf(entry, new Map()));
    expect(fork.unmodelled, entry.name).toBeUndefined();
    for (const kind of Object.keys(callbacks) as CallbackType[]) {
      const address = callbacks[kind];
      if (address === undefined || fork.watch?.executed.has(address) !== true) continue;
      ran.add(kind).add(`${kind} on CPU ${fork.watch.at.has(1) ? 1 : 0}`);
    }
  }
  return ran;
}

describe("a callback is entered by what the host does", () => {
  test("each that is registered", () => {
    const system = withCallbacks();
    const kinds = Object.keys(system.hyp.dispatch.callbacks);
    expect(kinds.sort()).toEqual([
      "default_trap_handler",
      "host_perm_fault_handler",
      "host_smc_handler",
      "illegal_abt_notifier",
      "psci_notifier",
    ]);
    expect([...entered(system)]).toEqual(expect.arrayContaining(kinds));
  });

  test("PSCI and aborts from both CPUs", () => {
    const ran = entered(withCallbacks());
    for (const kind of ["psci_notifier", "illegal_abt_notifier", "host_perm_fault_handler"]) {
      expect(ran).toContain(`${kind} on CPU 0`);
      expect(ran).toContain(`${kind} on CPU 1`);
    }
  });

  test("the entry of a CPU that was off", () => {
    const system = withCallbacks();
    act(system, { kind: "smc", cpu: 1, x: [PSCI.CPU_OFF] });
    const names = entriesOf(system).map(({ name }) => name);
    expect(names).toContain("CPU_ON of CPU 1 on CPU 0");
    expect(names.filter((name) => name.includes("SUSPEND on CPU 1"))).toEqual([]);
    expect(entered(system)).toContain("psci_notifier on CPU 1");
  });

  test("a panic that every host can make, where a notifier waits for it", () => {
    const system = withCallbacks();
    const smc = system.hyp.dispatch.callbacks.host_smc_handler ?? 0n;
    // Any code will do: the panic comes before what it answers.
    perform(system, { kind: "op", cpu: 0, op: "register_hyp_panic_notifier", args: [smc] });
    const entry = entriesOf(system).find(({ group }) => group === "FFA_MEM_RECLAIM");
    const fork = forkSystem(system);
    act(fork, callOf(entry!, new Map()));
    expect(fork.hyp.end?.kind).toBe("hyp-panic");
    expect(fork.watch?.executed.has(smc)).toBe(true);
  });
});

describe("the errors of ops", () => {
  test("are of ops that the branches have", () => {
    for (const { op, on } of OP_ERRORS) {
      const has = VENDOR_BRANCHES.filter((name) => slotOf(BRANCHES[name], op) !== undefined);
      expect(has.length, op).toBeGreaterThan(0);
      if (op === "hyp_alloc" || on === undefined) continue;
      expect(
        on.some((name) => has.includes(name)),
        op,
      ).toBe(true);
    }
  });

  test("are those of the branch", () => {
    expect(opErrnos("android14-6.1", "pin_shared_mem")).toEqual(["EPERM"]);
    expect(opErrnos("android17-6.18", "pin_shared_mem")).toEqual(["EPERM", "ENOMEM"]);
    expect(opErrnos("android14-6.1", "host_unshare_hyp")).toEqual(["EPERM", "EBUSY"]);
    expect(opErrnos("android14-6.1", "memcpy")).toEqual([]);
  });

  /** The EL2 init that registers three callbacks and looks at no answer. */
  test("are given to an EL2 init, one and two at a time, which must notice", () => {
    const first = runChecked(scenarioOf("loadregs"), FILES, { watch: true });
    expect(first.violations.filter(({ rule }) => rule.startsWith("MOD"))).toEqual([]);
    const all = failingInits(first.steps);
    // Three registrations: each alone, and each two of them.
    expect(all.map((faults) => faults.map(({ nth }) => nth))).toEqual([
      ...[[0], [1], [2]],
      ...[
        [0, 1],
        [0, 2],
        [1, 2],
      ],
    ]);
    for (const faults of all) {
      const { violations } = runChecked(scenarioOf("loadregs", faults), FILES, { watch: true });
      expect(violations.map(({ rule }) => rule)).toContain("MOD-15");
    }
  });

  test("in pairs are held against the first of them alone", () => {
    const pin = (failing: { nth: number; errno: "EPERM" }[]) => ({
      ...scenarioOf("load,regops"),
      actions: [
        // An op that may fail once has no second: nothing is compared, nothing is broken.
        { kind: "hvc", cpu: 0, imm: 0, x: [0xc600_0080n, 3n, 0x5_0000n], failing } as const,
      ],
    });
    const told = (failing: { nth: number; errno: "EPERM" }[]) =>
      runChecked(pin(failing), FILES, { watch: true }).steps.filter(
        ({ action }) => action.kind === "op_failed",
      ).length;
    expect(told([{ nth: 0, errno: "EPERM" }])).toBe(1);
    expect(
      told([
        { nth: 0, errno: "EPERM" },
        { nth: 1, errno: "EPERM" },
      ]),
    ).toBe(0);
  });
});

test("another CPU acts inside a callback: an SMC is counted once where two were made", () => {
  const COUNTER = 22n;
  const smc = (cpu: number) => ({ kind: "smc", cpu, x: [0x8300_ff00n] }) as const;
  const system = withCallbacks();
  const counted = (before: number): bigint | undefined => {
    const fork = forkSystem(system);
    act(fork, { ...smc(0), meanwhile: [{ before, action: smc(1) }] });
    act(fork, { kind: "hvc", cpu: 0, imm: 0, x: [0xc600_0080n, COUNTER, 1n] });
    const last = fork.log.findLast((event) => event.kind === "hvc");
    return last?.kind === "hvc" ? last.after?.[1] : undefined;
  };
  const counts = Array.from({ length: 12 }, (_, before) => counted(before));
  expect(counts[0]).toBe(2n);
  // counters[1]++ is a load, an addition and a store.
  expect(counts.filter((count) => count === 1n).length).toBe(2);
});

describe("the bound of a verdict", () => {
  const checked = async (file: string, flags: { readonly cpus?: string } = {}) => {
    const path = fileURLToPath(new URL(`../../examples/${file}`, import.meta.url));
    const subject = subjectOf(path, { budget: "20000", ...flags });
    const limits = { runs: 0, seed: 1, calls: 400, depth: 2, build: undefined };
    const hooks = { at: () => undefined, stopped: () => false };
    return await checkModule(subject, limits, hooks, await openDisassembler());
  };

  test("names both builds, and the callbacks that ran", { timeout: 60_000 }, async () => {
    const result = await checked("smc-filter/smc_filter.ko");
    expect(result.otherBuild?.build).toBe("el2debug");
    expect(result.otherBuild?.calls).toBeGreaterThan(0);
    expect([...result.calls.callbacks]).toEqual([["host_smc_handler", true]]);
    const line = boundLine(result);
    expect(line).toMatch(/on el2debug: \d+ calls/);
    expect(line).toMatch(/callbacks entered: host_smc_handler/);
  });

  test("names every callback of a module that has four", { timeout: 60_000 }, async () => {
    const { calls, found, elsewhere } = await checked("watches-the-host/watches_the_host.ko");
    expect(found).toEqual([]);
    expect([...calls.callbacks].sort()).toEqual([
      ["default_trap_handler", true],
      ["host_perm_fault_handler", true],
      ["illegal_abt_notifier", true],
      ["psci_notifier", true],
    ]);
    expect(elsewhere).toBeGreaterThan(0);
  });

  test("has no orders of two CPUs where there is one", { timeout: 60_000 }, async () => {
    const { orders, found } = await checked("smc-filter/smc_filter.ko", { cpus: "1" });
    expect(orders).toEqual({ orders: 0, points: 0 });
    expect(found).toEqual([]);
  });
});
