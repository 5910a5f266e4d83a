// Traps of system registers and instructions: each control, who it stops, and the syndrome.

import { describe, expect, test } from "vitest";
import { cortexA76, max } from "../../../cpu/cpu-model.ts";
import type { Core, El } from "../../../cpu/state.ts";
import type { SysregName } from "../../../cpu/sysregs/names.ts";
import { machine } from "../mmu/machine.ts";
import { mrs, msr, outcome, sys } from "./by-name.ts";

const RW = 1n << 31n;
const TGE = 1n << 27n;
const E2H = 1n << 34n;
/** HCR_EL2 with the controls that trap while they are 0 opened: APK, API, ATA. */
const OPEN = RW | (3n << 40n) | (1n << 56n);
const HOST = OPEN | TGE | E2H;

type Sysregs = Partial<Record<SysregName, bigint>>;

function at(el: El, sysregs: Sysregs = {}, cpuModel = max): Core {
  return machine({
    el,
    cpuModel,
    sysregs: { HCR_EL2: OPEN, CNTHCTL_EL2: 3n, CPTR_EL2: 0n, CPACR_EL1: 3n << 20n, ...sysregs },
  });
}

const hcr = (bit: number): Sysregs => ({ HCR_EL2: OPEN | (1n << BigInt(bit)) });

test("the syndrome has the encoding, the register and the direction", () => {
  // MRS X7, SCTLR_EL1 is op0 3, op1 0, CRn 1, CRm 0, op2 0.
  const read = (3 << 20) | (1 << 10) | (7 << 5) | 1;
  expect(mrs(at(1, hcr(30)), "SCTLR_EL1")).toMatchObject({ target: 2, ec: 0x18, iss: read });
  expect(msr(at(1, hcr(26)), "SCTLR_EL1", 0n)).toMatchObject({ iss: read & ~1 });
  // TLBI VAE1IS, X7 is op0 1, op1 0, CRn 8, CRm 3, op2 1; always a write.
  expect(sys(at(1, hcr(25)), "TLBI VAE1IS")).toMatchObject({
    ec: 0x18,
    iss: (1 << 20) | (1 << 17) | (8 << 10) | (7 << 5) | (3 << 1),
  });
});

describe("HCR_EL2 at EL1", () => {
  const virtualMemory = [
    "SCTLR_EL1",
    "TTBR0_EL1",
    "TTBR1_EL1",
    "TCR_EL1",
    "ESR_EL1",
    "FAR_EL1",
    "AFSR0_EL1",
    "AFSR1_EL1",
    "MAIR_EL1",
    "AMAIR_EL1",
    "CONTEXTIDR_EL1",
  ];
  test.each(virtualMemory)("TVM traps writes of %s, TRVM reads", (name) => {
    expect(outcome(msr(at(1, hcr(26)), name, 0n))).toBe("trap@EL2");
    expect(outcome(mrs(at(1, hcr(30)), name))).toBe("trap@EL2");
    expect(typeof mrs(at(1, hcr(26)), name)).toBe("bigint");
    expect(outcome(msr(at(1, hcr(30)), name, 0n))).toBe("done");
    expect(typeof mrs(at(2, hcr(30)), name)).toBe("bigint");
  });

  test.each<[string, number, readonly string[]]>([
    ["TID1", 16, ["REVIDR_EL1", "AIDR_EL1"]],
    ["TID2", 17, ["CTR_EL0", "CCSIDR_EL1", "CLIDR_EL1", "CSSELR_EL1"]],
    ["TID3", 18, ["ID_AA64PFR0_EL1", "ID_AA64MMFR2_EL1", "MVFR0_EL1", "ID_PFR0_EL1"]],
    ["TACR", 21, ["ACTLR_EL1"]],
    ["TLOR", 35, ["LORC_EL1", "LORID_EL1"]],
    ["TERR", 36, ["ERRIDR_EL1"]],
    ["TID4", 49, ["CCSIDR_EL1", "CLIDR_EL1", "CSSELR_EL1"]],
    ["TID5", 58, ["GMID_EL1"]],
  ])("%s (bit %i) traps %s", (_name, bit, names) => {
    for (const name of names) {
      expect([name, outcome(mrs(at(1, hcr(bit)), name))]).toEqual([name, "trap@EL2"]);
      expect([name, typeof mrs(at(1), name)]).toEqual([name, "bigint"]);
      expect([name, typeof mrs(at(2, hcr(bit)), name)]).toEqual([name, "bigint"]);
    }
  });

  test("MIDR_EL1 and MPIDR_EL1 are never trapped by TID bits", () => {
    const all = { HCR_EL2: OPEN | (0xfn << 15n) };
    expect(typeof mrs(at(1, all), "MIDR_EL1")).toBe("bigint");
    expect(typeof mrs(at(1, all), "MPIDR_EL1")).toBe("bigint");
  });

  test("APK and ATA trap while they are 0", () => {
    expect(outcome(mrs(at(1, { HCR_EL2: RW }), "APIAKeyLo_EL1"))).toBe("trap@EL2");
    expect(outcome(msr(at(1, { HCR_EL2: RW }), "GCR_EL1", 0n))).toBe("trap@EL2");
    expect(outcome(mrs(at(1), "APIAKeyLo_EL1"))).toBe("0");
    expect(outcome(mrs(at(2, { HCR_EL2: RW }), "TFSR_EL1"))).toBe("0");
  });

  test("IMO or FMO traps the generation of interrupts", () => {
    expect(outcome(msr(at(1, hcr(4)), "ICC_SGI1R_EL1", 0n))).toBe("trap@EL2");
    expect(outcome(msr(at(1, hcr(3)), "ICC_SGI1R_EL1", 0n))).toBe("trap@EL2");
    expect(outcome(msr(at(1), "ICC_SGI1R_EL1", 0n))).toMatch(/^unmodelled/);
  });
});

