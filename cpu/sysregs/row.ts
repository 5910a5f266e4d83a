// The shape of one row in the tables of system registers.

import type { Features } from "../cpu-model.ts";
import type { TrapName } from "./trap-names.ts";

/** What a system register is, apart from its name and encoding. */
export interface SysregRules {
  /** Both directions unless said otherwise. */
  readonly access?: "RO" | "WO";
  /** The lowest EL with access, where it is not the one that op1 says. */
  readonly el?: 0 | 1 | 2;
  /** The lowest EL that may write, where it is higher. */
  readonly writeEl?: 1 | 2;
  /** Without this feature the encoding is UNDEFINED. */
  readonly feature?: keyof Features;
  /** Controls that trap the access, in the order in which they are looked at. */
  readonly traps?: readonly TrapName[];
  /** Bit in HFGRTR_EL2 for reads and HFGWTR_EL2 for writes. */
  readonly fgt?: number;
  /** Bit in HDFGRTR_EL2 for reads and HDFGWTR_EL2 for writes. */
  readonly debugFgt?: number;
  /** The bit is in HDFGWTR_EL2 alone. */
  readonly debugFgtWritesOnly?: true;
  /** Writable bits; all the others keep what `res1` and the reset value say. All, if absent. */
  readonly bits?: bigint;
  /** Bits that are writable only with a feature. */
  readonly bitsWith?: Partial<Record<keyof Features, bigint>>;
  /** Bits that read as one whatever is written. */
  readonly res1?: bigint;
  /** Value after a reset. Where the architecture says UNKNOWN it is zero. */
  readonly reset?: bigint;
  /** True when a translation, a permission or a trap can depend on the register. */
  readonly controls?: true;
  /** The register exists, but this core does not model what an access does. */
  readonly unmodelled?: true;
}

/** Name, `op0 op1 CRn CRm op2`, rules. */
export type SysregRow = readonly [name: string, encoding: string, rules?: SysregRules];

/** Bits `high` down to `low`, both included. */
export function mask(high: number, low: number): bigint {
  return ((1n << BigInt(high - low + 1)) - 1n) << BigInt(low);
}

/** The bits named one by one. */
export function bits(...positions: number[]): bigint {
  return positions.reduce((all, position) => all | (1n << BigInt(position)), 0n);
}
