// ShiftReg and ExtendReg: a register operand, shifted or extended by what the encoding fixes.

import {
  asr,
  type Bits,
  lsl,
  lsr,
  ror,
  signExtend,
  slice,
  X,
  zeroExtend,
} from "../../bits/bits.ts";

/**
 * Register m shifted: type 0 is LSL, 1 LSR, 2 ASR, 3 ROR.
 * Source: DDI0487 aarch64/instrs/integer/shiftreg/ShiftReg.
 */
export function ShiftReg(m: number, type: number, amount: Bits | number, datasize: number): Bits {
  const value = X(m, datasize);
  if (amount === 0) return value;
  const shift = [lsl, lsr, asr, ror][type];
  if (shift === undefined) throw new Error(`shift type ${type}`);
  return shift(value, amount);
}

/**
 * The low 8, 16, 32 or 64 bits of register m, extended as option<2> says and shifted left.
 * Source: DDI0487 aarch64/instrs/extendreg/ExtendReg.
 */
export function ExtendReg(m: number, option: number, shift: number, datasize: number): Bits {
  const length = Math.min(8 << (option & 3), datasize);
  const value = slice(X(m, datasize), 0, length);
  const extended = (option & 4) === 4 ? signExtend(value, datasize) : zeroExtend(value, datasize);
  return shift === 0 ? extended : lsl(extended, shift);
}
