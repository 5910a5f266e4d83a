// The tables beside the lists of the architecture: fine-grained trap bits, features, what stops.

import { describe, expect, test } from "vitest";
import { sysregRows } from "../../../cpu/sysregs/names.ts";
import type { SysregRules } from "../../../cpu/sysregs/row.ts";
import {
  cacheInstructions,
  predictionInstructions,
  type SystemInstructionRow,
  tlbInstructions,
  translationInstructions,
} from "../../../cpu/sysregs/tables/system-instructions.ts";
import { machine } from "../mmu/machine.ts";
import { mrs, msr, outcome } from "./by-name.ts";

const instructions: readonly SystemInstructionRow[] = [
  ...cacheInstructions,
  ...translationInstructions,
  ...predictionInstructions,
  ...tlbInstructions,
];
const rulesOf = new Map<string, SysregRules>(
  sysregRows.map(([name, , rules]) => [name, rules ?? {}]),
);

/** Names in the order of their bits; `-` is a bit of nothing that is here. */
const list = (text: string): readonly string[] => text.trim().split(/\s+/);

/** Source: DDI0487 D24.2.43 HFGITR_EL2, bits 0 to 54. */
const hfgitr = list(`
  ICIALLUIS ICIALLU ICIVAU DCIVAC DCISW DCCSW DCCISW DCCVAU DCCVAP DCCVADP DCCIVAC DCZVA
  ATS1E1R ATS1E1W ATS1E0R ATS1E0W ATS1E1RP ATS1E1WP
  TLBIVMALLE1OS TLBIVAE1OS TLBIASIDE1OS TLBIVAAE1OS TLBIVALE1OS TLBIVAALE1OS
  TLBIRVAE1OS TLBIRVAAE1OS TLBIRVALE1OS TLBIRVAALE1OS
  TLBIVMALLE1IS TLBIVAE1IS TLBIASIDE1IS TLBIVAAE1IS TLBIVALE1IS TLBIVAALE1IS
  TLBIRVAE1IS TLBIRVAAE1IS TLBIRVALE1IS TLBIRVAALE1IS
  TLBIRVAE1 TLBIRVAAE1 TLBIRVALE1 TLBIRVAALE1
  TLBIVMALLE1 TLBIVAE1 TLBIASIDE1 TLBIVAAE1 TLBIVALE1 TLBIVAALE1
  CFPRCTX DVPRCTX CPPRCTX ERET SVC_EL0 SVC_EL1 DCCVAC`);

/** Forms for allocation tags go with the one for data: DC IGVAC and DC IGDVAC with DC IVAC. */
function fieldOf(instruction: string): string {
  const joined = instruction.replace(" ", "");
  if (/^DCGZ?VA$/.test(joined)) return "DCZVA";
  return joined.replace(/^(DC(?:C|CI|I))GD?(?=VA|SW)/, "$1");
}

describe("HFGITR_EL2", () => {
  test.each(instructions.map(([name, , rules]) => [name, rules?.fgt] as const))(
    "%s: bit %s",
    (name, bit) => {
      const position = hfgitr.indexOf(fieldOf(name));
      expect(bit ?? -1).toBe(position);
    },
  );

  test("every bit but those of ERET and SVC belongs to an instruction here", () => {
    const fields = new Set(instructions.map(([name]) => fieldOf(name)));
    expect(hfgitr.filter((name) => !fields.has(name))).toEqual(["ERET", "SVC_EL0", "SVC_EL1"]);
  });
});

/** Source: DDI0487 D24.2.44 HFGRTR_EL2, bits 0 to 40. */
const hfgrtr = list(`
  AFSR0_EL1 AFSR1_EL1 AIDR_EL1 AMAIR_EL1 APDAKey APDBKey APGAKey APIAKey APIBKey
  CCSIDR_EL1 CLIDR_EL1 CONTEXTIDR_EL1 CPACR_EL1 CSSELR_EL1 CTR_EL0 DCZID_EL0 ESR_EL1 FAR_EL1
  ISR_EL1 LORC_EL1 LOREA_EL1 LORID_EL1 LORN_EL1 LORSA_EL1 MAIR_EL1 MIDR_EL1 MPIDR_EL1 PAR_EL1
  REVIDR_EL1 SCTLR_EL1 - - TCR_EL1 TPIDR_EL1 TPIDRRO_EL0 TPIDR_EL0 TTBR0_EL1 TTBR1_EL1 VBAR_EL1
  ICC_IGRPENn_EL1 ERRIDR_EL1`);

