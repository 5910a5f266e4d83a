// Which bits of control registers can be written: the fields of DDI0487 D24.2 and D24.3, by name.

import { describe, expect, test } from "vitest";
import { cortexA76, max } from "../../../cpu/cpu-model.ts";
import type { SysregName } from "../../../cpu/sysregs/names.ts";
import { alwaysOne, writableBits } from "../../../cpu/sysregs/registers.ts";

type Bits = number | readonly [high: number, low: number];
type Fields = Readonly<Record<string, Bits>>;

function maskOf(fields: Fields): bigint {
  return Object.values(fields).reduce<bigint>((mask, bits) => {
    const [high, low] = typeof bits === "number" ? [bits, bits] : bits;
    return mask | (((1n << BigInt(high - low + 1)) - 1n) << BigInt(low));
  }, 0n);
}

interface Row {
  /** Fields that both processors have, and those that need a feature of Armv8.3 or later. */
  readonly both: Fields;
  readonly later: Fields;
  /** Fields that are one without the features that bring them: FEAT_ExS, AArch32, E2H 0. */
  readonly one: Fields;
}

/** SCTLR_EL1 and SCTLR_EL2 but for what the levels do not share. */
const sctlr: Row = {
  both: {
    ...{ M: 0, A: 1, C: 2, SA: 3, SA0: 4, nAA: 6, I: 12, DZE: 14, UCT: 15, nTWI: 16, nTWE: 18 },
    ...{ WXN: 19, IESB: 21, SPAN: 23, E0E: 24, EE: 25, UCI: 26, DSSBS: 44 },
  },
  later: {
    ...{ EnRCTX: 10, EnDB: 13, EnDA: 27, EnIB: 30, EnIA: 31, BT0: 35, BT1: 36, ITFSB: 37 },
    ...{ TCF0: [39, 38], TCF: [41, 40], ATA0: 42, ATA: 43 },
  },
  one: { EOS: 11, EIS: 22, nTLSMD: 28, LSMAOE: 29 },
};

