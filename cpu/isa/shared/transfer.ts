// Loads and stores of one general-purpose register, in whatever addressing mode.

import type { AccessDescriptor } from "../../bits/access-descriptor.ts";
import { Mem, signExtend, X, zeroExtend } from "../../bits/bits.ts";
import { type Execution, setX, store } from "../../bits/effects.ts";
import { access, type Place } from "./addressing.ts";
import { ConstrainUnpredictable } from "./constrain-unpredictable.ts";

/** What is moved between a register and memory. */
export interface Transfer {
  readonly sizeBytes: 1 | 2 | 4 | 8;
  /** Width of the register; a narrower value is extended to it. */
  readonly regsize: 32 | 64;
  readonly signed: boolean;
}

export const byte: Transfer = { sizeBytes: 1, regsize: 32, signed: false };
export const half: Transfer = { sizeBytes: 2, regsize: 32, signed: false };
export const word: Transfer = { sizeBytes: 4, regsize: 32, signed: false };
export const doubleword: Transfer = { sizeBytes: 8, regsize: 64, signed: false };
export const wordToX: Transfer = { sizeBytes: 4, regsize: 64, signed: true };
export const wordOr64 = (sf: 0 | 1): Transfer => (sf === 1 ? doubleword : word);
/** opc<0> of the sign-extending loads is 1 for a 32-bit register. */
export const byteTo = (w: 0 | 1): Transfer => signedTo(1, w);
export const halfTo = (w: 0 | 1): Transfer => signedTo(2, w);

function signedTo(sizeBytes: 1 | 2, w: 0 | 1): Transfer {
  return { sizeBytes, regsize: w === 1 ? 32 : 64, signed: true };
}

/**
 * The access of an instruction that transfers one register. It describes itself in the syndrome
 * unless it writes its base back.
 * Source: DDI0487 D24.2.40 ESR_EL2, ISS encoding for an exception from a Data Abort, ISV.
 */
function accessOf(
  Rt: number,
  transfer: Transfer,
  place: Place,
  differs: Partial<AccessDescriptor>,
): AccessDescriptor {
  const ISV = 1 << 24;
  const SAS = Math.log2(transfer.sizeBytes) << 22;
  const SSE = transfer.signed ? 1 << 21 : 0;
  const SRT = Rt << 16;
  const SF = transfer.regsize === 64 ? 1 << 15 : 0;
  const AR = differs.ordered === true ? 1 << 14 : 0;
  const syndrome = place.writesBase === undefined ? ISV | SAS | SSE | SRT | SF | AR : 0;
  return access(transfer.sizeBytes, place.tagChecked, { syndrome, ...differs });
}

/** Loads a register. */
export function load(
  Rt: number,
  transfer: Transfer,
  place: Place,
  differs: Partial<AccessDescriptor> = {},
): Execution {
  const data = Mem(place.address, transfer.sizeBytes, accessOf(Rt, transfer, place, differs));
  const extend = transfer.signed ? signExtend : zeroExtend;
  const loaded = setX(Rt, extend(data, transfer.regsize));
  if (place.writesBase !== Rt || Rt === 31) return [loaded, place.writeback];
  return ConstrainUnpredictable("WBOVERLAPLD", { WBSUPPRESS: loaded });
}

/** Stores the low bits of a register. */
export function save(
  Rt: number,
  transfer: Transfer,
  place: Place,
  differs: Partial<AccessDescriptor> = {},
): Execution {
  const data = X(Rt, 8 * transfer.sizeBytes);
  const stored = store(place.address, data, accessOf(Rt, transfer, place, differs));
  if (place.writesBase !== Rt || Rt === 31) return [stored, place.writeback];
  return ConstrainUnpredictable("WBOVERLAPST", { NONE: [stored, place.writeback] });
}
