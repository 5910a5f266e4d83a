// Move wide (immediate). Source: DDI0487 C4.1, Move wide (immediate).

import { and, lit, not, or, X } from "../../bits/bits.ts";
import { setX, UNDEFINED } from "../../bits/effects.ts";
import { instruction } from "../../bits/instruction.ts";

const MOVN = instruction({
  name: "MOVN",
  source: "DDI0487 C6.2 MOVN",
  encoding: "sf 00 100101 hw:2 imm16:16 Rd:5",
  execute: ({ sf, hw, imm16, Rd }) => {
    if (sf === 0 && hw >= 2) return UNDEFINED;
    const imm = lit(BigInt(imm16) << BigInt(16 * hw), sf === 1 ? 64 : 32);
    return setX(Rd, not(imm));
  },
});

const MOVZ = instruction({
  name: "MOVZ",
  source: "DDI0487 C6.2 MOVZ",
  encoding: "sf 10 100101 hw:2 imm16:16 Rd:5",
  execute: ({ sf, hw, imm16, Rd }) => {
    if (sf === 0 && hw >= 2) return UNDEFINED;
    return setX(Rd, lit(BigInt(imm16) << BigInt(16 * hw), sf === 1 ? 64 : 32));
  },
});

/** Replaces 16 bits and keeps the others. */
const MOVK = instruction({
  name: "MOVK",
  source: "DDI0487 C6.2 MOVK",
  encoding: "sf 11 100101 hw:2 imm16:16 Rd:5",
  execute: ({ sf, hw, imm16, Rd }) => {
    if (sf === 0 && hw >= 2) return UNDEFINED;
    const datasize = sf === 1 ? 64 : 32;
    const imm = lit(BigInt(imm16) << BigInt(16 * hw), datasize);
    const kept = not(lit(0xffffn << BigInt(16 * hw), datasize));
    return setX(Rd, or(and(X(Rd, datasize), kept), imm));
  },
});

export const moveWide = [MOVN, MOVZ, MOVK];
