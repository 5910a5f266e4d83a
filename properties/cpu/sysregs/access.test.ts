// MRS and MSR: who may, what they see, and what stays as it is.

import { describe, expect, test } from "vitest";
import { cortexA76, max } from "../../../cpu/cpu-model.ts";
import type { Core, El } from "../../../cpu/state.ts";
import { type SysregName, sysregRows } from "../../../cpu/sysregs/names.ts";
import { writePstateField } from "../../../cpu/sysregs/pstate-fields.ts";
import { machine, set } from "../mmu/machine.ts";
import { mrs, msr, outcome } from "./by-name.ts";

const RW = 1n << 31n;
const TGE = 1n << 27n;
const E2H = 1n << 34n;

function at(el: El, sysregs: Partial<Record<SysregName, bigint>> = {}, cpuModel = max): Core {
  return machine({ el, cpuModel, sysregs: { HCR_EL2: RW, ...sysregs } });
}

describe("levels", () => {
  test("registers of EL2 are UNDEFINED below it, those of EL1 at EL0, for reads and writes", () => {
    for (const [name, , rules] of sysregRows) {
      const suffix = /_EL([12])$/.exec(name)?.[1];
      if (suffix === undefined || name === "SP_EL1") continue;
      const below: El = suffix === "2" ? 1 : 0;
      const core = at(below, {}, { ...max, features: { ...max.features, IDST: false } });
      if (rules?.access !== "WO") {
        expect([name, outcome(mrs(core, name))]).toEqual([name, "UNDEF@EL1"]);
      }
      expect([name, outcome(msr(core, name, 0n))]).toEqual([name, "UNDEF@EL1"]);
    }
  });

  test("read-only registers cannot be written at any level, write-only ones not read", () => {
    const core = at(2);
    for (const [name, , rules] of sysregRows) {
      if (rules?.access === "RO") expect(outcome(msr(core, name, 0n))).toBe("UNDEF@EL2");
      if (rules?.access === "WO") expect(outcome(mrs(core, name))).toBe("UNDEF@EL2");
    }
  });

  test.each([
    ["TPIDRRO_EL0", 0, "UNDEF@EL1"],
    ["TPIDRRO_EL0", 1, "done"],
    ["TPIDR_EL0", 0, "done"],
    ["CNTFRQ_EL0", 1, "UNDEF@EL1"],
    ["CNTFRQ_EL0", 2, "done"],
    ["PMUSERENR_EL0", 0, "UNDEF@EL1"],
    ["PMUSERENR_EL0", 1, "done"],
  ] as const)("writing %s at EL%i: %s", (name, el, expected) => {
    expect(outcome(msr(at(el), name, 0n))).toBe(expected);
  });

  test("what a processor has not is UNDEFINED", () => {
    for (const name of ["APIAKeyLo_EL1", "GCR_EL1", "TCO", "DIT", "HFGRTR_EL2", "GMID_EL1"]) {
      expect([name, outcome(mrs(at(2, {}, cortexA76), name))]).toEqual([name, "UNDEF@EL2"]);
      expect([name, typeof mrs(at(2), name)]).toEqual([name, "bigint"]);
    }
    // FEAT_SSBS without its MSR and MRS.
    expect(outcome(mrs(at(1, {}, cortexA76), "SSBS"))).toBe("UNDEF@EL1");
  });

  test("SP_EL0 has no name while it is the stack pointer", () => {
    const core = at(1);
    core.sp[0] = 0x1230n;
    expect(outcome(mrs(core, "SP_EL0"))).toBe("1230");
    core.pstate.SP = 0;
    expect(outcome(mrs(core, "SP_EL0"))).toBe("UNDEF@EL1");
    expect(outcome(msr(core, "SP_EL0", 0n))).toBe("UNDEF@EL1");
  });

  test("SP_EL1 belongs to EL2", () => {
    expect(outcome(mrs(at(1), "SP_EL1"))).toBe("UNDEF@EL1");
    const core = at(2);
    expect(outcome(msr(core, "SP_EL1", 0x4560n))).toBe("done");
    expect(core.sp[1]).toBe(0x4560n);
  });
});

