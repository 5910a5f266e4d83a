// The system registers that the harness sets before a vector and compares after it.

import type { Features } from "../../cpu/cpu-model.ts";

/** A register by Arm's name; the assembler resolves it, not our tables. */
export interface ObservedRegister {
  readonly name: string;
  /** Its value before a vector that says nothing else. */
  readonly base: bigint;
  readonly feature?: keyof Features;
  /** Changing it needs TLB maintenance; `EL2`: and the harness's own translation to be off. */
  readonly translation?: "EL1" | "EL2";
  /** Instructions that set it from x1, where it is not a plain MSR. */
  readonly set?: readonly string[];
}

type Rules = Omit<ObservedRegister, "name" | "base">;

const translation: Rules = { translation: "EL1" };
const translationEl2: Rules = { translation: "EL2" };
const mte: Rules = { feature: "MTE2" };
const fgt: Rules = { feature: "FGT" };
const pauth: Rules = { feature: "PAuth" };

/** Addresses with the tag bits set, so that a register read in another's place shows. */
const marker = (n: number): bigint => 0x1122_3344_5566_0000n + BigInt(n) * 0x0101_0101n;

/** A register of bits that are cleared and set by writing ones to two names. */
function clearThenSet(clear: string, set: string): readonly string[] {
  return ["mov x2, #-1", `msr ${clear}, x2`, `msr ${set}, x1`];
}

/** Breakpoints or watchpoints: values that are told apart, controls that are off. */
function debugPairs(kind: "B" | "W", count: number): (readonly [string, bigint])[] {
  return Array.from({ length: count }, (_, n): (readonly [string, bigint])[] => [
    [`DBG${kind}VR${n}_EL1`, BigInt(0x4444_0000 + 0x10 * n)],
    [`DBG${kind}CR${n}_EL1`, 0n],
  ]).flat();
}

