// Logical (shifted register). Source: DDI0487 C4.1, Logical (shifted register).

import { and, type Bits, bit, isZero, lit, not, or, X, xor } from "../../bits/bits.ts";
import { type Execution, setFlags, setX, UNDEFINED } from "../../bits/effects.ts";
import { instruction } from "../../bits/instruction.ts";
import { ShiftReg } from "../shared/shift-extend.ts";

/** The fields that all instructions of this class share. */
interface Operands {
  readonly sf: 0 | 1;
  readonly shift: number;
  readonly Rm: number;
  readonly imm6: number;
  readonly Rn: number;
  readonly Rd: number;
}

/** Rd becomes a function of Rn and the shifted Rm; a 32-bit form cannot shift by 32 or more. */
function logical(fields: Operands, operation: (a: Bits, b: Bits) => Bits): Execution {
  const { sf, shift, Rm, imm6, Rn, Rd } = fields;
  if (sf === 0 && imm6 >= 32) return UNDEFINED;
  const datasize = sf === 1 ? 64 : 32;
  return setX(Rd, operation(X(Rn, datasize), ShiftReg(Rm, shift, imm6, datasize)));
}

/** As `logical`, and sets N and Z by the result and clears C and V. */
function logicalSettingFlags(fields: Operands, operation: (a: Bits, b: Bits) => Bits): Execution {
  const { sf, shift, Rm, imm6, Rn, Rd } = fields;
  if (sf === 0 && imm6 >= 32) return UNDEFINED;
  const datasize = sf === 1 ? 64 : 32;
  const result = operation(X(Rn, datasize), ShiftReg(Rm, shift, imm6, datasize));
  const nzcv = { N: bit(result, datasize - 1), Z: isZero(result), C: lit(0, 1), V: lit(0, 1) };
  return [setFlags(nzcv), setX(Rd, result)];
}

const AND_shifted = instruction({
  name: "AND (shifted register)",
  source: "DDI0487 C6.2 AND (shifted register)",
  encoding: "sf 00 01010 shift:2 0 Rm:5 imm6:6 Rn:5 Rd:5",
  execute: (fields) => logical(fields, and),
});

const BIC_shifted = instruction({
  name: "BIC (shifted register)",
  source: "DDI0487 C6.2 BIC (shifted register)",
  encoding: "sf 00 01010 shift:2 1 Rm:5 imm6:6 Rn:5 Rd:5",
  execute: (fields) => logical(fields, (a, b) => and(a, not(b))),
});

/** MOV (register) where Rn is 31 and nothing is shifted. */
const ORR_shifted = instruction({
  name: "ORR (shifted register)",
  source: "DDI0487 C6.2 ORR (shifted register)",
  encoding: "sf 01 01010 shift:2 0 Rm:5 imm6:6 Rn:5 Rd:5",
  execute: (fields) => logical(fields, or),
});

/** MVN where Rn is 31. */
const ORN_shifted = instruction({
  name: "ORN (shifted register)",
  source: "DDI0487 C6.2 ORN (shifted register)",
  encoding: "sf 01 01010 shift:2 1 Rm:5 imm6:6 Rn:5 Rd:5",
  execute: (fields) => logical(fields, (a, b) => or(a, not(b))),
});

const EOR_shifted = instruction({
  name: "EOR (shifted register)",
  source: "DDI0487 C6.2 EOR (shifted register)",
  encoding: "sf 10 01010 shift:2 0 Rm:5 imm6:6 Rn:5 Rd:5",
  execute: (fields) => logical(fields, xor),
});

const EON_shifted = instruction({
  name: "EON (shifted register)",
  source: "DDI0487 C6.2 EON (shifted register)",
  encoding: "sf 10 01010 shift:2 1 Rm:5 imm6:6 Rn:5 Rd:5",
  execute: (fields) => logical(fields, (a, b) => xor(a, not(b))),
});

/** TST where Rd is 31. */
const ANDS_shifted = instruction({
  name: "ANDS (shifted register)",
  source: "DDI0487 C6.2 ANDS (shifted register)",
  encoding: "sf 11 01010 shift:2 0 Rm:5 imm6:6 Rn:5 Rd:5",
  execute: (fields) => logicalSettingFlags(fields, and),
});

const BICS_shifted = instruction({
  name: "BICS (shifted register)",
  source: "DDI0487 C6.2 BICS (shifted register)",
  encoding: "sf 11 01010 shift:2 1 Rm:5 imm6:6 Rn:5 Rd:5",
  execute: (fields) => logicalSettingFlags(fields, (a, b) => and(a, not(b))),
});

export const logicalShifted = [
  AND_shifted,
  BIC_shifted,
  ORR_shifted,
  ORN_shifted,
  EOR_shifted,
  EON_shifted,
  ANDS_shifted,
  BICS_shifted,
];
