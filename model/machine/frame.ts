// One run of a CPU until its return gate: every stop on the way is answered and the CPU goes on.

import { noGates, run, type Stop } from "../../cpu/core.ts";
import { EC, type Exception } from "../../cpu/exceptions/exception.ts";
import { takeException } from "../../cpu/exceptions/take.ts";
import type { Core } from "../../cpu/state.ts";
import { EXPORTED_FUNCTIONS } from "../kernel/exported/exported.ts";
import { type ExportedFunction, isKernelStop, type KernelStop } from "../kernel/exported/kernel.ts";
import type { Answer, Ended, Entered, Environment, HvcAnswer, Ran } from "./answers.ts";
import { injectHostAbort, resolveHostAbort } from "./host-abort.ts";
import { restoreHost, saveHost, writeHostRegisters } from "./host-context.ts";
import { kernelOf } from "./kernel.ts";
import { HYP_ENTER_HOST } from "./layout.ts";
import type { Machine } from "./machine.ts";
import { KERNEL_ERET } from "./stubs.ts";

/** What is being run. */
export interface Frame {
  readonly machine: Machine;
  readonly cpu: number;
  readonly core: Core;
  readonly env: Environment;
  /** Where the code was entered and how. */
  readonly entry: bigint;
  readonly entered: Entered;
  /** The gate that ends the run. */
  readonly returnTo: bigint;
  /** Calls a function of a module from a kernel function. */
  readonly callEl1: (address: bigint, args: readonly bigint[]) => Ran;
  /** Instructions left; a gate counts as one. */
  left: number;
  instructions: number;
}

/** x0 to x17, what a caller and SMCCC look at. */
export const firstRegisters = (core: Core): bigint[] => Array.from(core.x.subarray(0, 18));
const arguments8 = (core: Core): bigint[] => Array.from(core.x.subarray(0, 8));

/** Runs until the frame returns or cannot go on. */
export function resume(frame: Frame): Ran {
  const { machine, core, env, cpu } = frame;
  const { trace } = env;
  const traced =
    trace === undefined ? {} : { trace: (at: Core, word: number) => trace(cpu, at.pc, word) };
  for (;;) {
    const before = core.retired;
    const stop = run(core, { budget: frame.left, gates: machine.gates.stops, ...traced });
    const executed = core.retired - before;
    frame.instructions += executed;
    frame.left -= executed + 1;
    const ran = answer(frame, stop);
    if (ran !== undefined) return ran;
    if (frame.left <= 0) return budget(frame, `EL${core.pstate.EL} at ${hex(core.pc)}`);
  }
}

const hex = (value: bigint): string => `0x${value.toString(16)}`;

const budget = ({ instructions, core }: Frame, where: string): Ran => ({
  kind: "budget",
  where,
  pc: core.pc,
  instructions,
});

/** Deals with one stop; undefined when the CPU goes on. */
function answer(frame: Frame, stop: Stop): Ran | undefined {
  const { core } = frame;
  switch (stop.kind) {
    case "gate":
      return answerGate(frame, stop.address, stop.el);
    case "budget":
      return budget(frame, `EL${core.pstate.EL} at ${hex(core.pc)}`);
    case "smc":
      return untrappedSmc(frame, stop.imm);
    case "wait":
      // CHOICE: WFE may end for any reason, so that it is no wait; WFI ends only with an interrupt,
      // and none comes.
      return stop.instruction === "WFE" ? undefined : budget(frame, "WFI without an interrupt");
    case "unmodelled": {
      const { what, pc, word } = stop;
      const where = `EL${core.pstate.EL}, ${hex(pc)}, word ${hex(BigInt(word))}`;
      return { kind: "unmodelled", what: `${what} at ${where}` };
    }
  }
}

function answerGate(frame: Frame, address: bigint, el: number): Ran | undefined {
  const { machine, core } = frame;
  const gate = (el === 2 ? machine.gates.el2 : machine.gates.el1).get(address)!;
  switch (gate.kind) {
    case "return":
      if (address !== frame.returnTo) {
        return {
          kind: "unmodelled",
          what: `a return to ${hex(address)}, where nothing was called`,
        };
      }
      return { kind: "returned", x: firstRegisters(core), instructions: frame.instructions };
    case "vector":
      return el === 2 ? hypVector(frame, gate.offset) : hostVector(frame);
    case "kernel function":
      return callKernelFunction(frame, gate.name);
    case "op":
      return answerCall(core, frame.env.op(gate.name, arguments8(core), frame.cpu));
  }
}

/** A function that the environment stands for has come to its end. */
function answerCall(core: Core, answered: Answer): Ended | undefined {
  switch (answered.kind) {
    case "ended":
      return answered;
    case "fault":
      // The exception is taken where the function stands, and answered at the vector like any
      // other.
      takeException(core, answered.fault);
      return undefined;
    case "value":
      return returnFrom(core, answered.x0);
  }
}

/** Goes back to the caller of a gate, as RET does. */
function returnFrom(core: Core, x0: bigint | undefined): undefined {
  if (x0 !== undefined) core.x[0] = x0;
  core.pc = core.x[30]!;
  core.pstate.BTYPE = 0;
}

/** An exception was taken to EL1: the kernel goes on elsewhere, or this is its end. */
function hostVector({ core, cpu, env, instructions }: Frame): Ran | undefined {
  const { ESR_EL1: esr, ELR_EL1: elr, FAR_EL1: far } = core.sysreg;
  const goOn = env.hostException?.(cpu, esr, elr, far);
  if (goOn === undefined) {
    const lr = core.x[30]!;
    return { kind: "exception", el: 1, esr, elr, far, lr, entered: "inside", instructions };
  }
  core.sysreg.ELR_EL1 = goOn;
  execute(core, KERNEL_ERET);
  return undefined;
}

