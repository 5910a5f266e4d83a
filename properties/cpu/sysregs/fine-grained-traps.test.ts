// FEAT_FGT: every bit of the trap registers. Expected: DDI0487 D24.2.59 to D24.2.64.

import { describe, expect, test } from "vitest";
import { cortexA76, max } from "../../../cpu/cpu-model.ts";
import type { Core, El } from "../../../cpu/state.ts";
import type { SysregName } from "../../../cpu/sysregs/names.ts";
import { machine } from "../mmu/machine.ts";
import { mrs, msr, outcome, sys } from "./by-name.ts";

const OPEN = (1n << 31n) | (3n << 40n) | (1n << 56n);

function at(el: El, sysregs: Partial<Record<SysregName, bigint>>, cpuModel = max): Core {
  const enabled = { SCTLR_EL1: (1n << 26n) | (1n << 14n) | (1n << 15n) | (1n << 10n) };
  return machine({ el, cpuModel, sysregs: { HCR_EL2: OPEN, ...enabled, ...sysregs } });
}

/** Bits 0 on of HFGRTR_EL2 and HFGWTR_EL2; a register for each; those without are not modelled. */
const hfgxtr: readonly (string | undefined)[] = [
  "AFSR0_EL1",
  "AFSR1_EL1",
  "AIDR_EL1",
  "AMAIR_EL1",
  "APDAKeyLo_EL1",
  "APDBKeyHi_EL1",
  "APGAKeyLo_EL1",
  "APIAKeyHi_EL1",
  "APIBKeyLo_EL1",
  "CCSIDR_EL1",
  "CLIDR_EL1",
  "CONTEXTIDR_EL1",
  "CPACR_EL1",
  "CSSELR_EL1",
  "CTR_EL0",
  "DCZID_EL0",
  "ESR_EL1",
  "FAR_EL1",
  "ISR_EL1",
  "LORC_EL1",
  "LOREA_EL1",
  "LORID_EL1",
  "LORN_EL1",
  "LORSA_EL1",
  "MAIR_EL1",
  "MIDR_EL1",
  "MPIDR_EL1",
  "PAR_EL1",
  "REVIDR_EL1",
  "SCTLR_EL1",
  undefined, // SCXTNUM_EL1
  undefined, // SCXTNUM_EL0
  "TCR_EL1",
  "TPIDR_EL1",
  "TPIDRRO_EL0",
  "TPIDR_EL0",
  "TTBR0_EL1",
  "TTBR1_EL1",
  "VBAR_EL1",
  "ICC_IGRPEN1_EL1",
  "ERRIDR_EL1",
];
const readOnly = new Set([2, 9, 10, 14, 15, 18, 21, 25, 26, 28, 40]);

describe("HFGRTR_EL2 and HFGWTR_EL2", () => {
  const rows = hfgxtr.flatMap((name, bit) => (name === undefined ? [] : [[bit, name] as const]));
  test.each(rows)("bit %i traps %s", (bit, name) => {
    const set = 1n << BigInt(bit);
    expect(outcome(mrs(at(1, { HFGRTR_EL2: set }), name))).toBe("trap@EL2");
    expect(outcome(mrs(at(1, { HFGRTR_EL2: ~set }), name))).not.toBe("trap@EL2");
    expect(outcome(mrs(at(2, { HFGRTR_EL2: set }), name))).not.toBe("trap@EL2");
    if (readOnly.has(bit)) return;
    expect(outcome(msr(at(1, { HFGWTR_EL2: set }), name, 0n))).toBe("trap@EL2");
    expect(outcome(msr(at(1, { HFGWTR_EL2: ~set, HFGRTR_EL2: set }), name, 0n))).not.toBe(
      "trap@EL2",
    );
  });

  test("read-only registers have no bit in HFGWTR_EL2", () => {
    const core = at(2, {});
    msr(core, "HFGWTR_EL2", -1n);
    for (const bit of readOnly) expect((core.sysreg.HFGWTR_EL2 >> BigInt(bit)) & 1n).toBe(0n);
    expect((core.sysreg.HFGWTR_EL2 >> 29n) & 1n).toBe(1n);
  });

  test("EL0 is trapped too, unless EL2 is its host", () => {
    const set = { HFGRTR_EL2: 1n << 35n };
    expect(outcome(mrs(at(0, set), "TPIDR_EL0"))).toBe("trap@EL2");
    const host = OPEN | (1n << 27n) | (1n << 34n);
    expect(outcome(mrs(at(0, { ...set, HCR_EL2: host }), "TPIDR_EL0"))).toBe("0");
  });

  test("a processor without FEAT_FGT does not look", () => {
    expect(outcome(mrs(at(1, { HFGRTR_EL2: -1n }, cortexA76), "TPIDR_EL1"))).toBe("0");
  });
});

