// Runs code on the machine: calls into EL1 and EL2, and what the host does with one instruction.

import { readPhysical, writePhysical } from "../../cpu/memory.ts";
import type { Core, PState } from "../../cpu/state.ts";
import type { HypVa, KernVa } from "../../spec/types/address.ts";
import type { Entered, Environment, Ran } from "./answers.ts";
import { type Frame, resume } from "./frame.ts";
import { HYP_RETURN_GATE, hostContext, KERNEL_RETURN_GATE } from "./layout.ts";
import type { Machine } from "./machine.ts";
import {
  HVC_STUB,
  hvcWord,
  IMMEDIATE_STUB,
  loadStub,
  SMC_STUB,
  type StubAccessSize,
  smcWord,
  storeStub,
  textPa,
} from "./stubs.ts";

/** The registers that a nested run must not change for whom it interrupts. */
interface Interrupted {
  readonly x: BigUint64Array;
  readonly sp: BigUint64Array;
  readonly pc: bigint;
  readonly pstate: PState;
}

const interrupt = (core: Core): Interrupted => ({
  x: core.x.slice(),
  sp: core.sp.slice(),
  pc: core.pc,
  pstate: { ...core.pstate },
});

function goBack(core: Core, { x, sp, pc, pstate }: Interrupted): void {
  core.x.set(x);
  core.sp.set(sp);
  core.pc = pc;
  Object.assign(core.pstate, pstate);
}

/** Where a run starts and what ends it. */
interface Entry {
  readonly at: bigint;
  readonly returnTo: bigint;
  readonly entered: Entered;
  readonly budget: number;
  /** Sets the registers, after those of the interrupted code were kept. */
  readonly prepare: (core: Core) => void;
}

/**
 * Runs from an entry to its return; whoever was interrupted on that CPU finds its registers again.
 */
function enter(machine: Machine, cpu: number, env: Environment, entry: Entry): Ran {
  const core = machine.cores[cpu];
  if (core === undefined) throw new RangeError(`there is no CPU ${cpu}`);
  const interrupted = interrupt(core);
  entry.prepare(core);
  core.pc = entry.at;
  core.pstate.BTYPE = 0;
  const frame: Frame = {
    machine,
    cpu,
    core,
    env,
    entry: entry.at,
    entered: entry.entered,
    returnTo: entry.returnTo,
    callEl1: (address, args) => callEl1(machine, cpu, address as KernVa, args, env, frame.left),
    left: entry.budget,
    instructions: 0,
  };
  const ran = resume(frame);
  if (ran.kind === "returned") goBack(core, interrupted);
  return ran;
}

/** Arguments in x0 and up. */
function setArguments(core: Core, args: readonly bigint[]): void {
  args.forEach((value, n) => {
    core.x[n] = BigInt.asUintN(64, value);
  });
}

const STACK_ALIGNMENT = 15n;

/** The host's code can run only where the host runs: EL2 cannot call it. */
function assertHost({ pstate }: Core): void {
  if (pstate.EL !== 1) throw new Error(`code of the host was called at EL${pstate.EL}`);
}

/**
 * Calls a function at EL1 and runs it until it returns. Source: AAPCS64 6.4, x30 and SP at a call.
 */
export function callEl1(
  machine: Machine,
  cpu: number,
  entry: KernVa,
  args: readonly bigint[],
  env: Environment,
  budget: number,
): Ran {
  return enter(machine, cpu, env, {
    at: entry,
    returnTo: KERNEL_RETURN_GATE,
    entered: "inside",
    budget,
    prepare: (core) => {
      assertHost(core);
      setArguments(core, args);
      core.x[30] = KERNEL_RETURN_GATE;
      core.sp[1] = core.sp[1]! & ~STACK_ALIGNMENT;
    },
  });
}

/**
 * Calls a function at EL2 and runs it until it returns; interrupts are masked, as in every
 * exception handler.
 */
export function callEl2(
  machine: Machine,
  cpu: number,
  entry: HypVa,
  args: readonly bigint[],
  env: Environment,
  budget: number,
  entered: Entered = "init",
): Ran {
  return enter(machine, cpu, env, {
    at: entry,
    returnTo: HYP_RETURN_GATE,
    entered,
    budget,
    prepare: (core) => {
      Object.assign(core.pstate, { EL: 2, SP: 1, D: 1, A: 1, I: 1, F: 1 });
      setArguments(core, args);
      core.x[30] = HYP_RETURN_GATE;
      core.sp[2] = core.sp[2]! & ~STACK_ALIGNMENT;
    },
  });
}