/**
 * Offset of a synchronous exception from a lower level in AArch64. Source: DDI0487 D1.3, Exception
 * vectors.
 */
const LOWER_SYNCHRONOUS = 0x400;

/** An exception was taken to EL2: the host's trap, or EL2's own, which nothing handles. */
function hypVector(frame: Frame, offset: number): Ran | undefined {
  const { core, entry, entered, instructions } = frame;
  if (offset === LOWER_SYNCHRONOUS) return hostTrap(frame);
  const { ESR_EL2: esr, ELR_EL2: elr, FAR_EL2: far } = core.sysreg;
  const how = elr === entry ? entered : "inside";
  const lr = core.x[30]!;
  return { kind: "exception", el: 2, esr, elr, far, lr, entered: how, instructions };
}

/** Executes one instruction of the model's own. */
function execute(core: Core, at: bigint): void {
  core.pc = at;
  run(core, { budget: 1, gates: noGates });
}

/**
 * __host_exit, handle_trap, __host_enter_restore_full: the host's registers go to memory, the trap
 * is answered, they
 * come back, ERET. Source: hyp/nvhe/host.S, handle_trap in hyp/nvhe/hyp-main.c (android14-6.1).
 */
function hostTrap(frame: Frame): Ran | undefined {
  const { machine, cpu, core } = frame;
  saveHost(machine, cpu, core);
  const ended = handleTrap(frame);
  if (ended !== undefined) return ended;
  restoreHost(machine, cpu, core);
  execute(core, HYP_ENTER_HOST);
  return undefined;
}

/** handle_trap: by exception class. */
function handleTrap(frame: Frame): Ran | undefined {
  const { core, cpu, env, machine } = frame;
  const esr = core.sysreg.ESR_EL2;
  switch (Number(esr >> 26n)) {
    case EC.HVC64:
      return registers(frame, env.hvc(cpu, Number(esr & 0xffffn), firstRegisters(core)));
    case EC.SMC64: {
      const ended = registers(frame, env.smc(cpu, firstRegisters(core), Number(esr & 0xffffn)));
      core.sysreg.ELR_EL2 += 4n;
      return ended;
    }
    case EC.InstructionAbortLowerEl:
    case EC.DataAbortLowerEl: {
      const abort = resolveHostAbort(machine, core);
      if (abort === undefined) return undefined;
      const answered = env.hostAbort(cpu, abort);
      if (answered.kind === "inject") injectHostAbort(core);
      return answered.kind === "ended" ? answered : undefined;
    }
    default: {
      const answered = env.hostTrap(cpu, esr);
      if (answered.kind === "ended") return answered;
      if (answered.advance) core.sysreg.ELR_EL2 += 4n;
      return undefined;
    }
  }
}

/** Writes the answered registers into the host's context. */
function registers({ machine, cpu }: Frame, answered: HvcAnswer): Ran | undefined {
  if (answered.kind === "ended") return answered;
  writeHostRegisters(machine, cpu, answered.x);
  return undefined;
}

/** An SMC that HCR_EL2.TSC does not trap: the firmware answers the host itself. */
function untrappedSmc({ core, cpu, env }: Frame, imm: number): Ran | undefined {
  if (core.pstate.EL === 2) return { kind: "unmodelled", what: `SMC at EL2, ${hex(core.pc)}` };
  const answered = env.smc(cpu, firstRegisters(core), imm);
  if (answered.kind === "ended") return answered;
  answered.x.forEach((value, n) => {
    core.x[n] = value;
  });
  core.pc += 4n;
  return undefined;
}

function callKernelFunction(frame: Frame, name: string): Ran | undefined {
  const { core, cpu, env } = frame;
  const exported = EXPORTED_FUNCTIONS.get(name);
  if (exported !== undefined) return callExported(frame, exported);
  return answerCall(core, env.kernelFunction(name, arguments8(core), cpu));
}

/** Thrown out of a kernel function whose call of a module's function did not come back. */
interface NestedStop extends KernelStop {
  readonly ran: Ran;
}

function callExported(frame: Frame, exported: ExportedFunction): Ran | undefined {
  const { machine, cpu, core, env } = frame;
  const kernel = kernelOf(machine, cpu, {
    print: (level, text) => env.printk(text.replace(/\n$/, ""), level),
    call: (address, args) => {
      const ran = frame.callEl1(address, args);
      if (ran.kind === "returned") return ran.x[0]!;
      const nested: NestedStop = { kernelStop: "ended", what: "a function of the module", ran };
      throw nested;
    },
  });
  try {
    return returnFrom(core, exported(kernel, { x: arguments8(core), sp: core.sp[1]! }));
  } catch (thrown) {
    if (!isKernelStop(thrown)) throw thrown;
    return kernelStopped(frame, thrown);
  }
}

/** A kernel function that did not come back, as what became of the run. */
function kernelStopped({ core, instructions }: Frame, stop: KernelStop): Ran | undefined {
  switch (stop.kernelStop) {
    case "fault":
      // The exception is taken where the function stands, and answered at the vector like any
      // other.
      takeException(core, stop.fault as Exception);
      return undefined;
    case "panic":
      return { kind: "panic", what: stop.what, instructions };
    case "ended":
      return (stop as NestedStop).ran;
    case "unbounded":
    case "unmodelled":
      return { kind: "unmodelled", what: stop.what };
  }
}
