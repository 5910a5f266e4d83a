// The string functions of the kernel, over its memory. Source: lib/string.c, lib/string_helpers.c
// (linux 6.1).

import { negative } from "../../../spec/types/errno.ts";
import {
  argument,
  type ExportedFunction,
  type Kernel,
  type KernelCall,
  latin1,
  readValue,
  sizeArgument,
  stop,
  stringBytes,
  u64,
  writeRange,
  writeValue,
} from "./kernel.ts";

const NUL = 0;

/** Copies bytes and ends them with a zero. */
export function writeString(kernel: Kernel, va: bigint, bytes: Uint8Array): void {
  const ended = new Uint8Array(bytes.length + 1);
  ended.set(bytes);
  writeRange(kernel, va, ended);
}

const text = (kernel: Kernel, call: KernelCall, n: number, max?: number): Uint8Array =>
  stringBytes(kernel, argument(call, n), max);

const strlen: ExportedFunction = (kernel, call) => u64(text(kernel, call, 0).length);

const strnlen: ExportedFunction = (kernel, call) => {
  // A count beyond every string is legal: the end of the string stops the search.
  const count = argument(call, 1);
  const max = count > 0xffff_ffffn ? undefined : Number(count);
  return u64(text(kernel, call, 0, max).length);
};

/** -1, 0 or 1 by the first bytes that differ; a string that ends first is the smaller. */
function order(a: Uint8Array, b: Uint8Array): bigint {
  return u64(Math.sign(Buffer.compare(a, b)));
}

const strcmp: ExportedFunction = (kernel, call) =>
  order(text(kernel, call, 0), text(kernel, call, 1));

const strncmp: ExportedFunction = (kernel, call) => {
  const count = argument(call, 2);
  const max = count > 0xffff_ffffn ? undefined : Number(count);
  return order(text(kernel, call, 0, max), text(kernel, call, 1, max));
};

/** Case-blind comparison: the difference of the first lower-case bytes that differ. */
function caseBlind(a: Uint8Array, b: Uint8Array): bigint {
  const [left, right] = [latin1(a).toLowerCase(), latin1(b).toLowerCase()];
  for (let index = 0; ; index++) {
    const [c1, c2] = [left.charCodeAt(index) || NUL, right.charCodeAt(index) || NUL];
    if (c1 !== c2) return u64(c1 - c2);
    if (c1 === NUL) return 0n;
  }
}

const strcasecmp: ExportedFunction = (kernel, call) =>
  caseBlind(text(kernel, call, 0), text(kernel, call, 1));

const strncasecmp: ExportedFunction = (kernel, call) => {
  const max = sizeArgument("strncasecmp", argument(call, 2));
  return caseBlind(text(kernel, call, 0, max), text(kernel, call, 1, max));
};

const strcpy: ExportedFunction = (kernel, call) => {
  writeString(kernel, argument(call, 0), text(kernel, call, 1));
  return argument(call, 0);
};

/** strncpy: fills the rest with zeros, and does not end a string that is too long. */
const strncpy: ExportedFunction = (kernel, call) => {
  const count = sizeArgument("strncpy", argument(call, 2));
  const bytes = new Uint8Array(count);
  bytes.set(text(kernel, call, 1, count));
  writeRange(kernel, argument(call, 0), bytes);
  return argument(call, 0);
};

/** strlcpy: truncates, always ends, answers the length of the source. */
const strlcpy: ExportedFunction = (kernel, call) => {
  const source = text(kernel, call, 1);
  const size = sizeArgument("strlcpy", argument(call, 2));
  if (size > 0) writeString(kernel, argument(call, 0), source.subarray(0, size - 1));
  return u64(source.length);
};

/** strscpy: truncates, always ends, answers the length copied or -E2BIG. */
function strscpy(kernel: Kernel, call: KernelCall, pad: boolean): bigint {
  const size = argument(call, 2);
  if (size === 0n || size > 0x7fff_ffffn) return u64(negative("E2BIG"));
  const source = text(kernel, call, 1, Number(size));
  const fits = source.length < Number(size);
  const copied = fits ? source : source.subarray(0, Number(size) - 1);
  const rest = pad ? sizeArgument("strscpy_pad", size) - copied.length : 1;
  const bytes = new Uint8Array(copied.length + rest);
  bytes.set(copied);
  writeRange(kernel, argument(call, 0), bytes);
  return fits ? u64(source.length) : u64(negative("E2BIG"));
}

const strcat: ExportedFunction = (kernel, call) => {
  const end = argument(call, 0) + BigInt(text(kernel, call, 0).length);
  writeString(kernel, end, text(kernel, call, 1));
  return argument(call, 0);
};

const strncat: ExportedFunction = (kernel, call) => {
  const end = argument(call, 0) + BigInt(text(kernel, call, 0).length);
  writeString(kernel, end, text(kernel, call, 1, sizeArgument("strncat", argument(call, 2))));
  return argument(call, 0);
};

/** strlcat: as strlcpy behind what is there; a destination that is already full is a kernel bug. */
const strlcat: ExportedFunction = (kernel, call) => {
  const [there, source] = [text(kernel, call, 0), text(kernel, call, 1)];
  const size = sizeArgument("strlcat", argument(call, 2));
  if (there.length >= size) throw stop("panic", "strlcat: the destination is longer than its size");
  const end = argument(call, 0) + BigInt(there.length);
  writeString(kernel, end, source.subarray(0, size - there.length - 1));
  return u64(there.length + source.length);
};

