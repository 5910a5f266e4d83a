// Items without branches and memory: data processing, system registers, exceptions.

import { type Encoding, encode } from "../../../cpu/bits/encoding.ts";
import type { Instruction } from "../../../cpu/bits/instruction.ts";
import { decode, indexFor } from "../../../cpu/isa/decode.ts";
import { classes } from "../../../cpu/isa/entries.ts";
import type { Random } from "../random.ts";
import type { ElName } from "../vector.ts";
import { PLACES, PROGRAM_ORACLE } from "./machine.ts";
import { addShifted, adr, blr, brk, freeRegister, hvc, NOP, ROLES, smc, svc } from "./words.ts";

const { features } = PROGRAM_ORACLE.cpuModel;
const index = indexFor(features);

/** Entries of the classes in a folder; allocation tags are left to single vectors. */
export function entriesIn(folder: string): readonly Instruction[] {
  return classes
    .filter(({ file }) => file.startsWith(folder))
    .flatMap(({ entries }) => entries)
    .filter(({ feature }) => feature !== "MTE2" && (feature === undefined || features[feature]));
}

/** Where a program is being made, as far as its items depend on it. */
export interface Place {
  readonly random: Random;
  readonly el: ElName;
  /** X30 holds the way back. */
  readonly inFunction: boolean;
}

/** Registers that an instruction may write, by the name of the field. */
const WRITTEN = /^(?:Rd|Rt\d?|Rs)$/;

const isRegister = (name: string, width: number): boolean =>
  width === 5 && /^R[a-z]\d?$/.test(name);

function fieldValue(random: Random, name: string, width: number): number {
  if (isRegister(name, width)) {
    if (random.oneIn(12)) return 31;
    return WRITTEN.test(name) ? freeRegister(random) : random.below(31);
  }
  const top = 2 ** width - 1;
  if (random.oneIn(4)) return random.pick([0, 1 & top, top, top >>> 1]);
  return random.below(2 ** width);
}

/** A word of an encoding that belongs to its entry. */
export function randomWord(random: Random, entry: Instruction): number {
  for (;;) {
    const word = encode(entry.encoding, randomFields(random, entry.encoding));
    if (decode(index, word) === entry) return word;
  }
}

function randomFields(random: Random, encoding: Encoding): Record<string, number> {
  return Object.fromEntries(
    encoding.fields.map(({ name, width }) => [name, fieldValue(random, name, width)]),
  );
}

const dataProcessing = entriesIn("data-processing");

/** Data processing: every entry as often as any other. */
export function dataProcessingWord({ random }: Place): number {
  const word = randomWord(random, random.pick(dataProcessing));
  // Half of the words with a 32-bit form and six bits of amount are unallocated: mostly not wanted.
  return random.oneIn(8) || !isReserved(word) ? word : dataProcessingWord32(word);
}

/** Shifted register, bitfield, extract, move wide with sf = 0 and an amount of 32 or more. */
function isReserved(word: number): boolean {
  const shifted = (word & 0x1e00_0000) === 0x0a00_0000 && (word & 0x0020_0000) === 0;
  const wide = (word & 0x1f80_0000) === 0x1280_0000 && (word & 0x0040_0000) !== 0;
  const logical = (word & 0x1f00_0000) === 0x0a00_0000;
  return word >>> 31 === 0 && (wide || ((shifted || logical) && (word & 0x8000) !== 0));
}

const dataProcessingWord32 = (word: number): number => (word | 0x8000_0000) >>> 0;

/** op0, op1, CRn, CRm, op2; and whether a program may write it. */
type Register = readonly [number, number, number, number, number, "read" | "write"];

/** Source: DDI0487 D24.2, the register of each name. */
const REGISTERS: Readonly<Record<string, Register>> = {
  NZCV: [3, 3, 4, 2, 0, "write"],
  DAIF: [3, 3, 4, 2, 1, "write"],
  SSBS: [3, 3, 4, 2, 6, "write"],
  TCO: [3, 3, 4, 2, 7, "write"],
  TPIDR_EL0: [3, 3, 13, 0, 2, "write"],
  TPIDRRO_EL0: [3, 3, 13, 0, 3, "write"],
  TPIDR_EL1: [3, 0, 13, 0, 4, "write"],
  SPSEL: [3, 0, 4, 2, 0, "write"],
  PAN: [3, 0, 4, 2, 3, "write"],
  UAO: [3, 0, 4, 2, 4, "write"],
  SP_EL0: [3, 0, 4, 1, 0, "write"],
  ELR_EL1: [3, 0, 4, 0, 1, "write"],
  FAR_EL1: [3, 0, 6, 0, 0, "write"],
  DCZID_EL0: [3, 3, 0, 0, 7, "read"],
  CONTEXTIDR_EL1: [3, 0, 13, 0, 1, "read"],
  CURRENTEL: [3, 0, 4, 2, 2, "read"],
  SPSR_EL1: [3, 0, 4, 0, 0, "read"],
  ESR_EL1: [3, 0, 5, 2, 0, "read"],
  PAR_EL1: [3, 0, 7, 4, 0, "read"],
  SCTLR_EL1: [3, 0, 1, 0, 0, "read"],
  TCR_EL1: [3, 0, 2, 0, 2, "read"],
  VBAR_EL1: [3, 0, 12, 0, 0, "read"],
  // Not from EL1: UNDEFINED, or a trap to EL2.
  VTTBR_EL2: [3, 4, 2, 1, 0, "read"],
  SP_EL1: [3, 4, 4, 1, 0, "read"],
};
const registers = Object.values(REGISTERS);

