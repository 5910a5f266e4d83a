// Whose secrets a taint comparison varies: a leak is planted for each owner, and noticed as its.

import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { checkSteps } from "../../../counterexamples/check.ts";
import { cortexA76, max } from "../../../cpu/cpu-model.ts";
import { PVMFW_FIRST } from "../../../model/initial.ts";
import { boot } from "../../../model/kernel/boot.ts";
import {
  HOST_STAGE2_ROOT,
  HYP_POOL,
  HYP_STAGE1_ROOT,
  hypStack,
  MODULE_OPS,
} from "../../../model/machine/layout.ts";
import { createMachine } from "../../../model/machine/machine.ts";
import { act, createSystem } from "../../../model/machine/run-scenario.ts";
import { perform, type System } from "../../../model/machine/system.ts";
import { hypLinear } from "../../../model/pgtable/hyp-stage1.ts";
import { guestLife, type HostAction, type Scenario } from "../../../model/scenario.ts";
import { ANDROID14_6_1 } from "../../../spec/branches/android14-6.1.ts";
import { branchOf, hostSmcccId } from "../../../spec/branches/branches.ts";
import { addressOf } from "../../../spec/types/address.ts";
import { PROT } from "../../../spec/types/module.ts";
import type { SecretsVaried } from "../../../spec/types/observed-action.ts";

const read = (file: string): Uint8Array =>
  readFileSync(fileURLToPath(new URL(`../../../examples/${file}`, import.meta.url)));
const FIRMWARE = addressOf(PVMFW_FIRST);
const FILES = new Map([
  ["ovm", read("measurement/ovm.ko")],
  ["shared_buffer", read("shared-buffer/shared_buffer.ko")],
]);

const SCENARIO: Scenario = {
  system: { branch: "android14-6.1", build: "production", documented: false, cpuCount: 2 },
  boot: {
    commandLine:
      "kvm-arm.mode=protected kvm-arm.protected_modules=shared_buffer,ovm ovm.seq=load,regops",
    firmwareBytes: 0x10_0000,
    modprobe: "stand-in",
    modulePath: "",
    initramfs: ["shared_buffer", "ovm"].map((name) => ({ name, file: name, needs: [] })),
    faults: [],
  },
  actions: [],
};

/** After the boot; the measured machine's CPU has no pointer authentication, `max` has. */
function booted(cpuModel = cortexA76): System {
  const created = createSystem(SCENARIO, FILES, { watch: true, secrets: true });
  const firmware = { start: FIRMWARE, end: FIRMWARE + BigInt(SCENARIO.boot.firmwareBytes) };
  const machine = createMachine(branchOf(SCENARIO.system), 2, { cpuModel, firmware });
  const system = { ...created, machine };
  boot(system);
  expect(system.hyp.modules.get("ovm")?.el2).toBe("initialised");
  return system;
}

/** What the comparison of the last action told. */
function told(system: System): readonly SecretsVaried[] {
  return system.log.flatMap((event) =>
    event.kind === "step" && event.step.action.kind === "secrets_varied" ? [event.step.action] : [],
  );
}

/** The rules that an action breaks. */
function brokenBy(system: System, action: HostAction): readonly string[] {
  system.log.length = 0;
  act(system, action);
  expect(system.unmodelled).toBeUndefined();
  const steps = system.log.flatMap((event) => (event.kind === "step" ? [event.step] : []));
  return checkSteps(steps).violations.map(({ rule }) => rule);
}

/** The measurement module's arbitrary reads: at an address of EL2, and of a page by the fixmap. */
const ops = (system: System, ...args: readonly bigint[]): HostAction => {
  const id = 0xc600_0080n + BigInt(system.hyp.dispatch.dynamicHcalls.length - 1);
  return { kind: "hvc", cpu: 0, imm: 0, x: [id, ...args] };
};
const [READ, READ_PAGE] = [23n, 14n];

/** An action that leaks what lies at an address that the owner has. */
interface Leak {
  readonly owner: string;
  readonly prepare?: readonly HostAction[];
  readonly action: (system: System) => HostAction;
}

const TWO_VMS = [0, 1].flatMap((vm) => guestLife(vm, 0x8000_0000, "off"));

