// Add/subtract (immediate). Source: DDI0487 C4.1, Add/subtract (immediate).

import { type Bits, lit, not, XorSP } from "../../bits/bits.ts";
import { setFlags, setX, setXorSP } from "../../bits/effects.ts";
import { instruction } from "../../bits/instruction.ts";
import { AddWithCarry } from "../shared/add-with-carry.ts";

/** The immediate of 12 bits, shifted left by 12 where `sh` is set. */
function immediate(imm12: number, sh: 0 | 1, datasize: number): Bits {
  return lit(sh === 1 ? imm12 * 4096 : imm12, datasize);
}

/** MOV to and from SP where the immediate is 0. */
const ADD_immediate = instruction({
  name: "ADD (immediate)",
  source: "DDI0487 C6.2 ADD (immediate)",
  encoding: "sf 0 0 100010 sh imm12:12 Rn:5 Rd:5",
  execute: ({ sf, sh, imm12, Rn, Rd }) => {
    const datasize = sf === 1 ? 64 : 32;
    const imm = immediate(imm12, sh, datasize);
    const { result } = AddWithCarry(XorSP(Rn, datasize), imm, lit(0, 1));
    return setXorSP(Rd, result);
  },
});

/** CMN where Rd is 31. */
const ADDS_immediate = instruction({
  name: "ADDS (immediate)",
  source: "DDI0487 C6.2 ADDS (immediate)",
  encoding: "sf 0 1 100010 sh imm12:12 Rn:5 Rd:5",
  execute: ({ sf, sh, imm12, Rn, Rd }) => {
    const datasize = sf === 1 ? 64 : 32;
    const imm = immediate(imm12, sh, datasize);
    const { result, nzcv } = AddWithCarry(XorSP(Rn, datasize), imm, lit(0, 1));
    return [setFlags(nzcv), setX(Rd, result)];
  },
});

const SUB_immediate = instruction({
  name: "SUB (immediate)",
  source: "DDI0487 C6.2 SUB (immediate)",
  encoding: "sf 1 0 100010 sh imm12:12 Rn:5 Rd:5",
  execute: ({ sf, sh, imm12, Rn, Rd }) => {
    const datasize = sf === 1 ? 64 : 32;
    const imm = immediate(imm12, sh, datasize);
    const { result } = AddWithCarry(XorSP(Rn, datasize), not(imm), lit(1, 1));
    return setXorSP(Rd, result);
  },
});

/** CMP where Rd is 31. */
const SUBS_immediate = instruction({
  name: "SUBS (immediate)",
  source: "DDI0487 C6.2 SUBS (immediate)",
  encoding: "sf 1 1 100010 sh imm12:12 Rn:5 Rd:5",
  execute: ({ sf, sh, imm12, Rn, Rd }) => {
    const datasize = sf === 1 ? 64 : 32;
    const imm = immediate(imm12, sh, datasize);
    const { result, nzcv } = AddWithCarry(XorSP(Rn, datasize), not(imm), lit(1, 1));
    return [setFlags(nzcv), setX(Rd, result)];
  },
});

export const addSubtractImmediate = [ADD_immediate, ADDS_immediate, SUB_immediate, SUBS_immediate];
