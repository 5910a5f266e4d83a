// PSTATE and its saved form SPSR_ELx.

import type { Features } from "../cpu-model.ts";
import type { El, PState } from "../state.ts";
import { field, flag } from "../sysregs/fields.ts";

/** Where SPSR_ELx keeps each field. Source: DDI0487 D24.2.142 SPSR_EL1, from AArch64 state. */
export function spsrOf(pstate: PState): bigint {
  const high =
    (pstate.N << 31) |
    (pstate.Z << 30) |
    (pstate.C << 29) |
    (pstate.V << 28) |
    (pstate.TCO << 25) |
    (pstate.DIT << 24) |
    (pstate.UAO << 23) |
    (pstate.PAN << 22) |
    (pstate.SS << 21) |
    (pstate.IL << 20) |
    (pstate.SSBS << 12) |
    (pstate.BTYPE << 10) |
    (pstate.D << 9) |
    (pstate.A << 8) |
    (pstate.I << 7) |
    (pstate.F << 6) |
    (pstate.EL << 2) |
    pstate.SP;
  return BigInt(high >>> 0);
}

/** What an exception return restores whether it is legal or not. Source: SetPSTATEFromPSR. */
export function restoreFlags(pstate: PState, spsr: bigint, features: Features): void {
  if (features.PAN) pstate.PAN = field(spsr, 22, 22);
  pstate.N = field(spsr, 31, 31);
  pstate.Z = field(spsr, 30, 30);
  pstate.C = field(spsr, 29, 29);
  pstate.V = field(spsr, 28, 28);
  pstate.D = field(spsr, 9, 9);
  pstate.A = field(spsr, 8, 8);
  pstate.I = field(spsr, 7, 7);
  pstate.F = field(spsr, 6, 6);
}

/**
 * The fields of extensions that only a legal return restores.
 * CHOICE: after an illegal one they are UNKNOWN; they stay as they are.
 */
export function restoreExtensions(pstate: PState, spsr: bigint, features: Features): void {
  if (features.UAO) pstate.UAO = field(spsr, 23, 23);
  if (features.DIT) pstate.DIT = field(spsr, 24, 24);
  if (features.MTE2) pstate.TCO = field(spsr, 25, 25);
  if (features.SSBS) pstate.SSBS = field(spsr, 12, 12);
  if (features.BTI) pstate.BTYPE = field(spsr, 11, 10);
}

/** M[4:0]: the level and stack pointer that an SPSR names; undefined when it names none. */
export function modeOf(spsr: bigint): { EL: El; SP: number } | undefined {
  const mode = field(spsr, 4, 0);
  const el = mode >>> 2;
  // Bit 4 is AArch32; bit 1 is reserved; EL0 has no stack pointer of its own; there is no EL3.
  if (mode >= 16 || (mode & 2) !== 0 || mode === 1 || el === 3) return undefined;
  return { EL: el as El, SP: mode & 1 };
}

/** SPSR_ELx.SS as software step looks at it. */
export function savedStep(spsr: bigint): boolean {
  return flag(spsr, 21);
}
