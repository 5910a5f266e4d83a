// Where everything is in the physical memory of the recording machine; shared with the harness.

/**
 * Addresses and sizes that both the harness and the generator know. Bits 17 to 12 of what the
 * harness uses all the time differ: QEMU's TLB is direct-mapped and small.
 */
export const LAYOUT = {
  /** RAM of the machine: 3 GiB from here. */
  RAM_BASE: 0x4000_0000,
  RAM_BYTES: 0xc000_0000,
  /** The vectors of EL2, and a second table with the same code behind it. */
  HARNESS_TEXT: 0x4008_8000,
  VBAR_EL1_BASE: 0x4020_0000,
  HARNESS_DATA: 0x4042_0000,
  STACK_TOP: 0x4062_8000,
  /** What vectors read and write: 16 KiB, refilled before every vector. */
  WINDOW: 0x4800_0000,
  WINDOW_BYTES: 0x4000,
  /** Compared on both sides of the window, for accesses across its ends. */
  GUARD_BYTES: 0x40,
  /** Instruction `n` of a batch is at `SLOTS + 16 * n`, unless its line says otherwise. */
  SLOTS: 0x5000_0000,
  SLOTS_BYTES: 0x100_0000,
  BATCH_INPUT: 0x6000_0000,
  TABLES: 0x7000_0000,
  TABLES_BYTES: 0x100_0000,
  BATCH_OUTPUT: 0x8000_0000,
  SHADOW: 0xbf01_0000,
} as const;

/** Capacities and the offsets in the records that entry.S and batch.c use. */
export const HARNESS_LIMITS = {
  REGION_MAX: 4,
  POKE_MAX: 1024,
  /** The immediate of the HVC that the vectors of EL1 hold. */
  EL1_HVC: 0x7e1,
  ENTRY_PC: 0,
  ENTRY_SP_EL0: 16,
  ENTRY_SP_EL2: 32,
  ENTRY_X: 40,
  CAPTURE_SP_EL0: 256,
  CAPTURE_ELR: 272,
  CAPTURE_PSTATE: 288,
  CAPTURE_VECTOR: 296,
  CAPTURE_BYTES: 304,
  /** Doublewords of a result before its lists. */
  RESULT_FIXED: 42,
  FLAG_REGIONS: 15,
  FLAG_TAGS: 16,
} as const;

/** BRK #0: what follows an instruction in its slot; reached only without software step. */
export const BRK_0 = 0xd420_0000;

/** The doublewords of the data window before every vector. */
export function windowPattern(): BigUint64Array {
  const values = new BigUint64Array(LAYOUT.WINDOW_BYTES / 8);
  for (let j = 0; j < values.length / 2; j++) {
    values[2 * j] = BigInt(j + 1) * 0x9e37_79b9_7f4a_7c15n;
    values[2 * j + 1] = BigInt(j);
  }
  return values;
}

/** The allocation tag of a granule of the window before every vector. */
export function windowTag(granule: number): number {
  return (granule * 5 + 3) & 15;
}