/** Where a byte is in a string; the terminating zero counts as one of its bytes. */
function position(bytes: Uint8Array, byte: bigint, last: boolean): number {
  const wanted = Number(byte & 0xffn);
  if (wanted === NUL) return bytes.length;
  return last ? bytes.lastIndexOf(wanted) : bytes.indexOf(wanted);
}

const at = (call: KernelCall, index: number): bigint =>
  index < 0 ? 0n : u64(argument(call, 0) + BigInt(index));

const strchr: ExportedFunction = (kernel, call) =>
  at(call, position(text(kernel, call, 0), argument(call, 1), false));

const strrchr: ExportedFunction = (kernel, call) =>
  at(call, position(text(kernel, call, 0), argument(call, 1), true));

/** strchrnul: the end of the string when the byte is not in it. */
const strchrnul: ExportedFunction = (kernel, call) => {
  const bytes = text(kernel, call, 0);
  const index = position(bytes, argument(call, 1), false);
  return at(call, index < 0 ? bytes.length : index);
};

/** strnchr(s, count, c): a zero inside the count can be found, one beyond it cannot. */
const strnchr: ExportedFunction = (kernel, call) => {
  const count = sizeArgument("strnchr", argument(call, 1));
  const bytes = text(kernel, call, 0, count);
  const index = position(bytes, argument(call, 2), false);
  return index < count ? at(call, index) : 0n;
};

const strstr: ExportedFunction = (kernel, call) =>
  at(call, latin1(text(kernel, call, 0)).indexOf(latin1(text(kernel, call, 1))));

const strnstr: ExportedFunction = (kernel, call) => {
  const count = sizeArgument("strnstr", argument(call, 2));
  return at(call, latin1(text(kernel, call, 0, count)).indexOf(latin1(text(kernel, call, 1))));
};

/** strsep(&s, delimiters): cuts the next field off; NULL when there is none. */
const strsep: ExportedFunction = (kernel, call) => {
  const start = readValue(kernel, argument(call, 0), 8);
  if (start === 0n) return 0n;
  const delimiters = text(kernel, call, 1);
  const index = stringBytes(kernel, start).findIndex((byte) => delimiters.includes(byte));
  let rest = 0n;
  if (index !== -1) {
    writeValue(kernel, start + BigInt(index), 1, 0n);
    rest = start + BigInt(index) + 1n;
  }
  writeValue(kernel, argument(call, 0), 8, rest);
  return start;
};

const strpbrk: ExportedFunction = (kernel, call) => {
  const accepted = text(kernel, call, 1);
  return at(
    call,
    text(kernel, call, 0).findIndex((byte) => accepted.includes(byte)),
  );
};

/** Length of the start of a string whose bytes all are, or all are not, in a set. */
function span(kernel: Kernel, call: KernelCall, inside: boolean): bigint {
  const [bytes, set] = [text(kernel, call, 0), text(kernel, call, 1)];
  const end = bytes.findIndex((byte) => set.includes(byte) !== inside);
  return u64(end === -1 ? bytes.length : end);
}

/** isspace of the kernel: space, \t to \r, and the no-break space 0xa0. Source: lib/ctype.c. */
export const isSpace = (byte: number): boolean =>
  byte === 0x20 || (byte >= 9 && byte <= 13) || byte === 0xa0;

const leadingSpaces = (bytes: Uint8Array): number => {
  const first = bytes.findIndex((byte) => !isSpace(byte));
  return first === -1 ? bytes.length : first;
};

const skipSpaces: ExportedFunction = (kernel, call) =>
  at(call, leadingSpaces(text(kernel, call, 0)));

/** strim: cuts trailing spaces in place, answers the first byte that is none. */
const strim: ExportedFunction = (kernel, call) => {
  const bytes = text(kernel, call, 0);
  const end = bytes.findLastIndex((byte) => !isSpace(byte)) + 1;
  if (end < bytes.length) writeValue(kernel, argument(call, 0) + BigInt(end), 1, 0n);
  return at(call, leadingSpaces(bytes.subarray(0, end)));
};

/** sysfs_streq: equal but for one newline at the end of either. */
const sysfsStreq: ExportedFunction = (kernel, call) => {
  const chomp = (bytes: Uint8Array): string => latin1(bytes).replace(/\n$/, "");
  return chomp(text(kernel, call, 0)) === chomp(text(kernel, call, 1)) ? 1n : 0n;
};

/** By exported name. */
export const STRING_FUNCTIONS: Readonly<Record<string, ExportedFunction>> = {
  strlen,
  strnlen,
  strcmp,
  strncmp,
  strcasecmp,
  strncasecmp,
  strcpy,
  strncpy,
  strlcpy,
  strscpy: (kernel, call) => strscpy(kernel, call, false),
  strscpy_pad: (kernel, call) => strscpy(kernel, call, true),
  strcat,
  strncat,
  strlcat,
  strchr,
  strrchr,
  strchrnul,
  strnchr,
  strstr,
  strnstr,
  strsep,
  strpbrk,
  strspn: (kernel, call) => span(kernel, call, true),
  strcspn: (kernel, call) => span(kernel, call, false),
  skip_spaces: skipSpaces,
  strim,
  sysfs_streq: sysfsStreq,
};
