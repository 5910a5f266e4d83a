// How TCR_ELx and VTCR_EL2 shape a table walk: granule, input size, first level, output size.

import type { Features } from "../cpu-model.ts";
import { field, flag } from "../sysregs/fields.ts";

/** log2 of the translation granule: 4 KiB, 16 KiB, 64 KiB. */
export type GranuleBits = 12 | 14 | 16;

/** Everything that one table walk needs to know before it reads the first descriptor. */
export interface WalkParameters {
  readonly granuleBits: GranuleBits;
  /** Bits of the input address that are translated. */
  readonly inputBits: number;
  /** False where TnSZ or SL0 is out of range: every address is then a Translation fault. */
  readonly valid: boolean;
  /** Level of the first lookup. */
  readonly startLevel: number;
  /** Physical address (or IPA) of the first table. */
  readonly base: number;
  /** Bits of the output address; the rest must be zero. */
  readonly outputBits: number;
  /** Hardware updates of the access flag and of dirty state. */
  readonly ha: boolean;
  readonly hd: boolean;
  /** Descriptors are big-endian. */
  readonly bigEndian: boolean;
}

/** A range of virtual addresses: the walk, and what is said about the range as a whole. */
export interface Stage1Range extends WalkParameters {
  /** The range at the top of the address space: the bits above its input size are 1, not 0. */
  readonly top: boolean;
  /** Walks are disabled: EPDn. */
  readonly disabled: boolean;
  /** Unprivileged accesses fault: E0PDn. */
  readonly e0pd: boolean;
  /** The top byte of data addresses is ignored, and of instruction addresses. */
  readonly tbiData: boolean;
  readonly tbiInstruction: boolean;
  /** Unchecked tag: TCMAn. */
  readonly tcma: boolean;
  /** Hierarchical permissions are disabled: HPDn. */
  readonly hpd: boolean;
}

/** What a stage 1 register set looks like: TCR, TTBR and SCTLR.EE, and which half of TCR. */
export interface Stage1Source {
  readonly tcr: bigint;
  readonly ttbr: bigint;
  readonly bigEndian: boolean;
  readonly features: Features;
  readonly paBits: number;
}

/** Output sizes of IPS and PS, and PARange. 0b110 and up are 52 bits, cut down to PARange. */
const sizeBits = [32, 36, 40, 42, 44, 48, 52, 52];

/** The output size that a field of three bits asks for, or all that is implemented. */
export function outputSize(ps: number, paBits: number): number {
  return Math.min(sizeBits[ps]!, paBits);
}

/** TG0. CHOICE: the reserved value is 4 KiB. Source: DDI0487 D24.2.152 TCR_EL1. */
function granuleOfTg0(tg0: number): GranuleBits {
  if (tg0 === 0b01) return 16;
  return tg0 === 0b10 ? 14 : 12;
}

/** TG1, which is encoded differently. CHOICE: the reserved value is 4 KiB. */
function granuleOfTg1(tg1: number): GranuleBits {
  if (tg1 === 0b11) return 16;
  return tg1 === 0b01 ? 14 : 12;
}

/** Address bits that one lookup resolves. */
export function strideBits(granuleBits: GranuleBits): number {
  return granuleBits - 3;
}

/** The lowest bit that a lookup at a level resolves; the size of what a leaf there maps. */
export function levelShift(granuleBits: GranuleBits, level: number): number {
  return granuleBits + (3 - level) * strideBits(granuleBits);
}

/** The first level of stage 1: as many levels as the input needs. */
function firstLevel(granuleBits: GranuleBits, inputBits: number): number {
  return 4 - Math.ceil((inputBits - granuleBits) / strideBits(granuleBits));
}

/**
 * Whether TnSZ is in range. The largest depends on FEAT_TTST; the smallest is 16 without 52-bit
 * virtual addresses. CHOICE: out of range, every access is a level 0 Translation fault.
 * Source: DDI0487 D8.2.4 The input address size.
 */
function sizeInRange(tsz: number, granuleBits: GranuleBits, features: Features): boolean {
  const largest = features.TTST ? (granuleBits === 16 ? 47 : 48) : 39;
  return tsz >= 16 && tsz <= largest;
}

/** The part of a table base register that is an address: a table is aligned to its size. */
function tableBase(
  register: bigint,
  p: { inputBits: number; granuleBits: GranuleBits },
  level: number,
) {
  const entriesBits = p.inputBits - levelShift(p.granuleBits, level);
  const alignment = 2 ** Math.max(entriesBits + 3, 4);
  const base = Number(register & 0xffff_ffff_fffen);
  return base - (base % alignment);
}

/** TTBR0_ELx and the low half of TCR_ELx, when the regime has two ranges. */
export function lowerRange(source: Stage1Source): Stage1Range {
  const { tcr, features } = source;
  return stage1Range(source, {
    top: false,
    granuleBits: granuleOfTg0(field(tcr, 15, 14)),
    tsz: field(tcr, 5, 0),
    disabled: flag(tcr, 7),
    e0pd: features.E0PD && flag(tcr, 55),
    tbi: flag(tcr, 37),
    tbid: features.PAuth && flag(tcr, 51),
    tcma: features.MTE2 && flag(tcr, 57),
    hpd: features.HPDS && flag(tcr, 41),
  });
}

