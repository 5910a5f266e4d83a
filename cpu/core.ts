// A core and how it runs: instructions from the program counter on, until something stops it.

import type { CpuModel } from "./cpu-model.ts";
import { mayBePending, pendingAfterFetch, pendingBefore } from "./exceptions/priority.ts";
import { takeException } from "./exceptions/take.ts";
import { acceptsBranch } from "./interpret/landing-pads.ts";
import { operationOf } from "./interpret/operations.ts";
import { NEXT, SYNCED } from "./interpret/outcome.ts";
import { forkMemory, type Memory } from "./memory.ts";
import { fetchWord, isGuarded } from "./mmu/fetch.ts";
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
 * Exception level, `run` stops before it fetches or translates anything there.
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
  readonly trace?: (core: Core, word: number) => void;
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
export function run(core: Core, { budget, gates, trace }: RunOptions): Stop {
  for (let left = budget; left > 0; left--) {
    const { EL } = core.pstate;
    const owned = EL === 2 ? gates.el2 : gates.el1;
    if (EL !== 0 && owned.has(core.pc)) return { kind: "gate", el: EL, address: core.pc };
    const stop = step(core, trace);
    if (stop !== undefined) return stop;
    core.retired++;
  }
  return { kind: "budget" };
}

/** Executes one instruction, or takes the exception that comes before it. */
function step(core: Core, trace: RunOptions["trace"]): Stop | undefined {
  const before = mayBePending(core) ? pendingBefore(core) : undefined;
  if (before !== undefined) {
    takeException(core, before);
    return undefined;
  }
  const word = fetchWord(core, core.pc);
  if (typeof word !== "number") {
    takeException(core, word);
    return undefined;
  }
  const { BTYPE, IL } = core.pstate;
  if (BTYPE !== 0 || IL !== 0) {
    const landingPad = BTYPE === 0 || acceptsBranch(core, word);
    const fetched = pendingAfterFetch(core, isGuarded(core, core.pc), landingPad);
    if (fetched !== undefined) {
      takeException(core, fetched);
      return undefined;
    }
  }
  trace?.(core, word);
  return execute(core, word);
}

function execute(core: Core, word: number): Stop | undefined {
  const outcome = operationOf(core.cpuModel.features, word)(core);
  if (typeof outcome !== "object") {
    if (outcome === NEXT || outcome === SYNCED) advance(core);
    return undefined;
  }
  if (outcome.kind === "wait") advance(core);
  return outcome.kind === "unmodelled" ? { ...outcome, word } : outcome;
}

/** Goes to the next instruction, which no branch led to. */
function advance(core: Core): void {
  core.pc = BigInt.asUintN(64, core.pc + 4n);
  core.pstate.BTYPE = 0;
}
