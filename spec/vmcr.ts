// ICH_VMCR_EL2 of the measured machine: its value at reset, and what the GIC keeps of a write.

const bits = (high: bigint, low: bigint): bigint => ((1n << (high - low + 1n)) - 1n) << low;

/** VENG0, VENG1, VCBPR, VEOIM, VPMR. Source: IHI 0069, ICH_VMCR_EL2. */
const KEPT = bits(1n, 0n) | bits(4n, 4n) | bits(9n, 9n) | bits(31n, 24n);
/** VFIQEn reads as one where group 0 is always signalled as FIQ. */
const VFIQEN = 1n << 3n;
/** VBPR1 and VBPR0, and the least that each can be with 5 bits of preemption. */
const BINARY_POINTS = [
  { shift: 18n, least: 3n },
  { shift: 21n, least: 2n },
] as const;

/**
 * What a read gives after a write of the low 32 bits of a value.
 * Source: IHI 0069, ICH_VMCR_EL2: a binary point below its minimum is the minimum; ich_vmcr_write
 * of QEMU's GICv3, with 5 priority bits.
 */
export function vmcrKept(value: bigint): bigint {
  let kept = (value & KEPT) | VFIQEN;
  for (const { shift, least } of BINARY_POINTS) {
    const asked = (value >> shift) & 7n;
    kept |= (asked < least ? least : asked) << shift;
  }
  return kept;
}

/** Nobody wrote it: the least binary points. */
export const VMCR_RESET = vmcrKept(0n);
