// A core and how it runs: instructions from the program counter on, until something stops it.

import type { CpuModel } from "./cpu-model.ts";
import { type Budget, needsStep, runPage, step, type Trace } from "./interpret/loop.ts";
import { forkMemory, type Memory } from "./memory.ts";
import { forkCore, resetCore } from "./reset.ts";
import type { Core, El } from "./state.ts";

/** Why `run` came back. */
export type Stop =
  /** The program counter is at an address that the caller owns. */
  | { readonly kind: "gate"; readonly el: El; readonly address: bigint }
  /** The budget of instructions is used up. */
  | { readonly kind: "budget" }
  /** An SMC that is not trapped; the program counter is its own address. */
  | { readonly kind: "smc"; readonly imm: number }
  /** A wait with nothing pending; the program counter is after it. */
  | { readonly kind: "wait"; readonly instruction: "WFI" | "WFE" }
  /** Something that this core does not have; the program counter is its own address. */
  | {
      readonly kind: "unmodelled";
      readonly what: string;
      readonly word: number;
      readonly pc: bigint;
    };

/**
 * Addresses that the caller owns, at EL1 and at EL2. When the program counter is at one at its
 * Exception level, `run` stops before it fetches or translates anything there. A set that has been
 * given to `run` must not change any more: make another one.
 */
export interface Gates {
  readonly el1: ReadonlySet<bigint>;
  readonly el2: ReadonlySet<bigint>;
}

export const noGates: Gates = { el1: new Set(), el2: new Set() };

export interface RunOptions {
  /** How many instructions may be executed; an exception taken instead of one counts as one. */
  readonly budget: number;
  readonly gates: Gates;
  /** Called before each instruction. */
  readonly trace?: Trace;
}

/** A core on this memory as reset leaves it: at EL2 with its own stack pointer, translation off. */
export function createCore(cpuModel: CpuModel, memory: Memory, mpidr: bigint): Core {
  return resetCore(cpuModel, memory, mpidr);
}

/** Copies of the cores of one machine, on a copy of its memory. */
export function forkCores(cores: readonly Core[]): Core[] {
  const first = cores[0];
  if (first === undefined) return [];
  const memory = forkMemory(first.memory);
  return cores.map((core) => forkCore(core, memory));
}

/** Executes instructions until the budget is used up, a gate is reached, or one of them stops. */
export function run(core: Core, options: RunOptions): Stop {
  const { gates, trace } = options;
  const budget = { left: options.budget };
  while (budget.left > 0) {
    const slowly = trace !== undefined || needsStep(core);
    const stop = slowly ? stepUnlessGate(core, budget, gates, trace) : runPage(core, budget, gates);
    if (stop !== undefined) return stop;
  }
  return { kind: "budget" };
}

function stepUnlessGate(
  core: Core,
  budget: Budget,
  gates: Gates,
  trace: Trace | undefined,
): Stop | undefined {
  const { EL } = core.pstate;
  const stops = EL === 2 ? gates.el2 : gates.el1;
  if (EL !== 0 && stops.has(core.pc)) return { kind: "gate", el: EL, address: core.pc };
  return step(core, budget, trace);
}
