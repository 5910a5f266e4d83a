// Add/subtract (shifted register), (extended register) and (with carry).
// Source: DDI0487 C4.1, the three classes of these names.

import { type Bits, lit, not, PSTATE, X, XorSP } from "../../bits/bits.ts";
import { type Execution, setFlags, setX, setXorSP, UNDEFINED } from "../../bits/effects.ts";
import { instruction } from "../../bits/instruction.ts";
import { AddWithCarry } from "../shared/add-with-carry.ts";
import { ExtendReg, ShiftReg } from "../shared/shift-extend.ts";

interface Shifted {
  readonly sf: 0 | 1;
  readonly shift: number;
  readonly Rm: number;
  readonly imm6: number;
}

/** The shifted operand; shift type 3 and, in a 32-bit form, 32 or more are unallocated. */
function shiftedOperand({ sf, shift, Rm, imm6 }: Shifted): Bits | undefined {
  if (shift === 3 || (sf === 0 && imm6 >= 32)) return undefined;
  return ShiftReg(Rm, shift, imm6, sf === 1 ? 64 : 32);
}

const ADD_shifted = instruction({
  name: "ADD (shifted register)",
  source: "DDI0487 C6.2 ADD (shifted register)",
  encoding: "sf 0 0 01011 shift:2 0 Rm:5 imm6:6 Rn:5 Rd:5",
  execute: ({ Rn, Rd, ...operand }) => {
    const operand2 = shiftedOperand(operand);
    if (operand2 === undefined) return UNDEFINED;
    return setX(Rd, AddWithCarry(X(Rn, operand2.width), operand2, lit(0, 1)).result);
  },
});

/** CMN where Rd is 31. */
const ADDS_shifted = instruction({
  name: "ADDS (shifted register)",
  source: "DDI0487 C6.2 ADDS (shifted register)",
  encoding: "sf 0 1 01011 shift:2 0 Rm:5 imm6:6 Rn:5 Rd:5",
  execute: ({ Rn, Rd, ...operand }) => {
    const operand2 = shiftedOperand(operand);
    if (operand2 === undefined) return UNDEFINED;
    const { result, nzcv } = AddWithCarry(X(Rn, operand2.width), operand2, lit(0, 1));
    return [setFlags(nzcv), setX(Rd, result)];
  },
});

/** NEG where Rn is 31. */
const SUB_shifted = instruction({
  name: "SUB (shifted register)",
  source: "DDI0487 C6.2 SUB (shifted register)",
  encoding: "sf 1 0 01011 shift:2 0 Rm:5 imm6:6 Rn:5 Rd:5",
  execute: ({ Rn, Rd, ...operand }) => {
    const operand2 = shiftedOperand(operand);
    if (operand2 === undefined) return UNDEFINED;
    return setX(Rd, AddWithCarry(X(Rn, operand2.width), not(operand2), lit(1, 1)).result);
  },
});

/** CMP where Rd is 31, NEGS where Rn is. */
const SUBS_shifted = instruction({
  name: "SUBS (shifted register)",
  source: "DDI0487 C6.2 SUBS (shifted register)",
  encoding: "sf 1 1 01011 shift:2 0 Rm:5 imm6:6 Rn:5 Rd:5",
  execute: ({ Rn, Rd, ...operand }) => {
    const operand2 = shiftedOperand(operand);
    if (operand2 === undefined) return UNDEFINED;
    const { result, nzcv } = AddWithCarry(X(Rn, operand2.width), not(operand2), lit(1, 1));
    return [setFlags(nzcv), setX(Rd, result)];
  },
});

interface Extended {
  readonly sf: 0 | 1;
  readonly Rm: number;
  readonly option: number;
  readonly imm3: number;
}

/** The extended operand; a shift by more than 4 is unallocated. */
function extendedOperand({ sf, Rm, option, imm3 }: Extended): Bits | undefined {
  return imm3 > 4 ? undefined : ExtendReg(Rm, option, imm3, sf === 1 ? 64 : 32);
}

const ADD_extended = instruction({
  name: "ADD (extended register)",
  source: "DDI0487 C6.2 ADD (extended register)",
  encoding: "sf 0 0 01011 00 1 Rm:5 option:3 imm3:3 Rn:5 Rd:5",
  execute: ({ Rn, Rd, ...operand }) => {
    const operand2 = extendedOperand(operand);
    if (operand2 === undefined) return UNDEFINED;
    return setXorSP(Rd, AddWithCarry(XorSP(Rn, operand2.width), operand2, lit(0, 1)).result);
  },
});

