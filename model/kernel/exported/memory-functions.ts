// memset, memcpy and their kin, over the kernel's memory.
// Source: lib/string.c and arch/arm64/lib of linux 6.1 for results; which of two overlapping copies
// reads first is not
// observable, because memcpy is memmove there (arch/arm64/lib/memcpy.S).

import {
  argument,
  type ExportedFunction,
  type Kernel,
  pieces,
  readRange,
  sizeArgument,
  u64,
  writeRange,
} from "./kernel.ts";

const memset: ExportedFunction = (kernel, call) => {
  const [destination, byte] = [argument(call, 0), Number(argument(call, 1) & 0xffn)];
  const size = sizeArgument("memset", argument(call, 2));
  for (const [at, count] of pieces(destination, size)) {
    kernel.memory.write(at, new Uint8Array(count).fill(byte));
  }
  return destination;
};

const memmove: ExportedFunction = (kernel, call) => {
  const destination = argument(call, 0);
  const size = sizeArgument("memcpy", argument(call, 2));
  writeRange(kernel, destination, readRange(kernel, argument(call, 1), size));
  return destination;
};

/** The first difference of two ranges, as unsigned bytes subtracted. */
function difference(kernel: Kernel, left: bigint, right: bigint, size: number): number {
  for (const [at, count] of pieces(left, size)) {
    const a = kernel.memory.read(at, count);
    const b = readRange(kernel, u64(right + (at - left)), count);
    for (let index = 0; index < count; index++) {
      if (a[index] !== b[index]) return a[index]! - b[index]!;
    }
  }
  return 0;
}

const memcmp: ExportedFunction = (kernel, call) => {
  const size = sizeArgument("memcmp", argument(call, 2));
  return u64(difference(kernel, argument(call, 0), argument(call, 1), size));
};

/** The address of the first byte in a range that `matches`; undefined when none does. */
function find(
  kernel: Kernel,
  va: bigint,
  size: number,
  matches: (byte: number) => boolean,
): bigint | undefined {
  for (const [at, count] of pieces(va, size)) {
    const index = kernel.memory.read(at, count).findIndex(matches);
    if (index !== -1) return u64(at + BigInt(index));
  }
  return undefined;
}

const memchr: ExportedFunction = (kernel, call) => {
  const wanted = Number(argument(call, 1) & 0xffn);
  const size = sizeArgument("memchr", argument(call, 2));
  return find(kernel, argument(call, 0), size, (byte) => byte === wanted) ?? 0n;
};

/** memchr_inv: the first byte that differs. */
const memchrInv: ExportedFunction = (kernel, call) => {
  const expected = Number(argument(call, 1) & 0xffn);
  const size = sizeArgument("memchr_inv", argument(call, 2));
  return find(kernel, argument(call, 0), size, (byte) => byte !== expected) ?? 0n;
};

/** memscan: as memchr, but the end of the range when nothing is found. */
const memscan: ExportedFunction = (kernel, call) => {
  const wanted = Number(argument(call, 1) & 0xffn);
  const size = sizeArgument("memscan", argument(call, 2));
  const end = u64(argument(call, 0) + BigInt(size));
  return find(kernel, argument(call, 0), size, (byte) => byte === wanted) ?? end;
};

/** By exported name; the names with underscores are what fortified headers call. */
export const MEMORY_FUNCTIONS: Readonly<Record<string, ExportedFunction>> = {
  memset,
  __memset: memset,
  memcpy: memmove,
  __memcpy: memmove,
  memmove,
  __memmove: memmove,
  memcmp,
  bcmp: memcmp,
  memchr,
  memchr_inv: memchrInv,
  memscan,
};
