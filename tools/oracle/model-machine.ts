// The model as a machine that answers one step after the other, beside the real kernel.

import { MEMORY } from "../../model/initial.ts";
import { boot } from "../../model/kernel/boot.ts";
import { act, createSystem } from "../../model/machine/run-scenario.ts";
import { over, type RunOptions, type System } from "../../model/machine/system.ts";
import type { BootPlan } from "../../model/scenario.ts";
import { VMCR_RESET } from "../../spec/vmcr.ts";
import type { Answer } from "./answer.ts";
import { MACHINE, SYSTEM } from "./debian-machine.ts";
import { UNSHARE, WRITE_VMCR } from "./hypercall-ids.ts";
import { hex, hvc, type Sequence, type StepAction } from "./script.ts";

/** The model after its boot. */
export interface ModelMachine {
  readonly system: System;
  /** What the hypervisor knew of pages when the boot was over. */
  readonly atBoot: ReadonlyMap<unknown, unknown>;
}

/** Boots the model as the real machine boots. */
export function bootModel(options: Partial<RunOptions> = {}): ModelMachine {
  const plan: BootPlan = {
    ...{ commandLine: MACHINE.commandLine, firmwareBytes: 0, modulePath: "" },
    ...{ modprobe: "stand-in", initramfs: [], faults: [] },
  };
  const scenario = { system: SYSTEM, boot: plan, actions: [] };
  const system = createSystem(scenario, new Map(), options);
  boot(system);
  return { system, atBoot: system.hyp.pages };
}

/** How much of what was done is still there: pages and registers that are not as at boot. */
export const residueOf = ({ system, atBoot }: ModelMachine): number =>
  system.hyp.pages.size - atBoot.size + changedVmcrs(system).length;

/** Whether nothing is left of what was done: the next sequence finds what the first one found. */
export const isPristine = (model: ModelMachine): boolean =>
  !over(model.system) && residueOf(model) === 0;

/** CPUs whose virtual interface of the GIC is not as it was at boot. */
const changedVmcrs = ({ hyp }: System): readonly number[] =>
  [...hyp.vmcr].flatMap(([cpu, value]) => (value === VMCR_RESET ? [] : [cpu]));

/** What takes back what the model has kept: pages of memory that are shared, and registers. */
export function takenBackBy({ system }: ModelMachine): Sequence {
  const shared = [...system.hyp.pages].filter(
    ([page, { host }]) => host === "SHARED_OWNED" && page >= MEMORY.first && page <= MEMORY.last,
  );
  return [
    ...shared.map(([page]) => hvc(UNSHARE, [hex(page)])),
    ...changedVmcrs(system).map((cpu) => hvc(WRITE_VMCR, [hex(VMCR_RESET)], { cpu })),
  ];
}

/** Does what the host does and says what came of it. */
export function modelAnswer({ system }: ModelMachine, action: StepAction): Answer {
  if (system.unmodelled !== undefined) return { kind: "unmodelled", what: system.unmodelled };
  const from = system.log.length;
  act(system, action);
  const log = system.log.splice(from);
  const { end } = system.hyp;
  if (end !== undefined) {
    return { kind: "ended", reason: "reason" in end ? end.reason : end.kind };
  }
  if (system.unmodelled !== undefined) return { kind: "unmodelled", what: system.unmodelled };
  const event = log.findLast(({ kind }) => kind === "hvc" || kind === "access");
  if (event?.kind === "access") {
    if (event.value === undefined) return { kind: "aborted" };
    return event.store ? { kind: "stored" } : { kind: "value", value: event.value };
  }
  if (event?.kind !== "hvc" || event.after === undefined) {
    return { kind: "unmodelled", what: "an action without an answer" };
  }
  const { before, after } = event;
  const changed = after.reduce((mask, value, n) => mask | (Number(value !== before[n]) << n), 0);
  return { kind: "registers", x: after.slice(0, 4), changed };
}
