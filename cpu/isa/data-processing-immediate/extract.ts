// Extract. Source: DDI0487 C4.1, Extract.

import { concat, slice, X } from "../../bits/bits.ts";
import { setX, UNDEFINED } from "../../bits/effects.ts";
import { instruction } from "../../bits/instruction.ts";

/** A register's worth of bits out of Rn above Rm, from bit imms up. ROR where Rn is Rm. */
const EXTR = instruction({
  name: "EXTR",
  source: "DDI0487 C6.2 EXTR",
  encoding: "sf 00 100111 N 0 Rm:5 imms:6 Rn:5 Rd:5",
  execute: ({ sf, N, Rm, imms, Rn, Rd }) => {
    if (sf !== N || (sf === 0 && imms >= 32)) return UNDEFINED;
    const datasize = sf === 1 ? 64 : 32;
    if (imms === 0) return setX(Rd, X(Rm, datasize));
    const low = slice(X(Rm, datasize), imms, datasize - imms);
    return setX(Rd, concat(slice(X(Rn, datasize), 0, imms), low));
  },
});

export const extract = [EXTR];