describe("encodings without a register", () => {
  test("are UNDEFINED", () => {
    expect(outcome(mrs(at(2), "S3_0_C2_C5_0"))).toBe("UNDEF@EL2");
    expect(outcome(msr(at(1), "S3_6_C1_C0_0", 1n))).toBe("UNDEF@EL1"); // SCTLR_EL3
    expect(outcome(mrs(at(2), "S2_1_C0_C3_2"))).toBe("UNDEF@EL2");
  });

  test("but reserved identification reads as zero above EL0, and FEAT_IDST traps it there", () => {
    expect(outcome(mrs(at(1), "S3_0_C0_C4_7"))).toBe("0");
    expect(outcome(msr(at(1), "S3_0_C0_C4_7", 0n))).toBe("UNDEF@EL1");
    expect(outcome(mrs(at(1, { HCR_EL2: RW | (1n << 18n) }), "S3_0_C0_C4_7"))).toBe("trap@EL2");
    expect(outcome(mrs(at(0), "S3_0_C0_C4_7"))).toBe("trap@EL1");
    expect(outcome(mrs(at(0, {}, cortexA76), "S3_0_C0_C4_7"))).toBe("UNDEF@EL1");
  });

  test("FEAT_IDST reports what is not there in the space of identification as a trap", () => {
    expect(outcome(mrs(at(1), "S3_3_C0_C2_2"))).toBe("trap@EL1");
    expect(outcome(mrs(at(2), "S3_1_C0_C5_1"))).toBe("trap@EL2");
    expect(outcome(mrs(at(2, {}, cortexA76), "S3_1_C0_C5_1"))).toBe("UNDEF@EL2");
    expect(outcome(msr(at(1), "S3_3_C0_C2_2", 0n))).toBe("UNDEF@EL1");
    // op1 4 is not in it.
    expect(outcome(mrs(at(2), "S3_4_C0_C5_1"))).toBe("UNDEF@EL2");
  });

  test("FEAT_IDST traps identification at EL0, to EL2 under TGE", () => {
    expect(outcome(mrs(at(0), "ID_AA64PFR0_EL1"))).toBe("trap@EL1");
    expect(outcome(mrs(at(0, { HCR_EL2: RW | TGE }), "MIDR_EL1"))).toBe("trap@EL2");
    expect(outcome(msr(at(0), "ID_AA64PFR0_EL1", 0n))).toBe("UNDEF@EL1");
    expect(outcome(mrs(at(0, {}, cortexA76), "ID_AA64PFR0_EL1"))).toBe("UNDEF@EL1");
  });

  test("IMPLEMENTATION DEFINED: UNDEFINED, trapped by TIDCP, or not modelled", () => {
    expect(outcome(mrs(at(1), "S3_0_C15_C1_0"))).toBe("UNDEF@EL1");
    expect(outcome(mrs(at(1, { HCR_EL2: RW | (1n << 20n) }), "S3_0_C15_C1_0"))).toBe("trap@EL2");
    expect(outcome(msr(at(1, {}, cortexA76), "S3_0_C15_C1_0", 0n))).toBe(
      "unmodelled IMPLEMENTATION DEFINED S3_0_C15_C1_0",
    );
  });

  test("what exists and is not modelled says its name", () => {
    expect(outcome(mrs(at(1), "ICC_IAR1_EL1"))).toBe("unmodelled system register ICC_IAR1_EL1");
    expect(outcome(msr(at(1), "PMCR_EL0", 1n))).toBe("unmodelled performance counting (PMCR_EL0)");
    expect(outcome(msr(at(1), "DBGBCR3_EL1", 1n))).toBe("unmodelled breakpoint (DBGBCR3_EL1)");
    expect(outcome(msr(at(1), "DBGBCR3_EL1", 0x1e4n))).toBe("done");
    expect(outcome(mrs(at(1), "DBGBCR3_EL1"))).toBe("0");
  });
});

