// Positions of the fields of control registers that this core looks at, by Arm's names.

/** Source: DDI0487 D24.2.49 HCR_EL2. */
export const HCR_EL2 = {
  VM: 0,
  PTW: 2,
  FMO: 3,
  IMO: 4,
  AMO: 5,
  VF: 6,
  VI: 7,
  VSE: 8,
  FB: 9,
  DC: 12,
  TWI: 13,
  TWE: 14,
  TID1: 16,
  TID2: 17,
  TID3: 18,
  TSC: 19,
  TIDCP: 20,
  TACR: 21,
  TSW: 22,
  TPCP: 23,
  TPU: 24,
  TTLB: 25,
  TVM: 26,
  TGE: 27,
  TDZ: 28,
  HCD: 29,
  TRVM: 30,
  CD: 32,
  ID: 33,
  E2H: 34,
  TLOR: 35,
  TERR: 36,
  TEA: 37,
  APK: 40,
  API: 41,
  FWB: 46,
  TID4: 49,
  TICAB: 50,
  TOCU: 52,
  TTLBIS: 54,
  TTLBOS: 55,
  ATA: 56,
  DCT: 57,
  TID5: 58,
} as const;

/** Source: DDI0487 D24.2.118 SCTLR_EL1 and D24.2.119 SCTLR_EL2. */
export const SCTLR = {
  M: 0,
  A: 1,
  C: 2,
  SA: 3,
  SA0: 4,
  nAA: 6,
  UMA: 9,
  EnRCTX: 10,
  I: 12,
  EnDB: 13,
  DZE: 14,
  UCT: 15,
  nTWI: 16,
  nTWE: 18,
  WXN: 19,
  IESB: 21,
  SPAN: 23,
  E0E: 24,
  EE: 25,
  UCI: 26,
  EnDA: 27,
  EnIB: 30,
  EnIA: 31,
  BT0: 35,
  BT1: 36,
  TCF0: 38,
  TCF: 40,
  ATA0: 42,
  ATA: 43,
  DSSBS: 44,
} as const;

/** Source: DDI0487 D24.3.19 MDCR_EL2. */
export const MDCR_EL2 = {
  TPMCR: 5,
  TPM: 6,
  TDE: 8,
  TDA: 9,
  TDOSA: 10,
  TDRA: 11,
  TDCC: 27,
} as const;

/** Source: DDI0487 D24.3.20 MDSCR_EL1. */
export const MDSCR_EL1 = { SS: 0, TDCC: 12, KDE: 13, MDE: 15 } as const;

/** One bit of a register, as a truth value. */
export function flag(register: bigint, position: number): boolean {
  return ((register >> BigInt(position)) & 1n) === 1n;
}

/** Bits `high` down to `low` of a register; at most 32 of them. */
export function field(register: bigint, high: number, low: number): number {
  return Number(BigInt.asUintN(high - low + 1, register >> BigInt(low)));
}
