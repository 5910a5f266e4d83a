// Compare and swap, and of a pair. Source: DDI0487 C4.1, Compare and swap; Compare and swap pair.

import { type Bits, concat, eq, Mem, slice, X } from "../../bits/bits.ts";
import { type Execution, setX, store, UNDEFINED } from "../../bits/effects.ts";
import { instruction } from "../../bits/instruction.ts";
import { access, baseAddress } from "../shared/addressing.ts";

interface Registers {
  readonly L: 0 | 1;
  readonly o0: 0 | 1;
  readonly Rn: number;
}

/**
 * Writes the new value where memory holds the compared one; gives what memory held.
 * CHOICE: the permission to write is checked even where the comparison fails.
 */
function compareAndSwap(
  { L, o0, Rn }: Registers,
  compared: Bits,
  fresh: Bits,
  elementBytes = compared.width / 8,
) {
  const address = baseAddress(Rn);
  const sizeBytes = compared.width / 8;
  const ordered = L === 1 || o0 === 1;
  const how = access(sizeBytes, Rn !== 31, { atomic: true, ordered, elementBytes });
  const held = Mem(address, sizeBytes, how);
  return { held, stored: store(address, fresh, how, eq(held, compared)) };
}

function single(fields: Registers & { Rs: number; Rt: number }, width: number): Execution {
  const { Rs, Rt } = fields;
  const { held, stored } = compareAndSwap(fields, X(Rs, width), X(Rt, width));
  return [stored, setX(Rs, held)];
}

/** L makes the load an acquire, o0 the store a release: CASAB, CASLB, CASALB. */
const CASB = instruction({
  name: "CASB",
  source: "DDI0487 C6.2 CASB, CASAB, CASALB, CASLB",
  feature: "LSE",
  encoding: "00 001000 1 L 1 Rs:5 o0 11111 Rn:5 Rt:5",
  execute: (fields) => single(fields, 8),
});

const CASH = instruction({
  name: "CASH",
  source: "DDI0487 C6.2 CASH, CASAH, CASALH, CASLH",
  feature: "LSE",
  encoding: "01 001000 1 L 1 Rs:5 o0 11111 Rn:5 Rt:5",
  execute: (fields) => single(fields, 16),
});

const CAS = instruction({
  name: "CAS",
  source: "DDI0487 C6.2 CAS, CASA, CASAL, CASL",
  feature: "LSE",
  encoding: "1 sz 001000 1 L 1 Rs:5 o0 11111 Rn:5 Rt:5",
  execute: ({ sz, ...fields }) => single(fields, sz === 1 ? 64 : 32),
});

/** Two registers at a time, the even one at the lower address; odd numbers are unallocated. */
const CASP = instruction({
  name: "CASP",
  source: "DDI0487 C6.2 CASP, CASPA, CASPAL, CASPL",
  feature: "LSE",
  encoding: "0 sz 001000 0 L 1 Rs:5 o0 11111 Rn:5 Rt:5",
  execute: ({ sz, Rs, Rt, ...fields }) => {
    if (Rs % 2 === 1 || Rt % 2 === 1) return UNDEFINED;
    const datasize = sz === 1 ? 64 : 32;
    const pair = (n: number): Bits => concat(X(n + 1, datasize), X(n, datasize));
    const { held, stored } = compareAndSwap(fields, pair(Rs), pair(Rt), datasize / 8);
    return [
      stored,
      setX(Rs, slice(held, 0, datasize)),
      setX(Rs + 1, slice(held, datasize, datasize)),
    ];
  },
});

export const compareAndSwapInstructions = [CASB, CASH, CAS, CASP];
