// The whole system while it runs: the abstract state, the machine under it, and the log of what
// happened.

import type { Action } from "../../spec/types/action.ts";
import type { HypVa, KernVa } from "../../spec/types/address.ts";
import type { Hyp } from "../../spec/types/hyp.ts";
import type { LoadedModule } from "../elf/load.ts";
import { consoleLines, panicLines } from "../kernel/console.ts";
import type { HostKvm } from "../kernel/kvm/host-kvm.ts";
import type { LogEvent } from "../log.ts";
import { syncDescriptors } from "../pgtable/sync.ts";
import type { BootPlan } from "../scenario.ts";
import { type ModelStep, step } from "../step.ts";
import type { Failing } from "./failing-op.ts";
import type { GuestTrace } from "./guest.ts";
import type { Interleaving } from "./interleave.ts";
import type { Machine } from "./machine.ts";
import { applyEvents } from "./memory-events.ts";
import type { Watch } from "./watch.ts";

/** A module while the kernel holds its memory. */
export interface ModuleImage {
  readonly loaded: LoadedModule;
  /** Regions of module memory and the pages behind them, to give back when the module goes. */
  readonly regions: readonly { readonly base: KernVa; readonly pages: number }[];
}

/** How a run is limited, and what is left out on purpose. */
export interface RunOptions {
  /** Instructions that one entry of module code may take. */
  readonly budget: number;
  /** Guards that are removed, `TRANSITION/CLAUSE`. */
  readonly omit?: ReadonlySet<string>;
  /** Kernel functions outside the exported set that answer a fixed value. */
  readonly stubs?: ReadonlyMap<string, bigint>;
  /** Do not run the EL1 half: load the EL2 half as a correct EL1 half would. */
  readonly el2Only?: boolean;
  /** Look at every instruction of module code at EL2: what it touches, what it leaves. */
  readonly watch?: boolean;
  /** Make each call a second time with other secrets, and compare what the host sees. */
  readonly secrets?: boolean;
  readonly onStep?: (step: ModelStep) => void;
  /** Called before each instruction of a guest. */
  readonly guestTrace?: GuestTrace;
}

/** The running system. Mutable: one run owns it. */
export interface System {
  hyp: Hyp;
  readonly machine: Machine;
  readonly plan: BootPlan;
  readonly files: ReadonlyMap<string, Uint8Array>;
  readonly options: RunOptions;
  readonly log: LogEvent[];
  /** Modules in kernel memory, by name. */
  readonly images: Map<string, ModuleImage>;
  /** Modules whose memory was freed, by name, as they were loaded last. */
  readonly freed: Map<string, LoadedModule>;
  /** What the host's KVM and the process that uses it hold. */
  readonly kvm: HostKvm;
  /** How often each hypercall that can be made to fail was made. */
  readonly calls: Map<string, number>;
  /** Kernel functions that a stub answered. */
  readonly stubbed: Set<string>;
  /** Where EL2 keeps its table of ops. */
  readonly opsTable: HypVa;
  /**
   * CPUs on which the kernel or the scenario makes an HVC of its own, and keeps the record of it.
   */
  readonly calling: Set<number>;
  /** Tells the modules' notifier that EL2 is about to stop. */
  beforePanic: (cpu: number) => void;
  isPanicking: boolean;
  /** What stopped the run although the system did not end. */
  unmodelled: string | undefined;
  /** mod_direct_hyp_base: where EL2 sees the module area, once a module was loaded there. */
  directRange: HypVa | undefined;
  /** Nesting of what is being done, for the log. */
  depth: number;
  instructions: number;
  /** What was seen of module code at EL2; undefined where nobody looks. */
  readonly watch: Watch | undefined;
  /** The call that is stopped on its way for what other CPUs do. */
  interleaving: Interleaving | undefined;
  /** The code some of whose ops are made to fail. */
  failing: Failing | undefined;
  /** The ops of EL2 inits that the boot makes fail. */
  readonly failingInits: Failing | undefined;
}

/** Whether nothing more can happen. */
export const over = (system: System): boolean =>
  system.hyp.end !== undefined || system.unmodelled !== undefined;

/** What went out at the serial port, as one event. */
export function drainSerial({ machine, log }: System): void {
  const text = machine.uart.take();
  if (text !== "") log.push({ kind: "serial", text });
}

/** Does one action: the abstract step, then the descriptors that follow it, then the log. */
export function perform(system: System, action: Action): ModelStep {
  drainSerial(system);
  const options = system.options.omit === undefined ? {} : { omit: system.options.omit };
  let done = step(system.hyp, action, options);
  if (done.outcome.kind === "hyp-panic" && !system.isPanicking) {
    system.isPanicking = true;
    system.beforePanic("cpu" in action ? action.cpu : 0);
    // NON-SPEC: the notifier's own steps are told before the one that stops the system.
    if (over(system)) return done;
    done = step(system.hyp, action, options);
  }
  system.hyp = done.post;
  applyEvents(system.machine, done.outcome);
  if (done.pre !== done.post) syncDescriptors(system.machine, done.pre, done.post);
  system.log.push({ kind: "step", step: done, depth: system.depth });
  for (const text of [...consoleLines(done), ...panicLines(done)]) {
    system.log.push({ kind: "console", text });
  }
  system.options.onStep?.(done);
  if (done.outcome.kind === "unmodelled") stop(system, done.outcome.what);
  return done;
}

/** Stops the run at something that the model does not know. */
export function stop(system: System, what: string): void {
  if (system.unmodelled !== undefined) return;
  system.unmodelled = what;
  system.log.push({ kind: "unmodelled", what });
}

/** Does something one level deeper in the log. */
export function nested<T>(system: System, work: () => T): T {
  system.depth += 1;
  const result = work();
  system.depth -= 1;
  return result;
}

/** The value that a step returned, as a signed number. */
export function returnedValue({ outcome }: ModelStep): number {
  return outcome.kind === "returned" ? Number(BigInt.asIntN(64, outcome.value)) : 0;
}
