// What EL2 does when the host's stage 2 stops it: maps what is the host's, injects an abort for
// what is not.

import type { Core } from "../../cpu/state.ts";
import { injectedEsr } from "../ownership/host-faults.ts";
import { touch } from "../pgtable/host-stage2.ts";
import { ipaOf } from "./kernel.ts";
import { KERNEL_VECTORS } from "./layout.ts";
import type { Machine } from "./machine.ts";

/** An abort of the host that EL2 must decide about. */
export interface HostAbort {
  readonly esr: bigint;
  /** The virtual address that the host used. */
  readonly far: bigint;
  /** The page that it meant. */
  readonly ipa: bigint;
  /** Whose page it is, or which access is forbidden; anything else by its fault status code. */
  readonly reason: "not the host's" | "permission" | "other";
}

/** Fault status codes, without the level. Source: DDI0487 D24.2.40 ESR_EL2, DFSC and IFSC. */
const TRANSLATION = 0x04n;
const PERMISSION = 0x0cn;
const STATUS_KIND = 0x3cn;

/**
 * Looks at the abort that was just taken to EL2. Undefined: it was resolved, and the host tries
 * again.
 * Source: handle_host_mem_abort, host_stage2_idmap, hyp/nvhe/mem_protect.c (android14-6.1).
 */
export function resolveHostAbort(machine: Machine, core: Core): HostAbort | undefined {
  const { ESR_EL2: esr, FAR_EL2: far, HPFAR_EL2: hpfar } = core.sysreg;
  const ipa = ipaOf(hpfar);
  const status = esr & STATUS_KIND;
  if (status === TRANSLATION) {
    const met = touch(machine.physical, machine.hypPool, machine.hostStage2, ipa);
    return met.kind === "not the host's" ? { esr, far, ipa, reason: met.kind } : undefined;
  }
  return { esr, far, ipa, reason: status === PERMISSION ? "permission" : "other" };
}

/** SPSR_EL2.M[3:0], and EL0t in it. */
const MODE = 0xfn;
/** D, A, I, F masked, EL1h. Source: PSR_D_BIT and its kin, PSR_MODE_EL1h, uapi/asm/ptrace.h. */
const EL1H_MASKED = 0x3c5n;
/**
 * Synchronous exception from the same level, and from EL0. Source: DDI0487 D1.3, Exception vectors.
 */
const FROM_EL1 = 0x200n;
const FROM_EL0 = 0x400n;

/** Whether the host that trapped was at EL1, and not in a process. */
export const isFromEl1 = ({ sysreg }: Core): boolean => (sysreg.SPSR_EL2 & MODE) !== 0n;

/**
 * Makes the abort one that EL1 takes: the return to the host goes to its vector.
 * Source: host_inject_abort, hyp/nvhe/mem_protect.c (android14-6.1).
 */
export function injectHostAbort(core: Core): void {
  const { sysreg } = core;
  const fromEl1 = isFromEl1(core);
  sysreg.ESR_EL1 = injectedEsr(sysreg.ESR_EL2, fromEl1);
  sysreg.FAR_EL1 = sysreg.FAR_EL2;
  sysreg.ELR_EL1 = sysreg.ELR_EL2;
  sysreg.SPSR_EL1 = sysreg.SPSR_EL2;
  sysreg.ELR_EL2 = KERNEL_VECTORS + (fromEl1 ? FROM_EL1 : FROM_EL0);
  sysreg.SPSR_EL2 = EL1H_MASKED;
}
