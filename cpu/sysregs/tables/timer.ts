// The registers of the generic timer. The counter is a function of retired instructions.

import { bits, mask, type SysregRow } from "../row.ts";

/** ENABLE and IMASK; ISTATUS is computed. Source: DDI0487 D24.10.17 CNTP_CTL_EL0. */
const ctlBits = mask(1, 0);

/** Source: DDI0487 D24.10, one section each. */
export const timer = [
  [
    "CNTFRQ_EL0",
    "3 3 14 0 0",
    { writeEl: 2, traps: ["EL0CNT"], bits: mask(31, 0), reset: 62_500_000n },
  ],
  ["CNTPCT_EL0", "3 3 14 0 1", { access: "RO", traps: ["PCTEN"] }],
  ["CNTVCT_EL0", "3 3 14 0 2", { access: "RO", traps: ["VCTEN"] }],
  ["CNTP_TVAL_EL0", "3 3 14 2 0", { traps: ["PTEN"] }],
  ["CNTP_CTL_EL0", "3 3 14 2 1", { traps: ["PTEN"], bits: ctlBits }],
  ["CNTP_CVAL_EL0", "3 3 14 2 2", { traps: ["PTEN"] }],
  ["CNTV_TVAL_EL0", "3 3 14 3 0", { traps: ["VTEN"] }],
  ["CNTV_CTL_EL0", "3 3 14 3 1", { traps: ["VTEN"], bits: ctlBits }],
  ["CNTV_CVAL_EL0", "3 3 14 3 2", { traps: ["VTEN"] }],
  ["CNTKCTL_EL1", "3 0 14 1 0", { bits: mask(9, 0), controls: true }],
  ["CNTVOFF_EL2", "3 4 14 0 3"],
  ["CNTHCTL_EL2", "3 4 14 1 0", { bits: mask(11, 0), reset: bits(0, 1), controls: true }],
  ["CNTHP_TVAL_EL2", "3 4 14 2 0"],
  ["CNTHP_CTL_EL2", "3 4 14 2 1", { bits: ctlBits }],
  ["CNTHP_CVAL_EL2", "3 4 14 2 2"],
  ["CNTHV_TVAL_EL2", "3 4 14 3 0", { feature: "VHE" }],
  ["CNTHV_CTL_EL2", "3 4 14 3 1", { feature: "VHE", bits: ctlBits }],
  ["CNTHV_CVAL_EL2", "3 4 14 3 2", { feature: "VHE" }],
] as const satisfies readonly SysregRow[];
