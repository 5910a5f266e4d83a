// A vector while it is being made: where it runs, what its registers hold, what is switched on.

import type { Features } from "../../cpu/cpu-model.ts";
import type { Configuration, Machine } from "./configurations.ts";
import { BRK_0, LAYOUT } from "./layout.ts";
import { OBSERVED_REGISTERS } from "./observed-registers.ts";
import { operandValue } from "./operand-values.ts";
import { namedRandom, type Random } from "./random.ts";
import { type Cell, EL_MODES, type ElName, type Vector } from "./vector.ts";

/** A register that must hold an authentic pointer; QEMU signs it before the vector is recorded. */
export interface Signature {
  readonly key: "IA" | "IB" | "DA" | "DB";
  /** X0 to X30, or the name of a system register. */
  readonly register: number | "ELR_EL1";
  /** The modifier: a value, or what a register holds, 31 being the stack pointer. */
  readonly modifier: bigint | { readonly register: number };
}

export interface Draft {
  readonly random: Random;
  readonly machine: Machine;
  readonly features: Features;
  readonly entry: string;
  readonly configuration: Configuration;
  readonly el: ElName;
  words: number[];
  pc: bigint;
  pa: bigint | undefined;
  pstate: number;
  readonly x: BigUint64Array;
  readonly sp: [bigint, bigint, bigint];
  readonly settings: Map<string, bigint>;
  memory: Cell[];
  tags: boolean;
  readonly signatures: Signature[];
}

/** What registers hold that an instruction does not name. */
export interface Background {
  readonly x: BigUint64Array;
  readonly sp: readonly [bigint, bigint, bigint];
}

/** What vectors are made from. */
export interface Workshop {
  readonly random: Random;
  readonly machine: Machine;
  readonly features: Features;
  readonly background: Background;
  readonly slots: { used: number };
}

const baseValues = new Map(OBSERVED_REGISTERS.map(({ name, base }) => [name, base]));

/** PSTATE bits in the places of SPSR_ELx. */
export const SPSR = {
  IL: 1 << 20,
  PAN: 1 << 22,
  UAO: 1 << 23,
  DIT: 1 << 24,
  TCO: 1 << 25,
  SSBS: 1 << 12,
  BTYPE: 3 << 10,
} as const;

/**
 * Distinct values that are recognised when they turn up in the wrong place; stacks in the window.
 */
export function backgroundOf(seed: number): Background {
  const random = namedRandom(seed, "background");
  const x = BigUint64Array.from({ length: 31 }, (_, n) => (random.bits64() & ~0xffn) | BigInt(n));
  const stack = BigInt(LAYOUT.WINDOW);
  return { x, sp: [stack + 0x400n, stack + 0x1410n, stack + 0x2420n] };
}

export function newDraft(
  shop: Workshop,
  entry: string,
  configuration: Configuration,
  el: ElName,
): Draft {
  const { random, machine, features } = shop;
  const slot = BigInt(16 * (shop.slots.used++ % (LAYOUT.SLOTS_BYTES / 16)));
  const code = configuration.code.filter(({ guarded }) => !guarded || random.oneIn(4));
  const alias = code.length > 0 ? random.pick(code) : configuration.code[0]!;
  return {
    ...{ random, machine, features, entry, configuration, el, words: [BRK_0] },
    pc: alias.base + slot,
    pa: BigInt(LAYOUT.SLOTS) + slot,
    pstate: randomPstate(random, el) & pstateMask(features),
    x: shop.background.x.slice(),
    sp: [...shop.background.sp],
    settings: new Map(),
    memory: [],
    tags: false,
    signatures: [],
  };
}

/** Without a feature its bits of SPSR_ELx do not get into PSTATE. */
function pstateMask(features: Features): number {
  const absent =
    (features.PAN ? 0 : SPSR.PAN) |
    (features.UAO ? 0 : SPSR.UAO) |
    (features.DIT ? 0 : SPSR.DIT) |
    (features.MTE2 ? 0 : SPSR.TCO) |
    (features.SSBS ? 0 : SPSR.SSBS) |
    (features.BTI ? 0 : SPSR.BTYPE);
  return ~absent;
}

/** Flags and masks at random, the rest now and then. D stays clear at EL2, for software step. */
function randomPstate(random: Random, el: ElName): number {
  const masks = el.startsWith("EL2") ? 7 : 15;
  let pstate = EL_MODES[el] | (random.below(16) << 28) | ((random.below(16) & masks) << 6);
  for (const bit of [SPSR.PAN, SPSR.UAO, SPSR.DIT, SPSR.TCO, SPSR.SSBS])
    if (random.oneIn(5)) pstate |= bit;
  if (random.oneIn(10)) pstate |= random.below(4) << 10;
  if (random.oneIn(300)) pstate |= SPSR.IL;
  return pstate >>> 0;
}

/** The value that a system register will have, as far as the draft goes. */
export function settingOf(draft: Draft, name: string): bigint {
  const { settings, configuration, machine } = draft;
  const value =
    settings.get(name) ??
    configuration.settings.get(name) ??
    machine.base.get(name) ??
    baseValues.get(name);
  if (value === undefined) throw new Error(`${name} is not observed`);
  return value;
}

export function setBits(draft: Draft, name: string, bits: bigint): void {
  draft.settings.set(name, settingOf(draft, name) | bits);
}

/** SCTLR of the regime that the vector runs in. */
export function sctlrName(draft: Draft): "SCTLR_EL1" | "SCTLR_EL2" {
  return draft.el.startsWith("EL2") ? "SCTLR_EL2" : "SCTLR_EL1";
}

/** Which of SP_EL0, SP_EL1 and SP_EL2 is in use. */
export function stackIndex(el: ElName): 0 | 1 | 2 {
  return el === "EL1h" ? 1 : el === "EL2h" ? 2 : 0;
}

/** Sets Xn, or the stack pointer in use for 31. */
export function setRegister(draft: Draft, register: number, value: bigint): void {
  if (register === 31) draft.sp[stackIndex(draft.el)] = value;
  else draft.x[register] = value;
}

export function registerValue(draft: Draft, register: number): bigint {
  return register === 31 ? draft.sp[stackIndex(draft.el)] : draft.x[register]!;
}

/** Gives the registers that a word may name values of interest; 31 is left alone. */
export function fillOperands(draft: Draft, registers: readonly number[]): void {
  const { random } = draft;
  for (const register of registers) if (register !== 31) draft.x[register] = operandValue(random);
}

export function finish(draft: Draft): Vector {
  const { entry, el, words, pc, pa, x, sp, settings, memory, tags } = draft;
  const pstate = draft.pstate >>> 0;
  const configuration = draft.configuration.name;
  const mode = "step";
  return { entry, mode, el, configuration, words, pc, pa, pstate, x, sp, settings, memory, tags };
}