/** TTBR1_ELx and the high half of TCR_ELx. */
export function upperRange(source: Stage1Source): Stage1Range {
  const { tcr, features } = source;
  return stage1Range(source, {
    top: true,
    granuleBits: granuleOfTg1(field(tcr, 31, 30)),
    tsz: field(tcr, 21, 16),
    disabled: flag(tcr, 23),
    e0pd: features.E0PD && flag(tcr, 56),
    tbi: flag(tcr, 38),
    tbid: features.PAuth && flag(tcr, 52),
    tcma: features.MTE2 && flag(tcr, 58),
    hpd: features.HPDS && flag(tcr, 42),
  });
}

/** TTBR0_EL2 and TCR_EL2 when HCR_EL2.E2H is 0. Source: DDI0487 D24.2.153 TCR_EL2. */
export function singleRange(source: Stage1Source): Stage1Range {
  const { tcr, features } = source;
  const range = stage1Range(source, {
    top: false,
    granuleBits: granuleOfTg0(field(tcr, 15, 14)),
    tsz: field(tcr, 5, 0),
    disabled: false,
    e0pd: false,
    tbi: flag(tcr, 20),
    tbid: features.PAuth && flag(tcr, 29),
    tcma: features.MTE2 && flag(tcr, 30),
    hpd: features.HPDS && flag(tcr, 24),
  });
  const ha = features.HAFDBS && flag(tcr, 21);
  return {
    ...range,
    outputBits: outputSize(field(tcr, 18, 16), source.paBits),
    ha,
    hd: ha && flag(tcr, 22),
  };
}

interface RangeFields {
  readonly top: boolean;
  readonly granuleBits: GranuleBits;
  readonly tsz: number;
  readonly disabled: boolean;
  readonly e0pd: boolean;
  readonly tbi: boolean;
  readonly tbid: boolean;
  readonly tcma: boolean;
  readonly hpd: boolean;
}

function stage1Range(source: Stage1Source, fields: RangeFields): Stage1Range {
  const { tcr, features } = source;
  const { top, granuleBits, disabled, e0pd, tcma, hpd } = fields;
  const inputBits = 64 - fields.tsz;
  const valid = sizeInRange(fields.tsz, granuleBits, features);
  const startLevel = valid ? firstLevel(granuleBits, inputBits) : 0;
  const ha = features.HAFDBS && flag(tcr, 39);
  return {
    top,
    granuleBits,
    inputBits,
    valid,
    startLevel,
    base: valid ? tableBase(source.ttbr, { inputBits, granuleBits }, startLevel) : 0,
    outputBits: outputSize(field(tcr, 34, 32), source.paBits),
    ha,
    hd: ha && flag(tcr, 40),
    bigEndian: source.bigEndian,
    disabled,
    e0pd,
    tbiData: fields.tbi,
    tbiInstruction: fields.tbi && !fields.tbid,
    tcma,
    hpd,
  };
}

/** Stage 2 out of VTCR_EL2 and VTTBR_EL2. Source: DDI0487 D24.2.165 VTCR_EL2. */
export function stage2Parameters(
  vtcr: bigint,
  vttbr: bigint,
  bigEndian: boolean,
  features: Features,
  paBits: number,
): WalkParameters {
  const granuleBits = granuleOfTg0(field(vtcr, 15, 14));
  const tsz = field(vtcr, 5, 0);
  const inputBits = 64 - tsz;
  const startLevel = stage2StartLevel(granuleBits, field(vtcr, 7, 6), features);
  const valid =
    sizeInRange(tsz, granuleBits, features) &&
    stage2StartIsValid(granuleBits, inputBits, startLevel, paBits);
  const ha = features.HAFDBS && flag(vtcr, 21);
  return {
    granuleBits,
    inputBits,
    valid,
    startLevel,
    base: valid ? tableBase(vttbr, { inputBits, granuleBits }, startLevel) : 0,
    outputBits: outputSize(field(vtcr, 18, 16), paBits),
    ha,
    hd: ha && flag(vtcr, 22),
    bigEndian,
  };
}

/** SL0: counted from level 2 with 4 KiB, from level 3 otherwise. D24.2.165 VTCR_EL2, SL0. */
function stage2StartLevel(granuleBits: GranuleBits, sl0: number, features: Features): number {
  if (granuleBits !== 12) return 3 - sl0;
  return sl0 === 3 && features.TTST ? 3 : 2 - sl0;
}

/**
 * Whether SL0 fits the physical address size and T0SZ: the first table may be up to sixteen
 * concatenated ones, and has at least two entries. CHOICE: T0SZ larger than PARange faults.
 * Source: DDI0487 D8.2.2 Translation table walk, Concatenated translation tables.
 */
function stage2StartIsValid(
  granuleBits: GranuleBits,
  inputBits: number,
  startLevel: number,
  paBits: number,
): boolean {
  const firstWithFewBits = granuleBits === 12 ? 0 : 1;
  const needsMoreThan = granuleBits === 14 ? 40 : 42;
  if (startLevel < firstWithFewBits) return false;
  if (startLevel === firstWithFewBits && paBits <= needsMoreThan) return false;
  if (inputBits > paBits) return false;
  const entriesBits = inputBits - levelShift(granuleBits, startLevel);
  return entriesBits >= 1 && entriesBits <= strideBits(granuleBits) + 4;
}
