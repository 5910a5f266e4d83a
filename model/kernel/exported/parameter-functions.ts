// Module parameters: how a string of key=value becomes values in the module's memory.
// Source: parse_args, kernel/params.c; next_arg, lib/cmdline.c; struct kernel_param,
// linux/moduleparam.h (linux 6.1).

import { negative } from "../../../spec/types/errno.ts";
import { kmalloc } from "./heap.ts";
import {
  argument,
  cString,
  type ExportedFunction,
  fromLatin1,
  type Kernel,
  readRange,
  readValue,
  s32,
  u64,
  writeRange,
  writeValue,
} from "./kernel.ts";
import { parseBool, parseNumber } from "./numbers.ts";
import { writeString } from "./string-functions.ts";

/** struct kernel_param: name 0, mod 8, ops 16, perm 24 (u16), level 26 (s8), flags 27, arg 32. */
const KERNEL_PARAM_BYTES = 40n;
const NAME_AT = 0n;
const OPS_AT = 16n;
const ARG_AT = 32n;

/** struct kernel_param_ops: flags 0 (u32), set 8, get 16, free 24. */
const FLAGS_AT = 0n;
const SET_AT = 8n;
export const PARAM_OPS_BYTES = 32;
/** KERNEL_PARAM_OPS_FL_NOARG: the parameter may stand without a value. */
const FL_NOARG = 1n;

/** Longest charp value; longer ones are -ENOSPC. Source: param_set_charp. */
const CHARP_MAX = 1024;
const ENOSPC = -28;

/** One key and its value; undefined when there is no "=". */
export interface Argument {
  readonly key: string;
  readonly value: string | undefined;
}

/**
 * The next key=value, and what is left. Double quotes keep spaces together, around the whole or
 * around the value.
 * Source: next_arg, lib/cmdline.c.
 */
export function nextArgument(text: string): { readonly found: Argument; readonly rest: string } {
  let args = text;
  let quoted = args.startsWith('"');
  const wholeQuoted = quoted;
  if (quoted) args = args.slice(1);
  let equals = 0;
  let index = 0;
  for (; index < args.length; index++) {
    const char = args[index]!;
    if (/[ \t\n\v\f\r\u00a0]/.test(char) && !quoted) break;
    if (equals === 0 && char === "=") equals = index;
    if (char === '"') quoted = !quoted;
  }
  let end = index;
  let key = args.slice(0, end);
  let value: string | undefined;
  if (equals > 0) {
    key = args.slice(0, equals);
    value = args.slice(equals + 1, end);
    if (value.startsWith('"')) {
      value = value.slice(1);
      if (args[end - 1] === '"') value = value.slice(0, -1);
    }
  }
  if (wholeQuoted && index > 0 && args[index - 1] === '"') {
    end = index - 1;
    if (value === undefined) key = args.slice(0, end);
    else if (value.endsWith('"')) value = value.slice(0, -1);
  }
  return { found: { key, value }, rest: args.slice(index).replace(/^[\s\u00a0]+/, "") };
}

/** Dashes and underscores are one in names. Source: parameq. */
const sameName = (a: string, b: string): boolean =>
  a.replaceAll("-", "_") === b.replaceAll("-", "_");

/** What parsing came to: 0 or the first error, and the lines for the log. */
export interface ParametersSet {
  readonly errno: number;
  readonly log: readonly string[];
}

/** The parameters of one module in memory. */
export interface ParameterTable {
  readonly module: string;
  readonly address: bigint;
  readonly count: number;
}

/**
 * Sets the parameters that a text names. Unknown names are only logged. Source: parse_args,
 * parse_one.
 */
export function parseArguments(kernel: Kernel, table: ParameterTable, text: string): ParametersSet {
  const log: string[] = [];
  let rest = text.replace(/^[\s\u00a0]+/, "");
  while (rest !== "") {
    const { found, rest: left } = nextArgument(rest);
    rest = left;
    if (found.value === undefined && found.key === "--") {
      if (rest !== "") log.push(`${table.module}: parameters '${rest}' after \`--' ignored`);
      break;
    }
    const param = find(kernel, table, found.key);
    if (param === undefined) {
      log.push(`${table.module}: unknown parameter '${found.key}' ignored`);
      continue;
    }
    const errno = setOne(kernel, param, found.value);
    if (errno === 0) continue;
    const why = errno === ENOSPC ? "too large for" : "invalid for";
    log.push(`${table.module}: \`${found.value ?? ""}' ${why} parameter \`${found.key}'`);
    return { errno, log };
  }
  return { errno: 0, log };
}

function find(kernel: Kernel, table: ParameterTable, key: string): bigint | undefined {
  for (let index = 0; index < table.count; index++) {
    const param = table.address + BigInt(index) * KERNEL_PARAM_BYTES;
    if (sameName(cString(kernel, readValue(kernel, param + NAME_AT, 8)), key)) return param;
  }
  return undefined;
}

/** Calls the parameter's own `set`, as it stands in the memory of its ops. */
function setOne(kernel: Kernel, param: bigint, value: string | undefined): number {
  const ops = readValue(kernel, param + OPS_AT, 8);
  const noArgument = (readValue(kernel, ops + FLAGS_AT, 4) & FL_NOARG) !== 0n;
  if (value === undefined && !noArgument) return negative("EINVAL");
  let text = 0n;
  if (value !== undefined) {
    const buffer = kmalloc(kernel.heap, kernel.pages, value.length + 1);
    if (buffer === undefined) return negative("ENOMEM");
    writeString(kernel, buffer, fromLatin1(value));
    text = buffer;
  }
  return s32(kernel.call(readValue(kernel, ops + SET_AT, 8), [text, param]));
}