describe("system instructions at EL1", () => {
  test.each<[string, number, string]>([
    ["TSW", 22, "DC ISW"],
    ["TSW", 22, "DC CISW"],
    ["TPCP", 23, "DC CIVAC"],
    ["TPCP", 23, "DC CVAP"],
    ["TPU", 24, "IC IALLU"],
    ["TPU", 24, "IC IALLUIS"],
    ["TPU", 24, "DC CVAU"],
    ["TTLB", 25, "TLBI VMALLE1"],
    ["TTLB", 25, "TLBI VMALLE1IS"],
    ["TDZ", 28, "DC ZVA"],
    ["TICAB", 50, "IC IALLUIS"],
    ["TOCU", 52, "IC IVAU"],
    ["TOCU", 52, "DC CVAU"],
    ["TTLBIS", 54, "TLBI VAE1IS"],
    ["TTLBOS", 55, "TLBI RVAE1OS"],
  ])("%s (bit %i) traps %s", (_name, bit, instruction) => {
    expect(outcome(sys(at(1, hcr(bit)), instruction, 0x4500_0000n))).toBe("trap@EL2");
    expect(outcome(sys(at(1), instruction, 0x4500_0000n))).not.toMatch(/^trap|^UNDEF/);
    expect(outcome(sys(at(2, hcr(bit)), instruction, 0x4500_0000n))).not.toMatch(/^trap|^UNDEF/);
  });

  test.each<[string, number, string]>([
    ["TICAB", 50, "IC IALLU"],
    ["TOCU", 52, "DC CVAC"],
    ["TTLBIS", 54, "TLBI VAE1"],
    ["TTLBOS", 55, "TLBI VAE1IS"],
  ])("%s (bit %i) leaves %s", (_name, bit, instruction) => {
    expect(outcome(sys(at(1, hcr(bit)), instruction, 0x4500_0000n))).toBe("done");
  });

  test("EL2's own are UNDEFINED at EL1, and at EL0 all but a few are", () => {
    for (const name of ["TLBI ALLE1", "TLBI IPAS2E1IS", "AT S12E1R", "AT S1E2R"]) {
      expect(outcome(sys(at(1), name))).toBe("UNDEF@EL1");
      expect(outcome(sys(at(2), name))).toBe("done");
    }
    for (const name of ["IC IALLU", "DC IVAC", "DC CISW", "TLBI VMALLE1", "AT S1E1R"]) {
      expect(outcome(sys(at(0), name))).toBe("UNDEF@EL1");
    }
  });

  test("at EL0 SCTLR_EL1.UCI, DZE and EnRCTX open the rest", () => {
    for (const name of ["IC IVAU", "DC CVAU", "DC CVAC", "DC CIVAC"]) {
      expect(outcome(sys(at(0), name, 0x4500_0000n))).toBe("trap@EL1");
      expect(outcome(sys(at(0, { HCR_EL2: OPEN | TGE }), name, 0x4500_0000n))).toBe("trap@EL2");
      expect(outcome(sys(at(0, { SCTLR_EL1: 1n << 26n }), name, 0x4500_0000n))).toBe("done");
      const pcp = { SCTLR_EL1: 1n << 26n, HCR_EL2: OPEN | (3n << 23n) };
      expect(outcome(sys(at(0, pcp), name, 0x4500_0000n))).toBe("trap@EL2");
    }
    expect(outcome(sys(at(0), "DC ZVA", 0x4500_0000n))).toBe("trap@EL1");
    // With translation off memory is Device: an alignment fault.
    expect(outcome(sys(at(0, { SCTLR_EL1: 1n << 14n }), "DC ZVA"))).toBe("ec 24@EL1");
    expect(outcome(sys(at(0), "CFP RCTX"))).toBe("trap@EL1");
    expect(outcome(sys(at(0, { SCTLR_EL1: 1n << 10n }), "CFP RCTX"))).toBe("done");
    expect(outcome(sys(at(1, {}, cortexA76), "CFP RCTX"))).toBe("UNDEF@EL1");
  });
});

