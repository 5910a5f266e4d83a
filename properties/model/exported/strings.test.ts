// The kernel's string and memory functions: results worked out from their contracts.

import { describe, expect, test } from "vitest";
import { benchKernel, MAPPED, signed } from "./bench-kernel.ts";

describe("memory functions", () => {
  test("memset fills across pages and answers its destination", () => {
    const { call, get, put } = benchKernel();
    put(0x1ffe, "....");
    expect(call("memset", MAPPED + 0x1fffn, 0x41, 2)).toBe(MAPPED + 0x1fffn);
    expect(get(0x1ffe, 4)).toBe(".AA.");
  });

  test("memcpy of overlapping ranges keeps the source, as memmove does", () => {
    const { call, get, put } = benchKernel();
    put(0x100, "abcdef");
    call("memcpy", MAPPED + 0x102n, MAPPED + 0x100n, 4);
    expect(get(0x100, 6)).toBe("ababcd");
  });

  test("memcmp compares unsigned bytes, memchr and memchr_inv find or answer NULL", () => {
    const { call, put } = benchKernel();
    const a = put(0x100, Uint8Array.of(1, 0xff, 3));
    const b = put(0x200, Uint8Array.of(1, 0x02, 9));
    expect(signed(call("memcmp", a, b, 3))).toBeGreaterThan(0);
    expect(signed(call("memcmp", b, a, 3))).toBeLessThan(0);
    expect(call("memcmp", a, b, 1)).toBe(0n);
    expect(call("memchr", a, 3, 3)).toBe(a + 2n);
    expect(call("memchr", a, 3, 2)).toBe(0n);
    expect(call("memchr_inv", a, 1, 3)).toBe(a + 1n);
  });

  test("an absurd size stops with the function's name; a fault with the address", () => {
    const { call } = benchKernel();
    expect(() => call("memset", MAPPED, 0, 1n << 40n)).toThrow(
      expect.objectContaining({ kernelStop: "unbounded", what: "memset of 1099511627776 bytes" }),
    );
    expect(() => call("memset", 0x10n, 0, 1)).toThrow(
      expect.objectContaining({ kernelStop: "fault", what: "0x10" }),
    );
  });
});

describe("string functions", () => {
  test("lengths", () => {
    const { call, put } = benchKernel();
    const hello = put(0x100, "hello");
    expect(call("strlen", hello)).toBe(5n);
    expect(call("strnlen", hello, 3)).toBe(3n);
    expect(call("strnlen", hello, 0xffff_ffff_ffff_ffffn)).toBe(5n);
  });

  test("comparisons answer -1, 0 or 1", () => {
    const { call, put } = benchKernel();
    const [load, loadfail] = [put(0x100, "load"), put(0x200, "loadfail")];
    expect(signed(call("strcmp", load, loadfail))).toBe(-1);
    expect(signed(call("strcmp", loadfail, load))).toBe(1);
    expect(call("strncmp", load, loadfail, 4)).toBe(0n);
    expect(call("strcasecmp", put(0x300, "LoAd"), load)).toBe(0n);
    // Bytes above 0x7f are large, not negative.
    expect(signed(call("strcmp", put(0x400, "\xff"), put(0x500, "a")))).toBe(1);
  });

  test("strscpy truncates, ends and says -E2BIG", () => {
    const { call, get, put } = benchKernel();
    const source = put(0x100, "abcdef");
    put(0x200, "........");
    expect(signed(call("strscpy", MAPPED + 0x200n, source, 4))).toBe(-7);
    expect(get(0x200, 5)).toBe("abc\0.");
    expect(signed(call("strscpy", MAPPED + 0x200n, source, 7))).toBe(6);
    expect(get(0x200, 8)).toBe("abcdef\0.");
    expect(signed(call("strscpy", MAPPED + 0x200n, source, 0))).toBe(-7);
  });

  test("strlcpy answers the source's length, strncpy pads with zeros", () => {
    const { call, get, put } = benchKernel();
    const source = put(0x100, "abc");
    put(0x200, "........");
    expect(call("strlcpy", MAPPED + 0x200n, source, 2)).toBe(3n);
    expect(get(0x200, 3)).toBe("a\0.");
    call("strncpy", MAPPED + 0x200n, source, 6);
    expect(get(0x200, 7)).toBe("abc\0\0\0.");
  });

  test("strsep cuts fields, keeps empty ones, and ends with NULL", () => {
    const { call, get, put, kernel } = benchKernel();
    const text = put(0x100, "load,,reg");
    kernel.memory.write(MAPPED + 0x200n, new Uint8Array(new BigUint64Array([text]).buffer));
    const comma = put(0x300, ",");
    const next = () => call("strsep", MAPPED + 0x200n, comma);
    expect(next()).toBe(text);
    expect(get(0x100, 5)).toBe("load\0");
    expect(next()).toBe(text + 5n);
    expect(next()).toBe(text + 6n);
    expect(next()).toBe(0n);
  });

  test("searches", () => {
    const { call, put } = benchKernel();
    const path = put(0x100, "a/b/c");
    expect(call("strchr", path, 0x2f)).toBe(path + 1n);
    expect(call("strrchr", path, 0x2f)).toBe(path + 3n);
    expect(call("strchr", path, 0)).toBe(path + 5n);
    expect(call("strchrnul", path, 0x78)).toBe(path + 5n);
    expect(call("strnchr", path, 1, 0x2f)).toBe(0n);
    expect(call("strstr", path, put(0x200, "b/c"))).toBe(path + 2n);
    expect(call("strstr", path, put(0x200, ""))).toBe(path);
    expect(call("strstr", path, put(0x200, "cont"))).toBe(0n);
    expect(call("strspn", path, put(0x200, "a/"))).toBe(2n);
    expect(call("strcspn", path, put(0x200, "b"))).toBe(2n);
  });

  test("strim and skip_spaces", () => {
    const { call, get, put } = benchKernel();
    const text = put(0x100, " \tx y \n");
    expect(call("skip_spaces", text)).toBe(text + 2n);
    expect(call("strim", text)).toBe(text + 2n);
    expect(get(0x102, 4)).toBe("x y\0");
  });

  test("a string without an end stops, at the end of memory or at the limit", () => {
    const { call, put } = benchKernel();
    put(0x3f000, new Uint8Array(0x1000).fill(0x61));
    expect(() => call("strlen", MAPPED + 0x3f000n)).toThrow(
      expect.objectContaining({ kernelStop: "fault", what: "0xffffff8000040000" }),
    );
  });
});

