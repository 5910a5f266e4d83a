// Memory types: what MAIR and stage 2 descriptors say, and what the two stages give together.

/**
 * Attributes of a location. `attr` has the format of a MAIR_EL1 field, which is also that of
 * PAR_EL1.ATTR; `sh` the format of a descriptor's SH field.
 */
export interface MemoryAttributes {
  readonly attr: number;
  readonly sh: number;
}

export const deviceNGnRnE: MemoryAttributes = { attr: 0x00, sh: 0b10 };
/** Normal, write-back, read- and write-allocate, both caches, non-shareable. */
export const normalWriteBack: MemoryAttributes = { attr: 0xff, sh: 0b00 };
/** The same with allocation tags. */
export const normalTagged: MemoryAttributes = { attr: 0xf0, sh: 0b00 };
/** Normal, write-through: what an instruction fetch is with translation off and SCTLR.I set. */
export const normalWriteThrough: MemoryAttributes = { attr: 0xaa, sh: 0b10 };
export const normalNonCacheable: MemoryAttributes = { attr: 0x44, sh: 0b10 };

const outerShareable = 0b10;
const innerShareable = 0b11;

/** Tagged Normal Write-Back: the MAIR encoding that has allocation tags. D24.2.97 MAIR_EL1. */
export const TAGGED_ATTR = 0xf0;

/** Whether the type is one of the four Device types. */
export function isDevice(attributes: MemoryAttributes): boolean {
  return attributes.attr >>> 4 === 0;
}

/** Whether the location holds allocation tags. */
export function isTagged(attributes: MemoryAttributes): boolean {
  return attributes.attr === TAGGED_ATTR;
}

/** Normal memory that both caches keep as write-back: where LSE2 relaxes alignment. */
export function isWriteBack(attributes: MemoryAttributes): boolean {
  const { attr } = attributes;
  return isTagged(attributes) || (strength(attr >>> 4) === 2 && strength(attr & 15) === 2);
}

/**
 * The attributes of stage 1 from one field of MAIR_ELx.
 * CHOICE: field values that are UNPREDICTABLE or reserved are Device-nGnRnE.
 * Source: DDI0487 D24.2.97 MAIR_EL1; S1DecodeMemAttrs.
 */
export function stage1Attributes(mairField: number, sh: number, mte: boolean): MemoryAttributes {
  const high = mairField >>> 4;
  const low = mairField & 15;
  if (high === 0) {
    const reserved = (low & 3) !== 0;
    return { attr: reserved ? 0 : low, sh: outerShareable };
  }
  if (mairField === TAGGED_ATTR) return mte ? { attr: mairField, sh } : deviceNGnRnE;
  if (low === 0) return deviceNGnRnE;
  return normal(mairField, sh);
}

/** Normal memory; where neither cache keeps it, it is outer shareable. */
function normal(attr: number, sh: number): MemoryAttributes {
  return { attr, sh: attr === 0x44 ? outerShareable : sh };
}

/**
 * The attributes of stage 2 without HCR_EL2.FWB.
 * Source: DDI0487 D8.6.5 Stage 2 memory region type, MemAttr when FWB is 0; S2DecodeMemAttrs.
 */
export function stage2Attributes(memAttr: number, sh: number): MemoryAttributes {
  const outer = memAttr >>> 2;
  const inner = memAttr & 3;
  if (outer === 0) return { attr: inner << 2, sh: outerShareable };
  // CHOICE: inner 0b00 is reserved; taken as Non-cacheable.
  return normal((cacheability(outer) << 4) | cacheability(inner), sh);
}

/** Two bits of stage 2 as four bits of MAIR: non-cacheable, write-through, write-back. */
function cacheability(two: number): number {
  if (two === 0b11) return 0b1111;
  return two === 0b10 ? 0b1010 : 0b0100;
}

/** How much a MAIR half caches: 0 not, 1 write-through, 2 write-back. */
function strength(half: number): number {
  if (half === 0b0100) return 0;
  return (half & 0b0100) === 0 ? 1 : 2;
}

function weaker(one: number, other: number): number {
  return strength(one) <= strength(other) ? one : other;
}

/**
 * Both stages together: any Device wins, the stricter of two; otherwise the less cacheable wins.
 * Source: DDI0487 D8.6.6 Combining stage 1 and stage 2 memory type attributes; S2CombineS1MemAttrs.
 */
export function combineAttributes(s1: MemoryAttributes, s2: MemoryAttributes): MemoryAttributes {
  if (isDevice(s1) && isDevice(s2)) return { attr: Math.min(s1.attr, s2.attr), sh: outerShareable };
  if (isDevice(s1)) return s1;
  if (isDevice(s2)) return s2;
  const sh = combineShareability(s1.sh, s2.sh);
  // Allocation tags survive stage 2 only where it is write-back as well.
  if (isTagged(s1) && isWriteBack(s2)) return { attr: TAGGED_ATTR, sh };
  const one = isTagged(s1) ? 0xff : s1.attr;
  return normal((weaker(one >>> 4, s2.attr >>> 4) << 4) | weaker(one & 15, s2.attr & 15), sh);
}

function combineShareability(one: number, other: number): number {
  if (one === outerShareable || other === outerShareable) return outerShareable;
  return one === innerShareable || other === innerShareable ? innerShareable : 0;
}

/**
 * Both stages together when HCR_EL2.FWB is 1: stage 2 may override stage 1.
 * CHOICE: the reserved value 0b100 of MemAttr[2:0] is taken as Non-cacheable.
 * Source: DDI0487 D8.6.5 Stage 2 memory region type, MemAttr when FWB is 1.
 */
export function combineAttributesForced(
  s1: MemoryAttributes,
  memAttr: number,
  s2sh: number,
): MemoryAttributes {
  const sh = combineShareability(s1.sh, s2sh);
  if ((memAttr & 4) === 0) return combineAttributes(s1, { attr: (memAttr & 3) << 2, sh: s2sh });
  switch (memAttr & 3) {
    case 0b11:
      return isDevice(s1) ? s1 : normal(s1.attr, sh);
    case 0b10:
      return isTagged(s1) ? { attr: TAGGED_ATTR, sh } : normal(0xff, isDevice(s1) ? s2sh : sh);
    default:
      return isDevice(s1) ? s1 : normalNonCacheable;
  }
}
