// Immediate fields of the encoding as signed numbers.

/** The two's complement number that a field of `width` bits holds. */
export function signed(field: number, width: number): number {
  return (field << (32 - width)) >> (32 - width);
}
