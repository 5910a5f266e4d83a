// Pattern-directed generation: words from the diagrams of the decode table, states that suit them.

import { type Encoding, encode } from "../../cpu/bits/encoding.ts";
import type { Features } from "../../cpu/cpu-model.ts";
import { dataAccess } from "../../model/machine/data-access.ts";
import type { Configuration, Machine } from "./configurations.ts";
import {
  backgroundOf,
  type Draft,
  fillOperands,
  finish,
  newDraft,
  type Signature,
  sctlrName,
  setRegister,
  settingOf,
  type Workshop,
} from "./draft.ts";
import { prepareAccess } from "./generate-memory.ts";
import { pointerValue, setKeys, signablePointer, signatureOf } from "./generate-pointers.ts";
import {
  isRecordable,
  isRunnable,
  prepareException,
  prepareExceptionReturn,
  prepareSystem,
  systemWord,
} from "./generate-system.ts";
import { relatedValue } from "./operand-values.ts";
import { namedRandom, type Random } from "./random.ts";
import { isConstrainedUnpredictable } from "./unpredictable.ts";
import type { ElName, Vector } from "./vector.ts";

/** What the generator needs of a decode entry. */
export interface Pattern {
  readonly name: string;
  readonly encoding: Encoding;
  readonly feature?: string | undefined;
  /** Floating-point and what else is recognised but not modelled. */
  readonly beyond?: boolean;
}

/** A vector, and the registers that QEMU must sign before it is recorded. */
export interface Planned {
  readonly vector: Vector;
  readonly signatures: readonly Signature[];
}

export interface GeneratorOptions {
  readonly seed: number;
  readonly machine: Machine;
  /** Slots given out so far. */
  readonly slots: { used: number };
  readonly features: Features;
  /** Whether a word belongs to the pattern, and not to one with more fixed bits. */
  readonly belongs: (pattern: Pattern, word: number) => boolean;
}

/** Register fields are five bits wide and called Rd, Rn, Xt2 and so on. */
const isRegisterField = (name: string, width: number): boolean =>
  width === 5 && /^[RX][a-z]\d?$/.test(name);

/** The values of a field: every one in turn where it is narrow, else edges and anything. */
function fieldValue(random: Random, name: string, width: number, n: number): number {
  if (isRegisterField(name, width)) {
    if (random.oneIn(10)) return 31;
    return random.oneIn(8) ? random.pick([0, 16, 17, 29, 30]) : random.below(31);
  }
  if (width <= 3 && n < 2 ** (width + 2)) return (n ^ random.below(2)) & (2 ** width - 1);
  if (random.oneIn(4)) {
    const top = 2 ** width - 1;
    return random.pick([0, 1, top, top >>> 1, (top >>> 1) + 1, top - 1]);
  }
  return random.below(2 ** width);
}

/** A word of an encoding; `n` counts up for the fields that take every value in turn. */
export function randomWord(random: Random, encoding: Encoding, n: number): number {
  const values: Record<string, number> = {};
  const registers: number[] = [];
  for (const { name, width } of encoding.fields) {
    let value = fieldValue(random, name, width, n);
    // The same register in two places.
    if (isRegisterField(name, width)) {
      if (registers.length > 0 && random.oneIn(8)) value = random.pick(registers);
      registers.push(value);
    }
    values[name] = value;
  }
  return encode(encoding, values);
}

const PLAIN_ELS: readonly ElName[] = ["EL0t", "EL0t", "EL1h", "EL1h", "EL1t", "EL2h", "EL2t"];

function configurationFor(machine: Machine, random: Random, anywhere: boolean): Configuration {
  if (anywhere) return random.pick(machine.configurations);
  const plain = random.pick(PLAIN_ELS).startsWith("EL2") ? "flat" : "off";
  const name = random.oneIn(8) ? undefined : plain;
  const found = machine.configurations.find((configuration) => configuration.name === name);
  return found ?? random.pick(machine.configurations);
}

/** Values for what the word may name as registers; the second and third relate to the first. */
function prepareOperands(draft: Draft): void {
  const word = draft.words[0]!;
  const [d, n, a, m] = [word & 31, (word >>> 5) & 31, (word >>> 10) & 31, (word >>> 16) & 31];
  fillOperands(draft, [d, n, a, m]);
  if (n !== 31 && m !== 31 && n !== m) draft.x[m] = relatedValue(draft.random, draft.x[n]!);
}

const isBranchToRegister = (word: number): boolean => (word & 0xfe00_0000) >>> 0 === 0xd600_0000;
const isExceptionReturn = (word: number): boolean => (word & 0xfffff000) >>> 0 === 0xd69f_0000;
const isExceptionOrHint = (word: number): boolean =>
  (word & 0xff00_0000) >>> 0 === 0xd400_0000 || (word & 0xffff_f01f) >>> 0 === 0xd503_201f;
const isSystemWord = (encoding: Encoding): boolean =>
  ["CRn", "CRm", "op2"].every((name) => encoding.fields.some((field) => field.name === name));

