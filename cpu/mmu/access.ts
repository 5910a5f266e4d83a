// Memory accesses of instructions: what they are checked for, and what they read and write.

import type { Fault } from "../exceptions/exception.ts";
import type { AccessSize } from "../memory.ts";
import type { Core } from "../state.ts";

/** What ESR_EL2.ISS says about a load or store, for the accesses that can describe themselves. */
export interface AccessSyndrome {
  /** Access size: 0 byte, 1 halfword, 2 word, 3 doubleword. */
  readonly sas: number;
  /** Sign extended. */
  readonly sse: number;
  /** The transferred register. */
  readonly srt: number;
  /** 64-bit register. */
  readonly sf: number;
  /** Acquire or release. */
  readonly ar: number;
}

/** What kind of access an instruction makes. Make each once, at decode. */
export interface AccessDescriptor {
  /** LDTR, STTR and their kin: with the permissions of EL0. */
  readonly unprivileged: boolean;
  /** Load-exclusive or store-exclusive. */
  readonly exclusive: boolean;
  /** One read and one write as a unit: LDADD, SWP, CAS. */
  readonly atomic: boolean;
  /** Load-acquire or store-release. */
  readonly ordered: boolean;
  /** Two elements of half the size: LDP, STP; not LDXP, STXP, CASP, which are one element. */
  readonly pair: boolean;
  /** Subject to MTE: not when the base is SP with an immediate offset. */
  readonly tagChecked: boolean;
  /** Undefined where ESR_EL2.ISV is 0: pairs, exclusives, writeback, atomics. */
  readonly syndrome: AccessSyndrome | undefined;
}

/** Fetches the word at `va`. */
export function fetchWord(core: Core, va: bigint): number | Fault {
  throw new Error(`TODO ${core.pc} ${va}`);
}

/** Reads memory as the current Exception level, or says which exception to take. */
export function readMem(
  core: Core,
  va: bigint,
  sizeBytes: AccessSize,
  access: AccessDescriptor,
): bigint | Fault {
  throw new Error(`TODO ${core.pc} ${va} ${sizeBytes} ${access}`);
}

/** Writes memory as the current Exception level; nothing is written when it faults. */
export function writeMem(
  core: Core,
  va: bigint,
  sizeBytes: AccessSize,
  value: bigint,
  access: AccessDescriptor,
): Fault | undefined {
  throw new Error(`TODO ${core.pc} ${va} ${sizeBytes} ${value} ${access}`);
}

/** The fault that a write would meet, without writing. */
export function probeWrite(
  core: Core,
  va: bigint,
  sizeBytes: AccessSize,
  access: AccessDescriptor,
): Fault | undefined {
  throw new Error(`TODO ${core.pc} ${va} ${sizeBytes} ${access}`);
}
