// System registers that identify the processor: read-only values out of the CpuModel.

import type { SysregRow } from "../row.ts";

const id3 = { access: "RO", traps: ["TID3"] } as const;

/** Registers whose value is data of the processor. Source: DDI0487 D24.2, one section each. */
export const identification = [
  ["MIDR_EL1", "3 0 0 0 0", { access: "RO", fgt: 25 }],
  ["REVIDR_EL1", "3 0 0 0 6", { access: "RO", traps: ["TID1"], fgt: 28 }],
  ["AIDR_EL1", "3 1 0 0 7", { access: "RO", traps: ["TID1"], fgt: 2 }],
  ["CTR_EL0", "3 3 0 0 1", { access: "RO", traps: ["UCT", "TID2"], fgt: 14 }],
  ["DCZID_EL0", "3 3 0 0 7", { access: "RO", fgt: 15 }],
  ["CLIDR_EL1", "3 1 0 0 1", { access: "RO", traps: ["TID2", "TID4"], fgt: 10 }],
  ["GMID_EL1", "3 1 0 0 4", { access: "RO", feature: "MTE2", traps: ["TID5"] }],
  ["ID_PFR0_EL1", "3 0 0 1 0", id3],
  ["ID_PFR1_EL1", "3 0 0 1 1", id3],
  ["ID_DFR0_EL1", "3 0 0 1 2", id3],
  ["ID_AFR0_EL1", "3 0 0 1 3", id3],
  ["ID_MMFR0_EL1", "3 0 0 1 4", id3],
  ["ID_MMFR1_EL1", "3 0 0 1 5", id3],
  ["ID_MMFR2_EL1", "3 0 0 1 6", id3],
  ["ID_MMFR3_EL1", "3 0 0 1 7", id3],
  ["ID_ISAR0_EL1", "3 0 0 2 0", id3],
  ["ID_ISAR1_EL1", "3 0 0 2 1", id3],
  ["ID_ISAR2_EL1", "3 0 0 2 2", id3],
  ["ID_ISAR3_EL1", "3 0 0 2 3", id3],
  ["ID_ISAR4_EL1", "3 0 0 2 4", id3],
  ["ID_ISAR5_EL1", "3 0 0 2 5", id3],
  ["ID_MMFR4_EL1", "3 0 0 2 6", id3],
  ["ID_ISAR6_EL1", "3 0 0 2 7", id3],
  ["MVFR0_EL1", "3 0 0 3 0", id3],
  ["MVFR1_EL1", "3 0 0 3 1", id3],
  ["MVFR2_EL1", "3 0 0 3 2", id3],
  ["ID_PFR2_EL1", "3 0 0 3 4", id3],
  ["ID_AA64PFR0_EL1", "3 0 0 4 0", id3],
  ["ID_AA64PFR1_EL1", "3 0 0 4 1", id3],
  ["ID_AA64ZFR0_EL1", "3 0 0 4 4", id3],
  ["ID_AA64DFR0_EL1", "3 0 0 5 0", id3],
  ["ID_AA64DFR1_EL1", "3 0 0 5 1", id3],
  ["ID_AA64AFR0_EL1", "3 0 0 5 4", id3],
  ["ID_AA64AFR1_EL1", "3 0 0 5 5", id3],
  ["ID_AA64ISAR0_EL1", "3 0 0 6 0", id3],
  ["ID_AA64ISAR1_EL1", "3 0 0 6 1", id3],
  ["ID_AA64ISAR2_EL1", "3 0 0 6 2", id3],
  ["ID_AA64MMFR0_EL1", "3 0 0 7 0", id3],
  ["ID_AA64MMFR1_EL1", "3 0 0 7 1", id3],
  ["ID_AA64MMFR2_EL1", "3 0 0 7 2", id3],
  ["PMCEID0_EL0", "3 3 9 12 6", { access: "RO", traps: ["PMUSERENR", "TPM"], debugFgt: 58 }],
  ["PMCEID1_EL0", "3 3 9 12 7", { access: "RO", traps: ["PMUSERENR", "TPM"], debugFgt: 58 }],
] as const satisfies readonly SysregRow[];

export type IdRegisterName = (typeof identification)[number][0];
