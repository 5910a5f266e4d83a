// The architectural state of one processing element, and the shapes of what it can meet.

import type { CpuModel } from "./cpu-model.ts";
import type { Memory } from "./memory.ts";
import type { Tlb } from "./mmu/tlb.ts";
import type { Sysregs } from "./sysregs/registers.ts";

/** An Exception level that this core has. EL3 is outside. */
export type El = 0 | 1 | 2;

/**
 * PSTATE, one field a member, in Arm's names; every member is a small number.
 * Source: DDI0487 D1.4 Process state, PSTATE.
 */
export interface PState {
  N: number;
  Z: number;
  C: number;
  V: number;
  D: number;
  A: number;
  I: number;
  F: number;
  /** Current Exception level. */
  EL: El;
  /** Stack pointer selection: 0 is SP_EL0, 1 is SP_ELx. */
  SP: number;
  SS: number;
  IL: number;
  PAN: number;
  UAO: number;
  DIT: number;
  TCO: number;
  SSBS: number;
  /** Two bits: what kind of branch came here. */
  BTYPE: number;
}

/** One processing element. Mutable: the interpreter writes it in place; fork copies it. */
export interface Core {
  readonly cpuModel: CpuModel;
  /** Physical memory; shared by all cores of one machine. */
  memory: Memory;
  /** X0 to X30. */
  readonly x: BigUint64Array;
  /** The same registers in halves, over the buffer of `x`: Wn is `w[2 * n]`. */
  readonly w: Uint32Array;
  /** SP_EL0, SP_EL1, SP_EL2. */
  readonly sp: BigUint64Array;
  /** Program counter, 64 bits. */
  pc: bigint;
  readonly pstate: PState;
  /** System registers by Arm's name, 64 bits each. */
  readonly sysreg: Sysregs;
  /** Translations that may be cached. */
  readonly tlb: Tlb;
  /** The local exclusive monitor: the marked physical block, or nothing. */
  exclusive: ExclusiveMark | undefined;
  /** Interrupts waiting to be taken. */
  readonly pending: { irq: boolean; fiq: boolean; serror: boolean };
  /** What software step has stepped since the last exception: ESR_ELx.ISS.ISV and EX. */
  stepped: "nothing" | "instruction" | "load-exclusive";
  /** The event register of WFE and SEV. */
  event: boolean;
  /** What the system counter is ahead of the instructions completed on all cores. */
  counterBase: bigint;
  /** Instructions completed since the core was made. */
  retired: number;
}

/** What an exclusive load marked: a physical address and a size in bytes. */
export interface ExclusiveMark {
  pa: bigint;
  sizeBytes: number;
}