/** param_set_TYPE(val, kp) for numbers. Source: STANDARD_PARAM_DEF, kernel/params.c. */
function setNumber(sizeBytes: 1 | 2 | 4 | 8, isSigned: boolean): ExportedFunction {
  return (kernel, call) => {
    const parsed = parseNumber(cString(kernel, argument(call, 0)), 0, 8 * sizeBytes, isSigned);
    if ("errno" in parsed) return u64(parsed.errno);
    writeValue(kernel, readValue(kernel, argument(call, 1) + ARG_AT, 8), sizeBytes, parsed.value);
    return 0n;
  };
}

/** Booleans: no value at all is true. */
function setBool(sizeBytes: 1 | 4, inverted: boolean): ExportedFunction {
  return (kernel, call) => {
    const va = argument(call, 0);
    const parsed = parseBool(va === 0n ? "1" : cString(kernel, va));
    if ("errno" in parsed) return u64(parsed.errno);
    const value = inverted ? 1n - parsed.value : parsed.value;
    writeValue(kernel, readValue(kernel, argument(call, 1) + ARG_AT, 8), sizeBytes, value);
    return 0n;
  };
}

/** charp: a pointer to a copy of the text. */
const setCharp: ExportedFunction = (kernel, call) => {
  const text = fromLatin1(cString(kernel, argument(call, 0)));
  if (text.length > CHARP_MAX) return u64(ENOSPC);
  const copy = kmalloc(kernel.heap, kernel.pages, text.length + 1);
  if (copy === undefined) return u64(negative("ENOMEM"));
  writeString(kernel, copy, text);
  writeValue(kernel, readValue(kernel, argument(call, 1) + ARG_AT, 8), 8, copy);
  return 0n;
};

/** A string in a buffer: kp->str is {maxlen 0 (u32), string 8}. Source: param_set_copystring. */
const setCopystring: ExportedFunction = (kernel, call) => {
  const text = fromLatin1(cString(kernel, argument(call, 0)));
  const holder = readValue(kernel, argument(call, 1) + ARG_AT, 8);
  if (text.length + 1 > Number(readValue(kernel, holder, 4))) return u64(ENOSPC);
  writeString(kernel, readValue(kernel, holder + 8n, 8), text);
  return 0n;
};

/**
 * An array: kp->arr is {max 0 (u32), elemsize 4 (u32), num 8, ops 16, elem 24}; every element goes
 * through the
 * element's own `set`, with a kernel_param whose arg is the element. Source: param_array.
 */
const setArray: ExportedFunction = (kernel, call) => {
  const param = argument(call, 1);
  const array = readValue(kernel, param + ARG_AT, 8);
  const max = Number(readValue(kernel, array, 4));
  const elementBytes = readValue(kernel, array + 4n, 4);
  const countAt = readValue(kernel, array + 8n, 8);
  const elementOps = readValue(kernel, array + 16n, 8);
  const elements = readValue(kernel, array + 24n, 8);
  const values = cString(kernel, argument(call, 0)).split(",");
  const copy = kmalloc(kernel.heap, kernel.pages, Number(KERNEL_PARAM_BYTES));
  if (copy === undefined) return u64(negative("ENOMEM"));
  writeRange(kernel, copy, readRange(kernel, param, Number(KERNEL_PARAM_BYTES)));
  writeValue(kernel, copy + OPS_AT, 8, elementOps);
  for (const [index, value] of values.entries()) {
    if (index >= max) return u64(negative("EINVAL"));
    writeValue(kernel, copy + ARG_AT, 8, elements + elementBytes * BigInt(index));
    const errno = setOne(kernel, copy, value);
    if (errno !== 0) return u64(errno);
    if (countAt !== 0n) writeValue(kernel, countAt, 4, BigInt(index + 1));
  }
  return 0n;
};

/** param_set_TYPE by exported name. */
export const PARAMETER_FUNCTIONS: Readonly<Record<string, ExportedFunction>> = {
  param_set_byte: setNumber(1, false),
  param_set_short: setNumber(2, true),
  param_set_ushort: setNumber(2, false),
  param_set_int: setNumber(4, true),
  param_set_uint: setNumber(4, false),
  param_set_long: setNumber(8, true),
  param_set_ulong: setNumber(8, false),
  param_set_ullong: setNumber(8, false),
  param_set_hexint: setNumber(4, false),
  param_set_charp: setCharp,
  param_set_bool: setBool(1, false),
  param_set_invbool: setBool(1, true),
  param_set_bint: setBool(4, false),
  param_set_copystring: setCopystring,
  param_array_set: setArray,
};

/**
 * The objects that module_param names: which `set` each holds, and whether a value may be missing.
 */
export const PARAM_OPS: readonly {
  readonly name: string;
  readonly set: string;
  readonly noArgument: boolean;
}[] = [
  ...["byte", "short", "ushort", "int", "uint", "long", "ulong", "ullong", "hexint", "charp"].map(
    (type) => ({ name: `param_ops_${type}`, set: `param_set_${type}`, noArgument: false }),
  ),
  { name: "param_ops_bool", set: "param_set_bool", noArgument: true },
  { name: "param_ops_invbool", set: "param_set_invbool", noArgument: false },
  { name: "param_ops_bint", set: "param_set_bint", noArgument: true },
  { name: "param_ops_string", set: "param_set_copystring", noArgument: false },
  { name: "param_array_ops", set: "param_array_set", noArgument: false },
];
