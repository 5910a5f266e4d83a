// Words and states for MRS, MSR and SYS: which registers and operations, what is written, what
// traps.

import { type SysregName, sysregRows } from "../../cpu/sysregs/names.ts";
import { operandValue } from "./operand-values.ts";
import type { Random } from "./random.ts";

/** The fields of MRS, MSR (register), SYS and SYSL that say which. */
export interface SystemEncoding {
  readonly op0: number;
  readonly op1: number;
  readonly CRn: number;
  readonly CRm: number;
  readonly op2: number;
}

export interface NamedSysreg extends SystemEncoding {
  readonly name: SysregName;
}

/** Registers that QEMU cannot answer for, and why. */
const UNRECORDED: readonly (readonly [pattern: RegExp, reason: string])[] = [
  [/^CNT(PCT|VCT|\w+_TVAL|\w+_CTL)/, "time passes"],
  [/^CNTHV_CVAL_EL2$/, "the harness keeps a register there"],
  [/^MDSCR_EL1$/, "software step is the recorder's own"],
  [/^(PMCCNTR|PMXEV|PMSWINC|PMEV)/, "counters are not modelled"],
  [/^(DBGPRCR|DBGAUTHSTATUS|DBGVCR32|ERRSELR)/, "QEMU does not have it"],
  [/^IC[CH]_/, "the interrupt controller is not modelled"],
  [/^(DBGDTR|OSDTR|MDCCINT|OSECCR)/, "the debug communications channel is not modelled"],
  [/^(FPCR|FPSR|FPEXC32|DACR32|IFSR32|SPSR_(abt|und|irq|fiq))/, "no observed register"],
];

/** Why a register is left out of recordings; undefined where it is not. */
export function unrecordedReason(name: string): string | undefined {
  return UNRECORDED.find(([pattern]) => pattern.test(name))?.[1];
}

export const ALL_SYSREGS: readonly NamedSysreg[] = sysregRows.map(([name, encoding]) => {
  const [op0, op1, CRn, CRm, op2] = encoding.split(" ").map(Number);
  return { name, op0: op0!, op1: op1!, CRn: CRn!, CRm: CRm!, op2: op2! };
});

const RECORDED_SYSREGS = ALL_SYSREGS.filter(({ name }) => unrecordedReason(name) === undefined);

/** Operations by CRn and op1: each CRm with the op2 that it has. */
const OPERATIONS: readonly (readonly [op1: number, CRn: number, CRm: number, op2: string])[] = [
  [0, 7, 1, "0"], // IC IALLUIS
  [0, 7, 5, "0"], // IC IALLU
  [3, 7, 5, "1"], // IC IVAU
  [0, 7, 6, "123456"], // DC IVAC, ISW, IGVAC, IGSW, IGDVAC, IGDSW
  [0, 7, 10, "246"], // DC CSW and its tags
  [0, 7, 14, "246"], // DC CISW and its tags
  [3, 7, 4, "134"], // DC ZVA, GVA, GZVA
  [3, 7, 10, "135"], // DC CVAC
  [3, 7, 11, "1"], // DC CVAU
  [3, 7, 12, "135"], // DC CVAP
  [3, 7, 13, "135"], // DC CVADP
  [3, 7, 14, "135"], // DC CIVAC
  [3, 7, 3, "457"], // CFP, DVP, CPP RCTX
  [0, 7, 8, "0123"], // AT S1E1R, S1E1W, S1E0R, S1E0W
  [0, 7, 9, "01"], // AT S1E1RP, S1E1WP
  [4, 7, 8, "014567"], // AT S1E2R, S1E2W, S12E1R, S12E1W, S12E0R, S12E0W
  [0, 8, 1, "012357"], // TLBI, outer shareable
  [0, 8, 3, "012357"], // TLBI, inner shareable
  [0, 8, 7, "012357"], // TLBI
  [0, 8, 2, "1357"], // TLBI, ranges
  [0, 8, 5, "1357"],
  [0, 8, 6, "1357"],
  [4, 8, 1, "01456"],
  [4, 8, 3, "01456"],
  [4, 8, 7, "01456"],
  [4, 8, 0, "1256"],
  [4, 8, 4, "01234567"],
  [4, 8, 2, "15"],
  [4, 8, 5, "15"],
  [4, 8, 6, "15"],
];

const ADDRESS_TRANSLATIONS = OPERATIONS.filter(([, CRn, CRm]) => CRn === 7 && (CRm & 14) === 8);

/** Where operations and registers are: op1 and CRn, with any CRm and op2. */
export const OPERATION_SPACE = { op1: [0, 1, 3, 4, 6], CRn: [7, 8] } as const;
export const REGISTER_SPACE = { op1: [0, 3, 4, 5], CRn: [0, 1, 2, 4, 5, 6, 9, 10, 13] } as const;

