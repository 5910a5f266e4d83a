// The tables of system registers: unambiguous, complete, and true to the processors.

import { describe, expect, test } from "vitest";
import { cortexA76, cpuModels, type Features, max } from "../../../cpu/cpu-model.ts";
import { sysregNames, sysregRows } from "../../../cpu/sysregs/names.ts";
import { alwaysOne, createSysregs, writableBits } from "../../../cpu/sysregs/registers.ts";
import {
  cacheInstructions,
  predictionInstructions,
  tlbInstructions,
  translationInstructions,
} from "../../../cpu/sysregs/tables/system-instructions.ts";

describe("names and encodings", () => {
  test("no name and no encoding is there twice", () => {
    expect(new Set(sysregNames).size).toBe(sysregRows.length);
    expect(new Set(sysregRows.map(([, encoding]) => encoding)).size).toBe(sysregRows.length);
    const instructions = [
      ...cacheInstructions,
      ...translationInstructions,
      ...predictionInstructions,
      ...tlbInstructions,
    ];
    expect(new Set(instructions.map(([name]) => name)).size).toBe(instructions.length);
    expect(new Set(instructions.map(([, encoding]) => encoding)).size).toBe(instructions.length);
  });

  test("encodings fit their fields", () => {
    for (const [name, encoding] of sysregRows) {
      const [op0, op1, CRn, CRm, op2, ...rest] = encoding.split(" ").map(Number);
      expect([name, op0 === 2 || op0 === 3, rest]).toEqual([name, true, []]);
      expect(Math.max(op1!, op2!)).toBeLessThan(8);
      expect(Math.max(CRn!, CRm!)).toBeLessThan(16);
    }
  });

  test("op1 says what the name says, with the exceptions of the architecture", () => {
    // Registers of PSTATE have no suffix; the A32 banked ones are EL2's.
    for (const [name, encoding] of sysregRows) {
      const suffix = /_EL(\d)$/.exec(name)?.[1];
      if (suffix === undefined) continue;
      const op1 = encoding.split(" ")[1]!;
      const level = { "0": "1", "1": "1", "2": "1", "3": "0", "4": "2" }[op1];
      // SP_EL0 and SP_EL1 are reached from the level above; PMU interrupts and claims are as named.
      const known: Record<string, string> = { SP_EL0: "1", SP_EL1: "2" };
      expect([name, level]).toEqual([name, known[name] ?? suffix]);
    }
  });
});

/** RES1 bits of the format without E2H that are fields of the other one, or RES0 there. */
const oldOnes: Record<string, bigint> = { CPTR_EL2: 0x32ffn };

describe("values", () => {
  test("what resets can be written or is always one, but for read-only parts", () => {
    // Registers with fields that software sees but cannot write.
    const readOnlyParts = ["PMCR_EL0", "OSLSR_EL1", "ICC_SRE_EL1", "ICC_SRE_EL2", "ICH_VTR_EL2"];
    for (const [name, , rules] of sysregRows) {
      if (rules?.reset === undefined || readOnlyParts.includes(name)) continue;
      const known = writableBits(name, max) | alwaysOne(name) | (oldOnes[name] ?? 0n);
      expect([name, rules.reset & ~known]).toEqual([name, 0n]);
    }
  });

  test.each<[string, bigint]>([
    ["SCTLR_EL1", 0x30d0_0800n],
    ["SCTLR_EL2", 0x30c5_0830n],
    ["HCR_EL2", 0x8000_0000n],
    // Bits that are RES1: 23 and 31 of TCR_EL2, 31 of VTCR_EL2. HPMN is the number of counters.
    ["TCR_EL2", 0x8080_0000n],
    ["VTCR_EL2", 0x8000_0000n],
    ["TCR_EL1", 0n],
    ["MDCR_EL2", 6n],
    ["CPTR_EL2", 0x32ffn],
    ["OSLSR_EL1", 0xan],
  ])("%s resets to %s", (name, value) => {
    const sysregs = createSysregs(max, 0n);
    expect(sysregs[name as "HCR_EL2"]).toBe(value);
  });

  test("MPIDR_EL1 has bit 31, and the virtual identity starts as the real one", () => {
    const sysregs = createSysregs(cortexA76, 0x101n);
    expect(sysregs.MPIDR_EL1).toBe(0x8000_0101n);
    expect(sysregs.VMPIDR_EL2).toBe(0x8000_0101n);
    expect(sysregs.VPIDR_EL2).toBe(0x414f_d0b1n);
  });

  test.each<[string, keyof typeof max.features, bigint]>([
    ["SCTLR_EL1", "MTE2", 1n << 43n],
    ["SCTLR_EL1", "BTI", 1n << 36n],
    ["SCTLR_EL1", "PAuth", 1n << 31n],
    ["SCTLR_EL1", "SSBS", 1n << 44n],
    ["HCR_EL2", "VHE", 1n << 34n],
    ["HCR_EL2", "PAuth", 3n << 40n],
    ["HCR_EL2", "S2FWB", 1n << 46n],
    ["HCR_EL2", "MTE2", 1n << 56n],
    ["TCR_EL1", "E0PD", 1n << 55n],
    ["TCR_EL1", "HAFDBS", 3n << 39n],
    ["VTCR_EL2", "VMID16", 1n << 19n],
  ])("%s: what needs FEAT_%s is writable with it alone", (name, feature, bits) => {
    const without = {
      ...max,
      name: `no ${feature}`,
      features: { ...max.features, [feature]: false },
    };
    expect(writableBits(name as "HCR_EL2", max) & bits).toBe(bits);
    expect(writableBits(name as "HCR_EL2", without) & bits).toBe(0n);
  });

  test("writing by name changes the generation for controls, and for nothing else", () => {
    const sysregs = createSysregs(max, 0n);
    const before = sysregs.generation;
    sysregs.ESR_EL2 = 1n;
    sysregs.TPIDR_EL2 = 1n;
    sysregs.ELR_EL1 = 1n;
    expect(sysregs.generation).toBe(before);
    const controls = ["TTBR0_EL1", "TCR_EL2", "HCR_EL2", "SCTLR_EL1", "MAIR_EL2", "VTTBR_EL2"];
    for (const name of controls) {
      const last = sysregs.generation;
      sysregs[name as "HCR_EL2"] = 1n;
      expect([name, sysregs.generation > last]).toEqual([name, true]);
    }
  });
});

