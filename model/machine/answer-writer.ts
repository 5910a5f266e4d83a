// Which instruction of a module made the value that an init or a callback returns.

import type { Core } from "../../cpu/state.ts";
import { KERNEL_TEXT, KERNEL_TEXT_BYTES } from "./layout.ts";

const REGISTERS = 31;

/** A function that runs on a CPU, instruction by instruction. */
interface Running {
  /** The instruction before, and the registers as it found them. */
  last: { readonly pc: bigint; readonly word: number } | undefined;
  readonly x: bigint[];
  /** By register: the instruction that made what is in it; a call made what it came back with. */
  readonly makers: (bigint | undefined)[];
  /** The function that was interrupted by it. */
  readonly outer: Running | undefined;
}

/** The inits and callbacks that run, by CPU and exception level. */
export type AnswerWriters = Map<string, Running>;

const keyOf = (cpu: number, el: number): string => `${cpu} EL${el}`;

/** The kernel's own code is called: what it leaves in registers is its caller's to have. */
const isKernel = (pc: bigint): boolean => pc >= KERNEL_TEXT && pc < KERNEL_TEXT + KERNEL_TEXT_BYTES;

/**
 * The register that a word copies to another; undefined for other words. Source: DDI0487, MOV
 * (register), the alias of ORR (shifted register) with the zero register.
 */
const copiedBy = (word: number): number | undefined =>
  (word & 0x7fe0_ffe0) === 0x2a00_03e0 ? (word >>> 16) & 31 : undefined;

/** A function begins whose answer matters. */
export function beginsAnswer(writers: AnswerWriters | undefined, cpu: number, el: 1 | 2): void {
  const key = keyOf(cpu, el);
  writers?.set(key, { last: undefined, x: [], makers: [], outer: writers.get(key) });
}

/** Takes note of what the last instruction made. */
function settle({ last, x, makers }: Running, now: ArrayLike<bigint | undefined>): void {
  const copied = last === undefined ? undefined : copiedBy(last.word);
  const maker = (copied === undefined ? undefined : makers[copied]) ?? last?.pc;
  for (let n = 0; n < REGISTERS; n += 1) {
    const value = now[n];
    if (value === undefined || value === x[n]) continue;
    if (last !== undefined) makers[n] = maker;
    x[n] = value;
  }
}

/** Called before each instruction. */
export function watchAnswer(
  writers: AnswerWriters,
  cpu: number,
  pc: bigint,
  word: number,
  core: Core,
): void {
  if (writers.size === 0 || isKernel(pc)) return;
  const running = writers.get(keyOf(cpu, core.pstate.EL));
  if (running === undefined) return;
  settle(running, core.x);
  running.last = { pc, word };
}

/** The function came back with `x0`: who made it. */
export function endsAnswer(
  writers: AnswerWriters | undefined,
  cpu: number,
  el: 1 | 2,
  x0: bigint | undefined,
): { readonly from?: bigint } {
  const key = keyOf(cpu, el);
  const running = writers?.get(key);
  if (writers === undefined || running === undefined) return {};
  if (running.outer === undefined) writers.delete(key);
  else writers.set(key, running.outer);
  settle(running, [x0]);
  const from = running.makers[0] ?? running.last?.pc;
  return from === undefined ? {} : { from };
}
