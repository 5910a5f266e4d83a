// Callbacks on the machine: a serial driver that prints, a notifier of panics, PSCI and traps.

import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { boot } from "../../../model/kernel/boot.ts";
import type { HvcRecord } from "../../../model/log.ts";
import { environmentOf } from "../../../model/machine/environment.ts";
import { forkSystem } from "../../../model/machine/fork-system.ts";
import { PL011_BASE } from "../../../model/machine/pl011.ts";
import { act, createSystem } from "../../../model/machine/run-scenario.ts";
import { drainSerial, perform, type System } from "../../../model/machine/system.ts";
import { hypLinear } from "../../../model/pgtable/hyp-stage1.ts";
import type { HostAction, Scenario } from "../../../model/scenario.ts";
import { ANDROID14_6_1 } from "../../../spec/branches/android14-6.1.ts";
import { hostSmcccId } from "../../../spec/branches/branches.ts";
import { PSCI } from "../../../spec/smccc.ts";

const OVM = readFileSync(
  fileURLToPath(new URL("../../../examples/measurement/ovm.ko", import.meta.url)),
);

const SCENARIO: Scenario = {
  system: { branch: "android14-6.1", build: "production", documented: false, cpuCount: 2 },
  boot: {
    commandLine: "kvm-arm.mode=protected kvm-arm.protected_modules=ovm ovm.seq=load,reg,regops",
    firmwareBytes: 0,
    modprobe: "stand-in",
    modulePath: "",
    initramfs: [{ name: "ovm", file: "ovm", needs: [] }],
    faults: [],
  },
  actions: [],
};

function booted(): System {
  const system = createSystem(SCENARIO, new Map([["ovm", OVM]]), {});
  boot(system);
  return system;
}

const op = (system: System, name: string, ...args: readonly bigint[]) =>
  perform(system, { kind: "op", cpu: 0, op: name, args });

const PAGE = 0x5_0000n;
const RET = 0xd65f_03c0;
/** MOVZ and MOVK of a whole address into a register. Source: DDI0487 C6.2 MOVZ, MOVK. */
const load = (register: number, value: bigint): readonly number[] =>
  [0, 1, 2].map((n) => {
    const imm16 = Number((value >> BigInt(16 * n)) & 0xffffn);
    return ((n === 0 ? 0xd280_0000 : 0xf280_0000) | (n << 21) | (imm16 << 5) | register) >>> 0;
  });

/** Puts code into a page that the module then owns and may execute; its EL2 address. */
function place(system: System, page: bigint, words: readonly number[]): bigint {
  for (let n = 0; n < words.length; n += 2) {
    const value = BigInt(words[n] ?? 0) | (BigInt(words[n + 1] ?? 0) << 32n);
    act(system, { kind: "host_write", cpu: 0, address: (page << 12n) + BigInt(4 * n), value });
  }
  const { outcome } = op(system, "alloc_module_va", 1n);
  const va = outcome.kind === "returned" ? outcome.value : 0n;
  op(system, "map_module_page", page, va, 5n, 0n);
  return va;
}

/** EL2's address of the serial port, mapped as a driver maps it. */
function uart(system: System): bigint {
  op(system, "create_private_mapping", PL011_BASE, 0x1000n, 14n, system.opsTable);
  return system.hyp.el2.reservations.at(-1)?.base ?? 0n;
}

/** str w2, [x1], after w2 = the character. */
const prints = (port: bigint, character: string): readonly number[] => [
  ...load(1, port),
  (0xd280_0000 | (character.charCodeAt(0) << 5) | 2) >>> 0,
  0xb900_0022,
];

const serialOf = (system: System): string => {
  drainSerial(system);
  return system.log.flatMap((event) => (event.kind === "serial" ? [event.text] : [])).join("");
};
const smc = (cpu: number, ...x: readonly bigint[]): HostAction => ({ kind: "smc", cpu, x });
const lastX = (system: System) =>
  system.log.findLast((event): event is HvcRecord => event.kind === "hvc")?.after?.slice(0, 4);

test("puts and putx64 go through the module's driver, a character at a time", () => {
  const system = booted();
  const driver = place(system, PAGE, [...load(1, uart(system)), 0xb900_0020, RET]);
  const env = environmentOf(system);
  const text = place(system, PAGE + 1n, [0x6c6c6568, 0x0000006f]); // "hello"
  expect(env.op("puts", [text], 0)).toEqual({ kind: "value", x0: text });
  expect(serialOf(system)).toBe("");
  op(system, "register_serial_driver", driver);
  env.op("puts", [text], 0);
  env.op("putx64", [0xbeefn], 0);
  expect(serialOf(system)).toBe("hello\n\r0x000000000000beef\n\r");
  expect(env.op("puts", [0n], 0)).toMatchObject({ kind: "fault" });
});

