// System registers that control execution, translation and traps at EL1 and EL2.

import { bits, mask, type SysregRow } from "../row.ts";

const virtualMemory = ["TVM", "TRVM"] as const;

/** SCTLR_EL1 bits of Armv8.0 that can be written. Source: DDI0487 D24.2.118 SCTLR_EL1. */
const sctlrEl1Bits = bits(0, 1, 2, 3, 4, 6, 9, 12, 14, 15, 16, 18, 19, 24, 25, 26);

/** SCTLR_EL2 bits that can be written, those of HCR_EL2.E2H = 1 included. D24.2.119 SCTLR_EL2. */
const sctlrEl2Bits = bits(0, 1, 2, 3, 4, 5, 6, 12, 14, 15, 16, 18, 19, 23, 24, 25, 26);

const sctlrBitsWith = {
  PAN: bits(23),
  IESB: bits(21),
  PAuth: bits(13, 27, 30, 31),
  SPECRES: bits(10),
  BTI: bits(35, 36),
  MTE2: mask(43, 37),
  SSBS: bits(44),
};

/** TCR_EL1, and TCR_EL2 when E2H is 1: both ranges. Source: DDI0487 D24.2.152 TCR_EL1. */
const tcrBits = mask(5, 0) | mask(34, 32) | mask(31, 7) | bits(36, 37, 38);

const tcrBitsWith = {
  HAFDBS: bits(39, 40),
  HPDS: bits(41, 42) | mask(50, 43),
  PAuth: bits(51, 52),
  E0PD: bits(55, 56),
  MTE2: bits(57, 58),
};

/** HCR_EL2 of Armv8.0 without RW, which is one. Source: DDI0487 D24.2.49 HCR_EL2. */
const hcrBits = mask(30, 0) | bits(32, 33);

const hcrBitsWith = {
  VHE: bits(34),
  LOR: bits(35),
  RAS: bits(36, 37),
  PAuth: bits(40, 41),
  S2FWB: bits(46),
  EVT: bits(49, 50, 52, 54, 55),
  MTE2: bits(56, 57, 58),
};

/** HFGRTR_EL2: all but SCXTNUM_ELx and the error records, which neither processor has. */
const fineGrained = mask(40, 0) & ~bits(30, 31);

/** HFGWTR_EL2 has no bits for registers that cannot be written. */
const readOnlyRegisters = bits(2, 9, 10, 14, 15, 18, 21, 25, 26, 28, 40);

/** HDFGRTR_EL2 and HDFGWTR_EL2 without trace, statistical profiling and branch records. */
const debugReads = (mask(19, 0) & ~bits(8)) | bits(57, 58);
const debugWrites = (mask(21, 0) & ~bits(6, 9)) | bits(57);

