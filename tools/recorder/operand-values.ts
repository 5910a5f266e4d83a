// The values that registers get: the ones where results change character, and any others.

import type { Random } from "./random.ts";

const ALL = 0xffff_ffff_ffff_ffffn;

/** Zero, one, all ones, and the edges of the sizes that instructions work on. */
const BOUNDARIES: readonly bigint[] = [
  0n,
  1n,
  2n,
  ALL,
  ALL - 1n,
  ...[7n, 8n, 15n, 16n, 31n, 32n, 47n, 48n, 55n, 62n, 63n].flatMap((n) => [
    1n << n,
    (1n << n) - 1n,
    ALL ^ ((1n << n) - 1n),
  ]),
  0x5555_5555_5555_5555n,
  0xaaaa_aaaa_aaaa_aaaan,
  0x0123_4567_89ab_cdefn,
  0xffff_ffff_8000_0000n,
  0x8000_0000_7fff_ffffn,
];

/** A value for an operand: a boundary, a small number, one bit, or anything. */
export function operandValue(random: Random): bigint {
  switch (random.below(8)) {
    case 0:
    case 1:
      return random.pick(BOUNDARIES);
    case 2:
      return BigInt(random.below(130));
    case 3:
      return 1n << BigInt(random.below(64));
    case 4:
      return random.bits64() & 0xffff_ffffn;
    default:
      return random.bits64();
  }
}

/** A value that meets another one at a carry, a sign change or an equality. */
export function relatedValue(random: Random, value: bigint): bigint {
  const related = [value, -value, ~value, value + 1n, value - 1n, value ^ (1n << 31n)];
  return BigInt.asUintN(64, random.oneIn(2) ? operandValue(random) : random.pick(related));
}

/** The sum of an address and what is added to it. */
export function wrap(value: bigint): bigint {
  return BigInt.asUintN(64, value);
}
