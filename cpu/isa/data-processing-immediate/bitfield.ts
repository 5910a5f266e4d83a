// Bitfield. Source: DDI0487 C4.1, Bitfield.

import { type Bits, concat, lsl, signExtend, slice, X, zeroExtend } from "../../bits/bits.ts";
import { setX, UNDEFINED } from "../../bits/effects.ts";
import { instruction } from "../../bits/instruction.ts";

/**
 * A 32-bit form with N or a bit position above 31 is unallocated; so is a 64-bit form without N.
 */
function unallocated(sf: 0 | 1, N: 0 | 1, immr: number, imms: number): boolean {
  return sf !== N || (sf === 0 && (immr >= 32 || imms >= 32));
}

/**
 * Where imms >= immr, the field of imms - immr + 1 bits at immr goes to bit 0; elsewhere the low
 * imms + 1 bits go to bit datasize - immr. ASR, SBFIZ, SBFX, SXTB, SXTH and SXTW are forms of it.
 */
const SBFM = instruction({
  name: "SBFM",
  source: "DDI0487 C6.2 SBFM",
  encoding: "sf 00 100110 N immr:6 imms:6 Rn:5 Rd:5",
  execute: ({ sf, N, immr, imms, Rn, Rd }) => {
    if (unallocated(sf, N, immr, imms)) return UNDEFINED;
    const datasize = sf === 1 ? 64 : 32;
    const source = X(Rn, datasize);
    if (imms >= immr) return setX(Rd, signExtend(slice(source, immr, imms - immr + 1), datasize));
    const field = signExtend(slice(source, 0, imms + 1), datasize);
    return setX(Rd, lsl(field, datasize - immr));
  },
});

/** Inserts the field into Rd and keeps Rd's other bits. BFC, BFI and BFXIL are forms of it. */
const BFM = instruction({
  name: "BFM",
  source: "DDI0487 C6.2 BFM",
  encoding: "sf 01 100110 N immr:6 imms:6 Rn:5 Rd:5",
  execute: ({ sf, N, immr, imms, Rn, Rd }) => {
    if (unallocated(sf, N, immr, imms)) return UNDEFINED;
    const datasize = sf === 1 ? 64 : 32;
    const source = X(Rn, datasize);
    if (imms >= immr)
      return setX(Rd, insert(X(Rd, datasize), 0, slice(source, immr, imms - immr + 1)));
    return setX(Rd, insert(X(Rd, datasize), datasize - immr, slice(source, 0, imms + 1)));
  },
});

function insert(into: Bits, low: number, field: Bits): Bits {
  const end = low + field.width;
  const upper = end === into.width ? field : concat(slice(into, end, into.width - end), field);
  return low === 0 ? upper : concat(upper, slice(into, 0, low));
}

/** As SBFM, with zeros above the field. LSL, LSR, UBFIZ, UBFX, UXTB and UXTH are forms of it. */
const UBFM = instruction({
  name: "UBFM",
  source: "DDI0487 C6.2 UBFM",
  encoding: "sf 10 100110 N immr:6 imms:6 Rn:5 Rd:5",
  execute: ({ sf, N, immr, imms, Rn, Rd }) => {
    if (unallocated(sf, N, immr, imms)) return UNDEFINED;
    const datasize = sf === 1 ? 64 : 32;
    const source = X(Rn, datasize);
    if (imms >= immr) return setX(Rd, zeroExtend(slice(source, immr, imms - immr + 1), datasize));
    const field = zeroExtend(slice(source, 0, imms + 1), datasize);
    return setX(Rd, lsl(field, datasize - immr));
  },
});

export const bitfield = [SBFM, BFM, UBFM];
