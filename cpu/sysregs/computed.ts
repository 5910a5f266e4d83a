// Registers that are not storage: views of PSTATE, of other registers, or of the machine.

import { type Unmodelled, unmodelled } from "../exceptions/exception.ts";
import { interruptStatus } from "../exceptions/interrupts.ts";
import { inHost } from "../exceptions/route.ts";
import type { Core } from "../state.ts";
import { field, flag, HCR_EL2 } from "./fields.ts";
import type { SysregName } from "./names.ts";
import { alwaysOne, writableBits } from "./registers.ts";
import {
  physicalCount,
  readTimerControl,
  readTimerValue,
  virtualCount,
  writeTimerValue,
} from "./timer-counter.ts";

type Reader = (core: Core, name: SysregName) => bigint;
/** Gives what is not modelled, where it is not. */
type Writer = (core: Core, value: bigint, name: SysregName) => Unmodelled | undefined;

/** At EL1 the identity is the one that EL2 gives. Source: DDI0487 D24.2.105 MIDR_EL1. */
function virtualised(real: SysregName, shown: SysregName): Reader {
  return (core) => core.sysreg[core.pstate.EL === 1 ? shown : real];
}

/** CNTVOFF_EL2 does not count for EL2 with E2H, nor for EL0 of a host. D24.10.31 CNTVCT_EL0. */
function readVirtualCount(core: Core): bigint {
  const host = core.pstate.EL === 2 && flag(core.sysreg.HCR_EL2, HCR_EL2.E2H);
  return virtualCount(core, !(host || (core.pstate.EL === 0 && inHost(core))));
}

/** Registers whose value is computed when read. */
export const readers: Partial<Record<SysregName, Reader>> = {
  MIDR_EL1: virtualised("MIDR_EL1", "VPIDR_EL2"),
  MPIDR_EL1: virtualised("MPIDR_EL1", "VMPIDR_EL2"),
  CCSIDR_EL1: (core) => core.cpuModel.cacheSizes[Number(core.sysreg.CSSELR_EL1)] ?? 0n,
  DCZID_EL0: (core) => core.sysreg.DCZID_EL0 | (zeroProhibited(core) ? 16n : 0n),
  ISR_EL1: interruptStatus,
  SP_EL0: (core) => core.sp[0]!,
  SP_EL1: (core) => core.sp[1]!,
  CurrentEL: ({ pstate }) => BigInt(pstate.EL << 2),
  SPSel: ({ pstate }) => BigInt(pstate.SP),
  PAN: ({ pstate }) => BigInt(pstate.PAN) << 22n,
  UAO: ({ pstate }) => BigInt(pstate.UAO) << 23n,
  DIT: ({ pstate }) => BigInt(pstate.DIT) << 24n,
  TCO: ({ pstate }) => BigInt(pstate.TCO) << 25n,
  SSBS: ({ pstate }) => BigInt(pstate.SSBS) << 12n,
  DAIF: ({ pstate: { D, A, I, F } }) => BigInt((D << 9) | (A << 8) | (I << 7) | (F << 6)),
  NZCV: ({ pstate: { N, Z, C, V } }) => BigInt((N << 3) | (Z << 2) | (C << 1) | V) << 28n,
  CNTPCT_EL0: physicalCount,
  CNTVCT_EL0: readVirtualCount,
  CNTP_CTL_EL0: readTimerControl,
  CNTV_CTL_EL0: readTimerControl,
  CNTHP_CTL_EL2: readTimerControl,
  CNTHV_CTL_EL2: readTimerControl,
  CNTP_TVAL_EL0: readTimerValue,
  CNTV_TVAL_EL0: readTimerValue,
  CNTHP_TVAL_EL2: readTimerValue,
  CNTHV_TVAL_EL2: readTimerValue,
  // Claim tags: SET reads as the tags that exist, CLR as the ones that are set.
  DBGCLAIMSET_EL1: () => 0xffn,
  PMCNTENCLR_EL0: (core) => core.sysreg.PMCNTENSET_EL0,
  PMINTENCLR_EL1: (core) => core.sysreg.PMINTENSET_EL1,
  PMOVSCLR_EL0: (core) => core.sysreg.PMOVSSET_EL0,
};

/** DCZID_EL0.DZP: DC ZVA would be trapped or is disabled here. D24.2.35 DCZID_EL0. */
function zeroProhibited(core: Core): boolean {
  const { EL } = core.pstate;
  const { HCR_EL2: hcr, SCTLR_EL1, SCTLR_EL2 } = core.sysreg;
  const host = inHost(core);
  if (EL === 0 && !flag(host ? SCTLR_EL2 : SCTLR_EL1, 14)) return true;
  return EL < 2 && !(EL === 0 && host) && flag(hcr, HCR_EL2.TDZ);
}