/** A page of the second VM. */
function guestPage({ hyp }: System): bigint {
  const [, second] = [...hyp.vmTable.values()];
  const [page] = [...(second?.stage2.pages.values() ?? [])];
  expect(page).toBeDefined();
  return addressOf(page!.pfn);
}

const data = ({ hyp }: System, name: string): bigint => {
  const sections = hyp.modules.get(name)?.sections ?? [];
  const page = sections.find(({ prot }) => (prot & PROT.W) !== 0)?.pfns[0];
  expect(page).toBeDefined();
  return addressOf(page!);
};

/** The entry of level 1 for 256 GiB, where the linear map of EL2 begins; 8 bytes a GiB. */
const LINEAR_MAP = 256n * 8n;

const LEAKS: readonly Leak[] = [
  {
    owner: "EL2's stacks",
    action: (system) => ops(system, READ, hypStack(1).bottom + 0x800n),
  },
  {
    owner: "EL2's own memory",
    action: (system) => ops(system, READ, hypLinear(HYP_POOL.end - 0x8000n)),
  },
  { owner: "EL2's own memory", action: (system) => ops(system, READ, MODULE_OPS + 0xf00n) },
  {
    owner: "EL2's page tables",
    action: (system) => ops(system, READ, hypLinear(HYP_STAGE1_ROOT) + LINEAR_MAP),
  },
  {
    owner: "EL2's page tables",
    action: (system) => ops(system, READ_PAGE, HOST_STAGE2_ROOT + 8n),
  },
  {
    owner: "the firmware's pages",
    action: (system) => ops(system, READ_PAGE, addressOf(PVMFW_FIRST) + 0x3000n),
  },
  {
    owner: "data of shared_buffer",
    action: (system) => ops(system, READ_PAGE, data(system, "shared_buffer")),
  },
  {
    owner: "pages of VM 0x1001",
    prepare: TWO_VMS,
    action: (system) => ops(system, READ_PAGE, guestPage(system)),
  },
  {
    owner: "what EL2 keeps for VM 0x1000",
    prepare: TWO_VMS,
    action: (system) =>
      ops(system, READ, hypLinear(addressOf(system.hyp.vmTable.get(0x1000)!.memory))),
  },
  {
    // Stage 2 of a guest begins with two tables, one after the other.
    owner: "what EL2 keeps for VM 0x1000",
    prepare: TWO_VMS,
    action: (system) => {
      const { root } = system.hyp.vmTable.get(0x1000)!.stage2;
      return ops(system, READ, hypLinear(addressOf(root) + 0x1000n));
    },
  },
];

describe("a leak in a register", () => {
  test.each(LEAKS)("of $owner", ({ owner, prepare = [], action }) => {
    const system = booted();
    for (const one of prepare) act(system, one);
    expect(brokenBy(system, action(system))).toContain("MOD-13");
    expect(told(system).map((it) => it.owner)).toEqual([owner]);
    expect(told(system)[0]?.registers).not.toEqual([]);
  });

  test("is none where a module reads its own data, or a page of the host", () => {
    for (const at of [
      (system: System) => data(system, "ovm"),
      () => 0x5000_0000n,
      // Code of the hypervisor is in the image of every kernel.
      () => addressOf(0x7f400 as never),
    ]) {
      const system = booted();
      expect(brokenBy(system, ops(system, READ_PAGE, at(system)))).not.toContain("MOD-13");
      expect(told(system)).toHaveLength(1);
      expect(told(system)[0]?.owner).toBeUndefined();
    }
  });
});

const PAGE = 0x5_0000n;
/** MOVZ w0, #1; RET: an SMC that is answered. */
const ANSWERED = [0x5280_0020, 0xd65f_03c0];

/** Registers code of the module as the handler of SMCs. */
function handling(system: System, words: readonly number[]): void {
  const all = [...words, ...ANSWERED];
  for (let n = 0; n < all.length; n += 2) {
    const value = BigInt(all[n] ?? 0) | (BigInt(all[n + 1] ?? 0) << 32n);
    act(system, { kind: "host_write", cpu: 0, address: (PAGE << 12n) + BigInt(4 * n), value });
  }
  const op = (name: string, ...args: readonly bigint[]) =>
    perform(system, { kind: "op", cpu: 0, op: name, args }).outcome;
  const outcome = op("alloc_module_va", 1n);
  const va = outcome.kind === "returned" ? outcome.value : 0n;
  op("map_module_page", PAGE, va, 5n, 0n);
  op("register_host_smc_handler", va);
}