const ADDS_extended = instruction({
  name: "ADDS (extended register)",
  source: "DDI0487 C6.2 ADDS (extended register)",
  encoding: "sf 0 1 01011 00 1 Rm:5 option:3 imm3:3 Rn:5 Rd:5",
  execute: ({ Rn, Rd, ...operand }) => {
    const operand2 = extendedOperand(operand);
    if (operand2 === undefined) return UNDEFINED;
    const { result, nzcv } = AddWithCarry(XorSP(Rn, operand2.width), operand2, lit(0, 1));
    return [setFlags(nzcv), setX(Rd, result)];
  },
});

const SUB_extended = instruction({
  name: "SUB (extended register)",
  source: "DDI0487 C6.2 SUB (extended register)",
  encoding: "sf 1 0 01011 00 1 Rm:5 option:3 imm3:3 Rn:5 Rd:5",
  execute: ({ Rn, Rd, ...operand }) => {
    const operand2 = extendedOperand(operand);
    if (operand2 === undefined) return UNDEFINED;
    const { result } = AddWithCarry(XorSP(Rn, operand2.width), not(operand2), lit(1, 1));
    return setXorSP(Rd, result);
  },
});

const SUBS_extended = instruction({
  name: "SUBS (extended register)",
  source: "DDI0487 C6.2 SUBS (extended register)",
  encoding: "sf 1 1 01011 00 1 Rm:5 option:3 imm3:3 Rn:5 Rd:5",
  execute: ({ Rn, Rd, ...operand }) => {
    const operand2 = extendedOperand(operand);
    if (operand2 === undefined) return UNDEFINED;
    const { result, nzcv } = AddWithCarry(XorSP(Rn, operand2.width), not(operand2), lit(1, 1));
    return [setFlags(nzcv), setX(Rd, result)];
  },
});

interface Registers {
  readonly sf: 0 | 1;
  readonly Rm: number;
  readonly Rn: number;
  readonly Rd: number;
}

/** Adds with the carry flag, after the second operand has been changed. */
function withCarry({ sf, Rm, Rn }: Registers, second: (operand2: Bits) => Bits) {
  const datasize = sf === 1 ? 64 : 32;
  return AddWithCarry(X(Rn, datasize), second(X(Rm, datasize)), PSTATE("C"));
}

function settingFlags(sum: ReturnType<typeof AddWithCarry>, Rd: number): Execution {
  return [setFlags(sum.nzcv), setX(Rd, sum.result)];
}

const ADC = instruction({
  name: "ADC",
  source: "DDI0487 C6.2 ADC",
  encoding: "sf 0 0 11010000 Rm:5 000000 Rn:5 Rd:5",
  execute: (fields) => setX(fields.Rd, withCarry(fields, (operand2) => operand2).result),
});

const ADCS = instruction({
  name: "ADCS",
  source: "DDI0487 C6.2 ADCS",
  encoding: "sf 0 1 11010000 Rm:5 000000 Rn:5 Rd:5",
  execute: (fields) =>
    settingFlags(
      withCarry(fields, (operand2) => operand2),
      fields.Rd,
    ),
});

/** NGC where Rn is 31. */
const SBC = instruction({
  name: "SBC",
  source: "DDI0487 C6.2 SBC",
  encoding: "sf 1 0 11010000 Rm:5 000000 Rn:5 Rd:5",
  execute: (fields) => setX(fields.Rd, withCarry(fields, not).result),
});

const SBCS = instruction({
  name: "SBCS",
  source: "DDI0487 C6.2 SBCS",
  encoding: "sf 1 1 11010000 Rm:5 000000 Rn:5 Rd:5",
  execute: (fields) => settingFlags(withCarry(fields, not), fields.Rd),
});

export const addSubtractShifted = [ADD_shifted, ADDS_shifted, SUB_shifted, SUBS_shifted];
export const addSubtractExtended = [ADD_extended, ADDS_extended, SUB_extended, SUBS_extended];
export const addSubtractWithCarry = [ADC, ADCS, SBC, SBCS];