describe("HDFGRTR_EL2 and HDFGWTR_EL2", () => {
  test.each<[number, string]>([
    [0, "DBGBCR0_EL1"],
    [1, "DBGBVR3_EL1"],
    [2, "DBGWCR1_EL1"],
    [3, "DBGWVR2_EL1"],
    [4, "MDSCR_EL1"],
    [5, "DBGCLAIMCLR_EL1"],
    [7, "DBGPRCR_EL1"],
    [10, "OSECCR_EL1"],
    [11, "OSDLR_EL1"],
    [12, "PMEVCNTR1_EL0"],
    [13, "PMEVTYPER0_EL0"],
    [14, "PMCCFILTR_EL0"],
    [15, "PMCCNTR_EL0"],
    [16, "PMCNTENSET_EL0"],
    [17, "PMINTENCLR_EL1"],
    [18, "PMOVSSET_EL0"],
    [19, "PMSELR_EL0"],
    [57, "PMUSERENR_EL0"],
  ])("bit %i traps %s", (bit, name) => {
    const set = 1n << BigInt(bit);
    expect(outcome(mrs(at(1, { HDFGRTR_EL2: set }), name))).toBe("trap@EL2");
    expect(outcome(msr(at(1, { HDFGWTR_EL2: set }), name, 0n))).toBe("trap@EL2");
    expect(typeof mrs(at(1, { HDFGRTR_EL2: ~set }), name)).toBe("bigint");
  });

  test("one direction each", () => {
    expect(outcome(mrs(at(1, { HDFGRTR_EL2: 1n << 9n }), "OSLSR_EL1"))).toBe("trap@EL2");
    expect(outcome(msr(at(1, { HDFGWTR_EL2: 1n << 8n }), "OSLAR_EL1", 0n))).toBe("trap@EL2");
    expect(outcome(msr(at(1, { HDFGWTR_EL2: 1n << 21n }), "PMCR_EL0", 0n))).toBe("trap@EL2");
    // In HDFGRTR_EL2 that bit is RES0: whatever it holds, it traps nothing.
    expect(typeof mrs(at(1, { HDFGRTR_EL2: 1n << 21n }), "PMCR_EL0")).toBe("bigint");
    // Bits that would be for the other direction cannot be set.
    const core = at(2, {});
    msr(core, "HDFGRTR_EL2", -1n);
    msr(core, "HDFGWTR_EL2", -1n);
    expect(core.sysreg.HDFGRTR_EL2 & ((1n << 8n) | (1n << 20n) | (1n << 21n))).toBe(0n);
    expect(core.sysreg.HDFGWTR_EL2 & ((1n << 6n) | (1n << 9n) | (1n << 58n))).toBe(0n);
  });
});

describe("HFGITR_EL2", () => {
  const names = [
    "IC IALLUIS",
    "IC IALLU",
    "IC IVAU",
    "DC IVAC",
    "DC ISW",
    "DC CSW",
    "DC CISW",
    "DC CVAU",
    "DC CVAP",
    "DC CVADP",
    "DC CIVAC",
    "DC ZVA",
    "AT S1E1R",
    "AT S1E1W",
    "AT S1E0R",
    "AT S1E0W",
    "AT S1E1RP",
    "AT S1E1WP",
    ...["VMALLE1", "VAE1", "ASIDE1", "VAAE1", "VALE1", "VAALE1"].map((form) => `TLBI ${form}OS`),
    ...["RVAE1", "RVAAE1", "RVALE1", "RVAALE1"].map((form) => `TLBI ${form}OS`),
    ...["VMALLE1", "VAE1", "ASIDE1", "VAAE1", "VALE1", "VAALE1"].map((form) => `TLBI ${form}IS`),
    ...["RVAE1", "RVAAE1", "RVALE1", "RVAALE1"].map((form) => `TLBI ${form}IS`),
    ...["RVAE1", "RVAAE1", "RVALE1", "RVAALE1"].map((form) => `TLBI ${form}`),
    ...["VMALLE1", "VAE1", "ASIDE1", "VAAE1", "VALE1", "VAALE1"].map((form) => `TLBI ${form}`),
    "CFP RCTX",
    "DVP RCTX",
    "CPP RCTX",
  ];

  test.each(names.map((name, bit) => [bit, name] as const))("bit %i traps %s", (bit, name) => {
    const set = 1n << BigInt(bit);
    expect(outcome(sys(at(1, { HFGITR_EL2: set }), name, 0x4500_0000n))).toBe("trap@EL2");
    expect(outcome(sys(at(1, { HFGITR_EL2: ~set }), name, 0x4500_0000n))).not.toMatch(/^trap/);
    expect(outcome(sys(at(2, { HFGITR_EL2: set }), name, 0x4500_0000n))).not.toMatch(/^trap/);
  });

  test("bit 54 traps DC CVAC", () => {
    expect(outcome(sys(at(1, { HFGITR_EL2: 1n << 54n }), "DC CVAC", 0x4500_0000n))).toBe(
      "trap@EL2",
    );
    expect(outcome(sys(at(0, { HFGITR_EL2: 1n << 54n }), "DC CVAC", 0x4500_0000n))).toBe(
      "trap@EL2",
    );
  });
});
