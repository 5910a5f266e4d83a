// DecodeBitMasks: the immediate of the logical instructions.

import { type Bits, lit } from "../../bits/bits.ts";

/**
 * An element of 2, 4, … 64 bits with imms + 1 ones, rotated right by immr and replicated to 64
 * bits, as a value of `datasize` bits; undefined where the fields are reserved.
 * Source: DDI0487 aarch64/instrs/integer/bitmasks/DecodeBitMasks, with immediate TRUE (wmask).
 */
export function bitMaskImmediate(
  immN: number,
  imms: number,
  immr: number,
  datasize: 32 | 64,
): Bits | undefined {
  // The length of the element: the highest set bit of immN:NOT(imms).
  const length = 31 - Math.clz32((immN << 6) | (~imms & 0x3f));
  if (length < 1 || (datasize === 32 && immN === 1)) return undefined;
  const size = 1 << length;
  const ones = (imms & (size - 1)) + 1;
  // An element of all ones is not an immediate.
  if (ones === size) return undefined;
  const rotation = BigInt(immr & (size - 1));
  const element = (1n << BigInt(ones)) - 1n;
  const rotated = BigInt.asUintN(
    size,
    (element >> rotation) | (element << (BigInt(size) - rotation)),
  );
  let mask = 0n;
  for (let at = 0; at < datasize; at += size) mask |= rotated << BigInt(at);
  return lit(mask, datasize);
}
