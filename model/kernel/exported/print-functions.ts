// printk and the printing into buffers. Source: kernel/printk/printk.c, lib/vsprintf.c,
// lib/kasprintf.c (linux 6.1).

import { format } from "./format.ts";
import { kmalloc } from "./heap.ts";
import {
  argument,
  cString,
  type ExportedFunction,
  fromLatin1,
  type Kernel,
  type KernelCall,
  stop,
  u64,
} from "./kernel.ts";
import { writeString } from "./string-functions.ts";
import { fromVaList, type NextArgument, variadic } from "./va-list.ts";

/** Longest text of one printk. Source: PRINTKRB_RECORD_MAX 1024 (LOG_LINE_MAX in older trees). */
const RECORD_MAX = 1024;

/** Source: KERN_SOH, linux/kern_levels.h. */
const KERN_SOH = "\u0001";

/**
 * The level in front of the text: KERN_SOH and a digit, or `c`. Source: printk_get_level,
 * linux/printk.h.
 */
function logLevel(text: string): { readonly level: number | undefined; readonly body: string } {
  const mark = text[1] ?? "";
  if (text[0] !== KERN_SOH || !/^[0-7c]$/.test(mark)) return { level: undefined, body: text };
  return { level: mark === "c" ? undefined : Number(mark), body: text.slice(2) };
}

function print(kernel: Kernel, template: bigint, next: NextArgument): bigint {
  const { level, body } = logLevel(format(kernel, cString(kernel, template), next));
  const kept = body.slice(0, RECORD_MAX);
  kernel.print(level, kept);
  return u64(kept.length);
}

const printk: ExportedFunction = (kernel, call) =>
  print(kernel, argument(call, 0), variadic(kernel, call, 1));

const vprintk: ExportedFunction = (kernel, call) =>
  print(kernel, argument(call, 0), fromVaList(kernel, argument(call, 1)));

/**
 * What follows is a BRK that the kernel's bug table knows. Source: __warn_printk, kernel/panic.c.
 */
const warnPrintk: ExportedFunction = (kernel, call) => {
  print(kernel, argument(call, 0), variadic(kernel, call, 1));
  return undefined;
};

const panic: ExportedFunction = (kernel, call) => {
  const template = cString(kernel, argument(call, 0));
  throw stop("panic", format(kernel, template, variadic(kernel, call, 1)).trimEnd());
};

/**
 * Puts text in a buffer of `size` bytes and ends it; the kernel refuses sizes beyond INT_MAX with a
 * warning.
 */
function intoBuffer(kernel: Kernel, call: KernelCall, size: bigint, text: string): void {
  if (size === 0n || size > 0x7fff_ffffn) return;
  const room = Math.min(Number(size) - 1, text.length);
  writeString(kernel, argument(call, 0), fromLatin1(text.slice(0, room)));
}

/** snprintf answers what would have been written, scnprintf what was. */
function bounded(listed: boolean, answersWritten: boolean): ExportedFunction {
  return (kernel, call) => {
    const size = argument(call, 1);
    if (size > 0x7fff_ffffn) return 0n;
    const next = listed ? fromVaList(kernel, argument(call, 3)) : variadic(kernel, call, 3);
    const text = format(kernel, cString(kernel, argument(call, 2)), next);
    intoBuffer(kernel, call, size, text);
    const written = Math.max(0, Math.min(Number(size) - 1, text.length));
    return u64(answersWritten ? written : text.length);
  };
}

/** sprintf trusts the buffer. */
function unbounded(listed: boolean): ExportedFunction {
  return (kernel, call) => {
    const next = listed ? fromVaList(kernel, argument(call, 2)) : variadic(kernel, call, 2);
    const text = format(kernel, cString(kernel, argument(call, 1)), next);
    writeString(kernel, argument(call, 0), fromLatin1(text));
    return u64(text.length);
  };
}

/** kasprintf(gfp, fmt, …): a buffer of the right size, or NULL. */
const kasprintf: ExportedFunction = (kernel, call) => {
  const text = format(kernel, cString(kernel, argument(call, 1)), variadic(kernel, call, 2));
  const buffer = kmalloc(kernel.heap, kernel.pages, text.length + 1);
  if (buffer === undefined) return 0n;
  writeString(kernel, buffer, fromLatin1(text));
  return buffer;
};

const dumpStack: ExportedFunction = (kernel) => {
  kernel.print(undefined, "dump_stack\n");
  return undefined;
};

/** By exported name; `printk` is what trees before 5.15 export. */
export const PRINT_FUNCTIONS: Readonly<Record<string, ExportedFunction>> = {
  _printk: printk,
  printk,
  vprintk,
  __warn_printk: warnPrintk,
  panic,
  snprintf: bounded(false, false),
  scnprintf: bounded(false, true),
  vsnprintf: bounded(true, false),
  vscnprintf: bounded(true, true),
  sprintf: unbounded(false),
  vsprintf: unbounded(true),
  kasprintf,
  dump_stack: dumpStack,
};
