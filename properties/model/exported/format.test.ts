// The format language of printk, against results worked out from printk-formats.rst and C.

import fc from "fast-check";
import { expect, test } from "vitest";
import { benchKernel, MAPPED, signed } from "./bench-kernel.ts";

/** What printk logs for a format and its arguments. */
function printed(template: string, ...args: readonly (bigint | number)[]): string {
  const { call, log, put } = benchKernel();
  put(0x800, "text");
  call("_printk", put(0x100, template), ...args);
  return log.join("|").replace(/^-:/, "");
}

const TEXT = MAPPED + 0x800n;

test.each([
  ["%d", [-5], "-5"],
  ["%d", [0xffff_ffff_8000_0000n], "-2147483648"],
  ["%u", [-1], "4294967295"],
  ["%ld %lu", [-1, -1], "-1 18446744073709551615"],
  ["%hd %hhu", [0x1_8000n, 0x1ff], "-32768 255"],
  ["%x %X %#x %#o %o", [255, 255, 255, 8, 8], "ff FF 0xff 010 10"],
  ["%lx|%llx|%zx", [1n << 40n, 1n << 41n, 1n << 42n], "10000000000|20000000000|40000000000"],
  ["[%5d][%-5d][%05d][%+d][% d]", [42, 42, -42, 42, 42], "[   42][42   ][-0042][+42][ 42]"],
  ["[%.3d][%6.3d][%08.3x]", [5, 5, 0xab], "[005][   005][000000ab]"],
  ["[%*d][%-*d][%.*s]", [4, 7, 4, 7, 2, TEXT], "[   7][7   ][te]"],
  ["[%*d]", [-4, 7], "[7   ]"],
  ["%#010x", [0xabc], "0x00000abc"],
  ["%c%c%%", [0x41, 0x1_42n], "AB%"],
  ["[%s][%6s][%-6s][%.2s]", [TEXT, TEXT, TEXT, TEXT], "[text][  text][text  ][te]"],
  ["%s %s", [0, 5], "(null) (efault)"],
  ["%p %px", [0xabc, 0xabc], "0000000000000abc 0000000000000abc"],
  ["%pK|%pS", [0xffff_ffc0_0800_0000n, 0x10], "ffffffc008000000|0x10"],
  ["%pe %pe", [-22, 0x1000], "-EINVAL 0000000000001000"],
  ["%*ph|%3phC|%3phN", [2, TEXT, TEXT, TEXT], "74 65|74:65:78|746578"],
  ['{"n":%d,"a0":"0x%lx"}', [3, 0xffff_ffff_ffff_ffffn], '{"n":3,"a0":"0xffffffffffffffff"}'],
] as const)("%s", (template, args, expected) => {
  expect(printed(template, ...args)).toBe(expected);
});

test("arguments after the eighth register come from the stack", () => {
  // x0 is the format: seven arguments in registers, the rest on the stack.
  expect(printed("%d %d %d %d %d %d %d %d %d", 1, 2, 3, 4, 5, 6, 7, 8, 9)).toBe(
    "1 2 3 4 5 6 7 8 9",
  );
});

test("the level in front of the text is taken off", () => {
  const { call, log, put } = benchKernel();
  const length = call("_printk", put(0x100, "\u00016ORC %d\n"), 7);
  call("_printk", put(0x100, "\u0001cmore"), 0);
  call("_printk", put(0x100, "plain"), 0);
  expect(log).toEqual(["6:ORC 7\n", "-:more", "-:plain"]);
  expect(length).toBe(6n);
});

test("an unknown conversion is named and ends the text; one of %p is named and goes on", () => {
  expect(printed("a%qb%d", 1)).toBe("a[unknown conversion %q]");
  expect(printed("a%", 1)).toBe("a[unknown conversion %]");
  expect(printed("%pZ9 %d", 1, 2)).toBe("[unknown conversion %pZ9] 2");
  expect(printed("%n", 1)).toBe("[unknown conversion %n]");
});