describe("numbers", () => {
  const parse = (name: string, text: string, base: number): number => {
    const { call, put } = benchKernel();
    return signed(call(name, put(0x100, text), base, MAPPED + 0x200n));
  };

  test.each([
    ["kstrtoint", "12", 0, 0],
    ["kstrtoint", "12\n", 0, 0],
    ["kstrtoint", "+12", 0, 0],
    ["kstrtoint", "-12", 0, 0],
    ["kstrtoint", "-+12", 0, -22],
    ["kstrtoint", "", 0, -22],
    ["kstrtoint", "12x", 0, -22],
    ["kstrtoint", " 12", 0, -22],
    ["kstrtoint", "12\n\n", 0, -22],
    ["kstrtoint", "2147483647", 10, 0],
    ["kstrtoint", "2147483648", 10, -34],
    ["kstrtoint", "-2147483648", 10, 0],
    ["kstrtoint", "-2147483649", 10, -34],
    ["kstrtouint", "-1", 10, -22],
    ["kstrtou8", "256", 10, -34],
    ["kstrtoull", "18446744073709551615", 10, 0],
    ["kstrtoull", "18446744073709551616", 10, -34],
    ["kstrtoint", "0x", 16, -22],
  ])("%s(%j, %d) is %d", (name, text, base, expected) => {
    expect(parse(name, text, base)).toBe(expected);
  });

  test("bases by prefix, and what is stored has the size of the type", () => {
    const { call, get, put, kernel } = benchKernel();
    const stored = (text: string): bigint => {
      kernel.memory.write(MAPPED + 0x200n, new Uint8Array(8).fill(0xee));
      expect(call("kstrtoint", put(0x100, text), 0, MAPPED + 0x200n)).toBe(0n);
      return Buffer.from(get(0x200, 8), "latin1").readBigUInt64LE();
    };
    expect(stored("0x1f")).toBe(0xeeee_eeee_0000_001fn);
    expect(stored("017")).toBe(0xeeee_eeee_0000_000fn);
    expect(stored("-2")).toBe(0xeeee_eeee_ffff_fffen);
  });

  test("simple_strtol stops at what is no digit and says where", () => {
    const { call, get, put } = benchKernel();
    const text = put(0x100, "-12abc");
    expect(signed(call("simple_strtol", text, MAPPED + 0x200n, 10))).toBe(-12);
    expect(Buffer.from(get(0x200, 8), "latin1").readBigUInt64LE()).toBe(text + 3n);
    expect(call("simple_strtoul", put(0x100, "0x80"), 0, 0)).toBe(0x80n);
    expect(call("simple_strtol", put(0x100, ""), 0, 0)).toBe(0n);
  });

  test("kstrtobool", () => {
    const { call, get, put } = benchKernel();
    const read = (text: string): [number, number] => {
      put(0x200, "\x07");
      const errno = signed(call("kstrtobool", put(0x100, text), MAPPED + 0x200n));
      return [errno, get(0x200, 1).charCodeAt(0)];
    };
    for (const yes of ["y", "Y1", "1", "true", "on", "ON"]) expect(read(yes)).toEqual([0, 1]);
    for (const no of ["n", "N", "0", "false", "off"]) expect(read(no)).toEqual([0, 0]);
    for (const bad of ["", "2", "o", "x"]) expect(read(bad)).toEqual([-22, 7]);
  });
});
