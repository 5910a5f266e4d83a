// Runs a scenario on the machine: boots it, then does what the host does, one action after the
// other.

import { writeBytes } from "../../cpu/memory.ts";
import { branchOf } from "../../spec/branches/branches.ts";
import { addressOf } from "../../spec/types/address.ts";
import { initialHyp, PVMFW_FIRST } from "../initial.ts";
import { boot, modprobeHost } from "../kernel/boot.ts";
import { deleteModule, finitModule } from "../kernel/finit-module.ts";
import { createHostKvm } from "../kernel/kvm/host-kvm.ts";
import { actOfProcess } from "../kernel/kvm/process.ts";
import type { Run } from "../log.ts";
import type { BootPlan, HostAction, Scenario } from "../scenario.ts";
import { notifyPanic } from "./callbacks.ts";
import { callerOf } from "./environment.ts";
import { failingInits } from "./failing-op.ts";
import { enterFromHost } from "./host-entry.ts";
import { createMachine, type MachineOptions } from "./machine.ts";
import { drainSerial, over, type RunOptions, type System, stop } from "./system.ts";
import { createWatch } from "./watch.ts";

/** Instructions that one entry of module code may take before it counts as never returning. */
export const DEFAULT_BUDGET = 1_000_000;

const FIRMWARE_BASE = addressOf(PVMFW_FIRST);

const firmwareOf = ({ firmwareBytes }: BootPlan): MachineOptions =>
  firmwareBytes === 0
    ? {}
    : { firmware: { start: FIRMWARE_BASE, end: FIRMWARE_BASE + BigInt(firmwareBytes) } };

/** Makes a system before its boot. */
export function createSystem(
  scenario: Scenario,
  files: ReadonlyMap<string, Uint8Array>,
  options: Partial<RunOptions>,
): System {
  const { system: config, boot: plan } = scenario;
  const machine = createMachine(branchOf(config), config.cpuCount, firmwareOf(plan));
  const image = files.get(plan.firmwareImage ?? "")?.subarray(0, plan.firmwareBytes);
  if (image !== undefined) writeBytes(machine.memory, FIRMWARE_BASE, image);
  const system: System = {
    hyp: initialHyp(config, plan.firmwareBytes),
    machine,
    plan,
    files,
    options: { budget: DEFAULT_BUDGET, ...options },
    log: [],
    images: new Map(),
    freed: new Map(),
    kvm: createHostKvm(),
    calls: new Map(),
    stubbed: new Set(),
    calling: new Set(),
    opsTable: machine.opsTable,
    unmodelled: undefined,
    directRange: undefined,
    depth: 0,
    instructions: 0,
    watch: options.watch === true ? createWatch() : undefined,
    beforePanic: () => undefined,
    isPanicking: false,
    interleaving: undefined,
    failing: undefined,
    failingInits: failingInits(plan),
  };
  system.beforePanic = (cpu) => {
    notifyPanic(callerOf(system), cpu);
  };
  return system;
}

/** Boots and acts; ends early when the system ends or meets what is not modelled. */
export function runScenario(
  scenario: Scenario,
  files: ReadonlyMap<string, Uint8Array>,
  options: Partial<RunOptions> = {},
): Run {
  const system = createSystem(scenario, files, options);
  boot(system);
  for (const action of scenario.actions) {
    if (over(system) || system.kvm.dead) break;
    act(system, action);
    drainSerial(system);
  }
  return {
    log: system.log,
    final: system.hyp,
    calls: system.calls,
    unmodelled: system.unmodelled,
    stubbed: [...system.stubbed].sort(),
    instructions: system.instructions,
    loaded: loadedIn(system),
  };
}

/** The modules of a system as they were loaded last. */
export const loadedIn = ({ images, freed }: System): Run["loaded"] =>
  new Map([
    ...[...freed].filter(([name]) => !images.has(name)),
    ...[...images].map(([name, { loaded }]) => [name, loaded] as const),
  ]);

/** One action of the host. */
export function act(system: System, action: HostAction): void {
  if ("cpu" in action && system.hyp.psci.power[action.cpu] === "off") {
    stop(system, `the host on CPU ${action.cpu}, which is off`);
    return;
  }
  switch (action.kind) {
    case "hvc":
    case "smc":
    case "host_insn":
    case "host_read":
    case "host_write":
      enterFromHost(system, action, act);
      return;
    case "insmod": {
      const module = modprobeHost(system, "").initramfs.find(({ name }) => name === action.name);
      const value =
        module === undefined ? -2 : finitModule(system, action.cpu, module, action.parameters);
      if (value === undefined) return;
      system.log.push({ kind: "answer", of: "insmod", name: action.name, value });
      return;
    }
    case "rmmod": {
      const value = deleteModule(system, 0, action.name);
      if (value === undefined) return;
      system.log.push({ kind: "answer", of: "rmmod", name: action.name, value });
      return;
    }
    default:
      actOfProcess(system, action);
  }
}
