// Loads and stores of two registers, in whatever addressing mode.

import { concat, Mem, signExtend, slice, X, zeroExtend } from "../../bits/bits.ts";
import { type Execution, setX, store } from "../../bits/effects.ts";
import { access, type Place } from "./addressing.ts";
import { ConstrainUnpredictable } from "./constrain-unpredictable.ts";
import type { Transfer } from "./transfer.ts";

/** Loads two registers from adjacent locations. */
export function loadPair(Rt: number, Rt2: number, transfer: Transfer, place: Place): Execution {
  const { sizeBytes, regsize } = transfer;
  const both = Mem(place.address, 2 * sizeBytes, access(sizeBytes, place.tagChecked));
  const extend = transfer.signed ? signExtend : zeroExtend;
  const loaded = [
    setX(Rt, extend(slice(both, 0, 8 * sizeBytes), regsize)),
    setX(Rt2, extend(slice(both, 8 * sizeBytes, 8 * sizeBytes), regsize)),
  ];
  if (Rt === Rt2) return ConstrainUnpredictable("LDPOVERLAP", {});
  if (overlaps(Rt, Rt2, place))
    return ConstrainUnpredictable("WBOVERLAPLD", { WBSUPPRESS: loaded });
  return [loaded, place.writeback];
}

/** Stores two registers to adjacent locations. */
export function savePair(Rt: number, Rt2: number, transfer: Transfer, place: Place): Execution {
  const { sizeBytes } = transfer;
  const both = concat(X(Rt2, 8 * sizeBytes), X(Rt, 8 * sizeBytes));
  const stored = store(place.address, both, access(sizeBytes, place.tagChecked));
  if (overlaps(Rt, Rt2, place))
    return ConstrainUnpredictable("WBOVERLAPST", { NONE: [stored, place.writeback] });
  return [stored, place.writeback];
}

/** Whether one of the registers is the base that is written back; SP is neither. */
function overlaps(Rt: number, Rt2: number, place: Place): boolean {
  const base = place.writesBase;
  return base !== undefined && base !== 31 && (base === Rt || base === Rt2);
}