/** Fetches that fail: the PC in a page of the zoo, or not aligned. */
function misplaceCode(draft: Draft): void {
  const { random, configuration } = draft;
  // The harness enters by ERET, which strips tags: an address with one would not be what runs.
  const targets = configuration.targets.filter(({ address }) =>
    [0n, 0x1ffn].includes(address >> 55n),
  );
  const target = random.pick(targets);
  const offset = BigInt(4 * random.below(target.sizeBytes / 4 - 8));
  draft.pc = target.address + offset;
  draft.pa = target.pa === undefined ? undefined : target.pa + offset;
  if (random.oneIn(8)) draft.pc += BigInt(1 + random.below(3));
  if (draft.pc % 4n !== 0n) draft.pa = undefined;
}

function prepare(draft: Draft, pattern: Pattern, options: GeneratorOptions): boolean {
  const { random, features } = draft;
  const word = draft.words[0]!;
  const access = dataAccess(word);
  prepareOperands(draft);
  if (isSystemWord(pattern.encoding)) {
    if (!isRecordable(draft)) return false;
    prepareSystem(draft, options.features.FGT);
  }
  if (pattern.feature === "PAuth" || (features.PAuth && random.oneIn(64))) setKeys(draft);
  if (isBranchToRegister(word)) {
    setRegister(draft, (word >>> 5) & 31, pointerValue(random));
    setRegister(draft, 30, pointerValue(random));
  } else if (pattern.feature === "PAuth" && access === undefined) {
    for (const register of [word & 31, 17, 30])
      if (register !== 31) draft.x[register] = signablePointer(draft, pointerValue(random));
  }
  if (isExceptionReturn(word)) prepareExceptionReturn(draft);
  if (isExceptionOrHint(word)) prepareException(draft);
  if (access !== undefined) {
    // An address that is added to itself leads anywhere.
    if (access.index !== undefined && access.index.register === access.base) return false;
    prepareAccess(draft, access);
  } else if (random.oneIn(12)) misplaceCode(draft);
  const signature = signatureOf(word);
  if (signature !== undefined && !random.oneIn(4)) draft.signatures.push(signature);
  if (features.BTI && random.oneIn(16)) setGuardedPages(draft);
  return isRunnable(draft);
}

/** SCTLR_EL1.BT0, BT1 and SCTLR_EL2.BT: whether PACIASP accepts BTYPE 3. */
function setGuardedPages(draft: Draft): void {
  const { random } = draft;
  draft.pstate |= random.below(4) << 10;
  const name = sctlrName(draft);
  const position = name === "SCTLR_EL2" ? 36 : 35 + random.below(2);
  draft.settings.set(name, settingOf(draft, name) ^ (1n << BigInt(position)));
}

/** Floating-point is not modelled: something traps it. CPACR_EL1.FPEN, CPTR_EL2.TFP. */
function trapFloatingPoint(draft: Draft): void {
  const { random, el, settings } = draft;
  const tfp = settingOf(draft, "CPTR_EL2") | (1n << 10n);
  const fpen = el === "EL0t" ? random.below(3) : random.pick([0, 2]);
  if (el.startsWith("EL2") || random.oneIn(3)) settings.set("CPTR_EL2", tfp);
  else settings.set("CPACR_EL1", BigInt(fpen) << 20n);
}

/** The word of vector `n`, which may belong elsewhere or not be recordable. */
function chooseWord(draft: Draft, pattern: Pattern, n: number): number {
  const word = randomWord(draft.random, pattern.encoding, n);
  if (!isSystemWord(pattern.encoding)) return word;
  const isRegister = pattern.encoding.fields.some(({ name }) => name === "o0");
  const { op0, op1, CRn, CRm, op2 } = systemWord(draft, isRegister);
  return encode(pattern.encoding, { o0: op0 & 1, op1, CRn, CRm, op2, Rt: word & 31 });
}

/** Attempts at a word that can be recorded, before a pattern is given up. */
const ATTEMPTS_PER_VECTOR = 40;

/** `count` vectors of one decode entry. */
export function vectorsOf(pattern: Pattern, count: number, options: GeneratorOptions): Planned[] {
  const random = namedRandom(options.seed, pattern.encoding.diagram);
  const { machine, features } = options;
  const background = backgroundOf(options.seed);
  const shop: Workshop = { random, machine, features, background, slots: options.slots };
  const planned: Planned[] = [];
  const isAccess = dataAccess(pattern.encoding.value) !== undefined;
  for (let n = 0; planned.length < count && n < count * ATTEMPTS_PER_VECTOR; n++) {
    const anywhere = isAccess || isSystemWord(pattern.encoding);
    const configuration = configurationFor(machine, random, anywhere);
    const draft = newDraft(shop, pattern.name, configuration, random.pick(configuration.els));
    const word = chooseWord(draft, pattern, planned.length);
    draft.words = [word];
    if (!options.belongs(pattern, word) || isConstrainedUnpredictable(word)) continue;
    if (pattern.beyond === true) trapFloatingPoint(draft);
    if (!prepare(draft, pattern, options)) continue;
    planned.push({ vector: finish(draft), signatures: draft.signatures });
  }
  return planned;
}
