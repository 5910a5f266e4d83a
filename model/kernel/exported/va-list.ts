// Where a variadic function finds its next argument: in registers, on the stack, or through a
// va_list.

import { type Kernel, type KernelCall, readValue, u64 } from "./kernel.ts";

/** Gives the next general-purpose argument, 64 bits as it was passed. */
export type NextArgument = () => bigint;

/**
 * The arguments after the first `named` ones: the rest of x0 to x7, then the stack, 8 bytes each.
 * Source: AAPCS64 6.8.2, stage C, integral arguments; 6.1 as Linux passes variadic arguments.
 */
export function variadic(kernel: Kernel, call: KernelCall, named: number): NextArgument {
  let index = named;
  return () => {
    const n = index++;
    if (n < 8) return call.x[n] ?? 0n;
    return readValue(kernel, u64(call.sp + BigInt(8 * (n - 8))), 8);
  };
}

/**
 * The arguments of a va_list in memory; it is advanced there, as the callee's own copy is.
 * Source: AAPCS64 appendix, "The va_list type": __stack 0, __gr_top 8, __vr_top 16, __gr_offs 24,
 * __vr_offs 28.
 */
export function fromVaList(kernel: Kernel, va: bigint): NextArgument {
  let stack = readValue(kernel, va, 8);
  const registersTop = readValue(kernel, u64(va + 8n), 8);
  let registersLeft = BigInt.asIntN(32, readValue(kernel, u64(va + 24n), 4));
  return () => {
    if (registersLeft < 0n) {
      const at = u64(registersTop + registersLeft);
      registersLeft += 8n;
      return readValue(kernel, at, 8);
    }
    const at = stack;
    stack = u64(stack + 8n);
    return readValue(kernel, at, 8);
  };
}