const rows: readonly (readonly [name: string, base: bigint, rules?: Rules])[] = [
  ["SCTLR_EL1", 0x30d0_0800n, translation],
  ["CPACR_EL1", 0x30_0000n],
  ["TTBR0_EL1", 0n, translation],
  ["TTBR1_EL1", 0n, translation],
  ["TCR_EL1", 0n, translation],
  ["MAIR_EL1", 0n, translation],
  ["CONTEXTIDR_EL1", 0x0102_0304n],
  ["VBAR_EL1", 0x4020_0000n],
  ["ELR_EL1", marker(1)],
  ["SPSR_EL1", 0x3c5n],
  ["ESR_EL1", 0x5600_1111n],
  ["FAR_EL1", marker(2)],
  ["PAR_EL1", 0x802n],
  ["CSSELR_EL1", 0n],
  ["TPIDR_EL0", marker(3)],
  ["TPIDRRO_EL0", marker(4)],
  ["TPIDR_EL1", marker(5)],
  ["APIAKeyLo_EL1", marker(6), pauth],
  ["APIAKeyHi_EL1", marker(7), pauth],
  ["APIBKeyLo_EL1", marker(8), pauth],
  ["APIBKeyHi_EL1", marker(9), pauth],
  ["APDAKeyLo_EL1", marker(10), pauth],
  ["APDAKeyHi_EL1", marker(11), pauth],
  ["APDBKeyLo_EL1", marker(12), pauth],
  ["APDBKeyHi_EL1", marker(13), pauth],
  ["APGAKeyLo_EL1", marker(14), pauth],
  ["APGAKeyHi_EL1", marker(15), pauth],
  ["GCR_EL1", 0n, mte],
  ["RGSR_EL1", 0n, mte],
  ["TFSR_EL1", 0n, mte],
  ["TFSRE0_EL1", 0n, mte],
  ["TFSR_EL2", 0n, mte],
  ["SCTLR_EL2", 0x30c5_0830n, translationEl2],
  ["HCR_EL2", 0x0100_0300_8000_0000n, translation],
  ["CPTR_EL2", 0x32ffn],
  // TDE routes software step to EL2; HPMN is the number of counters.
  ["MDCR_EL2", 0x106n],
  ["HSTR_EL2", 0n],
  ["TTBR0_EL2", 0n, translationEl2],
  ["TTBR1_EL2", 0n, { feature: "VHE" }],
  ["TCR_EL2", 0x8080_0000n, translationEl2],
  ["MAIR_EL2", 0n, translationEl2],
  ["VTCR_EL2", 0x8000_0000n, translation],
  ["VTTBR_EL2", 0n, translation],
  ["VPIDR_EL2", 0x410f_d0f0n],
  ["VMPIDR_EL2", 0x8000_0123n],
  ["VBAR_EL2", 0x4008_8000n],
  ["ESR_EL2", 0x5600_2222n],
  ["FAR_EL2", marker(16)],
  ["HPFAR_EL2", 0x12_3450n],
  ["TPIDR_EL2", marker(17)],
  ["CONTEXTIDR_EL2", 0x0506_0708n, { feature: "VHE" }],
  ["HFGRTR_EL2", 0n, fgt],
  ["HFGWTR_EL2", 0n, fgt],
  ["HFGITR_EL2", 0n, fgt],
  ["HDFGRTR_EL2", 0n, fgt],
  ["HDFGWTR_EL2", 0n, fgt],
  ["CNTHCTL_EL2", 3n],
  ["CNTKCTL_EL1", 0n],
  ["CNTVOFF_EL2", 0n],
  ["CNTFRQ_EL0", 62_500_000n],
  ["CNTP_CVAL_EL0", marker(18)],
  ["CNTV_CVAL_EL0", marker(19)],
  ["CNTHP_CVAL_EL2", marker(20)],
  ["LORSA_EL1", 0n, { feature: "LOR" }],
  ["LOREA_EL1", 0n, { feature: "LOR" }],
  ["LORC_EL1", 0n, { feature: "LOR" }],
  ["DISR_EL1", 0n, { feature: "RAS" }],
  ["VDISR_EL2", 0n, { feature: "RAS" }],
  ["VSESR_EL2", 0n, { feature: "RAS" }],
  // SS and KDE: the step after every instruction.
  ["MDSCR_EL1", 0x2001n],
  ["OSLSR_EL1", 8n, { set: ["lsr x1, x1, #1", "msr OSLAR_EL1, x1"] }],
  ["OSDLR_EL1", 0n],
  ["DBGCLAIMCLR_EL1", 0n, { set: clearThenSet("DBGCLAIMCLR_EL1", "DBGCLAIMSET_EL1") }],
  ...debugPairs("B", 6),
  ...debugPairs("W", 4),
  ["PMCR_EL0", 0n],
  ["PMUSERENR_EL0", 0n],
  ["PMSELR_EL0", 0n],
  ["PMCNTENSET_EL0", 0n, { set: clearThenSet("PMCNTENCLR_EL0", "PMCNTENSET_EL0") }],
  ["PMINTENSET_EL1", 0n, { set: clearThenSet("PMINTENCLR_EL1", "PMINTENSET_EL1") }],
  ["PMOVSSET_EL0", 0n, { set: clearThenSet("PMOVSCLR_EL0", "PMOVSSET_EL0") }],
  ["PMCCFILTR_EL0", 0n],
];

/** All of them; the harness of a processor has those whose feature it has. */
export const OBSERVED_REGISTERS: readonly ObservedRegister[] = rows.map(([name, base, rules]) => ({
  name,
  base,
  ...rules,
}));

export function registersOf(features: Features): readonly ObservedRegister[] {
  return OBSERVED_REGISTERS.filter(({ feature }) => feature === undefined || features[feature]);
}

/** Those with the given names, in the order of the list. */
export function observedBy(names: readonly string[]): readonly ObservedRegister[] {
  return OBSERVED_REGISTERS.filter(({ name }) => names.includes(name));
}