describe("other controls of EL2", () => {
  test.each<[string, Sysregs, string]>([
    ["CPTR_EL2.TCPAC", { CPTR_EL2: 1n << 31n }, "CPACR_EL1"],
    ["MDCR_EL2.TDA", { MDCR_EL2: 1n << 9n }, "MDSCR_EL1"],
    ["MDCR_EL2.TDA", { MDCR_EL2: 1n << 9n }, "DBGBVR5_EL1"],
    ["MDCR_EL2.TDRA", { MDCR_EL2: 1n << 11n }, "MDRAR_EL1"],
    ["MDCR_EL2.TDOSA", { MDCR_EL2: 1n << 10n }, "OSLSR_EL1"],
    ["MDCR_EL2.TDE", { MDCR_EL2: 1n << 8n }, "OSDLR_EL1"],
    ["MDCR_EL2.TDCC", { MDCR_EL2: 1n << 27n }, "MDCCSR_EL0"],
    ["MDCR_EL2.TDCC", { MDCR_EL2: 1n << 27n }, "MDCCINT_EL1"],
    ["MDCR_EL2.TDCC", { MDCR_EL2: 1n << 27n }, "OSDTRRX_EL1"],
    ["MDCR_EL2.TDCC", { MDCR_EL2: 1n << 27n }, "OSDTRTX_EL1"],
    ["MDCR_EL2.TPM", { MDCR_EL2: 1n << 6n }, "PMCCNTR_EL0"],
    ["MDCR_EL2.TPMCR", { MDCR_EL2: 1n << 5n }, "PMCR_EL0"],
    ["CNTHCTL_EL2.EL1PCTEN", { CNTHCTL_EL2: 2n }, "CNTPCT_EL0"],
    ["CNTHCTL_EL2.EL1PCEN", { CNTHCTL_EL2: 1n }, "CNTP_CTL_EL0"],
    ["CNTHCTL_EL2.EL1PTEN, E2H", { HCR_EL2: OPEN | E2H, CNTHCTL_EL2: 0x400n }, "CNTP_CVAL_EL0"],
  ])("%s", (_name, sysregs, name) => {
    expect(outcome(mrs(at(1, sysregs), name))).toBe("trap@EL2");
    expect(typeof mrs(at(1), name)).toBe("bigint");
    expect(typeof mrs(at(2, sysregs), name)).toBe("bigint");
  });

  test("the debug communications channel is trapped where FEAT_FGT is, also from EL0", () => {
    const set = { MDCR_EL2: 1n << 27n };
    expect(outcome(mrs(at(1, set, cortexA76), "MDCCINT_EL1"))).toBe("0");
    expect(outcome(mrs(at(1, set), "DBGDTR_EL0"))).toBe("trap@EL2");
    expect(outcome(mrs(at(0, set), "DBGDTRRX_EL0"))).toBe("trap@EL2");
    // MDSCR_EL1.TDCC is looked at first; another register of debug is none of them.
    expect(outcome(mrs(at(0, { ...set, MDSCR_EL1: 1n << 12n }), "MDCCSR_EL0"))).toBe("trap@EL1");
    expect(outcome(mrs(at(1, set), "OSECCR_EL1"))).toBe("0");
  });

  test("the virtual counter and timer are EL1's own", () => {
    expect(outcome(mrs(at(1, { CNTHCTL_EL2: 0n }), "CNTVCT_EL0"))).toBe("0");
    expect(outcome(mrs(at(1, { CNTHCTL_EL2: 0n }), "CNTV_CTL_EL0"))).toBe("0");
  });

  test("FPCR goes the way of floating point, with its own class", () => {
    expect(outcome(mrs(at(1, { CPACR_EL1: 0n }), "FPCR"))).toBe("ec 7@EL1");
    expect(outcome(mrs(at(1, { CPTR_EL2: 1n << 10n }), "FPSR"))).toBe("ec 7@EL2");
    expect(outcome(mrs(at(1), "FPCR"))).toBe("0");
  });
});