describe("values", () => {
  test("the identity that EL1 sees is the one that EL2 gives", () => {
    const core = at(2);
    expect(outcome(mrs(core, "MIDR_EL1"))).toBe("410fd0f0");
    msr(core, "VPIDR_EL2", 0x1234n);
    msr(core, "VMPIDR_EL2", 0x8000_0003n);
    expect(outcome(mrs(core, "MIDR_EL1"))).toBe("410fd0f0");
    core.pstate.EL = 1;
    expect(outcome(mrs(core, "MIDR_EL1"))).toBe("1234");
    expect(outcome(mrs(core, "MPIDR_EL1"))).toBe("80000003");
  });

  test("CCSIDR_EL1 is the cache that CSSELR_EL1 selects", () => {
    const core = at(1, {}, cortexA76);
    for (const [selected, expected] of [
      [0n, "701fe01a"],
      [1n, "201fe01a"],
      [2n, "707fe03a"],
      [9n, "0"],
    ] as const) {
      msr(core, "CSSELR_EL1", selected);
      expect(outcome(mrs(core, "CCSIDR_EL1"))).toBe(expected);
    }
  });

  test.each<[string, bigint, bigint]>([
    // written, read: RES0 bits stay 0, RES1 bits 1.
    ["VBAR_EL1", 0xffff_ffff_ffff_ffffn, 0xffff_ffff_ffff_f800n],
    ["SCTLR_EL1", 0n, 0x3050_0800n],
    ["HCR_EL2", 0n, 0x8000_0000n],
    ["VTCR_EL2", 0n, 0x8000_0000n],
    ["CONTEXTIDR_EL1", 0xffff_ffff_ffff_ffffn, 0xffff_ffffn],
    ["ACTLR_EL1", 0xffn, 0n],
    ["TPIDR_EL2", 0xfedc_ba98_7654_3210n, 0xfedc_ba98_7654_3210n],
    ["ESR_EL2", 0xffff_ffff_9600_0007n, 0x9600_0007n],
    ["HPFAR_EL2", 0xffff_ffff_ffff_ffffn, 0xfff_ffff_fff0n],
    ["MDCR_EL2", 0xffff_ffff_ffff_ffffn, 0x802_0fffn],
    ["HSTR_EL2", 0xffff_ffff_ffff_ffffn, 0xbfefn],
    ["CNTKCTL_EL1", 0xffff_ffffn, 0x3ffn],
  ])("%s: writing %s gives %s", (name, written, expected) => {
    const core = at(2);
    expect(msr(core, name, written)).toBeUndefined();
    expect(mrs(core, name)).toBe(expected);
  });

  test("claim tags and the pairs of set and clear registers", () => {
    const core = at(1);
    msr(core, "DBGCLAIMSET_EL1", 0x35n);
    expect(outcome(mrs(core, "DBGCLAIMSET_EL1"))).toBe("ff");
    expect(outcome(mrs(core, "DBGCLAIMCLR_EL1"))).toBe("35");
    msr(core, "DBGCLAIMCLR_EL1", 0x5n);
    expect(outcome(mrs(core, "DBGCLAIMCLR_EL1"))).toBe("30");
    msr(core, "PMCNTENSET_EL0", 0x8000_0003n);
    msr(core, "PMCNTENCLR_EL0", 1n);
    expect(outcome(mrs(core, "PMCNTENSET_EL0"))).toBe("80000002");
    expect(outcome(mrs(core, "PMCNTENCLR_EL0"))).toBe("80000002");
    // The cycle counter and six others.
    msr(core, "PMCNTENSET_EL0", -1n);
    expect(outcome(mrs(core, "PMCNTENSET_EL0"))).toBe("8000003f");
  });

  test("OSLAR_EL1 sets and clears the lock in OSLSR_EL1", () => {
    const core = at(1);
    expect(outcome(mrs(core, "OSLSR_EL1"))).toBe("a");
    msr(core, "OSLAR_EL1", 0n);
    expect(outcome(mrs(core, "OSLSR_EL1"))).toBe("8");
    msr(core, "OSLAR_EL1", 1n);
    expect(outcome(mrs(core, "OSLSR_EL1"))).toBe("a");
  });

  test("DCZID_EL0.DZP says whether DC ZVA would be trapped", () => {
    expect(outcome(mrs(at(0, { SCTLR_EL1: 1n << 14n }), "DCZID_EL0"))).toBe("7");
    expect(outcome(mrs(at(0), "DCZID_EL0"))).toBe("17");
    expect(outcome(mrs(at(1, { HCR_EL2: RW | (1n << 28n) }), "DCZID_EL0"))).toBe("17");
    expect(outcome(mrs(at(2, { HCR_EL2: RW | (1n << 28n) }), "DCZID_EL0"))).toBe("7");
  });
});