test("the notifier of panics prints before the system stops", () => {
  const system = booted();
  const notifier = place(system, PAGE, [...prints(uart(system), "P"), RET]);
  op(system, "register_hyp_panic_notifier", notifier);
  const { outcome } = op(system, "linear_unmap_early", 0n, 0x1000n);
  expect(outcome).toEqual({ kind: "hyp-panic", reason: "EL2_BUG" });
  expect(serialOf(system)).toBe("P");
  expect(system.hyp.end?.kind).toBe("hyp-panic");
  expect(() => op(system, "hyp_pa", 0n)).toThrow("after the system ended");
});

// The notifier prints on the serial port of the system that panics, and each has its own.
test("a fork that panics calls the notifier in the fork, and the original does not notice", () => {
  const system = booted();
  const notifier = place(system, PAGE, [...prints(uart(system), "P"), RET]);
  op(system, "register_hyp_panic_notifier", notifier);
  const fork = forkSystem(system);
  const panics = { kind: "hyp-panic", reason: "EL2_BUG" };
  expect(op(fork, "linear_unmap_early", 0n, 0x1000n).outcome).toEqual(panics);
  expect([serialOf(fork), serialOf(system)]).toEqual(["P", ""]);
  expect(system.hyp.end).toBeUndefined();
  expect(op(system, "linear_unmap_early", 0n, 0x1000n).outcome).toEqual(panics);
  expect([serialOf(fork), serialOf(system)]).toEqual(["P", "P"]);
});

test("a handler of traps decides whether the host goes on", () => {
  for (const [answer, ends] of [
    [1, false],
    [0, true],
  ] as const) {
    const system = booted();
    const handler = place(system, PAGE, [(0x5280_0000 | (answer << 5)) >>> 0, RET]);
    op(system, "register_default_trap_handler", handler);
    const answered = environmentOf(system).hostTrap(0, 0x6200_0000n);
    expect(answered.kind).toBe(ends ? "ended" : "resume");
    expect(system.hyp.end?.kind).toBe(ends ? "hyp-panic" : undefined);
  }
});

test("a CPU goes off, is started, tells the notifier, and takes calls again", () => {
  const system = booted();
  const notifier = place(system, PAGE, [...prints(uart(system), "N"), RET]);
  op(system, "register_psci_notifier", notifier);
  act(system, smc(1, PSCI.CPU_OFF));
  expect(system.hyp.psci.power).toEqual(["on", "off"]);
  act(system, smc(0, PSCI.AFFINITY_INFO, 1n, 0n));
  expect(lastX(system)).toEqual([1n, 0n, 0n, 0n]);
  act(system, smc(0, PSCI.CPU_ON, 1n, 0x4100_0000n, 0x77n));
  expect(lastX(system)).toEqual([0n, 0n, 0n, 0n]);
  expect(serialOf(system)).toBe("N");
  act(system, smc(1, PSCI.CPU_SUSPEND, 0n, 0x4100_0000n));
  expect(lastX(system)).toEqual([0n, 0n, 0n, 0n]);
  expect(serialOf(system)).toBe("NN");
  expect(system.unmodelled).toBeUndefined();
});

test("a CPU that is off does nothing more", () => {
  const system = booted();
  act(system, smc(1, PSCI.CPU_OFF));
  act(system, smc(1, PSCI.VERSION));
  expect(system.unmodelled).toMatch(/CPU 1, which is off/);
});

test("HCR_EL2 follows a module; HFGWTR_EL2 is not there on a Cortex-A76", () => {
  const system = booted();
  const before = system.machine.cores[0]!.sysreg.HCR_EL2;
  op(system, "update_hcr_el2", 1n << 26n, 0n);
  expect(system.machine.cores[0]!.sysreg.HCR_EL2).toBe(before | (1n << 26n));
  expect(system.machine.cores[1]!.sysreg.HCR_EL2).toBe(before);
  const answer = environmentOf(system).op("update_hfgwtr_el2", [1n, 0n], 0);
  expect(answer).toMatchObject({ kind: "fault" });
});

