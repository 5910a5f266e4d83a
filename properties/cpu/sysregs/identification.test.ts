// What the two processors say about themselves, field by field, and the feature flags beside it.

import { describe, expect, test } from "vitest";
import { type CpuModel, cortexA76, type Features, max } from "../../../cpu/cpu-model.ts";
import type { IdRegisterName } from "../../../cpu/sysregs/tables/identification.ts";

/** Source: Cortex-A76 TRM (100798) B2, reset values; no EL3, and the GIC interface is there. */
const a76: Readonly<Record<IdRegisterName, bigint>> = {
  MIDR_EL1: 0x414f_d0b1n,
  REVIDR_EL1: 0n,
  AIDR_EL1: 0n,
  CTR_EL0: 0x8444_c004n,
  DCZID_EL0: 4n,
  CLIDR_EL1: 0x8200_0023n,
  GMID_EL1: 0n,
  ID_PFR0_EL1: 0x1001_0131n,
  ID_PFR1_EL1: 0x1001_0000n,
  ID_PFR2_EL1: 0x11n,
  ID_DFR0_EL1: 0x0401_0088n,
  ID_AFR0_EL1: 0n,
  ID_MMFR0_EL1: 0x1020_1105n,
  ID_MMFR1_EL1: 0x4000_0000n,
  ID_MMFR2_EL1: 0x0126_0000n,
  ID_MMFR3_EL1: 0x0212_2211n,
  ID_MMFR4_EL1: 0x0002_1110n,
  ID_ISAR0_EL1: 0x0210_1110n,
  ID_ISAR1_EL1: 0x1311_2111n,
  ID_ISAR2_EL1: 0x2123_2042n,
  ID_ISAR3_EL1: 0x0111_2131n,
  ID_ISAR4_EL1: 0x0001_0142n,
  ID_ISAR5_EL1: 0x0101_1121n,
  ID_ISAR6_EL1: 0x10n,
  MVFR0_EL1: 0x1011_0222n,
  MVFR1_EL1: 0x1321_1111n,
  MVFR2_EL1: 0x43n,
  ID_AA64PFR0_EL1: 0x1100_0000_1111_0112n,
  ID_AA64PFR1_EL1: 0x10n,
  ID_AA64ZFR0_EL1: 0n,
  ID_AA64DFR0_EL1: 0x1030_5408n,
  ID_AA64DFR1_EL1: 0n,
  ID_AA64AFR0_EL1: 0n,
  ID_AA64AFR1_EL1: 0n,
  ID_AA64ISAR0_EL1: 0x1000_1021_1120n,
  ID_AA64ISAR1_EL1: 0x10_0001n,
  ID_AA64ISAR2_EL1: 0n,
  ID_AA64MMFR0_EL1: 0x10_1122n,
  ID_AA64MMFR1_EL1: 0x1021_2122n,
  ID_AA64MMFR2_EL1: 0x1011n,
  PMCEID0_EL0: 0n,
  PMCEID1_EL0: 0n,
};

test.each(Object.entries(a76))("Cortex-A76 %s", (name, value) => {
  expect(cortexA76.idRegisters[name as IdRegisterName]).toBe(value);
});

/** The fields of `max` that are not zero, by Arm's names and lowest bits: all of Armv8.5. */
const maxFields: Partial<
  Record<IdRegisterName, Readonly<Record<string, [low: number, value: number]>>>