describe("PSTATE by MRS and MSR", () => {
  test.each<[string, bigint, string]>([
    ["NZCV", 0xa000_0000n, "a0000000"],
    ["DAIF", 0x280n, "280"],
    ["PAN", 1n << 22n, "400000"],
    ["UAO", 1n << 23n, "800000"],
    ["DIT", 1n << 24n, "1000000"],
    ["TCO", 1n << 25n, "2000000"],
    ["SSBS", 1n << 12n, "1000"],
    ["SPSel", 0n, "0"],
  ])("%s", (name, value, expected) => {
    const core = at(1);
    core.pstate.TCO = 0;
    expect(outcome(msr(core, name, value))).toBe("done");
    expect(outcome(mrs(core, name))).toBe(expected);
  });

  test("CurrentEL is at bits 3:2", () => {
    expect(outcome(mrs(at(1), "CurrentEL"))).toBe("4");
    expect(outcome(mrs(at(2), "CurrentEL"))).toBe("8");
  });

  test("MSR (immediate) writes one field; DAIFSet and DAIFClr have a mask", () => {
    const core = at(1);
    const fields = () => {
      const { D, A, I, F } = core.pstate;
      return [D, A, I, F];
    };
    writePstateField(core, 3, 0b1111, 7);
    expect(fields()).toEqual([0, 0, 0, 0]);
    writePstateField(core, 3, 0b0110, 6);
    expect(fields()).toEqual([0, 1, 1, 0]);
    writePstateField(core, 3, 0b0010, 7);
    expect(fields()).toEqual([0, 1, 0, 0]);
    for (const [op1, op2, field] of [
      [0, 3, "UAO"],
      [0, 4, "PAN"],
      [0, 5, "SP"],
      [3, 1, "SSBS"],
      [3, 2, "DIT"],
      [3, 4, "TCO"],
    ] as const) {
      expect(writePstateField(core, op1, 1, op2)).toBeUndefined();
      expect(core.pstate[field]).toBe(1);
      expect(writePstateField(core, op1, 0, op2)).toBeUndefined();
      expect(core.pstate[field]).toBe(0);
    }
  });

  test("at EL0 PAN, UAO and SPSel are UNDEFINED, and DAIF needs SCTLR_EL1.UMA", () => {
    const core = at(0);
    for (const op2 of [3, 4, 5]) {
      expect(writePstateField(core, 0, 1, op2)).toMatchObject({ ec: 0, target: 1 });
    }
    // MSR DAIFSet, #2: op0 0, op1 3, CRn 4, CRm 2, op2 6, Rt 31, write.
    const iss = (6 << 17) | (3 << 14) | (4 << 10) | (31 << 5) | (2 << 1);
    expect(writePstateField(core, 3, 2, 6)).toMatchObject({ ec: 0x18, target: 1, iss });
    set(core, { SCTLR_EL1: 1n << 9n });
    expect(writePstateField(core, 3, 2, 6)).toBeUndefined();
    expect(writePstateField(core, 3, 1, 2)).toBeUndefined();
    expect(writePstateField(at(1, {}, cortexA76), 3, 1, 2)).toMatchObject({ ec: 0 });
    expect(writePstateField(at(1), 5, 1, 5)).toMatchObject({ ec: 0 });
  });
});

