// System registers of the GICv3 CPU interface: they exist, and the interface is not modelled.

import type { SysregRow } from "../row.ts";

const cpuInterface = { unmodelled: true } as const;
const readOnly = { access: "RO", unmodelled: true } as const;
const writeOnly = { access: "WO", unmodelled: true } as const;
const generate = { access: "WO", traps: ["SGI"], unmodelled: true } as const;
const enable = { fgt: 39, unmodelled: true } as const;
const sre = { bits: 0n, reset: 7n } as const;

/** The system register interface cannot be switched off. Source: IHI0069 12.2 and 12.4. */
export const gic = [
  ["ICC_PMR_EL1", "3 0 4 6 0", cpuInterface],
  ["ICC_IAR0_EL1", "3 0 12 8 0", readOnly],
  ["ICC_EOIR0_EL1", "3 0 12 8 1", writeOnly],
  ["ICC_HPPIR0_EL1", "3 0 12 8 2", readOnly],
  ["ICC_BPR0_EL1", "3 0 12 8 3", cpuInterface],
  ["ICC_AP0R0_EL1", "3 0 12 8 4", cpuInterface],
  ["ICC_AP1R0_EL1", "3 0 12 9 0", cpuInterface],
  ["ICC_DIR_EL1", "3 0 12 11 1", writeOnly],
  ["ICC_RPR_EL1", "3 0 12 11 3", readOnly],
  ["ICC_SGI1R_EL1", "3 0 12 11 5", generate],
  ["ICC_ASGI1R_EL1", "3 0 12 11 6", generate],
  ["ICC_SGI0R_EL1", "3 0 12 11 7", generate],
  ["ICC_IAR1_EL1", "3 0 12 12 0", readOnly],
  ["ICC_EOIR1_EL1", "3 0 12 12 1", writeOnly],
  ["ICC_HPPIR1_EL1", "3 0 12 12 2", readOnly],
  ["ICC_BPR1_EL1", "3 0 12 12 3", cpuInterface],
  ["ICC_CTLR_EL1", "3 0 12 12 4", cpuInterface],
  ["ICC_SRE_EL1", "3 0 12 12 5", sre],
  ["ICC_IGRPEN0_EL1", "3 0 12 12 6", enable],
  ["ICC_IGRPEN1_EL1", "3 0 12 12 7", enable],
  ["ICC_SRE_EL2", "3 4 12 9 5", { bits: 0n, reset: 15n }],
  ["ICH_AP0R0_EL2", "3 4 12 8 0", cpuInterface],
  ["ICH_AP1R0_EL2", "3 4 12 9 0", cpuInterface],
  ["ICH_HCR_EL2", "3 4 12 11 0", cpuInterface],
  ["ICH_VTR_EL2", "3 4 12 11 1", { access: "RO", reset: 0x9008_0003n }],
  ["ICH_MISR_EL2", "3 4 12 11 2", readOnly],
  ["ICH_EISR_EL2", "3 4 12 11 3", readOnly],
  ["ICH_ELRSR_EL2", "3 4 12 11 5", readOnly],
  ["ICH_VMCR_EL2", "3 4 12 11 7", cpuInterface],
  ["ICH_LR0_EL2", "3 4 12 12 0", cpuInterface],
  ["ICH_LR1_EL2", "3 4 12 12 1", cpuInterface],
  ["ICH_LR2_EL2", "3 4 12 12 2", cpuInterface],
  ["ICH_LR3_EL2", "3 4 12 12 3", cpuInterface],
] as const satisfies readonly SysregRow[];