/** An operation of SYS: address translations often, then any that exists, then any encoding. */
export function systemOperation(random: Random): SystemEncoding {
  const op0 = 1;
  if (random.oneIn(5)) {
    const { op1: op1s, CRn: CRns } = OPERATION_SPACE;
    const [op1, CRn] = [random.pick(op1s), random.pick(CRns)];
    return { op0, op1, CRn, CRm: random.below(16), op2: random.below(8) };
  }
  const [op1, CRn, CRm, op2] = random.pick(random.oneIn(2) ? ADDRESS_TRANSLATIONS : OPERATIONS);
  return { op0, op1, CRn, CRm, op2: Number(random.pick([...op2])) };
}

/** A register by name mostly, or an encoding near the space where registers are. */
export function systemRegister(random: Random): SystemEncoding & { readonly name?: SysregName } {
  if (!random.oneIn(12)) return random.pick(RECORDED_SYSREGS);
  return {
    op0: random.pick([2, 3, 3, 3]),
    op1: random.pick(REGISTER_SPACE.op1),
    CRn: random.pick(REGISTER_SPACE.CRn),
    CRm: random.below(16),
    op2: random.below(8),
  };
}

const ALL = 0xffff_ffff_ffff_ffffn;
const bits = (...positions: number[]): bigint =>
  positions.reduce((all, position) => all | (1n << BigInt(position)), 0n);

/**
 * What a vector may write to registers that the harness itself lives on: the bits that vary,
 * and the others, which stay.
 */
const WRITE_LIMITS: Partial<Record<SysregName, { readonly vary: bigint; readonly keep: bigint }>> =
  {
    SCTLR_EL2: { vary: bits(1, 3, 6, 13, 21, 27, 30, 31, 36, 37, 40, 44), keep: 0x0800_30c5_1835n },
    HCR_EL2: { vary: ALL ^ bits(27, 31, 34, 42, 43, 44, 45, 47), keep: bits(31) },
    MDCR_EL2: { vary: ALL ^ bits(8, 7), keep: bits(8) },
    VBAR_EL2: { vary: bits(11), keep: 0x4008_8000n },
    DBGBCR0_EL1: { vary: ALL ^ 1n, keep: 0n },
    DBGWCR0_EL1: { vary: ALL ^ 1n, keep: 0n },
    OSDLR_EL1: { vary: 0n, keep: 0n },
    PMCR_EL0: { vary: ALL ^ 1n, keep: 0n },
  };

/** Registers that EL2 translation depends on may be written only while it is off. */
const TRANSLATION_EL2: readonly string[] = ["TCR_EL2", "TTBR0_EL2", "MAIR_EL2", "TTBR1_EL2"];

export function needsEl2Off(name: string | undefined): boolean {
  return name !== undefined && TRANSLATION_EL2.includes(name);
}

/** Whether not every value may be written to the register. */
export function isLimited(name: string | undefined): boolean {
  return name !== undefined && name in WRITE_LIMITS;
}

/** A value for MSR that the harness survives. */
export function writtenValue(random: Random, name: SysregName | undefined): bigint {
  const value = operandValue(random);
  const control = name !== undefined && /^DBG[BW]CR/.test(name);
  const limits = control ? { vary: ALL ^ 1n, keep: 0n } : name && WRITE_LIMITS[name];
  return limits ? (value & limits.vary) | limits.keep : value;
}

/** Controls that make accesses trap: the bits of each register that are turned over. */
const TRAPS: readonly (readonly [name: string, bits: readonly number[]])[] = [
  ["HCR_EL2", [26, 30, 16, 17, 18, 49, 58, 21, 22, 23, 24, 25, 28, 35, 36, 37, 20]],
  ["HCR_EL2", [50, 52, 54, 55, 40, 41, 56, 3, 4, 26, 30, 25, 23, 24]],
  ["CPTR_EL2", [31, 20, 10]],
  ["MDCR_EL2", [6, 5, 9, 10, 11]],
  ["CNTHCTL_EL2", [0, 1]],
  ["CNTKCTL_EL1", [0, 1, 8, 9]],
  ["SCTLR_EL1", [9, 15, 26, 14]],
  ["PMUSERENR_EL0", [0, 1, 2, 3]],
  ["HSTR_EL2", [0, 1, 5, 7, 13]],
];

const FINE_GRAINED = ["HFGRTR_EL2", "HFGWTR_EL2", "HFGITR_EL2", "HDFGRTR_EL2", "HDFGWTR_EL2"];

/** Fine-grained traps: every control that v8.5 registers have, at random. */
export function fineGrainedTraps(random: Random, settings: Map<string, bigint>): void {
  for (const name of FINE_GRAINED) {
    if (random.oneIn(2)) settings.set(name, random.bits64() & random.bits64());
  }
}

/** Turns over up to three trap bits. `currentValue` says what a register holds so far. */
export function trapBits(
  random: Random,
  settings: Map<string, bigint>,
  currentValue: (name: string) => bigint,
): void {
  for (let i = random.below(4); i > 0; i--) {
    const [name, positions] = random.pick(TRAPS);
    const value = settings.get(name) ?? currentValue(name);
    settings.set(name, value ^ (1n << BigInt(random.pick(positions))));
  }
}