const rows: Partial<Record<SysregName, Row>> = {
  SCTLR_EL1: {
    ...sctlr,
    both: { ...sctlr.both, UMA: 9 },
    one: { ...sctlr.one, TSCXT: 20 },
  },
  SCTLR_EL2: { ...sctlr, both: { ...sctlr.both, CP15BEN: 5 } },
  TCR_EL1: {
    both: {
      ...{ T0SZ: [5, 0], EPD0: 7, IRGN0: [9, 8], ORGN0: [11, 10], SH0: [13, 12], TG0: [15, 14] },
      ...{ T1SZ: [21, 16], A1: 22, EPD1: 23, IRGN1: [25, 24], ORGN1: [27, 26], SH1: [29, 28] },
      ...{ TG1: [31, 30], IPS: [34, 32], AS: 36, TBI0: 37, TBI1: 38, HA: 39, HD: 40 },
      ...{ HPD0: 41, HPD1: 42, HWU0: [46, 43], HWU1: [50, 47] },
    },
    later: { TBID0: 51, TBID1: 52, E0PD0: 55, E0PD1: 56, TCMA0: 57, TCMA1: 58 },
    one: {},
  },
  VTCR_EL2: {
    both: {
      ...{ T0SZ: [5, 0], SL0: [7, 6], IRGN0: [9, 8], ORGN0: [11, 10], SH0: [13, 12] },
      ...{ TG0: [15, 14], PS: [18, 16], VS: 19, HA: 21, HD: 22, HWU: [28, 25] },
    },
    later: {},
    one: { RES1: 31 },
  },
  HCR_EL2: {
    both: {
      ...{ VM: 0, SWIO: 1, PTW: 2, FMO: 3, IMO: 4, AMO: 5, VF: 6, VI: 7, VSE: 8, FB: 9 },
      ...{ BSU: [11, 10], DC: 12, TWI: 13, TWE: 14, TID0: 15, TID1: 16, TID2: 17, TID3: 18 },
      ...{ TSC: 19, TIDCP: 20, TACR: 21, TSW: 22, TPCP: 23, TPU: 24, TTLB: 25, TVM: 26 },
      ...{ TGE: 27, TDZ: 28, HCD: 29, TRVM: 30, CD: 32, ID: 33, E2H: 34, TLOR: 35 },
      ...{ TERR: 36, TEA: 37 },
    },
    later: {
      ...{ APK: 40, API: 41, FWB: 46, TID4: 49, TICAB: 50, TOCU: 52, TTLBIS: 54, TTLBOS: 55 },
      ...{ ATA: 56, DCT: 57, TID5: 58 },
    },
    // No level below EL2 has AArch32, but for EL0.
    one: { RW: 31 },
  },
  MDSCR_EL1: {
    both: {
      ...{ SS: 0, ERR: 6, TDCC: 12, KDE: 13, HDE: 14, MDE: 15, SC2: 19, TDA: 21 },
      ...{ INTdis: [23, 22], TXU: 26, RXO: 27, TXfull: 29, RXfull: 30 },
    },
    later: {},
    one: {},
  },
  CNTKCTL_EL1: {
    both: {
      ...{ EL0PCTEN: 0, EL0VCTEN: 1, EVNTEN: 2, EVNTDIR: 3, EVNTI: [7, 4] },
      ...{ EL0VTEN: 8, EL0PTEN: 9 },
    },
    later: {},
    one: {},
  },
  // The format of E2H 1, which holds the other one.
  CNTHCTL_EL2: {
    both: {
      ...{ EL0PCTEN: 0, EL0VCTEN: 1, EVNTEN: 2, EVNTDIR: 3, EVNTI: [7, 4] },
      ...{ EL0VTEN: 8, EL0PTEN: 9, EL1PCTEN: 10, EL1PTEN: 11 },
    },
    later: {},
    one: {},
  },
  CPACR_EL1: { both: { ZEN: [17, 16], FPEN: [21, 20], TTA: 28 }, later: {}, one: {} },
  VBAR_EL1: { both: { base: [63, 11] }, later: {}, one: {} },
  VBAR_EL2: { both: { base: [63, 11] }, later: {}, one: {} },
  HPFAR_EL2: { both: { FIPA: [43, 4] }, later: {}, one: {} },
  DISR_EL1: { both: { A: 31, IDS: 24, ISS: [23, 0] }, later: {}, one: {} },
  VDISR_EL2: { both: { A: 31, IDS: 24, ISS: [23, 0] }, later: {}, one: {} },
  VSESR_EL2: { both: { IDS: 24, ISS: [23, 0] }, later: {}, one: {} },
  FPSR: {
    both: { V: 28, C: 29, Z: 30, N: 31, QC: 27, IDC: 7, IXC: 4, UFC: 3, OFC: 2, DZC: 1, IOC: 0 },
    later: {},
    one: {},
  },
  CSSELR_EL1: { both: { InD: 0, Level: [3, 1] }, later: {}, one: {} },
  DBGBCR0_EL1: {
    both: { PMC: [2, 1], BAS: [8, 5], HMC: 13, SSC: [15, 14], LBN: [19, 16], BT: [23, 20] },
    later: {},
    one: {},
  },
  DBGWCR0_EL1: {
    both: {
      ...{ PAC: [2, 1], LSC: [4, 3], BAS: [12, 5], HMC: 13, SSC: [15, 14], LBN: [19, 16] },
      ...{ WT: 20, MASK: [28, 24] },
    },
    later: {},
    one: {},
  },
};

describe.each(Object.entries(rows))("%s", (name, { both, later, one }) => {
  const register = name as SysregName;

  test("its fields can be written, and nothing else", () => {
    expect(writableBits(register, max).toString(16)).toBe(
      (maskOf(both) | maskOf(later)).toString(16),
    );
  });

  test("Cortex-A76 lacks those of later features", () => {
    expect(writableBits(register, cortexA76).toString(16)).toBe(maskOf(both).toString(16));
  });

  test("what is one stays one", () => {
    expect(alwaysOne(register)).toBe(maskOf(one));
  });
});

/** Registers whose two formats share bits: every field of each can be written. */
test.each<[SysregName, Fields]>([
  [
    "TCR_EL2",
    {
      ...{ T0SZ: [5, 0], IRGN0: [9, 8], ORGN0: [11, 10], SH0: [13, 12], TG0: [15, 14] },
      ...{ PS: [18, 16], TBI: 20, HA: 21, HD: 22, HPD: 24, HWU: [28, 25], TBID: 29, TCMA: 30 },
      ...{ IPS: [34, 32], AS: 36, TBI0: 37, HA1: 39, HPD0: 41, E0PD1: 56, TCMA1: 58 },
    },
  ],
  ["CPTR_EL2", { TFP: 10, TTA: 20, TCPAC: 31, FPEN: [21, 20], TTA_E2H: 28 }],
  [
    "MDCR_EL2",
    {
      ...{ HPMN: [4, 0], TPMCR: 5, TPM: 6, HPME: 7, TDE: 8, TDA: 9, TDOSA: 10, TDRA: 11 },
      ...{ HPMD: 17, TDCC: 27 },
    },
  ],
])("%s has all fields of both its formats", (name, fields) => {
  expect(maskOf(fields) & ~writableBits(name, max)).toBe(0n);
});