describe("EL0", () => {
  test.each<[string, string, Sysregs, Sysregs]>([
    ["UCT", "CTR_EL0", { SCTLR_EL1: 0n }, { SCTLR_EL1: 1n << 15n }],
    ["UMA", "DAIF", { SCTLR_EL1: 0n }, { SCTLR_EL1: 1n << 9n }],
    ["EL0VCTEN", "CNTVCT_EL0", { CNTKCTL_EL1: 1n }, { CNTKCTL_EL1: 2n }],
    ["EL0PCTEN", "CNTPCT_EL0", { CNTKCTL_EL1: 2n }, { CNTKCTL_EL1: 1n }],
    ["EL0VTEN", "CNTV_CTL_EL0", { CNTKCTL_EL1: 3n }, { CNTKCTL_EL1: 1n << 8n }],
    ["EL0PTEN", "CNTP_TVAL_EL0", { CNTKCTL_EL1: 3n }, { CNTKCTL_EL1: 1n << 9n }],
    ["either count", "CNTFRQ_EL0", { CNTKCTL_EL1: 0n }, { CNTKCTL_EL1: 2n }],
    ["PMUSERENR.EN", "PMCNTENSET_EL0", { PMUSERENR_EL0: 0xen }, { PMUSERENR_EL0: 1n }],
    ["PMUSERENR.CR", "PMCCNTR_EL0", { PMUSERENR_EL0: 2n }, { PMUSERENR_EL0: 4n }],
    ["PMUSERENR.ER", "PMEVCNTR2_EL0", { PMUSERENR_EL0: 4n }, { PMUSERENR_EL0: 8n }],
    ["MDSCR.TDCC", "MDCCSR_EL0", { MDSCR_EL1: 1n << 12n }, {}],
  ])("%s keeps EL0 from %s, or lets it", (_name, name, closed, open) => {
    expect(outcome(mrs(at(0, closed), name))).toBe("trap@EL1");
    expect(outcome(mrs(at(0, { HCR_EL2: OPEN | TGE, ...closed }), name))).toBe("trap@EL2");
    expect(typeof mrs(at(0, open), name)).toBe("bigint");
  });

  test("SCTLR_EL1 is asked before HCR_EL2.TID2", () => {
    expect(outcome(mrs(at(0, { ...hcr(17), SCTLR_EL1: 0n }), "CTR_EL0"))).toBe("trap@EL1");
    expect(outcome(mrs(at(0, { ...hcr(17), SCTLR_EL1: 1n << 15n }), "CTR_EL0"))).toBe("trap@EL2");
  });

  test("in a host SCTLR_EL2 and CNTHCTL_EL2 decide, and HCR_EL2 traps nothing", () => {
    const host = { HCR_EL2: HOST | (1n << 17n), SCTLR_EL1: -1n, SCTLR_EL2: 0n };
    expect(outcome(mrs(at(0, host), "CTR_EL0"))).toBe("trap@EL2");
    expect(typeof mrs(at(0, { ...host, SCTLR_EL2: 1n << 15n }), "CTR_EL0")).toBe("bigint");
    expect(outcome(mrs(at(0, { ...host, SCTLR_EL2: -1n }), "DAIF"))).toBe("trap@EL2");
    expect(outcome(mrs(at(0, { ...host, CNTHCTL_EL2: 2n }), "CNTVCT_EL0"))).toBe("0");
    expect(outcome(mrs(at(0, { ...host, CNTHCTL_EL2: 1n }), "CNTVCT_EL0"))).toBe("trap@EL2");
  });
});
