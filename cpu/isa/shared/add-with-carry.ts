// AddWithCarry: the addition under all additions, subtractions and comparisons, with its flags.

import { add, and, type Bits, bit, isZero, not, or, xor, zeroExtend } from "../../bits/bits.ts";

/**
 * The sum of two values and a carry, and its N, Z, C and V.
 * Source: DDI0487 shared/functions/integer/AddWithCarry.
 */
export function AddWithCarry(x: Bits, y: Bits, carryIn: Bits) {
  const top = x.width - 1;
  const result = add(add(x, y), zeroExtend(carryIn, x.width));
  const [xTop, yTop, resultTop] = [bit(x, top), bit(y, top), bit(result, top)];
  return {
    result,
    nzcv: {
      N: resultTop,
      Z: isZero(result),
      C: or(and(xTop, yTop), and(or(xTop, yTop), not(resultTop))),
      V: and(xor(xTop, resultTop), xor(yTop, resultTop)),
    },
  };
}
