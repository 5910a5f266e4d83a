// EL2 while a guest runs: each exit is one action; what the host must do ends __kvm_vcpu_run.

import { EC } from "../../cpu/exceptions/exception.ts";
import type { GuestEntry } from "../../spec/types/outcome.ts";
import type { ModelStep } from "../step.ts";
import { loadedOn } from "../vm/loaded.ts";
import type { HvcAnswer } from "./answers.ts";
import { type GuestRan, runGuest } from "./guest.ts";
import {
  enter,
  type GuestContext,
  getX,
  leave,
  programCounter,
  rewind,
  setX,
  skip,
} from "./guest-context.ts";
import { nested, over, perform, type System, stop } from "./system.ts";

const ENDED = { kind: "ended" } as const;

/** What __kvm_vcpu_run answers to an exit that the host must handle. Source: asm/kvm_asm.h. */
const ARM_EXCEPTION_TRAP = 2n;

type Loaded = NonNullable<ReturnType<typeof loadedOn>>;

const loaded = (system: System, cpu: number): Loaded => {
  const found = loadedOn(system.hyp, cpu);
  if (found === undefined) throw new Error(`CPU ${cpu} runs a vCPU that it has not loaded`);
  return found;
};

/** Runs the loaded vCPU until it leaves for the host; `x` are the registers of the host's call. */
export function runVcpu(
  system: System,
  cpu: number,
  entry: GuestEntry,
  x: readonly bigint[],
): HvcAnswer {
  let context = enter(system.machine, loaded(system, cpu).vcpu, entry);
  for (let left = system.options.budget; ; ) {
    const trace = system.options.guestTrace;
    const ran = runGuest(system.machine, cpu, loaded(system, cpu), context, left, trace);
    if (ran.kind !== "exit") return gaveUp(system, cpu, ran);
    system.instructions += ran.instructions;
    left -= ran.instructions + 1;
    context = ran.context;
    const done = handled(system, cpu, ran, left);
    if (done === "ended") return ENDED;
    if (done === "left") return { kind: "registers", x: [0n, ARM_EXCEPTION_TRAP, ...x.slice(2)] };
    if (left <= 0) return gaveUp(system, cpu, { ...ran, kind: "budget", where: at(context) });
  }
}

const at = (context: GuestContext): string =>
  `a guest at 0x${programCounter(context).toString(16)}`;

/** It never left, or did what is not modelled. */
function gaveUp(system: System, cpu: number, ran: Exclude<GuestRan, { kind: "exit" }>): HvcAnswer {
  if (ran.kind === "unmodelled") stop(system, ran.what);
  else perform(system, { kind: "guest_budget_spent", cpu, where: ran.where });
  return ENDED;
}

type Exited = Extract<GuestRan, { kind: "exit" }>;

/** One exit. `left`: the host goes on; `runs`: the guest does, with its context changed. */
function handled(
  system: System,
  cpu: number,
  ran: Exited,
  left: number,
): "left" | "runs" | "ended" {
  const { esr, far, ipa, context } = ran;
  switch (Number(esr >> 26n)) {
    case EC.HVC64: {
      const x = Array.from({ length: 18 }, (_, n) => getX(context, n));
      return settle(system, cpu, context, () => perform(system, { kind: "guest_hvc", cpu, x }));
    }
    case EC.InstructionAbortLowerEl:
    case EC.DataAbortLowerEl: {
      const stored = getX(context, Number((esr >> 16n) & 0x1fn));
      return settle(system, cpu, context, () =>
        perform(system, { kind: "guest_abort", cpu, esr, far, ipa, stored }),
      );
    }
    case EC.WFxTrap:
      // ISS.TI: WFE may go on at once; WFI waits for an interrupt, and none comes.
      if ((esr & 1n) !== 0n && left > 0) {
        skip(context);
        return "runs";
      }
      gaveUp(system, cpu, { kind: "budget", where: `WFI in ${at(context)}`, instructions: 0 });
      return "ended";
    default:
      stop(system, `trap of ${at(context)}, ESR_EL2 0x${esr.toString(16)}`);
      return "ended";
  }
}

/** Does to the guest, or shows to the host, what a step answered. */
function settle(
  system: System,
  cpu: number,
  context: GuestContext,
  act: () => ModelStep,
): "left" | "runs" | "ended" {
  const { outcome } = nested(system, act);
  if (over(system)) return "ended";
  if (outcome.kind === "guest") {
    outcome.x.forEach((value, n) => {
      setX(context, n, value);
    });
    return "runs";
  }
  if (outcome.kind !== "exits") throw new Error(`an exit of a guest answered ${outcome.kind}`);
  if (outcome.again) rewind(context);
  leave(system.machine, loaded(system, cpu).vcpu, context, outcome);
  return "left";
}
