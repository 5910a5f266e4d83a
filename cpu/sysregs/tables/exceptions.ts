// System registers that exceptions write and read, and the ones that stand for PSTATE.

import { bits, mask, type SysregRow } from "../row.ts";

const virtualMemory = ["TVM", "TRVM"] as const;

/** SPSR bits of A64 states, AArch32 bits included where they are stored. D24.2.142 SPSR_EL1. */
const spsrBits = mask(31, 27) | mask(26, 20) | mask(12, 0) | mask(19, 13);

/** Source: DDI0487 D24.2 and C5.2, one section each. */
export const exceptions = [
  ["SPSR_EL1", "3 0 4 0 0", { bits: spsrBits }],
  ["ELR_EL1", "3 0 4 0 1"],
  // SP_EL0 and SP_EL1 live in Core.sp.
  ["SP_EL0", "3 0 4 1 0"],
  ["SPSel", "3 0 4 2 0"],
  ["CurrentEL", "3 0 4 2 2", { access: "RO" }],
  ["PAN", "3 0 4 2 3", { feature: "PAN" }],
  ["UAO", "3 0 4 2 4", { feature: "UAO" }],
  ["AFSR0_EL1", "3 0 5 1 0", { traps: virtualMemory, fgt: 0, bits: 0n }],
  ["AFSR1_EL1", "3 0 5 1 1", { traps: virtualMemory, fgt: 1, bits: 0n }],
  ["ESR_EL1", "3 0 5 2 0", { traps: virtualMemory, fgt: 16, bits: mask(31, 0) }],
  ["TFSR_EL1", "3 0 5 6 0", { feature: "MTE2", traps: ["ATA"], bits: bits(0, 1) }],
  ["TFSRE0_EL1", "3 0 5 6 1", { feature: "MTE2", traps: ["ATA"], bits: bits(0, 1) }],
  ["FAR_EL1", "3 0 6 0 0", { traps: virtualMemory, fgt: 17 }],
  ["PAR_EL1", "3 0 7 4 0", { fgt: 27 }],
  ["ISR_EL1", "3 0 12 1 0", { access: "RO", fgt: 18 }],
  ["NZCV", "3 3 4 2 0"],
  ["DAIF", "3 3 4 2 1", { traps: ["UMA"] }],
  ["DIT", "3 3 4 2 5", { feature: "DIT" }],
  ["SSBS", "3 3 4 2 6", { feature: "SSBS2" }],
  ["TCO", "3 3 4 2 7", { feature: "MTE2" }],
  ["FPCR", "3 3 4 4 0", { traps: ["FP"], bits: mask(26, 15) | mask(12, 8) }],
  ["FPSR", "3 3 4 4 1", { traps: ["FP"], bits: mask(31, 27) | bits(7) | mask(4, 0) }],

  ["SPSR_EL2", "3 4 4 0 0", { bits: spsrBits }],
  ["ELR_EL2", "3 4 4 0 1"],
  ["SP_EL1", "3 4 4 1 0"],
  ["AFSR0_EL2", "3 4 5 1 0", { bits: 0n }],
  ["AFSR1_EL2", "3 4 5 1 1", { bits: 0n }],
  ["ESR_EL2", "3 4 5 2 0", { bits: mask(31, 0) }],
  ["TFSR_EL2", "3 4 5 6 0", { feature: "MTE2", bits: bits(0, 1) }],
  ["FAR_EL2", "3 4 6 0 0"],
  ["HPFAR_EL2", "3 4 6 0 4", { bits: mask(43, 4) }],
  // EL1 has no AArch32: these are RES0, and DACR32_EL2, IFSR32_EL2 and their like are not there.
  ["SPSR_irq", "3 4 4 3 0", { bits: 0n }],
  ["SPSR_abt", "3 4 4 3 1", { bits: 0n }],
  ["SPSR_und", "3 4 4 3 2", { bits: 0n }],
  ["SPSR_fiq", "3 4 4 3 3", { bits: 0n }],

  // RAS without error records: ERRIDR_EL1.NUM is zero.
  // CHOICE: ERRSELR_EL1 and the ERX registers are then UNDEFINED, not RES0.
  ["ERRIDR_EL1", "3 0 5 3 0", { access: "RO", feature: "RAS", traps: ["TERR"], fgt: 40 }],
  ["DISR_EL1", "3 0 12 1 1", { feature: "RAS", bits: bits(31, 24) | mask(23, 0) }],
  ["VSESR_EL2", "3 4 5 2 3", { feature: "RAS", bits: mask(24, 0) }],
  ["VDISR_EL2", "3 4 12 1 1", { feature: "RAS", bits: bits(31, 24) | mask(23, 0) }],
] as const satisfies readonly SysregRow[];
