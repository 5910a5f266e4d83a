// System instructions: what SYS means. Source: DDI0487 C5.3 to C5.6, one section each.

import type { Features } from "../../cpu-model.ts";

/** What is common to the instructions of one name space. */
export interface SystemInstructionRules {
  /** The lowest EL, where it is not the one that op1 says. */
  readonly el?: 0 | 1 | 2;
  readonly feature?: keyof Features;
  /** Bit of HFGITR_EL2. */
  readonly fgt?: number;
}

/** `op1 CRn CRm op2`. */
export type SystemInstructionRow = readonly [
  name: string,
  encoding: string,
  rules?: SystemInstructionRules,
];

const tags = { feature: "MTE2" } as const;

/** Data and instruction cache maintenance. */
export const cacheInstructions = [
  ["IC IALLUIS", "0 7 1 0", { fgt: 0 }],
  ["IC IALLU", "0 7 5 0", { fgt: 1 }],
  ["IC IVAU", "3 7 5 1", { fgt: 2 }],
  ["DC IVAC", "0 7 6 1", { fgt: 3 }],
  ["DC ISW", "0 7 6 2", { fgt: 4 }],
  ["DC IGVAC", "0 7 6 3", { ...tags, fgt: 3 }],
  ["DC IGSW", "0 7 6 4", { ...tags, fgt: 4 }],
  ["DC IGDVAC", "0 7 6 5", { ...tags, fgt: 3 }],
  ["DC IGDSW", "0 7 6 6", { ...tags, fgt: 4 }],
  ["DC CSW", "0 7 10 2", { fgt: 5 }],
  ["DC CGSW", "0 7 10 4", { ...tags, fgt: 5 }],
  ["DC CGDSW", "0 7 10 6", { ...tags, fgt: 5 }],
  ["DC CISW", "0 7 14 2", { fgt: 6 }],
  ["DC CIGSW", "0 7 14 4", { ...tags, fgt: 6 }],
  ["DC CIGDSW", "0 7 14 6", { ...tags, fgt: 6 }],
  ["DC ZVA", "3 7 4 1", { fgt: 11 }],
  ["DC GVA", "3 7 4 3", { ...tags, fgt: 11 }],
  ["DC GZVA", "3 7 4 4", { ...tags, fgt: 11 }],
  ["DC CVAC", "3 7 10 1", { fgt: 54 }],
  ["DC CGVAC", "3 7 10 3", { ...tags, fgt: 54 }],
  ["DC CGDVAC", "3 7 10 5", { ...tags, fgt: 54 }],
  ["DC CVAU", "3 7 11 1", { fgt: 7 }],
  ["DC CVAP", "3 7 12 1", { feature: "DPB", fgt: 8 }],
  ["DC CGVAP", "3 7 12 3", { ...tags, fgt: 8 }],
  ["DC CGDVAP", "3 7 12 5", { ...tags, fgt: 8 }],
  ["DC CVADP", "3 7 13 1", { feature: "DPB2", fgt: 9 }],
  ["DC CGVADP", "3 7 13 3", { ...tags, fgt: 9 }],
  ["DC CGDVADP", "3 7 13 5", { ...tags, fgt: 9 }],
  ["DC CIVAC", "3 7 14 1", { fgt: 10 }],
  ["DC CIGVAC", "3 7 14 3", { ...tags, fgt: 10 }],
  ["DC CIGDVAC", "3 7 14 5", { ...tags, fgt: 10 }],
] as const satisfies readonly SystemInstructionRow[];

/** Address translation. */
export const translationInstructions = [
  ["AT S1E1R", "0 7 8 0", { fgt: 12 }],
  ["AT S1E1W", "0 7 8 1", { fgt: 13 }],
  ["AT S1E0R", "0 7 8 2", { fgt: 14 }],
  ["AT S1E0W", "0 7 8 3", { fgt: 15 }],
  ["AT S1E1RP", "0 7 9 0", { feature: "PAN2", fgt: 16 }],
  ["AT S1E1WP", "0 7 9 1", { feature: "PAN2", fgt: 17 }],
  ["AT S1E2R", "4 7 8 0"],
  ["AT S1E2W", "4 7 8 1"],
  ["AT S12E1R", "4 7 8 4"],
  ["AT S12E1W", "4 7 8 5"],
  ["AT S12E0R", "4 7 8 6"],
  ["AT S12E0W", "4 7 8 7"],
] as const satisfies readonly SystemInstructionRow[];

/** Prediction restriction. */
export const predictionInstructions = [
  ["CFP RCTX", "3 7 3 4", { feature: "SPECRES", fgt: 48 }],
  ["DVP RCTX", "3 7 3 5", { feature: "SPECRES", fgt: 49 }],
  ["CPP RCTX", "3 7 3 7", { feature: "SPECRES", fgt: 50 }],
] as const satisfies readonly SystemInstructionRow[];

const range = "TLBIRANGE" as const;
const outer = "TLBIOS" as const;