/** Source: DDI0487 D24.2, one section each; C5.2 for the encodings. */
export const control = [
  [
    "SCTLR_EL1",
    "3 0 1 0 0",
    {
      traps: virtualMemory,
      fgt: 29,
      bits: sctlrEl1Bits,
      bitsWith: sctlrBitsWith,
      res1: bits(11, 20, 22, 28, 29),
      reset: 0x30d0_0800n,
      controls: true,
    },
  ],
  ["ACTLR_EL1", "3 0 1 0 1", { traps: ["TACR"], bits: 0n }],
  [
    "CPACR_EL1",
    "3 0 1 0 2",
    { traps: ["TCPAC"], fgt: 12, bits: mask(17, 16) | mask(21, 20) | bits(28), controls: true },
  ],
  ["RGSR_EL1", "3 0 1 0 5", { feature: "MTE2", traps: ["ATA"], bits: mask(23, 8) | mask(3, 0) }],
  ["GCR_EL1", "3 0 1 0 6", { feature: "MTE2", traps: ["ATA"], bits: mask(16, 0) }],
  ["TTBR0_EL1", "3 0 2 0 0", { traps: virtualMemory, fgt: 36, controls: true }],
  ["TTBR1_EL1", "3 0 2 0 1", { traps: virtualMemory, fgt: 37, controls: true }],
  [
    "TCR_EL1",
    "3 0 2 0 2",
    { traps: virtualMemory, fgt: 32, bits: tcrBits, bitsWith: tcrBitsWith, controls: true },
  ],
  ["MAIR_EL1", "3 0 10 2 0", { traps: virtualMemory, fgt: 24, controls: true }],
  ["AMAIR_EL1", "3 0 10 3 0", { traps: virtualMemory, fgt: 3, bits: 0n }],
  // LORID_EL1 is zero: there are no regions, and nothing to say about them.
  ["LORSA_EL1", "3 0 10 4 0", { feature: "LOR", traps: ["TLOR"], fgt: 23, bits: 0n }],
  ["LOREA_EL1", "3 0 10 4 1", { feature: "LOR", traps: ["TLOR"], fgt: 20, bits: 0n }],
  ["LORN_EL1", "3 0 10 4 2", { feature: "LOR", traps: ["TLOR"], fgt: 22, bits: 0n }],
  ["LORC_EL1", "3 0 10 4 3", { feature: "LOR", traps: ["TLOR"], fgt: 19, bits: 0n }],
  ["LORID_EL1", "3 0 10 4 7", { access: "RO", feature: "LOR", traps: ["TLOR"], fgt: 21 }],
  ["VBAR_EL1", "3 0 12 0 0", { fgt: 38, bits: mask(63, 11) }],
  ["CONTEXTIDR_EL1", "3 0 13 0 1", { traps: virtualMemory, fgt: 11, bits: mask(31, 0) }],
  ["TPIDR_EL1", "3 0 13 0 4", { fgt: 33 }],
  ["CSSELR_EL1", "3 2 0 0 0", { traps: ["TID2", "TID4"], fgt: 13, bits: mask(3, 0) }],
  ["CCSIDR_EL1", "3 1 0 0 0", { access: "RO", traps: ["TID2", "TID4"], fgt: 9 }],
  ["MPIDR_EL1", "3 0 0 0 5", { access: "RO", fgt: 26 }],
  ["TPIDR_EL0", "3 3 13 0 2", { fgt: 35 }],
  ["TPIDRRO_EL0", "3 3 13 0 3", { writeEl: 1, fgt: 34 }],

  ["VPIDR_EL2", "3 4 0 0 0", { bits: mask(31, 0) }],
  ["VMPIDR_EL2", "3 4 0 0 5"],
  [
    "SCTLR_EL2",
    "3 4 1 0 0",
    {
      bits: sctlrEl2Bits,
      bitsWith: { ...sctlrBitsWith, PAN: 0n },
      res1: bits(11, 22, 28, 29),
      reset: 0x30c5_0830n,
      controls: true,
    },
  ],
  ["ACTLR_EL2", "3 4 1 0 1", { bits: 0n }],
  [
    "HCR_EL2",
    "3 4 1 1 0",
    { bits: hcrBits, bitsWith: hcrBitsWith, res1: bits(31), reset: bits(31), controls: true },
  ],
  [
    "MDCR_EL2",
    "3 4 1 1 1",
    {
      bits: mask(11, 5) | mask(4, 0) | bits(17),
      bitsWith: { FGT: bits(27) },
      reset: 6n,
      controls: true,
    },
  ],
  [
    "CPTR_EL2",
    "3 4 1 1 2",
    { bits: bits(10, 16, 17, 20, 21, 28, 31), res1: 0n, reset: 0x32ffn, controls: true },
  ],
  // Its bits trap accesses by AArch32 alone, which is not here. D24.2.58 HSTR_EL2.
  ["HSTR_EL2", "3 4 1 1 3", { bits: mask(15, 0) & ~bits(4, 14) }],
  ["HFGRTR_EL2", "3 4 1 1 4", { feature: "FGT", bits: fineGrained, controls: true }],
  [
    "HFGWTR_EL2",
    "3 4 1 1 5",
    { feature: "FGT", bits: fineGrained & ~readOnlyRegisters, controls: true },
  ],
  ["HFGITR_EL2", "3 4 1 1 6", { feature: "FGT", bits: mask(54, 0), controls: true }],
  ["HACR_EL2", "3 4 1 1 7", { bits: 0n }],
  ["TTBR0_EL2", "3 4 2 0 0", { controls: true }],
  ["TTBR1_EL2", "3 4 2 0 1", { feature: "VHE", controls: true }],
  [
    "TCR_EL2",
    "3 4 2 0 2",
    {
      bits: mask(56, 0),
      bitsWith: { MTE2: bits(57, 58) },
      reset: bits(23, 31),
      controls: true,
    },
  ],
  ["VTTBR_EL2", "3 4 2 1 0", { controls: true }],
  [
    "VTCR_EL2",
    "3 4 2 1 2",
    {
      bits: mask(18, 0),
      bitsWith: { VMID16: bits(19), HAFDBS: bits(21, 22), HPDS: mask(28, 25) },
      res1: bits(31),
      reset: bits(31),
      controls: true,
    },
  ],
  ["HDFGRTR_EL2", "3 4 3 1 4", { feature: "FGT", bits: debugReads, controls: true }],
  ["HDFGWTR_EL2", "3 4 3 1 5", { feature: "FGT", bits: debugWrites, controls: true }],
  ["MAIR_EL2", "3 4 10 2 0", { controls: true }],
  ["AMAIR_EL2", "3 4 10 3 0", { bits: 0n }],
  ["VBAR_EL2", "3 4 12 0 0", { bits: mask(63, 11) }],
  ["CONTEXTIDR_EL2", "3 4 13 0 1", { feature: "VHE", bits: mask(31, 0) }],
  ["TPIDR_EL2", "3 4 13 0 2"],
] as const satisfies readonly SysregRow[];
