// Logical (immediate). Source: DDI0487 C4.1, Logical (immediate).

import { and, bit, isZero, lit, or, X, xor } from "../../bits/bits.ts";
import { setFlags, setX, setXorSP, UNDEFINED } from "../../bits/effects.ts";
import { instruction } from "../../bits/instruction.ts";
import { bitMaskImmediate } from "../shared/decode-bit-masks.ts";

const AND_immediate = instruction({
  name: "AND (immediate)",
  source: "DDI0487 C6.2 AND (immediate)",
  encoding: "sf 00 100100 N immr:6 imms:6 Rn:5 Rd:5",
  execute: ({ sf, N, immr, imms, Rn, Rd }) => {
    const datasize = sf === 1 ? 64 : 32;
    const imm = bitMaskImmediate(N, imms, immr, datasize);
    if (imm === undefined) return UNDEFINED;
    return setXorSP(Rd, and(X(Rn, datasize), imm));
  },
});

/** MOV (bitmask immediate) where Rn is 31. */
const ORR_immediate = instruction({
  name: "ORR (immediate)",
  source: "DDI0487 C6.2 ORR (immediate)",
  encoding: "sf 01 100100 N immr:6 imms:6 Rn:5 Rd:5",
  execute: ({ sf, N, immr, imms, Rn, Rd }) => {
    const datasize = sf === 1 ? 64 : 32;
    const imm = bitMaskImmediate(N, imms, immr, datasize);
    if (imm === undefined) return UNDEFINED;
    return setXorSP(Rd, or(X(Rn, datasize), imm));
  },
});

const EOR_immediate = instruction({
  name: "EOR (immediate)",
  source: "DDI0487 C6.2 EOR (immediate)",
  encoding: "sf 10 100100 N immr:6 imms:6 Rn:5 Rd:5",
  execute: ({ sf, N, immr, imms, Rn, Rd }) => {
    const datasize = sf === 1 ? 64 : 32;
    const imm = bitMaskImmediate(N, imms, immr, datasize);
    if (imm === undefined) return UNDEFINED;
    return setXorSP(Rd, xor(X(Rn, datasize), imm));
  },
});

/** TST where Rd is 31. */
const ANDS_immediate = instruction({
  name: "ANDS (immediate)",
  source: "DDI0487 C6.2 ANDS (immediate)",
  encoding: "sf 11 100100 N immr:6 imms:6 Rn:5 Rd:5",
  execute: ({ sf, N, immr, imms, Rn, Rd }) => {
    const datasize = sf === 1 ? 64 : 32;
    const imm = bitMaskImmediate(N, imms, immr, datasize);
    if (imm === undefined) return UNDEFINED;
    const result = and(X(Rn, datasize), imm);
    const nzcv = { N: bit(result, datasize - 1), Z: isZero(result), C: lit(0, 1), V: lit(0, 1) };
    return [setFlags(nzcv), setX(Rd, result)];
  },
});

export const logicalImmediate = [AND_immediate, ORR_immediate, EOR_immediate, ANDS_immediate];