test("snprintf answers what it would write, scnprintf what it wrote", () => {
  const { call, get, put } = benchKernel();
  const template = put(0x100, "%d-%d");
  put(0x200, "........");
  expect(call("snprintf", MAPPED + 0x200n, 4, template, 123, 456)).toBe(7n);
  expect(get(0x200, 5)).toBe("123\0.");
  expect(call("scnprintf", MAPPED + 0x200n, 4, template, 123, 456)).toBe(3n);
  expect(call("snprintf", 0, 0, template, 123, 456)).toBe(7n);
  expect(call("scnprintf", 0, 0, template, 123, 456)).toBe(0n);
  expect(call("sprintf", MAPPED + 0x200n, template, 1, 2)).toBe(3n);
  expect(get(0x200, 5)).toBe("1-2\0.");
});

test("kasprintf gives a buffer of its own with the text, NULL without memory", () => {
  const { call, kernel, put } = benchKernel();
  const template = put(0x100, "cpu%d");
  const buffer = call("kasprintf", 0n, template, 3)!;
  expect(Buffer.from(kernel.memory.read(buffer, 5)).toString("latin1")).toBe("cpu3\0");
  while (call("__get_free_pages", 0n, 0n) !== 0n);
  const long = put(0x200, "x".repeat(100));
  expect(call("kasprintf", 0n, long)).toBe(0n);
});

test("vsnprintf reads a va_list: first what is left of the registers, then the stack", () => {
  const { call, get, put, kernel } = benchKernel();
  const words = (at: bigint, values: readonly bigint[]) =>
    kernel.memory.write(at, new Uint8Array(BigUint64Array.from(values).buffer));
  // Two registers left: gr_offs is -16, gr_top is the end of the save area.
  words(MAPPED + 0x400n, [11n, 22n]);
  words(MAPPED + 0x500n, [33n]);
  words(MAPPED + 0x600n, [MAPPED + 0x500n, MAPPED + 0x410n, 0n, 0xffff_fff0n]);
  call("vsnprintf", MAPPED + 0x200n, 64, put(0x100, "%d %d %d"), MAPPED + 0x600n);
  expect(get(0x200, 9)).toBe("11 22 33\0");
  // struct va_format for %pV.
  words(MAPPED + 0x700n, [put(0x300, "<%d>"), MAPPED + 0x600n]);
  call("snprintf", MAPPED + 0x200n, 64, put(0x100, "%pV!"), MAPPED + 0x700n);
  expect(get(0x200, 6)).toBe("<11>!\0");
});

// CHOICE: the kernel goes on until its stack is full; here a format that holds itself ends.
test("a %pV of itself ends, and says so", () => {
  const { kernel, call, put, get } = benchKernel();
  const word = (va: bigint, value: bigint): void => {
    kernel.memory.write(va, new Uint8Array(BigUint64Array.of(value).buffer));
  };
  const [list, va] = [MAPPED + 0x600n, MAPPED + 0x700n];
  // No arguments in registers; the first on the stack is the format that holds them.
  [MAPPED + 0x500n, 0n, 0n, 0n].forEach((value, n) => {
    word(list + BigInt(8 * n), value);
  });
  word(MAPPED + 0x500n, va);
  word(va, put(0x300, "<%pV"));
  word(va + 8n, list);
  call("snprintf", MAPPED + 0x200n, 64, put(0x100, "%pV"), va);
  expect(get(0x200, 63)).toMatch(/^<+\[%pV nested too deeply\]\0/);
});

test("any bytes as a format end in text or in a fault, never in a crash", () => {
  fc.assert(
    fc.property(
      fc.uint8Array({ minLength: 0, maxLength: 40 }),
      fc.array(fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }), { maxLength: 12 }),
      fc.array(fc.constantFrom("%", "d", "s", "p", "*", ".", "0", "l", "V", "-", "9"), {
        maxLength: 20,
      }),
      (noise, args, spice) => {
        const { call, put } = benchKernel();
        const template = put(0x100, spice.join("") + Buffer.from(noise).toString("latin1"));
        try {
          const length = signed(call("_printk", template, ...args));
          expect(length).toBeLessThanOrEqual(1024);
        } catch (thrown) {
          expect(thrown).toMatchObject({ kernelStop: "fault" });
        }
      },
    ),
    { seed: 20261123, numRuns: 2000 },
  );
});

test("panic and the stack protector end the kernel with their text", () => {
  const { call, put } = benchKernel();
  expect(() => call("panic", put(0x100, "no %s\n"), put(0x200, "luck"))).toThrow(
    expect.objectContaining({ kernelStop: "panic", what: "no luck" }),
  );
  expect(() => call("__stack_chk_fail")).toThrow(expect.objectContaining({ kernelStop: "panic" }));
});