const SECRET_AT_EL2 = hypLinear(HYP_POOL.end - 0x8000n);
const smc = (...args: readonly bigint[]): HostAction => ({
  kind: "smc",
  cpu: 0,
  x: [0x8300_ff01n, ...args],
});

describe("a leak of a callback", () => {
  test("is noticed in an SMC: a key in x1", () => {
    const system = booted(max);
    // MRS x2, APIAKeyLo_EL1; STR x2, [x0, #8]
    handling(system, [0xd538_2102, 0xf900_0402]);
    expect(brokenBy(system, smc())).toContain("MOD-13");
    expect(told(system).map(({ owner }) => owner)).toEqual(["EL2's keys"]);
    expect(told(system)[0]?.registers.map(({ register }) => register)).toEqual([1]);
  });

  test("is noticed in a register that no answer has: x20", () => {
    const system = booted();
    // LDR x1, [x0, #8]; LDR x2, [x1]; STR x2, [x0, #160]
    handling(system, [0xf940_0401, 0xf940_0022, 0xf900_5002]);
    expect(brokenBy(system, smc(SECRET_AT_EL2))).toContain("MOD-13");
    expect(told(system)[0]?.registers.map(({ register }) => register)).toEqual([20]);
  });

  test("is noticed in memory that the host shares", () => {
    const system = booted();
    const share: HostAction = { kind: "hvc", cpu: 0, imm: 0, x: [0xc600_0012n, PAGE + 1n] };
    act(system, share);
    // LDR x1, [x0, #8]; LDR x3, [x0, #16]; LDR x2, [x1]; STR x2, [x3]
    handling(system, [0xf940_0401, 0xf940_0803, 0xf940_0022, 0xf900_0062]);
    const broken = brokenBy(system, smc(SECRET_AT_EL2, hypLinear((PAGE + 1n) << 12n)));
    expect(broken).toContain("MOD-14");
    expect(broken).not.toContain("MOD-13");
    expect(told(system)[0]?.words.map(({ address }) => address)).toEqual([(PAGE + 1n) << 12n]);
  });
});

/** MOVZ and MOVK of an address into a register. Source: DDI0487 C6.2 MOVZ, MOVK. */
const load = (register: number, value: bigint): readonly number[] =>
  [0, 1, 2].map((n) => {
    const imm16 = Number((value >> BigInt(16 * n)) & 0xffffn);
    return ((n === 0 ? 0xd280_0000 : 0xf280_0000) | (n << 21) | (imm16 << 5) | register) >>> 0;
  });

test("a word that only the one run writes is seen", () => {
  const system = booted();
  const [code, shared] = [0x5000_0000n, 0x5000_1000n];
  const share = ANDROID14_6_1.hcalls.indexOf("__pkvm_host_share_hyp");
  act(system, { kind: "hvc", cpu: 0, imm: 0, x: [hostSmcccId(share), shared >> 12n] });
  const words = [
    ...load(3, hypLinear(HYP_POOL.end - 0x8000n)), // EL2's own memory: zero
    ...load(5, hypLinear(shared)),
    0xf940_0064, // ldr x4, [x3]
    0xb500_0044, // cbnz x4, over the store
    0xf900_00a3, // str x3, [x5]
    0x5280_0020, // mov w0, #1: handled
    0xd65f_03c0, // ret
  ];
  for (let n = 0; n < words.length; n += 2) {
    const pair = BigInt(words[n] ?? 0) | (BigInt(words[n + 1] ?? 0) << 32n);
    system.machine.physical.write64(code + BigInt(4 * n), pair);
  }
  const op = (name: string, ...args: readonly bigint[]) =>
    perform(system, { kind: "op", cpu: 0, op: name, args }).outcome;
  const reserved = op("alloc_module_va", 1n);
  const va = reserved.kind === "returned" ? reserved.value : 0n;
  op("map_module_page", code >> 12n, va, BigInt(PROT.R | PROT.X), 0n);
  op("register_host_smc_handler", va);
  expect(brokenBy(system, { kind: "smc", cpu: 0, x: [0x8300_ff00n] })).toContain("MOD-14");
});