/**
 * Calls a registered hypercall handler: its argument is the context of the host that trapped.
 * Source: handle_host_dynamic_hcall, hyp/nvhe/modules.c: host_ctxt, or its regs, which come first
 * in it.
 */
export const enterHandler = (
  machine: Machine,
  cpu: number,
  address: HypVa,
  env: Environment,
  budget: number,
): Ran => callEl2(machine, cpu, address, [hostContext(cpu)], env, budget, "handler");

/** NON-SPEC: what a stub may take: the instruction itself and the first touches on its way. */
const STUB_BUDGET = 64;

/** Executes one stub with x0 to x17 as given. */
function runStub(
  machine: Machine,
  cpu: number,
  stub: KernVa,
  x: readonly bigint[],
  env: Environment,
): Ran {
  return enter(machine, cpu, env, {
    at: stub,
    returnTo: stub + 4n,
    entered: "inside",
    budget: STUB_BUDGET,
    prepare: (core) => {
      assertHost(core);
      setArguments(core, x);
    },
  });
}

/** A stub with an immediate of its own. */
function immediateStub(machine: Machine, word: number): KernVa {
  const pa = textPa(IMMEDIATE_STUB);
  if (readPhysical(machine.memory, pa, 4) !== BigInt(word)) {
    writePhysical(machine.memory, pa, 4, BigInt(word));
  }
  return IMMEDIATE_STUB;
}

/** HVC #imm at EL1 with x0 to x17; the registers afterwards. */
export function hostHvc(
  machine: Machine,
  cpu: number,
  imm: number,
  x: readonly bigint[],
  env: Environment,
): Ran {
  const stub = imm === 0 ? HVC_STUB : immediateStub(machine, hvcWord(imm));
  return runStub(machine, cpu, stub, x, env);
}

/** SMC #imm at EL1 with x0 to x17; the registers afterwards. */
export function hostSmc(
  machine: Machine,
  cpu: number,
  imm: number,
  x: readonly bigint[],
  env: Environment,
): Ran {
  const stub = imm === 0 ? SMC_STUB : immediateStub(machine, smcWord(imm));
  return runStub(machine, cpu, stub, x, env);
}

/** One instruction at EL1 with x0 to x17 and the kernel's fix-up; the registers afterwards. */
export function hostInsn(
  machine: Machine,
  cpu: number,
  word: number,
  x: readonly bigint[],
  env: Environment,
): Ran {
  const stub = immediateStub(machine, word);
  const fixedUp: Environment = { ...env, hostException: () => stub + 4n };
  return runStub(machine, cpu, stub, x, fixedUp);
}

/** A load or store of the host. */
export interface HostAccess {
  readonly va: bigint;
  readonly sizeBytes: StubAccessSize;
  /** Undefined for a load. */
  readonly store: bigint | undefined;
}

/** What became of it: the value that was loaded or stored, or the abort that EL1 took. */
export type Accessed =
  | { readonly kind: "value"; readonly value: bigint }
  | { readonly kind: "fault"; readonly esr: bigint; readonly far: bigint }
  | Exclude<Ran, { kind: "returned" | "exception" }>;

/** LDR or STR at EL1 with the kernel's fix-up: a fault is an answer. */
export function hostAccess(
  machine: Machine,
  cpu: number,
  access: HostAccess,
  env: Environment,
): Accessed {
  const { va, sizeBytes, store } = access;
  const stub = store === undefined ? loadStub(sizeBytes) : storeStub(sizeBytes);
  let fault: { readonly esr: bigint; readonly far: bigint } | undefined;
  const fixedUp: Environment = {
    ...env,
    hostException: (_cpu, esr, _elr, far) => {
      fault = { esr, far };
      return stub + 4n;
    },
  };
  const ran = runStub(machine, cpu, stub, [store ?? 0n, va], fixedUp);
  if (fault !== undefined) return { kind: "fault", ...fault };
  if (ran.kind === "exception") throw new Error("an exception of EL1 went past its fix-up");
  return ran.kind === "returned" ? { kind: "value", value: ran.x[0]! } : ran;
}
