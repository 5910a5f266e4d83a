// One relocation at one place: what is computed, whether it fits, and how it is encoded.
// Source: do_reloc, reloc_data, reloc_insn_movw, reloc_insn_imm in arch/arm64/kernel/module.c;
// the fields are those of AAELF64 and of DDI0487 C4.1.

import type { Howto, ImmediateField, RelocationOp } from "./relocation-types.ts";

/** Bytes that the howto writes. */
export const widthOf = (howto: Howto): number => {
  if (howto.kind === "none") return 0;
  return howto.kind === "data" ? howto.width / 8 : 4;
};

const PAGE_MASK = ~0xfffn;

/** X of AAELF64 as a signed 64-bit number, from S + A and P. Source: do_reloc. */
export function computed(op: RelocationOp, value: bigint, place: bigint): bigint {
  const x = {
    ABS: value,
    PREL: value - place,
    PAGE: (value & PAGE_MASK) - (place & PAGE_MASK),
  }[op];
  return BigInt.asIntN(64, x);
}

/**
 * Writes one relocation at `at` of the view, whose byte `at` will lie at `place`; false if the
 * value does not fit. As in the kernel it is written even then, and bits below `lsb` are dropped.
 */
export function applyHowto(
  howto: Howto,
  view: DataView,
  at: number,
  place: bigint,
  value: bigint,
): boolean {
  switch (howto.kind) {
    case "none":
      return true;
    case "data":
      return writeData(howto, view, at, computed(howto.op, value, place));
    case "movw":
      return writeMovw(howto, view, at, computed(howto.op, value, place)) || !howto.checked;
    case "immediate":
      return writeImmediate(howto, view, at, computed(howto.op, value, place)) || !howto.checked;
  }
}

type HowtoOf<K extends Howto["kind"]> = Extract<Howto, { readonly kind: K }>;

function writeData(howto: HowtoOf<"data">, view: DataView, at: number, x: bigint): boolean {
  const { width } = howto;
  if (width === 64) {
    view.setBigInt64(at, x, true);
    return true;
  }
  if (width === 32) view.setInt32(at, Number(BigInt.asIntN(32, x)), true);
  else view.setInt16(at, Number(BigInt.asIntN(16, x)), true);
  return howto.op === "ABS" ? BigInt.asUintN(width, x) === x : BigInt.asIntN(width, x) === x;
}

/** Bit 30 tells MOVZ from MOVN; MOVK has 29 and 30 set. Source: DDI0487 C6.2 MOVK, MOVN, MOVZ. */
const OPC = 0b11 << 29;
const MOVZ = 0b10 << 29;

function writeMovw(howto: HowtoOf<"movw">, view: DataView, at: number, x: bigint): boolean {
  let insn = view.getUint32(at, true);
  let imm = BigInt.asUintN(64, x >> BigInt(howto.lsb));
  if (howto.form === "MOVNZ") {
    insn = x >= 0n ? (insn & ~OPC) | MOVZ : insn & ~OPC;
    if (x < 0n) imm = BigInt.asUintN(64, ~imm);
  }
  view.setUint32(at, withImmediate(insn, "16", Number(imm & 0xffffn)), true);
  return imm <= 0xffffn;
}

function writeImmediate(
  howto: HowtoOf<"immediate">,
  view: DataView,
  at: number,
  x: bigint,
): boolean {
  const { len, field } = howto;
  const shifted = x >> BigInt(howto.lsb);
  const imm = Number(BigInt.asUintN(len, shifted));
  view.setUint32(at, withImmediate(view.getUint32(at, true), field, imm), true);
  return BigInt.asIntN(len, shifted) === shifted;
}

/** Lowest bit and width of the fields that stand in one piece. */
const FIELDS: Readonly<Record<Exclude<ImmediateField, "ADR">, readonly [number, number]>> = {
  "26": [0, 26],
  "19": [5, 19],
  "16": [5, 16],
  "14": [5, 14],
  "12": [10, 12],
};

/** An instruction word with another immediate. ADR has immlo in 30:29 and immhi in 23:5. */
export function withImmediate(insn: number, field: ImmediateField, imm: number): number {
  if (field === "ADR") {
    const cleared = insn & ~((0b11 << 29) | (0x7ffff << 5));
    return (cleared | ((imm & 0b11) << 29) | (((imm >> 2) & 0x7ffff) << 5)) >>> 0;
  }
  const [low, width] = FIELDS[field];
  const mask = (2 ** width - 1) << low;
  return ((insn & ~mask) | ((imm << low) & mask)) >>> 0;
}
