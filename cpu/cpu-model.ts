// The processors that this core can be: their features and their identification registers, as data.

import type { IdRegisterName } from "./sysregs/tables/identification.ts";

/** Architectural features by Arm's name, without `FEAT_`; those that change what this core does. */
const featureNames = [
  // Armv8.1: atomics, Privileged Access Never, limited ordering regions, VHE, 16-bit VMID.
  "LSE",
  "PAN",
  "LOR",
  "VHE",
  "VMID16",
  // Hardware management of the access flag and of dirty state.
  "HAFDBS",
  // Hierarchical permission disables.
  "HPDS",
  "CRC32",
  // Armv8.2: user access override, stage 2 execute-never by EL, RAS, persistent memory.
  "UAO",
  "PAN2",
  "XNX",
  "TTCNP",
  "RAS",
  "IESB",
  "DPB",
  // Armv8.3.
  "PAuth",
  // The code is xored into the address; a failure is an exception; also in combined forms.
  "PAuth2",
  "FPAC",
  "FPACCOMBINE",
  "LRCPC",
  // Armv8.4.
  "FlagM",
  "LRCPC2",
  "LSE2",
  "TLBIOS",
  "TLBIRANGE",
  "TTST",
  "TTL",
  "S2FWB",
  "DIT",
  "IDST",
  // Armv8.5.
  "FlagM2",
  "SSBS",
  // MSR and MRS of SSBS.
  "SSBS2",
  "SB",
  "SPECRES",
  "BTI",
  "MTE2",
  "EVT",
  "E0PD",
  "DPB2",
  "FGT",
] as const;

export type Features = Readonly<Record<(typeof featureNames)[number], boolean>>;

/** One processor. */
export interface CpuModel {
  readonly name: string;
  readonly features: Features;
  /** Physical address width in bits. Source: DDI0487 D24.2.64 ID_AA64MMFR0_EL1, PARange. */
  readonly paBits: number;
  /** The part has IMPLEMENTATION DEFINED registers; which, and what they do, is not modelled. */
  readonly implementationDefined: boolean;
  readonly idRegisters: Readonly<Record<IdRegisterName, bigint>>;
  /** What CCSIDR_EL1 answers for each value of CSSELR_EL1. */
  readonly cacheSizes: Readonly<Record<number, bigint>>;
}

/** Armv8.0. */
const none = Object.fromEntries(featureNames.map((name) => [name, false])) as Features;

const armv8_2: Features = {
  ...none,
  LSE: true,
  PAN: true,
  LOR: true,
  VHE: true,
  VMID16: true,
  HAFDBS: true,
  HPDS: true,
  CRC32: true,
  UAO: true,
  PAN2: true,
  XNX: true,
  TTCNP: true,
  RAS: true,
  IESB: true,
  DPB: true,
};

const armv8_5: Features = {
  ...armv8_2,
  PAuth: true,
  LRCPC: true,
  FlagM: true,
  LRCPC2: true,
  LSE2: true,
  TLBIOS: true,
  TLBIRANGE: true,
  TTST: true,
  TTL: true,
  S2FWB: true,
  DIT: true,
  IDST: true,
  FlagM2: true,
  SSBS: true,
  SSBS2: true,
  SB: true,
  SPECRES: true,
  BTI: true,
  EVT: true,
  E0PD: true,
  DPB2: true,
};

/** Caches of Cortex-A76: 64 KiB L1 data, 64 KiB L1 instruction, 512 KiB L2. */
const cortexA76Caches = { 0: 0x701fe01an, 1: 0x201fe01an, 2: 0x707fe03an };

/**
 * Cortex-A76 r4p1: Armv8.2 with LDAPR and PSTATE.SSBS.
 * Source: Cortex-A76 TRM (100798) B2; as the measured traces ran on it, it has no EL3.
 * DEVIATION: ID_AA64PFR0_EL1.EL0 says AArch32, as the part does; AArch32 is not modelled, and an
 * exception return to it is an illegal return.
 */