/** A call of the measurement module's handler of ops; x1 is its answer. */
function ops(system: System, ...args: readonly bigint[]): bigint | undefined {
  act(system, { kind: "hvc", cpu: 0, imm: 0, x: [0xc600_0081n, ...args] });
  return lastX(system)?.[1];
}
const [PERM_FAULT, ILLEGAL_ABORT, PROTECT, COUNTER] = [8n, 11n, 7n, 22n];
const lastAccess = (system: System) =>
  system.log.findLast((event) => event.kind === "access") as { value: bigint | undefined };

test("an abort of the host goes to the notifier, and then to the host with S1PTW", () => {
  const system = booted();
  ops(system, ILLEGAL_ABORT);
  act(system, { kind: "host_read", cpu: 0, address: 0x7f40_0000n });
  expect(lastAccess(system).value).toBeUndefined();
  expect(ops(system, COUNTER, 3n)).toBe(1n);
  const injected = system.log.findLast(
    (event) => event.kind === "step" && event.step.action.kind === "host_inject_abort",
  );
  // A load at EL1, translation fault of level 3: EC 0x25, IL, S1PTW, DFSC 0b000111.
  const outcome = injected?.kind === "step" ? injected.step.outcome : undefined;
  expect(outcome).toEqual({ kind: "returned", value: system.machine.cores[0]!.sysreg.ESR_EL1 });
  expect(system.machine.cores[0]!.sysreg.ESR_EL1 & 0xfc00_00bfn).toBe(0x9400_0087n);
});

test("a handler of permission faults that gives the page back lets the host go on", () => {
  for (const [mode, value] of [
    [1n, 5n],
    [0n, undefined],
  ] as const) {
    const system = booted();
    ops(system, PERM_FAULT, mode);
    ops(system, PROTECT, PAGE, 4n);
    act(system, { kind: "host_write", cpu: 0, address: PAGE << 12n, value: 5n });
    expect(lastAccess(system).value).toBe(value);
    expect(ops(system, COUNTER, 4n)).toBe(1n);
  }
});

test("an access whose handler does what is not modelled is not in the log as ended", () => {
  const system = booted();
  const fmov = place(system, PAGE, [0x1e60_4000, RET]); // fmov d0, d0
  op(system, "register_host_perm_fault_handler", fmov);
  ops(system, PROTECT, PAGE + 1n, 4n);
  const before = system.log.length;
  act(system, { kind: "host_write", cpu: 0, address: (PAGE + 1n) << 12n, value: 5n });
  expect(system.unmodelled).toBeDefined();
  expect(system.hyp.end).toBeUndefined();
  expect(system.log.slice(before).filter(({ kind }) => kind === "access")).toEqual([]);
});

test("another CPU acts before the instruction of the handler that is named, from 0", () => {
  for (const [before, read] of [
    [3, 7n],
    [4, 0n],
  ] as const) {
    const system = booted();
    const share = ANDROID14_6_1.hcalls.indexOf("__pkvm_host_share_hyp");
    act(system, { kind: "hvc", cpu: 0, imm: 0, x: [hostSmcccId(share), PAGE + 1n] });
    // ldr x4, [x3], the fourth; str x4, [x0, #8]: x1 of the host; mov w0, #1: handled.
    const loads = [0xf940_0064, 0xf900_0404, 0x5280_0020, RET];
    const shared = hypLinear((PAGE + 1n) << 12n);
    const handler = place(system, PAGE, [...load(3, shared), ...loads]);
    op(system, "register_host_smc_handler", handler);
    const write = { kind: "host_write", cpu: 1, address: (PAGE + 1n) << 12n, value: 7n } as const;
    const meanwhile = [{ before, action: write }];
    act(system, { kind: "smc", cpu: 0, x: [0x8300_ff00n], meanwhile });
    expect(lastX(system)?.[1]).toBe(read);
  }
});

test("what is no memory is not in the kernel's linear map: the host faults by itself", () => {
  const system = booted();
  for (const address of [0n, PL011_BASE, 0x3fff_f000n, 0x1_0000_0000n]) {
    act(system, { kind: "host_read", cpu: 0, address });
    expect(lastAccess(system).value).toBeUndefined();
  }
  const steps = system.log.flatMap((event) => (event.kind === "step" ? [event.step] : []));
  expect(steps.filter(({ action }) => action.kind === "illegal_abort")).toEqual([]);
  expect(system.unmodelled).toBeUndefined();
});
