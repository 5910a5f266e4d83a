// Operators of 32 and 64 bits that are longer than an expression.

/** An amount of 0 is right too: JavaScript shifts by 32 as by 0. */
export const rotateRight32 = (a: number, by: number): number =>
  ((a >>> by) | (a << (32 - by))) >>> 0;

export const rotateRight64 = (a: bigint, by: number): bigint =>
  (a >> BigInt(by)) | BigInt.asUintN(64, a << BigInt(64 - by));

export const reverseBytes32 = (a: number): number =>
  ((a >>> 24) | ((a >>> 8) & 0xff00) | ((a << 8) & 0xff_0000) | (a << 24)) >>> 0;

export const reverseBytes64 = (a: bigint): bigint =>
  (BigInt(reverseBytes32(Number(BigInt.asUintN(32, a)))) << 32n) |
  BigInt(reverseBytes32(Number(a >> 32n)));

export function countLeadingZeros64(a: bigint): bigint {
  const high = Number(a >> 32n);
  return BigInt(high === 0 ? 32 + Math.clz32(Number(a)) : Math.clz32(high));
}

export const unsignedQuotient64 = (a: bigint, b: bigint): bigint => (b === 0n ? 0n : a / b);

export const signedQuotient64 = (a: bigint, b: bigint): bigint =>
  b === 0n ? 0n : BigInt.asUintN(64, BigInt.asIntN(64, a) / BigInt.asIntN(64, b));
