// Load/store exclusive register and exclusive pair.
// Source: DDI0487 C4.1, the two classes of these names.

import type { AccessDescriptor } from "../../bits/access-descriptor.ts";
import { type Bits, call, concat, slice, X, zeroExtend } from "../../bits/bits.ts";
import { type Execution, setX } from "../../bits/effects.ts";
import { instruction } from "../../bits/instruction.ts";
import { access, baseAddress } from "../shared/addressing.ts";
import { ConstrainUnpredictable } from "../shared/constrain-unpredictable.ts";

/** `o0` makes a load-exclusive an acquire, and a store-exclusive a release. */
function exclusive(
  width: number,
  Rn: number,
  o0: 0 | 1,
  elementBytes = width / 8,
): AccessDescriptor {
  return access(width / 8, Rn !== 31, { atomic: true, ordered: o0 === 1, elementBytes });
}

/** Reads one register and marks its address. */
function loadExclusive(width: number, o0: 0 | 1, Rn: number, Rt: number): Execution {
  const data = call("LoadExclusive", [baseAddress(Rn)], {
    width,
    access: exclusive(width, Rn, o0),
  });
  return setX(Rt, zeroExtend(data, 64));
}

/** Writes where the mark is still there, and gives 0; elsewhere gives 1. */
function storeExclusive(data: Bits, o0: 0 | 1, Rs: number, Rn: number, Rt: number[]): Execution {
  const status = call("StoreExclusive", [baseAddress(Rn), data], {
    access: exclusive(data.width, Rn, o0, data.width / 8 / Rt.length),
  });
  const stored = setX(Rs, status);
  if (Rt.includes(Rs)) return ConstrainUnpredictable("DATAOVERLAP", { NONE: stored });
  if (Rs === Rn && Rn !== 31) return ConstrainUnpredictable("BASEOVERLAP", { NONE: stored });
  return stored;
}

/** STXRB, and STLXRB where o0 is set. */
const STXRB = instruction({
  name: "STXRB, STLXRB",
  source: "DDI0487 C6.2 STXRB; STLXRB",
  encoding: "00 001000 0 0 0 Rs:5 o0 (11111) Rn:5 Rt:5",
  execute: ({ Rs, o0, Rn, Rt }) => storeExclusive(X(Rt, 8), o0, Rs, Rn, [Rt]),
});

const LDXRB = instruction({
  name: "LDXRB, LDAXRB",
  source: "DDI0487 C6.2 LDXRB; LDAXRB",
  encoding: "00 001000 0 1 0 (11111) o0 (11111) Rn:5 Rt:5",
  execute: ({ o0, Rn, Rt }) => loadExclusive(8, o0, Rn, Rt),
});

const STXRH = instruction({
  name: "STXRH, STLXRH",
  source: "DDI0487 C6.2 STXRH; STLXRH",
  encoding: "01 001000 0 0 0 Rs:5 o0 (11111) Rn:5 Rt:5",
  execute: ({ Rs, o0, Rn, Rt }) => storeExclusive(X(Rt, 16), o0, Rs, Rn, [Rt]),
});

const LDXRH = instruction({
  name: "LDXRH, LDAXRH",
  source: "DDI0487 C6.2 LDXRH; LDAXRH",
  encoding: "01 001000 0 1 0 (11111) o0 (11111) Rn:5 Rt:5",
  execute: ({ o0, Rn, Rt }) => loadExclusive(16, o0, Rn, Rt),
});

const STXR = instruction({
  name: "STXR, STLXR",
  source: "DDI0487 C6.2 STXR; STLXR",
  encoding: "1 sz 001000 0 0 0 Rs:5 o0 (11111) Rn:5 Rt:5",
  execute: ({ sz, Rs, o0, Rn, Rt }) => storeExclusive(X(Rt, sz === 1 ? 64 : 32), o0, Rs, Rn, [Rt]),
});

const LDXR = instruction({
  name: "LDXR, LDAXR",
  source: "DDI0487 C6.2 LDXR; LDAXR",
  encoding: "1 sz 001000 0 1 0 (11111) o0 (11111) Rn:5 Rt:5",
  execute: ({ sz, o0, Rn, Rt }) => loadExclusive(sz === 1 ? 64 : 32, o0, Rn, Rt),
});

/** The first register is at the lower address. */
const STXP = instruction({
  name: "STXP, STLXP",
  source: "DDI0487 C6.2 STXP; STLXP",
  encoding: "1 sz 001000 0 0 1 Rs:5 o0 Rt2:5 Rn:5 Rt:5",
  execute: ({ sz, Rs, o0, Rt2, Rn, Rt }) => {
    const datasize = sz === 1 ? 64 : 32;
    const both = concat(X(Rt2, datasize), X(Rt, datasize));
    return storeExclusive(both, o0, Rs, Rn, [Rt, Rt2]);
  },
});

const LDXP = instruction({
  name: "LDXP, LDAXP",
  source: "DDI0487 C6.2 LDXP; LDAXP",
  encoding: "1 sz 001000 0 1 1 (11111) o0 Rt2:5 Rn:5 Rt:5",
  execute: ({ sz, o0, Rt2, Rn, Rt }) => {
    if (Rt === Rt2) return ConstrainUnpredictable("LDPOVERLAP", {});
    const datasize = sz === 1 ? 64 : 32;
    const access = exclusive(2 * datasize, Rn, o0, datasize / 8);
    const result = { width: 2 * datasize, access };
    const both = call("LoadExclusive", [baseAddress(Rn)], result);
    return [setX(Rt, slice(both, 0, datasize)), setX(Rt2, slice(both, datasize, datasize))];
  },
});

export const loadStoreExclusive = [STXRB, LDXRB, STXRH, LDXRH, STXR, LDXR, STXP, LDXP];