function systemRegisterWord(random: Random): number {
  const [op0, op1, CRn, CRm, op2, use] = random.pick(registers);
  const read = use === "read" || random.oneIn(2);
  const name = ((op0 & 1) << 19) | (op1 << 16) | (CRn << 12) | (CRm << 8) | (op2 << 5);
  const base = read ? 0xd530_0000 : 0xd510_0000;
  return (base | name | (random.oneIn(12) ? 31 : freeRegister(random))) >>> 0;
}

/** MSR (immediate) of SPSel, DAIFSet, DAIFClr, PAN, UAO, SSBS, TCO: op1 and op2. */
const PSTATE_FIELDS = [
  [0, 5],
  [3, 6],
  [3, 7],
  [0, 4],
  [0, 3],
  [3, 1],
  [3, 4],
] as const;

function pstateWord(random: Random): number {
  const [op1, op2] = random.pick(PSTATE_FIELDS);
  const imm = op2 === 6 || op2 === 7 ? random.below(16) : random.below(2);
  return (0xd500_401f | (op1 << 16) | (imm << 8) | (op2 << 5)) >>> 0;
}

const hint = (imm: number): number => (0xd503_201f | (imm << 5)) >>> 0;

const SB = 0xd503_30ff;

/** CFINV, XAFLAG, AXFLAG; DMB ISH, DSB SY, ISB, SB, CLREX; IC IALLU, TLBI VMALLE1. */
const OTHERS = [
  ...[0xd500_401f, 0xd500_403f, 0xd500_405f],
  ...[0xd503_3bbf, 0xd503_3f9f, 0xd503_3fdf, SB, 0xd503_305f],
  ...[0xd508_751f, 0xd508_871f],
];
/** NOP, YIELD, SEV, SEVL, four that sign X17, CSDB, BTI. */
const HINTS = [0, 1, 4, 5, 8, 10, 12, 14, 20, 32, 34, 36, 38];
/** XPACLRI, and what signs or authenticates X30. */
const LINK_HINTS = [7, 24, 25, 26, 27, 28, 29, 30, 31];
/** AT S1E1R, S1E1W, S1E0R, S12E1R; DC CVAC, DC CIVAC. */
const BY_ADDRESS = [
  ...[0xd508_7800, 0xd508_7820, 0xd508_7840, 0xd50c_7880],
  ...[0xd50b_7a20, 0xd50b_7e20],
];

/** System instructions that leave the machine as it is. QEMU keeps BTYPE behind SB: it is zero. */
export function systemWords(place: Place): number[] {
  const word = systemWord(place);
  return word === SB ? [NOP, SB] : [word];
}

function systemWord({ random, inFunction }: Place): number {
  switch (random.below(6)) {
    case 0:
    case 1:
      return systemRegisterWord(random);
    case 2:
      return pstateWord(random);
    case 3:
      return random.pick(OTHERS);
    case 4:
      return hint(random.pick(inFunction || random.oneIn(2) ? HINTS : LINK_HINTS));
    default:
      return (random.pick(BY_ADDRESS) | ROLES.data) >>> 0;
  }
}

/** FMOV D0, D0: trapped. */
const FLOATING_POINT = 0x1e60_4000;

/** Instructions that always, or nearly always, take an exception. */
export function exceptionWords({ random, el, inFunction }: Place): number[] {
  const imm16 = random.below(PLACES.END);
  switch (random.below(inFunction ? 6 : 8)) {
    case 0:
      return [svc(imm16)];
    case 1:
      return [hvc(imm16)];
    case 2:
      return [brk(imm16)];
    case 3:
      // UDF.
      return [imm16];
    case 4:
      // At EL2 nothing traps it, and EL3 is outside.
      return el.startsWith("EL2") ? [FLOATING_POINT] : [smc(imm16)];
    case 5:
      return [FLOATING_POINT];
    default:
      return failingCall(random);
  }
}

/** A call of data, of nothing, or of what is not aligned: X30 leads back. */
function failingCall(random: Random): number[] {
  const n = freeRegister(random);
  const { data } = ROLES;
  const target = random.pick([
    addShifted(n, data, 0),
    // QEMU looks the page of a misaligned PC up first: it is a page that can be executed.
    adr(n)(1 + random.below(3)),
    addShifted(n, data, 2),
    addShifted(n, data, 0x40),
  ]);
  return [target, blr(n)];
}