/** TLB maintenance of the EL1&0 regime, as EL1 can do it. */
const tlbEl1 = [
  ["TLBI VMALLE1OS", "0 8 1 0", { feature: outer, fgt: 18 }],
  ["TLBI VAE1OS", "0 8 1 1", { feature: outer, fgt: 19 }],
  ["TLBI ASIDE1OS", "0 8 1 2", { feature: outer, fgt: 20 }],
  ["TLBI VAAE1OS", "0 8 1 3", { feature: outer, fgt: 21 }],
  ["TLBI VALE1OS", "0 8 1 5", { feature: outer, fgt: 22 }],
  ["TLBI VAALE1OS", "0 8 1 7", { feature: outer, fgt: 23 }],
  ["TLBI RVAE1IS", "0 8 2 1", { feature: range, fgt: 34 }],
  ["TLBI RVAAE1IS", "0 8 2 3", { feature: range, fgt: 35 }],
  ["TLBI RVALE1IS", "0 8 2 5", { feature: range, fgt: 36 }],
  ["TLBI RVAALE1IS", "0 8 2 7", { feature: range, fgt: 37 }],
  ["TLBI VMALLE1IS", "0 8 3 0", { fgt: 28 }],
  ["TLBI VAE1IS", "0 8 3 1", { fgt: 29 }],
  ["TLBI ASIDE1IS", "0 8 3 2", { fgt: 30 }],
  ["TLBI VAAE1IS", "0 8 3 3", { fgt: 31 }],
  ["TLBI VALE1IS", "0 8 3 5", { fgt: 32 }],
  ["TLBI VAALE1IS", "0 8 3 7", { fgt: 33 }],
  ["TLBI RVAE1OS", "0 8 5 1", { feature: range, fgt: 24 }],
  ["TLBI RVAAE1OS", "0 8 5 3", { feature: range, fgt: 25 }],
  ["TLBI RVALE1OS", "0 8 5 5", { feature: range, fgt: 26 }],
  ["TLBI RVAALE1OS", "0 8 5 7", { feature: range, fgt: 27 }],
  ["TLBI RVAE1", "0 8 6 1", { feature: range, fgt: 38 }],
  ["TLBI RVAAE1", "0 8 6 3", { feature: range, fgt: 39 }],
  ["TLBI RVALE1", "0 8 6 5", { feature: range, fgt: 40 }],
  ["TLBI RVAALE1", "0 8 6 7", { feature: range, fgt: 41 }],
  ["TLBI VMALLE1", "0 8 7 0", { fgt: 42 }],
  ["TLBI VAE1", "0 8 7 1", { fgt: 43 }],
  ["TLBI ASIDE1", "0 8 7 2", { fgt: 44 }],
  ["TLBI VAAE1", "0 8 7 3", { fgt: 45 }],
  ["TLBI VALE1", "0 8 7 5", { fgt: 46 }],
  ["TLBI VAALE1", "0 8 7 7", { fgt: 47 }],
] as const satisfies readonly SystemInstructionRow[];

/** TLB maintenance that only EL2 can do. */
const tlbEl2 = [
  ["TLBI IPAS2E1IS", "4 8 0 1"],
  ["TLBI RIPAS2E1IS", "4 8 0 2", { feature: range }],
  ["TLBI IPAS2LE1IS", "4 8 0 5"],
  ["TLBI RIPAS2LE1IS", "4 8 0 6", { feature: range }],
  ["TLBI ALLE2OS", "4 8 1 0", { feature: outer }],
  ["TLBI VAE2OS", "4 8 1 1", { feature: outer }],
  ["TLBI ALLE1OS", "4 8 1 4", { feature: outer }],
  ["TLBI VALE2OS", "4 8 1 5", { feature: outer }],
  ["TLBI VMALLS12E1OS", "4 8 1 6", { feature: outer }],
  ["TLBI RVAE2IS", "4 8 2 1", { feature: range }],
  ["TLBI RVALE2IS", "4 8 2 5", { feature: range }],
  ["TLBI ALLE2IS", "4 8 3 0"],
  ["TLBI VAE2IS", "4 8 3 1"],
  ["TLBI ALLE1IS", "4 8 3 4"],
  ["TLBI VALE2IS", "4 8 3 5"],
  ["TLBI VMALLS12E1IS", "4 8 3 6"],
  ["TLBI IPAS2E1OS", "4 8 4 0", { feature: outer }],
  ["TLBI IPAS2E1", "4 8 4 1"],
  ["TLBI RIPAS2E1", "4 8 4 2", { feature: range }],
  ["TLBI RIPAS2E1OS", "4 8 4 3", { feature: range }],
  ["TLBI IPAS2LE1OS", "4 8 4 4", { feature: outer }],
  ["TLBI IPAS2LE1", "4 8 4 5"],
  ["TLBI RIPAS2LE1", "4 8 4 6", { feature: range }],
  ["TLBI RIPAS2LE1OS", "4 8 4 7", { feature: range }],
  ["TLBI RVAE2OS", "4 8 5 1", { feature: range }],
  ["TLBI RVALE2OS", "4 8 5 5", { feature: range }],
  ["TLBI RVAE2", "4 8 6 1", { feature: range }],
  ["TLBI RVALE2", "4 8 6 5", { feature: range }],
  ["TLBI ALLE2", "4 8 7 0"],
  ["TLBI VAE2", "4 8 7 1"],
  ["TLBI ALLE1", "4 8 7 4"],
  ["TLBI VALE2", "4 8 7 5"],
  ["TLBI VMALLS12E1", "4 8 7 6"],
] as const satisfies readonly SystemInstructionRow[];

export const tlbInstructions: readonly SystemInstructionRow[] = [...tlbEl1, ...tlbEl2];
