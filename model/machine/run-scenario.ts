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
import type {
  BootPlan,
  HostAction,
  HostHvc,
  HostRead,
  HostSmc,
  HostWrite,
  Scenario,
} from "../scenario.ts";
import { notifyPanic } from "./callbacks.ts";
import { callerOf, environmentOf, settled } from "./environment.ts";
import { compareFailing, failingOf } from "./failing-op.ts";
import { forkSystem } from "./fork-system.ts";
import { interleavingOf } from "./interleave.ts";
import { kernelLinear } from "./layout.ts";
import { createMachine, type MachineOptions } from "./machine.ts";
import { hostAccess, hostHvc, hostSmc } from "./run.ts";
import { compareSecrets, withOtherSecrets } from "./secrets.ts";
import { drainSerial, over, type RunOptions, type System, stop } from "./system.ts";
import { beforeCall, createWatch, watchCall } from "./watch.ts";

/** Instructions that one entry of module code may take before it counts as never returning. */
export const DEFAULT_BUDGET = 1_000_000;

/**
 * What a register holds that an HVC of the scenario does not name. Source: the markers of the
 * recorded traces.
 */
const marker = (n: number): bigint => 0xa0a0_0000n + BigInt(n);

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
    unmodelled: system.unmodelled,
    stubbed: [...system.stubbed].sort(),
    instructions: system.instructions,
    loaded: new Map([...system.images].map(([name, { loaded }]) => [name, loaded])),
  };
}

/** One action of the host. */
export function act(system: System, action: HostAction): void {
  if ("cpu" in action && system.hyp.psci.power[action.cpu] === "off") {
    stop(system, `the host on CPU ${action.cpu}, which is off`);
    return;
  }
  switch (action.kind) {
    case "hvc":
      callFromHost(system, action);
      return;
    case "smc":
      smcFromHost(system, action);
      return;
    case "host_read":
    case "host_write":
      accessFromHost(system, action);
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

/** The registers after the last call of the host in a log. */
function lastAnswer({ log }: System): readonly bigint[] | undefined {
  const last = log.findLast((event) => event.kind === "hvc" && event.by === "host");
  return last?.kind === "hvc" ? last.after : undefined;
}

/** A real HVC at EL1 with the registers that the action names, and markers in the others. */
function callFromHost(system: System, { cpu, imm, x, meanwhile, failing }: HostHvc): void {
  const before = Array.from({ length: 18 }, (_, n) => x[n] ?? marker(n));
  const plain: HostHvc = { kind: "hvc", cpu, imm, x };
  const outer = system.interleaving;
  if (meanwhile?.some(({ action }) => action.cpu === cpu) === true) {
    stop(system, `CPU ${cpu}, which is in a handler, acts meanwhile`);
    return;
  }
  if (meanwhile !== undefined) {
    system.interleaving = interleavingOf(cpu, meanwhile, (action) => act(system, action));
  }
  const alone = meanwhile === undefined && outer === undefined;
  const varied = system.options.secrets === true && alone ? withOtherSecrets(system) : undefined;
  if (varied !== undefined) callFromHost(varied, plain);
  const good = failing !== undefined && alone ? forkSystem(system) : undefined;
  if (good !== undefined) callFromHost(good, plain);
  if (failing !== undefined) system.failing = failingOf(cpu, failing);
  const { failing: fault } = system;
  const held = beforeCall(system);
  const since = system.log.length;
  system.calling.add(cpu);
  const ran = hostHvc(system.machine, cpu, imm, before, environmentOf(system));
  system.calling.delete(cpu);
  system.interleaving = outer;
  system.failing = undefined;
  const after = settled(system, cpu, ran) ? ran.x : undefined;
  system.log.push({ kind: "hvc", cpu, imm, before, after, by: "host" });
  if (varied !== undefined) compareSecrets(system, varied, cpu, after, lastAnswer(varied));
  if (good !== undefined && fault !== undefined) {
    compareFailing(system, fault, since, good, [after, lastAnswer(good)]);
  }
  if (alone && failing === undefined) watchCall(system, cpu, held, before, after);
}

/** A real SMC at EL1, as `callFromHost` does it. */
function smcFromHost(system: System, { cpu, imm = 0, x }: HostSmc): void {
  const before = Array.from({ length: 18 }, (_, n) => x[n] ?? marker(n));
  const ran = hostSmc(system.machine, cpu, imm, before, environmentOf(system));
  const after = settled(system, cpu, ran) ? ran.x : undefined;
  system.log.push({ kind: "hvc", smc: true, cpu, imm, before, after, by: "host" });
}

/** LDR or STR at EL1 of 8 bytes in the kernel's linear map. */
function accessFromHost(system: System, action: HostRead | HostWrite): void {
  const { cpu, address } = action;
  const store = action.kind === "host_write" ? action.value : undefined;
  const access = { va: kernelLinear(system.machine.branch, address), sizeBytes: 8, store } as const;
  const accessed = hostAccess(system.machine, cpu, access, environmentOf(system));
  if (accessed.kind !== "value" && accessed.kind !== "fault") {
    settled(system, cpu, accessed);
    if (system.hyp.end === undefined) return;
    const isStore = store !== undefined;
    const record = { kind: "access", cpu, address, store: isStore, value: undefined } as const;
    system.log.push({ ...record, ended: true });
    return;
  }
  const value = accessed.kind === "value" ? accessed.value : undefined;
  system.log.push({ kind: "access", cpu, address, store: store !== undefined, value });
}
