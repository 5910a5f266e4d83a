// Module parameters: how the kernel cuts a parameter string, and what it writes where.

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { EXPORTED_FUNCTIONS } from "../../../model/kernel/exported/exported.ts";
import { kmalloc } from "../../../model/kernel/exported/heap.ts";
import { allocPages } from "../../../model/kernel/exported/page-allocator.ts";
import {
  nextArgument,
  parseArguments,
} from "../../../model/kernel/exported/parameter-functions.ts";
import { benchKernel, MAPPED, signed } from "./bench-kernel.ts";

test.each([
  ["a=1 b=2", "a", "1", "b=2"],
  ["flag b", "flag", undefined, "b"],
  ['a="x y" b', "a", "x y", "b"],
  ['"a=x y" b', "a", "x y", "b"],
  ['a=x" "y b', "a", 'x" "y', "b"],
  ["a=", "a", "", ""],
  ["=x", "=x", undefined, ""],
  ["a=b=c", "a", "b=c", ""],
  ['a="', "a", "", ""],
  ["--  rest", "--", undefined, "rest"],
])("next_arg of %j", (text, key, value, rest) => {
  expect(nextArgument(text)).toEqual({ found: { key, value }, rest });
});

test("any text is cut in a bounded number of pieces", () => {
  fc.assert(
    fc.property(
      fc.string({ unit: fc.constantFrom(" ", '"', "=", "a", "-"), maxLength: 60 }),
      (text) => {
        let rest = text.trimStart();
        let pieces = 0;
        while (rest !== "") {
          rest = nextArgument(rest).rest;
          pieces++;
          expect(pieces).toBeLessThanOrEqual(text.length);
        }
      },
    ),
    { seed: 3, numRuns: 500 },
  );
});

/** A module with four parameters: seq charp, el1ret int, on bool, list int array of at most 3. */
function module() {
  const bench = benchKernel();
  const { kernel, put } = bench;
  const word = (at: number, value: bigint): void =>
    kernel.memory.write(MAPPED + BigInt(at), new Uint8Array(BigUint64Array.of(value).buffer));
  const names = new Map<bigint, string>();
  const ops = (at: number, set: string, flags: bigint): bigint => {
    word(at, flags);
    word(at + 8, 0xf000_0000n + BigInt(at));
    names.set(0xf000_0000n + BigInt(at), set);
    return MAPPED + BigInt(at);
  };
  const opsInt = ops(0x40, "param_set_int", 0n);
  const params: [string, bigint, bigint][] = [
    ["seq", ops(0x00, "param_set_charp", 0n), MAPPED + 0x400n],
    ["el1_ret", opsInt, MAPPED + 0x410n],
    ["on", ops(0x80, "param_set_bool", 1n), MAPPED + 0x420n],
    ["list", ops(0xc0, "param_array_set", 0n), MAPPED + 0x500n],
  ];
  params.forEach(([name, opsAt, arg], n) => {
    const at = 0x100 + 40 * n;
    word(at, put(0x300 + 16 * n, name));
    word(at + 16, opsAt);
    word(at + 32, arg);
  });
  word(0x500, (4n << 32n) | 3n);
  word(0x508, MAPPED + 0x540n);
  word(0x510, opsInt);
  word(0x518, MAPPED + 0x550n);
  const withCalls = {
    ...kernel,
    call: (address: bigint, args: readonly bigint[]): bigint =>
      EXPORTED_FUNCTIONS.get(names.get(address)!)!(withCalls, { x: args, sp: 0n })!,
  };
  const table = { module: "ovm", address: MAPPED + 0x100n, count: params.length };
  const read = (at: number, size: number): bigint =>
    BigInt(
      `0x${Buffer.from(kernel.memory.read(MAPPED + BigInt(at), size))
        .reverse()
        .toString("hex")}`,
    );
  return { ...bench, read, set: (text: string) => parseArguments(withCalls, table, text) };
}

describe("parse_args", () => {
  test("charp points to a copy, int and bool hold values; dashes are underscores", () => {
    const { set, read, kernel } = module();
    expect(set("seq=load,reg el1-ret=-5 on")).toEqual({ errno: 0, log: [] });
    const copy = read(0x400, 8);
    expect(Buffer.from(kernel.memory.read(copy, 9)).toString()).toBe("load,reg\0");
    expect(read(0x410, 4)).toBe(0xffff_fffbn);
    expect(read(0x420, 1)).toBe(1n);
  });

  // Source: param_set_charp, kernel/params.c: kmalloc_parameter.
  test("charp without memory for the copy is -ENOMEM", () => {
    const { call, kernel, put } = benchKernel();
    // A struct kernel_param of zeros but for its arg, at 32.
    const place = BigUint64Array.of(MAPPED + 0x400n);
    kernel.memory.write(MAPPED + 0x120n, new Uint8Array(place.buffer));
    const set = () => signed(call("param_set_charp", put(0x300, "load"), MAPPED + 0x100n));
    expect(set()).toBe(0);
    while (allocPages(kernel.pages, 0) !== undefined);
    while (kmalloc(kernel.heap, kernel.pages, 8) !== undefined);
    expect(set()).toBe(-12);
  });

  test("an unknown name is only logged, and the rest is set", () => {
    const { set, read } = module();
    expect(set("nope=1 el1_ret=3")).toEqual({
      errno: 0,
      log: ["ovm: unknown parameter 'nope' ignored"],
    });
    expect(read(0x410, 4)).toBe(3n);
  });

  test("a bad value ends it with -EINVAL, a missing one too, a long one with -ENOSPC", () => {
    expect(module().set("el1_ret=x seq=a")).toEqual({
      errno: -22,
      log: ["ovm: `x' invalid for parameter `el1_ret'"],
    });
    expect(module().set("seq").errno).toBe(-22);
    expect(module().set("el1_ret=99999999999").errno).toBe(-34);
    const long = module().set(`seq=${"a".repeat(1025)}`);
    expect(long.errno).toBe(-28);
    expect(long.log[0]).toMatch(/^ovm: `a+' too large for parameter `seq'$/);
  });

  test("what stands behind -- is not looked at", () => {
    const { set, read } = module();
    expect(set("el1_ret=1 -- el1_ret=2")).toEqual({
      errno: 0,
      log: ["ovm: parameters 'el1_ret=2' after `--' ignored"],
    });
    expect(read(0x410, 4)).toBe(1n);
  });

  test("an array takes up to its size and counts", () => {
    const { set, read } = module();
    expect(set("list=1,2,3").errno).toBe(0);
    expect([read(0x550, 4), read(0x554, 4), read(0x558, 4), read(0x540, 4)]).toEqual([
      1n,
      2n,
      3n,
      3n,
    ]);
    expect(module().set("list=1,2,3,4").errno).toBe(-22);
    expect(module().set("list=1,,3").errno).toBe(-22);
  });
});
