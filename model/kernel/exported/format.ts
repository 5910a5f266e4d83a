// The kernel's format language: vsnprintf, with what %p can say of an address.
// Source: format_decode, vsnprintf, pointer, lib/vsprintf.c;
// Documentation/core-api/printk-formats.rst (linux 6.1).

import { errnoName } from "../../../spec/types/errno.ts";
import { type Kernel, latin1, readRange, readValue, s32, stringBytes, u64 } from "./kernel.ts";
import { fromVaList, type NextArgument } from "./va-list.ts";

/** One conversion, as the text between `%` and its letter says. */
interface Conversion {
  readonly left: boolean;
  readonly plus: boolean;
  readonly space: boolean;
  readonly alternate: boolean;
  readonly zero: boolean;
  readonly width: number;
  /** Undefined when none is given. */
  readonly precision: number | undefined;
  readonly bits: 8 | 16 | 32 | 64;
}

const CONVERSION = /([-+ #0]*)(\*|\d+)?(?:\.(\*|-?\d*))?(hh|h|ll|l|L|z|Z|t)?/y;
/** NON-SPEC: a width or precision beyond it is cut; the kernel's own fields hold 24 and 16 bits. */
const FIELD_MAX = 4096;
/** NON-SPEC: %pV inside %pV inside …, and how much text one call may make. */
const NESTING_MAX = 4;
const TEXT_MAX = 1 << 16;

const BITS: Readonly<Record<string, Conversion["bits"]>> = {
  hh: 8,
  h: 16,
  l: 64,
  ll: 64,
  L: 64,
  z: 64,
  Z: 64,
  t: 64,
};

const clamp = (value: number): number => Math.max(-FIELD_MAX, Math.min(value, FIELD_MAX));

/**
 * Formats; bytes are characters. A conversion that the kernel does not know ends the text with its
 * name.
 */
export function format(kernel: Kernel, template: string, next: NextArgument, depth = 0): string {
  let text = "";
  for (let at = 0; at < template.length; ) {
    const percent = template.indexOf("%", at);
    if (percent === -1 || text.length > TEXT_MAX) return text + template.slice(at);
    text += template.slice(at, percent);
    CONVERSION.lastIndex = percent + 1;
    const match = CONVERSION.exec(template)!;
    const conversion = conversionOf(match, next);
    const letter = template[CONVERSION.lastIndex] ?? "";
    at = CONVERSION.lastIndex + 1;
    if (letter === "%") {
      text += "%";
    } else if (letter === "p") {
      const kind = /^[A-Za-z0-9]*/.exec(template.slice(at))![0];
      at += kind.length;
      text += pointer(kernel, conversion, kind, next(), depth);
    } else {
      const formatted = plain(kernel, conversion, letter, next);
      if (formatted === undefined) return `${text}[unknown conversion %${match[0]}${letter}]`;
      text += formatted;
    }
  }
  return text;
}

function conversionOf(match: RegExpExecArray, next: NextArgument): Conversion {
  const [, flags = "", width, precision, qualifier] = match;
  const starred = width === "*" ? clamp(s32(next())) : clamp(Number(width ?? 0));
  let digits = precision === undefined ? undefined : clamp(Number(precision) || 0);
  if (precision === "*") digits = clamp(s32(next()));
  return {
    // A negative width is the flag and its size; a negative precision counts as 0.
    left: flags.includes("-") || starred < 0,
    plus: flags.includes("+"),
    space: flags.includes(" "),
    alternate: flags.includes("#"),
    zero: flags.includes("0"),
    width: Math.abs(starred),
    precision: digits === undefined ? undefined : Math.max(digits, 0),
    bits: BITS[qualifier ?? ""] ?? 32,
  };
}

/** Text in a field: padded with spaces. */
const padded = ({ left, width }: Conversion, text: string): string =>
  left ? text.padEnd(width) : text.padStart(width);

/** Conversions that take one argument and are not %p; undefined for a letter that is none. */
function plain(
  kernel: Kernel,
  conversion: Conversion,
  letter: string,
  next: NextArgument,
): string | undefined {
  switch (letter) {
    case "c":
      return padded(conversion, String.fromCharCode(Number(next() & 0xffn)));
    case "s":
      return stringField(kernel, conversion, next());
    case "d":
    case "i":
      return number(conversion, BigInt.asIntN(conversion.bits, next()), 10);
    case "u":
      return number(conversion, BigInt.asUintN(conversion.bits, next()), 10);
    case "o":
      return number(conversion, BigInt.asUintN(conversion.bits, next()), 8);
    case "x":
      return number(conversion, BigInt.asUintN(conversion.bits, next()), 16);
    case "X":
      return number(conversion, BigInt.asUintN(conversion.bits, next()), 16).toUpperCase();
    default:
      return undefined;
  }
}

/** Digits with sign, prefix, precision and width. Source: number, lib/vsprintf.c. */
function number(conversion: Conversion, value: bigint, base: 8 | 10 | 16): string {
  const { plus, space, alternate, zero, left, width, precision } = conversion;
  let sign = "";
  if (value < 0n) sign = "-";
  else if (base === 10 && plus) sign = "+";
  else if (base === 10 && space) sign = " ";
  let prefix = "";
  if (alternate && base === 16) prefix = "0x";
  else if (alternate && base === 8 && value !== 0n) prefix = "0";
  const magnitude = (value < 0n ? -value : value).toString(base);
  const digits = magnitude.padStart(precision ?? 0, "0");
  const head = sign + prefix;
  // Unlike C, the zero flag holds with a precision too.
  if (zero && !left) {
    return head + digits.padStart(width - head.length, "0");
  }
  return padded(conversion, head + digits);
}

/**
 * A string argument; NULL and addresses that cannot be strings are named. Source: string,
 * check_pointer_msg.
 */
function stringField(kernel: Kernel, conversion: Conversion, va: bigint): string {
  const bad = badPointer(va);
  if (bad !== undefined) return padded(conversion, bad.slice(0, conversion.precision));
  return padded(conversion, latin1(stringBytes(kernel, va, conversion.precision)));
}

function badPointer(va: bigint): string | undefined {
  if (va === 0n) return "(null)";
  // Source: check_pointer_msg: below a page, or an error pointer.
  if (va < 4096n || va >= u64(-4095n)) return "(efault)";
  return undefined;
}

/** 16 hex digits, the kernel's default for an address. */
function address(conversion: Conversion, va: bigint): string {
  const digits = va.toString(16).padStart(16, "0");
  return padded(conversion, (conversion.alternate ? "0x" : "") + digits);
}

/**
 * %p and its extensions.
 * CHOICE: %p and %pK print the address itself, where the kernel prints a hash of it that differs
 * from boot to boot.
 */
function pointer(
  kernel: Kernel,
  conversion: Conversion,
  kind: string,
  va: bigint,
  depth: number,
): string {
  switch (kind[0] ?? "") {
    case "":
    case "x":
    case "K":
      return address(conversion, va);
    // CHOICE: symbols are printed as their address, as a kernel without KALLSYMS does.
    case "S":
    case "s":
    case "B":
    case "F":
    case "f":
      return padded(conversion, `0x${va.toString(16)}`);
    case "e":
      return padded(conversion, errorPointer(va));
    case "a":
      return badPointer(va) ?? `0x${readValue(kernel, va, 8).toString(16).padStart(16, "0")}`;
    case "h":
      return badPointer(va) ?? hexDump(kernel, conversion, kind[1] ?? "", va);
    case "M":
    case "m":
      return badPointer(va) ?? hexBytes(readRange(kernel, va, 6), kind[0] === "M" ? ":" : "");
    case "V":
      return badPointer(va) ?? nested(kernel, va, depth);
    default:
      return `[unknown conversion %p${kind}]`;
  }
}

/** %pe: an error pointer by the name of its errno, anything else as an address. */
function errorPointer(va: bigint): string {
  const value = BigInt.asIntN(64, va);
  return value < 0n && value >= -4095n
    ? errnoName(Number(value))
    : va.toString(16).padStart(16, "0");
}

const hexBytes = (bytes: Uint8Array, separator: string): string =>
  Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join(separator);

/** %*ph, %*phC, %*phD, %*phN: at most 64 bytes, 1 without a width. Source: hex_string. */
function hexDump(kernel: Kernel, { width }: Conversion, kind: string, va: bigint): string {
  const separators: Readonly<Record<string, string>> = { C: ":", D: "-", N: "" };
  const count = Math.min(Math.max(width, 1), 64);
  return hexBytes(readRange(kernel, va, count), separators[kind] ?? " ");
}

/** %pV: a struct va_format {fmt, va}. */
function nested(kernel: Kernel, va: bigint, depth: number): string {
  if (depth >= NESTING_MAX) return "[%pV nested too deeply]";
  const template = latin1(stringBytes(kernel, readValue(kernel, va, 8)));
  const list = readValue(kernel, u64(va + 8n), 8);
  return format(kernel, template, fromVaList(kernel, list), depth + 1);
}