/** Writing ones sets bits of a register that is kept under this name. */
function setBits(target: SysregName): Writer {
  return (core, value) => {
    core.sysreg[target] |= value & writableBits(target, core.cpuModel);
    return undefined;
  };
}

/** Writing ones clears them. */
function clearBits(target: SysregName): Writer {
  return (core, value) => {
    core.sysreg[target] &= ~value;
    return undefined;
  };
}

/** A register whose bit 0 enables something that is not modelled. */
function neverEnabled(what: string): Writer {
  return (core, value, name) => {
    if ((value & 1n) === 1n) return unmodelled(`${what} (${name})`);
    storeWritable(core, name, value);
    return undefined;
  };
}

/** Changes the bits of a register that a write can change. */
export function storeWritable(core: Core, name: SysregName, value: bigint): void {
  const writable = writableBits(name, core.cpuModel);
  core.sysreg[name] = (core.sysreg[name] & ~writable) | (value & writable) | alwaysOne(name);
}

function pstateWriter(write: (core: Core, value: bigint) => void): Writer {
  return (core, value) => {
    write(core, value);
    return undefined;
  };
}

const timerValue: Writer = (core, value, name) => {
  writeTimerValue(core, name, value);
  return undefined;
};

/** Registers that do something else than keep a value when written. */
export const writers: Partial<Record<SysregName, Writer>> = {
  SP_EL0: pstateWriter((core, value) => {
    core.sp[0] = value;
  }),
  SP_EL1: pstateWriter((core, value) => {
    core.sp[1] = value;
  }),
  SPSel: pstateWriter(({ pstate }, value) => {
    pstate.SP = field(value, 0, 0);
  }),
  PAN: pstateWriter(({ pstate }, value) => {
    pstate.PAN = field(value, 22, 22);
  }),
  UAO: pstateWriter(({ pstate }, value) => {
    pstate.UAO = field(value, 23, 23);
  }),
  DIT: pstateWriter(({ pstate }, value) => {
    pstate.DIT = field(value, 24, 24);
  }),
  TCO: pstateWriter(({ pstate }, value) => {
    pstate.TCO = field(value, 25, 25);
  }),
  SSBS: pstateWriter(({ pstate }, value) => {
    pstate.SSBS = field(value, 12, 12);
  }),
  DAIF: pstateWriter(({ pstate }, value) => {
    pstate.D = field(value, 9, 9);
    pstate.A = field(value, 8, 8);
    pstate.I = field(value, 7, 7);
    pstate.F = field(value, 6, 6);
  }),
  NZCV: pstateWriter(({ pstate }, value) => {
    pstate.N = field(value, 31, 31);
    pstate.Z = field(value, 30, 30);
    pstate.C = field(value, 29, 29);
    pstate.V = field(value, 28, 28);
  }),
  CNTP_TVAL_EL0: timerValue,
  CNTV_TVAL_EL0: timerValue,
  CNTHP_TVAL_EL2: timerValue,
  CNTHV_TVAL_EL2: timerValue,
  // OSLK is OSLSR_EL1 bit 1. Source: DDI0487 D24.3.24 OSLAR_EL1.
  OSLAR_EL1: pstateWriter(({ sysreg }, value) => {
    sysreg.OSLSR_EL1 = (sysreg.OSLSR_EL1 & ~2n) | ((value & 1n) << 1n);
  }),
  DBGCLAIMSET_EL1: setBits("DBGCLAIMCLR_EL1"),
  DBGCLAIMCLR_EL1: clearBits("DBGCLAIMCLR_EL1"),
  PMCNTENSET_EL0: setBits("PMCNTENSET_EL0"),
  PMCNTENCLR_EL0: clearBits("PMCNTENSET_EL0"),
  PMINTENSET_EL1: setBits("PMINTENSET_EL1"),
  PMINTENCLR_EL1: clearBits("PMINTENSET_EL1"),
  PMOVSSET_EL0: setBits("PMOVSSET_EL0"),
  PMOVSCLR_EL0: clearBits("PMOVSSET_EL0"),
  PMCR_EL0: neverEnabled("performance counting"),
  DBGBCR0_EL1: neverEnabled("breakpoint"),
  DBGBCR1_EL1: neverEnabled("breakpoint"),
  DBGBCR2_EL1: neverEnabled("breakpoint"),
  DBGBCR3_EL1: neverEnabled("breakpoint"),
  DBGBCR4_EL1: neverEnabled("breakpoint"),
  DBGBCR5_EL1: neverEnabled("breakpoint"),
  DBGWCR0_EL1: neverEnabled("watchpoint"),
  DBGWCR1_EL1: neverEnabled("watchpoint"),
  DBGWCR2_EL1: neverEnabled("watchpoint"),
  DBGWCR3_EL1: neverEnabled("watchpoint"),
};
