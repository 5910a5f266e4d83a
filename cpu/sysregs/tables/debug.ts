// System registers of self-hosted debug.

import { bits, mask, type SysregRow } from "../row.ts";

const tda = ["TDA"] as const;
/** The debug communications channel, from EL1 and from EL0. */
const channel = ["TDA", "DCC"] as const;
const channelEl0 = ["TDCC", ...channel] as const;
const tdosa = ["TDOSA"] as const;
const breakpointValue = { traps: tda, debugFgt: 1 } as const;
const breakpointControl = {
  traps: tda,
  debugFgt: 0,
  bits: mask(23, 13) | mask(8, 5) | mask(2, 1),
} as const;
const watchpointValue = { traps: tda, debugFgt: 3, bits: mask(63, 2) } as const;
const watchpointControl = { traps: tda, debugFgt: 2, bits: mask(28, 24) | mask(20, 1) } as const;

/**
 * Six breakpoints and four watchpoints, as ID_AA64DFR0_EL1 of both models says. Bit 0 of a control
 * register enables it, which is not modelled: `access.ts` stops there.
 * Source: DDI0487 D24.3, one section each.
 */
export const debug = [
  [
    "MDSCR_EL1",
    "2 0 0 2 2",
    {
      traps: tda,
      debugFgt: 4,
      bits: bits(0, 6, 12, 13, 14, 15, 19, 21, 22, 23, 26, 27, 29, 30),
      controls: true,
    },
  ],
  ["MDCCINT_EL1", "2 0 0 2 0", { traps: channel, bits: bits(29, 30) }],
  ["OSDTRRX_EL1", "2 0 0 0 2", { traps: channel, bits: mask(31, 0) }],
  ["OSDTRTX_EL1", "2 0 0 3 2", { traps: channel, bits: mask(31, 0) }],
  ["OSECCR_EL1", "2 0 0 6 2", { traps: tda, debugFgt: 10, bits: mask(31, 0) }],
  ["MDRAR_EL1", "2 0 1 0 0", { access: "RO", traps: ["TDRA"] }],
  ["OSLAR_EL1", "2 0 1 0 4", { access: "WO", traps: tdosa, debugFgt: 8 }],
  ["OSLSR_EL1", "2 0 1 1 4", { access: "RO", traps: tdosa, debugFgt: 9, reset: 10n }],
  ["OSDLR_EL1", "2 0 1 3 4", { traps: tdosa, debugFgt: 11, bits: bits(0), controls: true }],
  ["DBGPRCR_EL1", "2 0 1 4 4", { traps: tdosa, debugFgt: 7, bits: bits(0) }],
  ["DBGCLAIMSET_EL1", "2 0 7 8 6", { traps: tda, debugFgt: 5 }],
  ["DBGCLAIMCLR_EL1", "2 0 7 9 6", { traps: tda, debugFgt: 5, bits: mask(7, 0) }],
  ["DBGAUTHSTATUS_EL1", "2 0 7 14 6", { access: "RO", traps: tda, debugFgt: 6, reset: 0n }],
  ["MDCCSR_EL0", "2 3 0 1 0", { access: "RO", traps: channelEl0 }],
  ["DBGDTR_EL0", "2 3 0 4 0", { traps: channelEl0, unmodelled: true }],
  ["DBGDTRRX_EL0", "2 3 0 5 0", { traps: channelEl0, unmodelled: true }],
  ["DBGBVR0_EL1", "2 0 0 0 4", breakpointValue],
  ["DBGBVR1_EL1", "2 0 0 1 4", breakpointValue],
  ["DBGBVR2_EL1", "2 0 0 2 4", breakpointValue],
  ["DBGBVR3_EL1", "2 0 0 3 4", breakpointValue],
  ["DBGBVR4_EL1", "2 0 0 4 4", breakpointValue],
  ["DBGBVR5_EL1", "2 0 0 5 4", breakpointValue],
  ["DBGBCR0_EL1", "2 0 0 0 5", breakpointControl],
  ["DBGBCR1_EL1", "2 0 0 1 5", breakpointControl],
  ["DBGBCR2_EL1", "2 0 0 2 5", breakpointControl],
  ["DBGBCR3_EL1", "2 0 0 3 5", breakpointControl],
  ["DBGBCR4_EL1", "2 0 0 4 5", breakpointControl],
  ["DBGBCR5_EL1", "2 0 0 5 5", breakpointControl],
  ["DBGWVR0_EL1", "2 0 0 0 6", watchpointValue],
  ["DBGWVR1_EL1", "2 0 0 1 6", watchpointValue],
  ["DBGWVR2_EL1", "2 0 0 2 6", watchpointValue],
  ["DBGWVR3_EL1", "2 0 0 3 6", watchpointValue],
  ["DBGWCR0_EL1", "2 0 0 0 7", watchpointControl],
  ["DBGWCR1_EL1", "2 0 0 1 7", watchpointControl],
  ["DBGWCR2_EL1", "2 0 0 2 7", watchpointControl],
  ["DBGWCR3_EL1", "2 0 0 3 7", watchpointControl],
] as const satisfies readonly SysregRow[];
