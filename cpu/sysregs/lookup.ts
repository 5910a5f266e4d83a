// From an encoding to a register: the table, and what HCR_EL2.E2H makes of some names.

import { inHost } from "../exceptions/route.ts";
import type { Core } from "../state.ts";
import { flag, HCR_EL2 } from "./fields.ts";
import { type SysregName, sysregRows } from "./names.ts";
import type { SysregRules } from "./row.ts";

/** op0, op1, CRn, CRm and op2 of an instruction. */
export interface Encoding {
  readonly op0: number;
  readonly op1: number;
  readonly CRn: number;
  readonly CRm: number;
  readonly op2: number;
}

/** A row of the tables, ready to use. */
export interface Register {
  readonly name: SysregName;
  readonly rules: SysregRules;
  /** Lowest Exception level with access, as op1 or the row says. */
  readonly el: 0 | 1 | 2;
}

/** One number for an encoding. */
function keyOf({ op0, op1, CRn, CRm, op2 }: Encoding): number {
  return (op0 << 14) | (op1 << 11) | (CRn << 7) | (CRm << 3) | op2;
}

const none: SysregRules = {};

/** op1 3 is for EL0, 4 for EL2, the others here for EL1. Source: DDI0487 C5.1.3, Table C5-2. */
function lowestLevel(op1: number): 0 | 1 | 2 {
  if (op1 === 3) return 0;
  return op1 === 4 ? 2 : 1;
}

const byKey = new Map<number, Register>();
const byName = new Map<SysregName, Register>();

for (const [name, text, rules = none] of sysregRows) {
  const [op0, op1, CRn, CRm, op2] = text.split(" ").map(Number) as [
    number,
    number,
    number,
    number,
    number,
  ];
  const register = { name, rules, el: rules.el ?? lowestLevel(op1) };
  byKey.set(keyOf({ op0, op1, CRn, CRm, op2 }), register);
  byName.set(name, register);
}

/** The register of an encoding, whatever the state is. */
export function registerAt(encoding: Encoding): Register | undefined {
  return byKey.get(keyOf(encoding));
}

/** The register of a name. */
export function registerNamed(name: SysregName): Register {
  const register = byName.get(name);
  if (register === undefined) throw new Error(`no system register ${name}`);
  return register;
}

/** What EL2 reaches by a name of EL1 when E2H is 1. Source: DDI0487 C5.1.3; D8.1.3 FEAT_VHE. */
const redirected: Partial<Record<SysregName, SysregName>> = {
  SCTLR_EL1: "SCTLR_EL2",
  CPACR_EL1: "CPTR_EL2",
  TTBR0_EL1: "TTBR0_EL2",
  TTBR1_EL1: "TTBR1_EL2",
  TCR_EL1: "TCR_EL2",
  AFSR0_EL1: "AFSR0_EL2",
  AFSR1_EL1: "AFSR1_EL2",
  ESR_EL1: "ESR_EL2",
  FAR_EL1: "FAR_EL2",
  MAIR_EL1: "MAIR_EL2",
  AMAIR_EL1: "AMAIR_EL2",
  VBAR_EL1: "VBAR_EL2",
  CONTEXTIDR_EL1: "CONTEXTIDR_EL2",
  CNTKCTL_EL1: "CNTHCTL_EL2",
  SPSR_EL1: "SPSR_EL2",
  ELR_EL1: "ELR_EL2",
  TFSR_EL1: "TFSR_EL2",
  CNTP_TVAL_EL0: "CNTHP_TVAL_EL2",
  CNTP_CTL_EL0: "CNTHP_CTL_EL2",
  CNTP_CVAL_EL0: "CNTHP_CVAL_EL2",
  CNTV_TVAL_EL0: "CNTHV_TVAL_EL2",
  CNTV_CTL_EL0: "CNTHV_CTL_EL2",
  CNTV_CVAL_EL0: "CNTHV_CVAL_EL2",
};

/** The register that an instruction reaches in this state; undefined when there is none. */
export function registerFor(core: Core, encoding: Encoding): Register | undefined {
  const e2h = flag(core.sysreg.HCR_EL2, HCR_EL2.E2H);
  if (encoding.op0 === 3 && encoding.op1 === 5) return e2h ? aliased(core, encoding) : undefined;
  const register = registerAt(encoding);
  const other = register === undefined ? undefined : redirected[register.name];
  if (other === undefined || !reachesEl2(core, e2h, other)) return register;
  return { ...registerNamed(other), el: register?.el ?? 2 };
}

/** At EL2 all names of the list are redirected; at EL0 in a host only the timers. */
function reachesEl2(core: Core, e2h: boolean, other: SysregName): boolean {
  if (core.pstate.EL === 2) return e2h;
  return (
    core.pstate.EL === 0 && inHost(core) && other.startsWith("CNTH") && other !== "CNTHCTL_EL2"
  );
}

/** _EL12 and _EL02: at EL2 with E2H, the registers of EL1 that redirection hides. */
function aliased(core: Core, encoding: Encoding): Register | undefined {
  if (core.pstate.EL !== 2) return undefined;
  const isTimer = encoding.CRn === 14 && encoding.CRm !== 1;
  const register = registerAt({ ...encoding, op1: isTimer ? 3 : 0 });
  if (register === undefined || redirected[register.name] === undefined) return undefined;
  return { ...register, el: 2 };
}

/** Arm's generic name of an encoding: what to call a register that does not exist. */
export function genericName({ op0, op1, CRn, CRm, op2 }: Encoding): string {
  return `S${op0}_${op1}_C${CRn}_C${CRm}_${op2}`;
}

/**
 * The space of feature identification: unallocated encodings there read as zero above EL0.
 * Source: DDI0487 C5.1.5, and D24.2 Reserved, op0 3, op1 0, CRn 0, CRm 1 to 7.
 */
export function isReservedId({ op0, op1, CRn, CRm }: Encoding): boolean {
  return op0 === 3 && op1 === 0 && CRn === 0 && CRm >= 1 && CRm <= 7;
}

/** The feature ID space of FEAT_IDST. Source: DDI0487 A2.2, FEAT_IDST. */
export function isIdSpace({ op0, op1, CRn, CRm }: Encoding): boolean {
  return op0 === 3 && (op1 === 0 || op1 === 1 || op1 === 3) && CRn === 0 && CRm <= 7;
}

/** IMPLEMENTATION DEFINED encodings: CRn 11 and 15. */
export function isImplementationDefined({ op0, CRn }: Encoding): boolean {
  return (op0 === 1 || op0 === 3) && (CRn === 11 || CRn === 15);
}
