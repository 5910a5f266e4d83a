// CRC32 and CRC32C.

import type { Core } from "../../state.ts";

/** One table for each polynomial, given with its bits reversed. */
function tableOf(reversed: number): Uint32Array {
  return Uint32Array.from({ length: 256 }, (_, index) => {
    let crc = index;
    for (let i = 0; i < 8; i++) crc = (crc & 1) === 1 ? (crc >>> 1) ^ reversed : crc >>> 1;
    return crc >>> 0;
  });
}

/** 0x04C11DB7 and 0x1EDC6F41. Source: DDI0487 C6.2 CRC32B and CRC32CB, operation. */
const crc32 = tableOf(0xedb88320);
const crc32c = tableOf(0x82f63b78);

function update(table: Uint32Array, accumulator: number, value: bigint, sizeBytes: number): number {
  let crc = accumulator;
  for (let i = 0; i < sizeBytes; i++) {
    const byte = Number((value >> BigInt(8 * i)) & 0xffn);
    crc = (crc >>> 8) ^ (table[(crc ^ byte) & 0xff] ?? 0);
  }
  return crc >>> 0;
}

/** Over the low bytes of a value; the accumulator is neither inverted before nor after. */
export const checksumFunctions = {
  CRC32: (_core: Core, accumulator: number, value: bigint | number, sizeBytes: number): number =>
    update(crc32, accumulator, BigInt(value), sizeBytes),
  CRC32C: (_core: Core, accumulator: number, value: bigint | number, sizeBytes: number): number =>
    update(crc32c, accumulator, BigInt(value), sizeBytes),
};
