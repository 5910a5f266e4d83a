// Little-endian reads of a file that may be hostile, with a count of the bytes looked at.

/**
 * A file under reading. `looked` counts every byte that a read took: the tests bound it by the
 * file's size, which is what "no hang" means without a clock.
 */
export interface Image {
  readonly bytes: Uint8Array;
  readonly view: DataView;
  looked: number;
}

/** The image of a file. A plain Uint8Array, since slice of Node's Buffer does not copy. */
export const imageOf = ({ buffer, byteOffset, byteLength }: Uint8Array): Image => ({
  bytes: new Uint8Array(buffer, byteOffset, byteLength),
  view: new DataView(buffer, byteOffset, byteLength),
  looked: 0,
});

/** Whether `size` bytes at `offset` lie in the file; both as read, up to 2^64 - 1. */
export const contains = (image: Image, offset: bigint, size: bigint): boolean =>
  offset + size <= BigInt(image.bytes.length);

export function u16(image: Image, at: number): number {
  image.looked += 2;
  return image.view.getUint16(at, true);
}

export function u32(image: Image, at: number): number {
  image.looked += 4;
  return image.view.getUint32(at, true);
}

export function u64(image: Image, at: number): bigint {
  image.looked += 8;
  return image.view.getBigUint64(at, true);
}

export function s64(image: Image, at: number): bigint {
  image.looked += 8;
  return image.view.getBigInt64(at, true);
}

/**
 * The longest name that is read, the terminating zero not counted: names of a table may overlap, so
 * without a limit n names of a table of m bytes cost n times m.
 * Source: KSYM_NAME_LEN, include/linux/kallsyms.h of 6.1 and later.
 */
export const NAME_MAX = 511;

/** The zero-terminated string at `at`; undefined if too long, or not ended before `end`. */
export function stringAt(image: Image, at: number, end: number): string | undefined {
  const window = image.bytes.subarray(at, Math.min(end, at + NAME_MAX + 1));
  const length = window.indexOf(0);
  if (length === -1) {
    image.looked += window.length;
    return undefined;
  }
  image.looked += length + 1;
  return String.fromCharCode(...window.subarray(0, length));
}
