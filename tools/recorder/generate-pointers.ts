// Vectors with keys: pointer authentication, and branches to registers.

import { type Draft, type Signature, sctlrName, setBits, settingOf } from "./draft.ts";
import { LAYOUT } from "./layout.ts";
import { operandValue, wrap } from "./operand-values.ts";
import type { Random } from "./random.ts";

const KEY_REGISTERS = ["APIAKey", "APIBKey", "APDAKey", "APDBKey", "APGAKey"] as const;

/** SCTLR_ELx.EnIA, EnIB, EnDA, EnDB. */
const ENABLES = (1n << 31n) | (1n << 30n) | (1n << 27n) | (1n << 13n);

const isStrip = (word: number): boolean =>
  word === 0xd503_20ff || (word & 0xffff_fbe0) >>> 0 === 0xdac1_43e0;

/** Random keys, switched on mostly, and an address space of some size. */
export function setKeys(draft: Draft): void {
  const { random, settings } = draft;
  for (const key of KEY_REGISTERS) {
    settings.set(`${key}Lo_EL1`, random.bits64());
    settings.set(`${key}Hi_EL1`, random.bits64());
  }
  const some = random.oneIn(8) ? random.bits64() & ENABLES : ENABLES;
  // With all of them off QEMU takes XPACI, XPACD and XPACLRI for NOP.
  const strips = isStrip(draft.words[0]!);
  setBits(draft, sctlrName(draft), strips && some === 0n ? ENABLES : some);
  if (random.oneIn(12))
    settings.set("HCR_EL2", settingOf(draft, "HCR_EL2") ^ (1n << BigInt(40 + random.below(2))));
  if (draft.configuration.name === "off") settings.set("TCR_EL1", randomTcr(random));
}

/** T0SZ, T1SZ, TBI and TBID decide where the code is; translation itself is off. */
function randomTcr(random: Random): bigint {
  const sizes = BigInt(16 + random.below(24)) | (BigInt(16 + random.below(24)) << 16n);
  const flags = [37, 38, 51, 52].map((position) => BigInt(random.below(2)) << BigInt(position));
  return sizes | flags.reduce((all, flag) => all | flag, 0n);
}

/** A pointer as code and data have them: low or high range, aligned or not, tagged or not. */
export function pointerValue(random: Random): bigint {
  const low = random.bits64() & ((1n << BigInt(random.pick([32, 36, 39, 48]))) - 1n);
  const address = random.oneIn(2) ? low : wrap(~low);
  const aligned = random.oneIn(4) ? address : address & ~3n;
  switch (random.below(6)) {
    case 0:
      return operandValue(random);
    case 1:
      return aligned ^ (BigInt(random.below(256)) << 56n);
    case 2:
      return BigInt(LAYOUT.SLOTS + 4 * random.below(4096));
    default:
      return aligned;
  }
}

/**
 * QEMU takes the range of a pointer from bit 55 where AddPAC takes it from bit 63: at EL1 and EL0
 * the two are the same in what is recorded.
 */
export function signablePointer(draft: Draft, pointer: bigint): bigint {
  if (draft.el.startsWith("EL2")) return pointer;
  return BigInt.asUintN(63, pointer) | (((pointer >> 55n) & 1n) << 63n);
}

const field = (word: number, low: number, width: number): number =>
  (word >>> low) & (2 ** width - 1);

/** Which register a word authenticates, with which key and modifier. */
export function signatureOf(word: number): Signature | undefined {
  const [n, d, m] = [field(word, 5, 5), field(word, 0, 5), field(word, 0, 5)];
  // BRAA, BLRAA, RETAA, ERETAA and the forms with zero modifiers.
  if (field(word, 25, 7) === 0x6b && field(word, 11, 1) === 1) {
    const key = field(word, 10, 1) === 0 ? "IA" : "IB";
    const kind = field(word, 21, 3);
    if (kind === 2) return { key, register: 30, modifier: { register: 31 } };
    if (kind === 4) return { key, register: "ELR_EL1", modifier: { register: 31 } };
    if (kind > 1 || n === 31) return undefined;
    return { key, register: n, modifier: field(word, 24, 1) === 1 ? { register: m } : 0n };
  }
  // AUTIA to AUTDB, and AUTIZA to AUTDZB.
  if (field(word, 16, 16) === 0xdac1 && (field(word, 10, 6) & 0b110100) === 0b000100) {
    const key = (["IA", "IB", "DA", "DB"] as const)[field(word, 10, 2)]!;
    if (d === 31) return undefined;
    return { key, register: d, modifier: field(word, 13, 1) === 1 ? 0n : { register: n } };
  }
  // AUTIA1716, AUTIAZ, AUTIASP, and those of key B.
  if ((word & 0xffff_f01f) >>> 0 === 0xd503_201f) return hintSignature(field(word, 5, 7));
  // LDRAA, LDRAB.
  if ((word & 0xff20_0400) >>> 0 === 0xf820_0400 && n !== 31)
    return { key: field(word, 23, 1) === 0 ? "DA" : "DB", register: n, modifier: 0n };
  return undefined;
}

function hintSignature(hint: number): Signature | undefined {
  switch (hint) {
    case 12:
    case 14:
      return { key: hint === 12 ? "IA" : "IB", register: 17, modifier: { register: 16 } };
    case 28:
    case 30:
      return { key: hint === 28 ? "IA" : "IB", register: 30, modifier: 0n };
    case 29:
    case 31:
      return { key: hint === 29 ? "IA" : "IB", register: 30, modifier: { register: 31 } };
    default:
      return undefined;
  }
}

/** The word that signs X0 with X1 as modifier. */
export const SIGNING_WORDS = {
  IA: 0xdac1_0020,
  IB: 0xdac1_0420,
  DA: 0xdac1_0820,
  DB: 0xdac1_0c20,
} as const;