> = {
  // AArch64 alone at EL0, EL1 and EL2; FP and AdvSIMD without half precision.
  ID_AA64PFR0_EL1: {
    ...{ EL0: [0, 1], EL1: [4, 1], EL2: [8, 1], GIC: [24, 1], RAS: [28, 1] },
    ...{ DIT: [48, 1], CSV2: [56, 1], CSV3: [60, 1] },
  },
  ID_AA64PFR1_EL1: { BT: [0, 1], SSBS: [4, 2], MTE: [8, 2] },
  ID_AA64DFR0_EL1: {
    ...{ DebugVer: [0, 9], PMUVer: [8, 4], BRPs: [12, 5], WRPs: [20, 3], CTX_CMPs: [28, 1] },
  },
  // No cryptography.
  ID_AA64ISAR0_EL1: {
    ...{ CRC32: [16, 1], Atomic: [20, 2], RDM: [28, 1], DP: [44, 1], TS: [52, 2], TLB: [56, 2] },
  },
  ID_AA64ISAR1_EL1: {
    ...{ DPB: [0, 2], APA: [4, 5], JSCVT: [12, 1], FCMA: [16, 1], LRCPC: [20, 2] },
    ...{ GPA: [24, 1], FRINTTS: [32, 1], SB: [36, 1], SPECRES: [40, 1] },
  },
  ID_AA64ISAR2_EL1: {},
  // 48 bits; all three granules: TGran4 and TGran64 are zero where they are there.
  ID_AA64MMFR0_EL1: {
    ...{ PARange: [0, 5], ASIDBits: [4, 2], BigEnd: [8, 1], TGran16: [20, 1], FGT: [56, 1] },
  },
  ID_AA64MMFR1_EL1: {
    ...{ HAFDBS: [0, 2], VMIDBits: [4, 2], VH: [8, 1], HPDS: [12, 2], LO: [16, 1] },
    ...{ PAN: [20, 2], XNX: [28, 1] },
  },
  ID_AA64MMFR2_EL1: {
    ...{ CnP: [0, 1], UAO: [4, 1], IESB: [12, 1], ST: [28, 1], AT: [32, 1], IDS: [36, 1] },
    ...{ FWB: [40, 1], TTL: [48, 1], BBM: [52, 2], EVT: [56, 2], E0PD: [60, 1] },
  },
  ID_AA64ZFR0_EL1: {},
  ID_AA64DFR1_EL1: {},
  ID_AA64AFR0_EL1: {},
  ID_AA64AFR1_EL1: {},
  // Implementer Arm, architecture by the ID scheme, the part of the envelope model.
  MIDR_EL1: {
    Revision: [0, 0],
    PartNum: [4, 0xd0f],
    Architecture: [16, 15],
    Implementer: [24, 0x41],
  },
  // DC ZVA: 2^7 words; LDGM: 2^6 words.
  DCZID_EL0: { BS: [0, 7] },
  GMID_EL1: { BS: [0, 6] },
};

describe("max", () => {
  test.each(Object.entries(maxFields))("%s", (name, fields) => {
    const value = Object.values(fields).reduce(
      (sum, [low, n]) => sum + (BigInt(n) << BigInt(low)),
      0n,
    );
    expect(max.idRegisters[name as IdRegisterName]).toBe(value);
  });

  test("registers that describe AArch32 are zero without AArch32", () => {
    const names = Object.keys(max.idRegisters).filter((name) => /^(?:ID_(?!AA64)|MVFR)/.test(name));
    expect(names).toHaveLength(20);
    for (const name of names)
      expect([name, max.idRegisters[name as IdRegisterName]]).toEqual([name, 0n]);
  });

  test("what says how caches are laid out is that of Cortex-A76", () => {
    for (const name of ["CTR_EL0", "CLIDR_EL1", "REVIDR_EL1", "AIDR_EL1"] as const)
      expect(max.idRegisters[name]).toBe(a76[name]);
  });
});

/** Number of sets less one, associativity less one, and log2 of the words of a line less two. */
const ccsidr = (sets: number, ways: number): bigint =>
  (BigInt(sets - 1) << 13n) | (BigInt(ways - 1) << 3n) | 2n;

test.each([cortexA76, max])("$name: 64 KiB, 64 KiB and 512 KiB of cache", ({ cacheSizes }) => {
  // Bits 31 to 28, WT, WB, RA and WA: RES0 in later texts; the TRM has WB, RA and WA or RA alone.
  const geometry = [0, 1, 2].map((level) => cacheSizes[level]! & 0x0fff_ffffn);
  expect(geometry).toEqual([ccsidr(256, 4), ccsidr(256, 4), ccsidr(1024, 8)]);
  expect([0, 1, 2].map((level) => cacheSizes[level]! >> 28n)).toEqual([7n, 2n, 7n]);
  expect(cacheSizes[3]).toBeUndefined();
});

/** Features of Armv8.3 and later that a part of Armv8.2 may have, and this one does not. */
const later: readonly (keyof Features)[] = [
  ...(["PAuth", "PAuth2", "FPAC", "FPACCOMBINE", "FlagM", "LRCPC2", "LSE2", "TLBIOS"] as const),
  ...(["TLBIRANGE", "TTST", "TTL", "S2FWB", "DIT", "IDST", "FlagM2", "SSBS2", "SB"] as const),
  ...(["SPECRES", "BTI", "MTE2", "EVT", "E0PD", "DPB2", "FGT"] as const),
];
const earlier: readonly (keyof Features)[] = [
  ...(["LSE", "PAN", "LOR", "VHE", "VMID16", "HAFDBS", "HPDS", "CRC32", "UAO", "PAN2"] as const),
  ...(["XNX", "TTCNP", "RAS", "IESB", "DPB", "LRCPC", "SSBS"] as const),
];

describe("features", () => {
  const having = ({ features }: CpuModel): string[] =>
    Object.keys(features).filter((name) => features[name as keyof Features]);

  test("Cortex-A76 has Armv8.2, LDAPR and PSTATE.SSBS", () => {
    expect(having(cortexA76).sort()).toEqual([...earlier].sort());
  });

  test("max has all of them", () => {
    expect(having(max).sort()).toEqual([...earlier, ...later].sort());
  });
});