export const cortexA76: CpuModel = {
  name: "cortex-a76",
  features: { ...armv8_2, LRCPC: true, SSBS: true },
  paBits: 40,
  implementationDefined: true,
  idRegisters: {
    MIDR_EL1: 0x414fd0b1n,
    REVIDR_EL1: 0n,
    AIDR_EL1: 0n,
    CTR_EL0: 0x8444c004n,
    DCZID_EL0: 4n,
    CLIDR_EL1: 0x82000023n,
    GMID_EL1: 0n,
    ID_AA64PFR0_EL1: 0x1100000011110112n,
    ID_AA64PFR1_EL1: 0x10n,
    ID_AA64ZFR0_EL1: 0n,
    ID_AA64DFR0_EL1: 0x10305408n,
    ID_AA64DFR1_EL1: 0n,
    ID_AA64AFR0_EL1: 0n,
    ID_AA64AFR1_EL1: 0n,
    ID_AA64ISAR0_EL1: 0x0000100010211120n,
    ID_AA64ISAR1_EL1: 0x0000000000100001n,
    ID_AA64ISAR2_EL1: 0n,
    ID_AA64MMFR0_EL1: 0x101122n,
    ID_AA64MMFR1_EL1: 0x10212122n,
    ID_AA64MMFR2_EL1: 0x1011n,
    ID_PFR0_EL1: 0x10010131n,
    ID_PFR1_EL1: 0x10010000n,
    ID_PFR2_EL1: 0x11n,
    ID_DFR0_EL1: 0x04010088n,
    ID_AFR0_EL1: 0n,
    ID_MMFR0_EL1: 0x10201105n,
    ID_MMFR1_EL1: 0x40000000n,
    ID_MMFR2_EL1: 0x01260000n,
    ID_MMFR3_EL1: 0x02122211n,
    ID_MMFR4_EL1: 0x00021110n,
    ID_ISAR0_EL1: 0x02101110n,
    ID_ISAR1_EL1: 0x13112111n,
    ID_ISAR2_EL1: 0x21232042n,
    ID_ISAR3_EL1: 0x01112131n,
    ID_ISAR4_EL1: 0x00010142n,
    ID_ISAR5_EL1: 0x01011121n,
    ID_ISAR6_EL1: 0x10n,
    MVFR0_EL1: 0x10110222n,
    MVFR1_EL1: 0x13211111n,
    MVFR2_EL1: 0x43n,
    PMCEID0_EL0: 0n,
    PMCEID1_EL0: 0n,
  },
  cacheSizes: cortexA76Caches,
};

/**
 * Armv8.5-A with pointer authentication (QARMA5), MTE and fine-grained traps; AArch64 only.
 * NON-SPEC: no such part exists. It is the machine on which the A64 vectors were recorded, cut
 * down to v8.5-A; MIDR_EL1 is the one of the architecture envelope model.
 */
export const max: CpuModel = {
  name: "max",
  features: {
    ...armv8_5,
    MTE2: true,
    FGT: true,
    PAuth2: true,
    FPAC: true,
    FPACCOMBINE: true,
  },
  paBits: 48,
  implementationDefined: false,
  idRegisters: {
    ...cortexA76.idRegisters,
    MIDR_EL1: 0x410fd0f0n,
    DCZID_EL0: 7n,
    GMID_EL1: 6n,
    ID_AA64PFR0_EL1: 0x1101000011000111n,
    ID_AA64PFR1_EL1: 0x221n,
    ID_AA64DFR0_EL1: 0x10305409n,
    ID_AA64ISAR0_EL1: 0x0220100010210000n,
    ID_AA64ISAR1_EL1: 0x0000011101211052n,
    ID_AA64MMFR0_EL1: 0x0100000000100125n,
    ID_AA64MMFR1_EL1: 0x10212122n,
    ID_AA64MMFR2_EL1: 0x1221011110001011n,
    // Without AArch32 the registers that describe it are zero.
    ID_PFR0_EL1: 0n,
    ID_PFR1_EL1: 0n,
    ID_PFR2_EL1: 0n,
    ID_DFR0_EL1: 0n,
    ID_MMFR0_EL1: 0n,
    ID_MMFR1_EL1: 0n,
    ID_MMFR2_EL1: 0n,
    ID_MMFR3_EL1: 0n,
    ID_MMFR4_EL1: 0n,
    ID_ISAR0_EL1: 0n,
    ID_ISAR1_EL1: 0n,
    ID_ISAR2_EL1: 0n,
    ID_ISAR3_EL1: 0n,
    ID_ISAR4_EL1: 0n,
    ID_ISAR5_EL1: 0n,
    ID_ISAR6_EL1: 0n,
    MVFR0_EL1: 0n,
    MVFR1_EL1: 0n,
    MVFR2_EL1: 0n,
  },
  cacheSizes: cortexA76Caches,
};

/** All models by name. */
export const cpuModels: Readonly<Record<string, CpuModel>> = {
  [cortexA76.name]: cortexA76,
  [max.name]: max,
};