/** Source: DDI0487 D24.3.13 HDFGRTR_EL2 and D24.3.14 HDFGWTR_EL2, bits 0 to 21, then 57 and 58. */
const hdfgrtr = [
  ...list(`
  DBGBCRn_EL1 DBGBVRn_EL1 DBGWCRn_EL1 DBGWVRn_EL1 MDSCR_EL1 DBGCLAIM DBGAUTHSTATUS_EL1
  DBGPRCR_EL1 OSLAR_EL1 OSLSR_EL1 OSECCR_EL1 OSDLR_EL1 PMEVCNTRn_EL0 PMEVTYPERn_EL0
  PMCCFILTR_EL0 PMCCNTR_EL0 PMCNTEN PMINTEN PMOVS PMSELR_EL0 PMSWINC_EL0 PMCR_EL0`),
  ...new Array<string>(35).fill("-"),
  ...list("PMUSERENR_EL0 PMCEIDn_EL0"),
];

/** A bit for several registers has one name. */
function groupOf(register: string): string {
  return register
    .replace(/^(AP[DGI][AB]Key)(?:Lo|Hi)_EL1$/, "$1")
    .replace(/^ICC_IGRPEN\d_EL1$/, "ICC_IGRPENn_EL1")
    .replace(/^(DBG[BW][CV]R)\d_EL1$/, "$1n_EL1")
    .replace(/^DBGCLAIM(?:SET|CLR)_EL1$/, "DBGCLAIM")
    .replace(/^(PMEV(?:CNTR|TYPER)|PMCEID)\d_EL0$/, "$1n_EL0")
    .replace(/^(PMCNTEN|PMINTEN|PMOVS)(?:SET|CLR)_EL[01]$/, "$1");
}

describe("fine-grained traps of registers", () => {
  test.each([...rulesOf])("%s", (name, { fgt, debugFgt }) => {
    expect(fgt ?? -1).toBe(hfgrtr.indexOf(groupOf(name)));
    // PMXEVCNTR_EL0 and PMXEVTYPER_EL0 go with what they select.
    const group = groupOf(name.replace(/^PMXEV(CNTR|TYPER)_EL0$/, "PMEV$10_EL0"));
    if (name !== "PMXEVCNTR_EL0" && name !== "PMXEVTYPER_EL0")
      expect([name, debugFgt ?? -1]).toEqual([name, hdfgrtr.indexOf(group)]);
  });

  test("every bit belongs to a register here", () => {
    const groups = new Set([...rulesOf.keys()].map(groupOf));
    const idle = [...hfgrtr, ...hdfgrtr].filter((name) => name !== "-" && !groups.has(name));
    expect(idle).toEqual([]);
  });
});

describe("features", () => {
  /** The feature that brings an instruction, by its name. Source: DDI0487 A2, and C5.3 to C5.6. */
  function featureOf(name: string): string | undefined {
    if (/^TLBI R/.test(name)) return "TLBIRANGE";
    if (/^TLBI .*OS$/.test(name)) return "TLBIOS";
    if (/RCTX$/.test(name)) return "SPECRES";
    if (/^AT .*P$/.test(name)) return "PAN2";
    if (/^DC .*G/.test(name)) return "MTE2";
    if (name === "DC CVADP") return "DPB2";
    return name === "DC CVAP" ? "DPB" : undefined;
  }

  test.each(instructions.map(([name, , rules]) => [name, rules?.feature] as const))(
    "%s: %s",
    (name, feature) => {
      expect(feature).toBe(featureOf(name));
    },
  );
});

describe("the interface of the interrupt controller", () => {
  const names = [...rulesOf.keys()].filter((name) => /^IC[CH]_/.test(name));
  const modelled = ["ICC_SRE_EL1", "ICC_SRE_EL2", "ICH_VTR_EL2"];

  test("is all there, and stops with its name but for what says that it is there", () => {
    expect(names).toHaveLength(33);
    const core = machine({ el: 2 });
    for (const name of names.filter((each) => !modelled.includes(each))) {
      const result = rulesOf.get(name)?.access === "WO" ? msr(core, name, 0n) : mrs(core, name);
      expect(outcome(result)).toBe(`unmodelled system register ${name}`);
    }
    for (const name of modelled) expect([name, typeof mrs(core, name)]).toEqual([name, "bigint"]);
  });
});
