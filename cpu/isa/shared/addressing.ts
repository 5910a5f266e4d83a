// Addresses of loads and stores: the base register, and the addressing modes.

import type { AccessDescriptor } from "../../bits/access-descriptor.ts";
import { add, type Bits, call, lit, X } from "../../bits/bits.ts";
import { type Execution, setXorSP } from "../../bits/effects.ts";

/** The base register; where it is SP, its alignment is checked. */
export function baseAddress(Rn: number): Bits {
  return Rn === 31 ? call("CheckSPAlignment", []) : X(Rn, 64);
}

/** Where an access goes, and what the addressing mode writes back. */
export interface Place {
  readonly address: Bits;
  readonly writeback: Execution;
  /** The register that is written back. */
  readonly writesBase: number | undefined;
  readonly tagChecked: boolean;
}

/** The base plus an immediate. Tags are not checked relative to SP. */
export function offsetFrom(Rn: number, offset: number): Place {
  const base = baseAddress(Rn);
  const address = offset === 0 ? base : add(base, lit(offset, 64));
  return { address, writeback: [], writesBase: undefined, tagChecked: Rn !== 31 };
}

/** The base plus an immediate, which is written back. */
export function preIndex(Rn: number, offset: number): Place {
  const address = add(baseAddress(Rn), lit(offset, 64));
  return { address, writeback: setXorSP(Rn, address), writesBase: Rn, tagChecked: true };
}

/** The base; the base plus an immediate is written back. */
export function postIndex(Rn: number, offset: number): Place {
  const address = baseAddress(Rn);
  const writeback = setXorSP(Rn, add(address, lit(offset, 64)));
  return { address, writeback, writesBase: Rn, tagChecked: true };
}

/** An address that the access does not write back. */
export function at(address: Bits, tagChecked: boolean): Place {
  return { address, writeback: [], writesBase: undefined, tagChecked };
}

/** The access of an instruction, with what differs from a plain one. */
export function access(
  alignBytes: number,
  tagChecked: boolean,
  differs: Partial<AccessDescriptor> = {},
): AccessDescriptor {
  const plain = { unprivileged: false, ordered: false, atomic: false, syndrome: 0 };
  return { ...plain, alignBytes, tagChecked, ...differs };
}