describe("HCR_EL2.E2H", () => {
  test("at EL2 the names of EL1 reach EL2, and the _EL12 names reach EL1", () => {
    const core = at(2, { HCR_EL2: RW | E2H });
    for (const [name, el2] of [
      ["SCTLR", "SCTLR_EL2"],
      ["CPACR", "CPTR_EL2"],
      ["TTBR0", "TTBR0_EL2"],
      ["TTBR1", "TTBR1_EL2"],
      ["TCR", "TCR_EL2"],
      ["ESR", "ESR_EL2"],
      ["FAR", "FAR_EL2"],
      ["MAIR", "MAIR_EL2"],
      ["VBAR", "VBAR_EL2"],
      ["CONTEXTIDR", "CONTEXTIDR_EL2"],
      ["SPSR", "SPSR_EL2"],
      ["ELR", "ELR_EL2"],
    ] as const) {
      const hidden = `${name}_EL1` as SysregName;
      core.sysreg[el2] = 0x2000n;
      core.sysreg[hidden] = 0x1000n;
      expect([name, mrs(core, hidden)]).toEqual([name, 0x2000n]);
      expect([name, mrs(core, `${name}_EL12`)]).toEqual([name, 0x1000n]);
    }
    set(core, { CNTKCTL_EL1: 1n, CNTHCTL_EL2: 2n });
    expect(mrs(core, "CNTKCTL_EL1")).toBe(2n);
    expect(mrs(core, "CNTKCTL_EL12")).toBe(1n);
    set(core, { CNTP_CVAL_EL0: 5n, CNTHP_CVAL_EL2: 6n, CNTV_CVAL_EL0: 7n, CNTHV_CVAL_EL2: 8n });
    expect(mrs(core, "CNTP_CVAL_EL0")).toBe(6n);
    expect(mrs(core, "CNTP_CVAL_EL02")).toBe(5n);
    expect(mrs(core, "CNTV_CVAL_EL0")).toBe(8n);
    expect(mrs(core, "CNTV_CVAL_EL02")).toBe(7n);
  });

  test("without E2H, and below EL2, the aliases are UNDEFINED and names mean themselves", () => {
    expect(outcome(mrs(at(2), "SCTLR_EL12"))).toBe("UNDEF@EL2");
    expect(outcome(mrs(at(1, { HCR_EL2: RW | E2H }), "SCTLR_EL12"))).toBe("UNDEF@EL1");
    const core = at(2);
    set(core, { VBAR_EL1: 0x800n, VBAR_EL2: 0x1000n });
    expect(mrs(core, "VBAR_EL1")).toBe(0x800n);
    core.pstate.EL = 1;
    set(core, { HCR_EL2: RW | E2H });
    expect(mrs(core, "VBAR_EL1")).toBe(0x800n);
  });

  test("EL0 of a host has the timers of EL2", () => {
    const core = at(0, { HCR_EL2: RW | E2H | TGE, CNTHCTL_EL2: 3n << 8n });
    set(core, { CNTP_CVAL_EL0: 5n, CNTHP_CVAL_EL2: 6n });
    expect(mrs(core, "CNTP_CVAL_EL0")).toBe(6n);
  });

  test("registers that are not redirected have no alias", () => {
    const core = at(2, { HCR_EL2: RW | E2H });
    expect(outcome(mrs(core, "S3_5_C13_C0_4"))).toBe("UNDEF@EL2"); // TPIDR_EL1
    expect(outcome(mrs(core, "S3_5_C0_C0_0"))).toBe("UNDEF@EL2"); // MIDR_EL1
  });
});

describe("the counter", () => {
  test("counts retired instructions of all cores", () => {
    const core = at(1, { CNTVOFF_EL2: 30n, CNTHCTL_EL2: 3n });
    core.retired = 100;
    expect(mrs(core, "CNTPCT_EL0")).toBe(100n);
    expect(mrs(core, "CNTVCT_EL0")).toBe(70n);
    core.counterBase = 1000n;
    expect(mrs(core, "CNTPCT_EL0")).toBe(1100n);
  });

  test("TVAL is the signed distance to CVAL, CTL.ISTATUS that it has passed", () => {
    const core = at(1, { CNTHCTL_EL2: 3n });
    core.retired = 100;
    msr(core, "CNTV_TVAL_EL0", 10n);
    expect(mrs(core, "CNTV_CVAL_EL0")).toBe(110n);
    msr(core, "CNTV_CTL_EL0", 1n);
    expect(mrs(core, "CNTV_CTL_EL0")).toBe(1n);
    core.retired = 110;
    expect(mrs(core, "CNTV_CTL_EL0")).toBe(5n);
    core.retired = 112;
    expect(mrs(core, "CNTV_TVAL_EL0")).toBe(0xffff_fffen);
    msr(core, "CNTV_TVAL_EL0", 0xffff_ffffn);
    expect(mrs(core, "CNTV_CVAL_EL0")).toBe(111n);
  });
});