describe("features agree with the identification registers", () => {
  /** Register, lowest bit of the field, least value. Source: DDI0487 D24.2, ID_AA64*_EL1. */
  const fields: Record<keyof Features, [keyof typeof max.idRegisters, number, number]> = {
    LSE: ["ID_AA64ISAR0_EL1", 20, 2],
    CRC32: ["ID_AA64ISAR0_EL1", 16, 1],
    FlagM: ["ID_AA64ISAR0_EL1", 52, 1],
    FlagM2: ["ID_AA64ISAR0_EL1", 52, 2],
    TLBIOS: ["ID_AA64ISAR0_EL1", 56, 1],
    TLBIRANGE: ["ID_AA64ISAR0_EL1", 56, 2],
    DPB: ["ID_AA64ISAR1_EL1", 0, 1],
    DPB2: ["ID_AA64ISAR1_EL1", 0, 2],
    PAuth: ["ID_AA64ISAR1_EL1", 4, 1],
    PAuth2: ["ID_AA64ISAR1_EL1", 4, 3],
    FPAC: ["ID_AA64ISAR1_EL1", 4, 4],
    FPACCOMBINE: ["ID_AA64ISAR1_EL1", 4, 5],
    LRCPC: ["ID_AA64ISAR1_EL1", 20, 1],
    LRCPC2: ["ID_AA64ISAR1_EL1", 20, 2],
    SB: ["ID_AA64ISAR1_EL1", 36, 1],
    SPECRES: ["ID_AA64ISAR1_EL1", 40, 1],
    FGT: ["ID_AA64MMFR0_EL1", 56, 1],
    HAFDBS: ["ID_AA64MMFR1_EL1", 0, 2],
    VMID16: ["ID_AA64MMFR1_EL1", 4, 2],
    VHE: ["ID_AA64MMFR1_EL1", 8, 1],
    HPDS: ["ID_AA64MMFR1_EL1", 12, 1],
    LOR: ["ID_AA64MMFR1_EL1", 16, 1],
    PAN: ["ID_AA64MMFR1_EL1", 20, 1],
    PAN2: ["ID_AA64MMFR1_EL1", 20, 2],
    XNX: ["ID_AA64MMFR1_EL1", 28, 1],
    TTCNP: ["ID_AA64MMFR2_EL1", 0, 1],
    UAO: ["ID_AA64MMFR2_EL1", 4, 1],
    IESB: ["ID_AA64MMFR2_EL1", 12, 1],
    TTST: ["ID_AA64MMFR2_EL1", 28, 1],
    LSE2: ["ID_AA64MMFR2_EL1", 32, 1],
    IDST: ["ID_AA64MMFR2_EL1", 36, 1],
    S2FWB: ["ID_AA64MMFR2_EL1", 40, 1],
    TTL: ["ID_AA64MMFR2_EL1", 48, 1],
    EVT: ["ID_AA64MMFR2_EL1", 56, 2],
    E0PD: ["ID_AA64MMFR2_EL1", 60, 1],
    RAS: ["ID_AA64PFR0_EL1", 28, 1],
    DIT: ["ID_AA64PFR0_EL1", 48, 1],
    BTI: ["ID_AA64PFR1_EL1", 0, 1],
    SSBS: ["ID_AA64PFR1_EL1", 4, 1],
    SSBS2: ["ID_AA64PFR1_EL1", 4, 2],
    MTE2: ["ID_AA64PFR1_EL1", 8, 2],
  };

  for (const model of Object.values(cpuModels)) {
    test.each(Object.entries(fields))(`${model.name}: FEAT_%s`, (feature, [name, low, least]) => {
      const value = Number((model.idRegisters[name] >> BigInt(low)) & 15n);
      expect(value >= least).toBe(model.features[feature as keyof Features]);
    });

    test(`${model.name}: PARange`, () => {
      const paRange = [32, 36, 40, 42, 44, 48, 52][
        Number(model.idRegisters.ID_AA64MMFR0_EL1 & 15n)
      ];
      expect(paRange).toBe(model.paBits);
    });
  }
});
