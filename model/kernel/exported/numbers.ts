// Text to number as the kernel reads it: kstrto*, which judge the whole text, and simple_strto*,
// which stop early.
// Source: lib/kstrtox.c, simple_strtoull in lib/vsprintf.c (linux 6.1).

import { negative } from "../../../spec/types/errno.ts";
import { argument, cString, type ExportedFunction, s32, u64, writeValue } from "./kernel.ts";

const U64_MAX = 0xffff_ffff_ffff_ffffn;

/** The digits of a number at the start of a text. */
interface Digits {
  readonly value: bigint;
  /** Digits found, and characters used with the prefix. */
  readonly count: number;
  readonly length: number;
  readonly overflow: boolean;
}

/** Which base a text asks for, and how long its prefix is. Source: _parse_integer_fixup_radix. */
function radix(text: string, base: number): { readonly base: number; readonly prefix: number } {
  let chosen = base;
  if (base === 0) {
    if (!text.startsWith("0")) chosen = 10;
    else chosen = /^0[xX][0-9a-fA-F]/.test(text) ? 16 : 8;
  }
  return { base: chosen, prefix: chosen === 16 && /^0[xX]/.test(text) ? 2 : 0 };
}

function digits(text: string, base: number): Digits {
  const { base: chosen, prefix } = radix(text, base);
  let value = 0n;
  let overflow = false;
  let index = prefix;
  for (; index < text.length; index++) {
    const digit = Number.parseInt(text[index]!, 36);
    if (Number.isNaN(digit) || digit >= chosen) break;
    value = value * BigInt(chosen) + BigInt(digit);
    if (value > U64_MAX) overflow = true;
    value &= U64_MAX;
  }
  return { value, count: index - prefix, length: index, overflow };
}

/** A whole text as a number, or a negative errno. */
export type Parsed = { readonly value: bigint } | { readonly errno: number };

const EINVAL: Parsed = { errno: negative("EINVAL") };
const ERANGE: Parsed = { errno: negative("ERANGE") };

/** Digits and an optional newline, nothing else. Source: _kstrtoull. */
function parseDigits(text: string, base: number): Parsed {
  const found = digits(text, base);
  if (found.overflow) return ERANGE;
  if (found.count === 0) return EINVAL;
  const rest = text.slice(found.length);
  return rest === "" || rest === "\n" ? { value: found.value } : EINVAL;
}

/** A number of that many bits. Source: kstrtoll, kstrtoint and their kin. */
export function parseNumber(text: string, base: number, bits: number, isSigned: boolean): Parsed {
  const minus = isSigned && text.startsWith("-");
  const parsed = parseDigits(minus || text.startsWith("+") ? text.slice(1) : text, base);
  if ("errno" in parsed) return parsed;
  const value = minus ? -parsed.value : parsed.value;
  const fits = isSigned
    ? value === BigInt.asIntN(bits, value)
    : value === BigInt.asUintN(bits, value);
  return fits ? { value } : ERANGE;
}

/**
 * y, Y, t, T, 1 and "on" are true; n, N, f, F, 0 and "of" are false; later letters do not matter.
 * Source: kstrtobool.
 */
export function parseBool(text: string): Parsed {
  if (/^[yYtT1]/.test(text) || /^[oO][nN]/.test(text)) return { value: 1n };
  if (/^[nNfF0]/.test(text) || /^[oO][fF]/.test(text)) return { value: 0n };
  return EINVAL;
}

/** kstrto*(text, base, result). */
function kstrto(sizeBytes: 1 | 2 | 4 | 8, isSigned: boolean): ExportedFunction {
  return (kernel, call) => {
    const text = cString(kernel, argument(call, 0));
    const parsed = parseNumber(text, s32(argument(call, 1)), 8 * sizeBytes, isSigned);
    if ("errno" in parsed) return u64(parsed.errno);
    writeValue(kernel, argument(call, 2), sizeBytes, parsed.value);
    return 0n;
  };
}

const kstrtobool: ExportedFunction = (kernel, call) => {
  if (argument(call, 0) === 0n) return u64(negative("EINVAL"));
  const parsed = parseBool(cString(kernel, argument(call, 0)));
  if ("errno" in parsed) return u64(parsed.errno);
  writeValue(kernel, argument(call, 1), 1, parsed.value);
  return 0n;
};

/** simple_strto*(text, end, base): takes what it can and says where it stopped. */
function simpleStrto(isSigned: boolean): ExportedFunction {
  return (kernel, call) => {
    const text = cString(kernel, argument(call, 0));
    const minus = isSigned && text.startsWith("-");
    const found = digits(minus ? text.slice(1) : text, s32(argument(call, 2)));
    const end = argument(call, 1);
    const used = found.length + (minus ? 1 : 0);
    if (end !== 0n) writeValue(kernel, end, 8, argument(call, 0) + BigInt(used));
    return u64(minus ? -found.value : found.value);
  };
}

/** By exported name. */
export const NUMBER_FUNCTIONS: Readonly<Record<string, ExportedFunction>> = {
  kstrtoull: kstrto(8, false),
  kstrtoll: kstrto(8, true),
  _kstrtoul: kstrto(8, false),
  _kstrtol: kstrto(8, true),
  kstrtouint: kstrto(4, false),
  kstrtoint: kstrto(4, true),
  kstrtou16: kstrto(2, false),
  kstrtos16: kstrto(2, true),
  kstrtou8: kstrto(1, false),
  kstrtos8: kstrto(1, true),
  kstrtobool,
  simple_strtoull: simpleStrto(false),
  simple_strtoul: simpleStrto(false),
  simple_strtoll: simpleStrto(true),
  simple_strtol: simpleStrto(true),
};
