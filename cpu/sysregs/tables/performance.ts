// System registers of the performance monitors: six event counters that can be set up, not run.

import { bits, mask, type SysregRow } from "../row.ts";

const pmu = ["PMUSERENR", "TPM"] as const;
const counters = bits(31) | mask(5, 0);
/** P, U and NSH; the others need EL3. */
const filters = bits(31, 30, 27);
const eventCounter = { traps: pmu, debugFgt: 12, bits: mask(31, 0) } as const;
const eventType = { traps: pmu, debugFgt: 13, bits: filters | mask(15, 0) } as const;

/**
 * Counting is not modelled: `access.ts` stops where PMCR_EL0.E becomes 1.
 * Source: DDI0487 D24.5, one section each.
 */
export const performance = [
  [
    "PMCR_EL0",
    "3 3 9 12 0",
    {
      traps: ["PMUSERENR", "TPM", "TPMCR"],
      debugFgt: 21,
      debugFgtWritesOnly: true,
      bits: mask(6, 3),
      reset: 0x410b_3000n,
    },
  ],
  ["PMCNTENSET_EL0", "3 3 9 12 1", { traps: pmu, debugFgt: 16, bits: counters }],
  ["PMCNTENCLR_EL0", "3 3 9 12 2", { traps: pmu, debugFgt: 16, bits: counters }],
  ["PMOVSCLR_EL0", "3 3 9 12 3", { traps: pmu, debugFgt: 18, bits: counters }],
  ["PMSWINC_EL0", "3 3 9 12 4", { access: "WO", traps: pmu, debugFgt: 20, unmodelled: true }],
  ["PMSELR_EL0", "3 3 9 12 5", { traps: pmu, debugFgt: 19, bits: mask(4, 0) }],
  ["PMCCNTR_EL0", "3 3 9 13 0", { traps: pmu, debugFgt: 15 }],
  ["PMXEVTYPER_EL0", "3 3 9 13 1", { traps: pmu, unmodelled: true }],
  ["PMXEVCNTR_EL0", "3 3 9 13 2", { traps: pmu, unmodelled: true }],
  ["PMUSERENR_EL0", "3 3 9 14 0", { writeEl: 1, traps: ["TPM"], debugFgt: 57, bits: mask(3, 0) }],
  ["PMINTENSET_EL1", "3 0 9 14 1", { traps: ["TPM"], debugFgt: 17, bits: counters }],
  ["PMINTENCLR_EL1", "3 0 9 14 2", { traps: ["TPM"], debugFgt: 17, bits: counters }],
  ["PMOVSSET_EL0", "3 3 9 14 3", { traps: pmu, debugFgt: 18, bits: counters }],
  ["PMCCFILTR_EL0", "3 3 14 15 7", { traps: pmu, debugFgt: 14, bits: filters }],
  ["PMEVCNTR0_EL0", "3 3 14 8 0", eventCounter],
  ["PMEVCNTR1_EL0", "3 3 14 8 1", eventCounter],
  ["PMEVCNTR2_EL0", "3 3 14 8 2", eventCounter],
  ["PMEVCNTR3_EL0", "3 3 14 8 3", eventCounter],
  ["PMEVCNTR4_EL0", "3 3 14 8 4", eventCounter],
  ["PMEVCNTR5_EL0", "3 3 14 8 5", eventCounter],
  ["PMEVTYPER0_EL0", "3 3 14 12 0", eventType],
  ["PMEVTYPER1_EL0", "3 3 14 12 1", eventType],
  ["PMEVTYPER2_EL0", "3 3 14 12 2", eventType],
  ["PMEVTYPER3_EL0", "3 3 14 12 3", eventType],
  ["PMEVTYPER4_EL0", "3 3 14 12 4", eventType],
  ["PMEVTYPER5_EL0", "3 3 14 12 5", eventType],
] as const satisfies readonly SysregRow[];
