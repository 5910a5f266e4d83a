// Whole modules relocated: symbols, veneers, and what the kernel refuses on the way.

import { describe, expect, test } from "vitest";
import { SHF, SHN, SHT, STB } from "../../../model/elf/elf-abi.ts";
import type { LoaderRules } from "../../../model/elf/layout.ts";
import { addressesOf, layoutSections } from "../../../model/elf/layout.ts";
import { readElf } from "../../../model/elf/read.ts";
import { relocate } from "../../../model/elf/relocate.ts";
import type { ExportedSymbols } from "../../../model/elf/resolve.ts";
import { resolveSymbols } from "../../../model/elf/resolve.ts";
import { kernVa } from "../../../spec/types/address.ts";
import type { ElfSpec, RelaSpec, SectionSpec, SymbolSpec } from "./build-elf.ts";
import { AX, buildElf, MODULE_SECTIONS, WA, words } from "./build-elf.ts";

const CORE = 0xffff_ffc0_0100_0000n;
const INIT = 0xffff_ffc0_0200_0000n;

const rules = (plts: boolean): LoaderRules => ({
  regions: "core and init",
  plts,
  ftracePlts: 2,
  spaceBytes: 2 ** 27,
});

/** Reads, lays out, resolves and relocates with the two regions above. */
function loaded(spec: ElfSpec, exported: ExportedSymbols, plts = false) {
  const read = readElf(buildElf(spec));
  if (!read.ok) throw new Error(read.error);
  const laidOut = layoutSections(read.elf, rules(plts));
  if (!laidOut.ok) throw new Error(laidOut.error);
  const bases = new Map([
    ["core" as const, kernVa(CORE)],
    ["init" as const, kernVa(INIT)],
  ]);
  const addresses = addressesOf(read.elf, laidOut.layout, bases);
  const resolved = resolveSymbols(read.elf, addresses, exported);
  if (!resolved.ok) return resolved;
  return relocate(read.elf, laidOut.layout, addresses, resolved.values);
}

/** The words of a section after a load that succeeds. */
function wordsOf(name: string, ...load: Parameters<typeof loaded>): readonly string[] {
  const result = loaded(...load);
  if (!result.ok) throw new Error(result.error);
  const { bytes } = result.sections.find((section) => section.name === name)!;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  return Array.from({ length: bytes.length / 4 }, (_, i) =>
    view.getUint32(i * 4, true).toString(16),
  );
}

const BL = 0x94000000;
const B = 0x14000000;
const text = (...insns: readonly number[]): SectionSpec => ({
  name: ".text",
  flags: AX,
  bytes: words(...insns),
  align: 4,
});
const spec = (
  sections: readonly SectionSpec[],
  symbols: readonly SymbolSpec[],
  relocations: readonly RelaSpec[],
): ElfSpec => ({ sections: [...sections, ...MODULE_SECTIONS], symbols, relocations });
const call = (offset: number, symbol: string, type = 283, addend = 0n): RelaSpec => ({
  target: ".text",
  offset,
  type,
  symbol,
  addend,
});
const nothing: ExportedSymbols = () => undefined;

describe("What a symbol is worth", () => {
  const pointer = (symbol: string, addend = 0n): RelaSpec => ({
    target: ".data",
    offset: 0,
    type: 257,
    symbol,
    addend,
  });
  const data: SectionSpec = { name: ".data", flags: WA, bytes: new Uint8Array(8), align: 8 };

  test("defined: its section's address and its offset, and the addend", () => {
    const module = spec(
      [text(0, 0), data],
      [{ name: "f", section: ".text", value: 4n }],
      [pointer("f", 1n)],
    );
    // .text is at the core's start: ...01000000 + 4 + 1.
    expect(wordsOf(".data", module, nothing)).toEqual(["1000005", "ffffffc0"]);
  });

  test("undefined: what is exported", () => {
    const module = spec([data], [{ name: "_printk", section: 0 }], [pointer("_printk")]);
    const exported: ExportedSymbols = (name) => (name === "_printk" ? 0x1234_5678n : undefined);
    expect(wordsOf(".data", module, exported)).toEqual(["12345678", "0"]);
  });

  test("undefined and exported by nobody: ENOENT, every name listed, the last decides", () => {
    const module = spec(
      [data],
      [
        { name: "one", section: 0 },
        { name: "two", section: 0 },
      ],
      [],
    );
    expect(loaded(module, nothing)).toEqual({
      ok: false,
      errno: "ENOENT",
      unknown: ["one", "two"],
      log: ["Unknown symbol one (err -2)", "Unknown symbol two (err -2)"],
      error: expect.stringMatching(/^Unknown symbol "two" \(err -2\) and 1 before it: /),
    });
  });

  test("weak and undefined: zero, or what is exported", () => {
    const module = spec([data], [{ name: "w", section: 0, bind: STB.WEAK }], [pointer("w")]);
    expect(wordsOf(".data", module, nothing)).toEqual(["0", "0"]);
    expect(wordsOf(".data", module, () => 5n)).toEqual(["5", "0"]);
  });

  test("absolute: itself", () => {
    const module = spec([data], [{ name: "abs", section: SHN.ABS, value: 7n }], [pointer("abs")]);
    expect(wordsOf(".data", module, nothing)).toEqual(["7", "0"]);
  });

  test("common: ENOEXEC, compile with -fno-common", () => {
    const module = spec([data], [{ name: "c", section: SHN.COMMON, value: 8n }], []);
    expect(loaded(module, nothing)).toMatchObject({
      ok: false,
      errno: "ENOEXEC",
      unknown: [],
      log: ["please compile with -fno-common"],
    });
  });

  test("in a section without memory: stops where it is used, not before", () => {
    const comment: SectionSpec = { name: ".comment", bytes: new Uint8Array(4) };
    const symbols = [{ name: "c", section: ".comment" }];
    expect(loaded(spec([data, comment], symbols, []), nothing).ok).toBe(true);
    const used = loaded(spec([data, comment], symbols, [pointer("c")]), nothing);
    expect(used).toMatchObject({ ok: false, errno: undefined });
    expect(used).toMatchObject({ error: expect.stringMatching(/memory that is not modelled/) });
  });
});

describe("What the kernel answers to relocations that it cannot apply", () => {
  const one = (type: number, exported: bigint) =>
    loaded(spec([text(0)], [{ name: "s", section: 0 }], [call(0, "s", type)]), () => exported);

  test("an unknown type: ENOEXEC", () => {
    expect(one(9999, 0n)).toMatchObject({ ok: false, errno: "ENOEXEC" });
    expect(one(9999, 0n)).toMatchObject({ error: expect.stringMatching(/RELA relocation: 9999/) });
  });

  test("one through a GOT: ENOEXEC, compile with -fno-pic", () => {
    expect(one(311, 0n)).toMatchObject({ error: expect.stringMatching(/-fno-pic/) });
  });

  test("an overflow: ENOEXEC with type and value", () => {
    expect(one(283, CORE + 0x800_0000n)).toMatchObject({
      ok: false,
      errno: "ENOEXEC",
      error: expect.stringMatching(/overflow in relocation type 283 .* 0xffffffc009000000/),
    });
    expect(one(283, CORE + 0x7ff_fffcn).ok).toBe(true);
  });

  test("REL: ENOEXEC; for livepatch, or past the section's end: only we stop", () => {
    const file = buildElf(spec([text(0)], [{ name: "s", section: 0 }], [call(0, "s", 257)]));
    const view = new DataView(file.buffer);
    const read = readElf(file);
    if (!read.ok) throw new Error(read.error);
    const rela = read.elf.sections.findIndex((section) => section.type === SHT.RELA);
    const header = Number(view.getBigUint64(40, true)) + rela * 64;
    const again = () => {
      const changed = readElf(file);
      if (!changed.ok) throw new Error(changed.error);
      const laidOut = layoutSections(changed.elf, rules(false));
      if (!laidOut.ok) throw new Error(laidOut.error);
      const addresses = changed.elf.sections.map(() => CORE);
      return relocate(changed.elf, laidOut.layout, addresses, [0n, 0n]);
    };
    // ABS64 needs 8 bytes, .text has 4.
    expect(again()).toMatchObject({ errno: undefined, error: expect.stringMatching(/ends first/) });
    view.setUint32(header + 8, SHF.RELA_LIVEPATCH, true);
    expect(again()).toMatchObject({ errno: undefined, error: expect.stringMatching(/livepatch/) });
    view.setUint32(header + 8, 0, true);
    view.setUint32(header + 4, SHT.REL, true);
    view.setBigUint64(header + 32, 16n, true);
    view.setBigUint64(header + 56, 16n, true);
    expect(again()).toMatchObject({ errno: "ENOEXEC", error: expect.stringMatching(/REL\)/) });
  });
});

describe("Veneers", () => {
  const plts: readonly SectionSpec[] = [
    { name: ".plt", bytes: new Uint8Array(1) },
    { name: ".init.plt", bytes: new Uint8Array(1) },
  ];
  const far = (...insns: readonly number[]) => [text(...insns), ...plts];
  const symbols = ["near", "a", "b"].map((name) => ({ name, section: 0 }));
  // a is 0x10001000 after the core's start: 0x10001 pages; b one page and eight bytes further.
  const exported: ExportedSymbols = (name) =>
    ({ near: CORE + 0x1000n, a: CORE + 0x1000_1234n, b: CORE + 0x1000_2008n })[name];

  // ADRP x16 of 0x10001 pages: immlo 1 << 29, immhi 0x4000 << 5 = 0x80000.
  // ADD #0x234 << 10 = 0x8d000.
  const TO_A = ["b0080010", "9108d210", "d61f0200"];
  // 0x10002 pages: immlo 2, immhi 0x4000. ADD #8 << 10 = 0x2000.
  const TO_B = ["d0080010", "91002210", "d61f0200"];
  const NONE = ["0", "0", "0"];

  test("a call that is too far goes through .plt; a near one does not", () => {
    const module = spec(far(BL, BL), symbols, [call(0, "a"), call(4, "near")]);
    // .text takes 8 bytes, .plt follows at 64. From 0 to 64: 16 words. From 4 to 0x1000: 0x3ff.
    expect(wordsOf(".text", module, exported, true)).toEqual(["94000010", "940003ff"]);
    expect(wordsOf(".plt", module, exported, true)).toEqual([...TO_A, ...NONE, ...NONE]);
  });

  test("without PLTs the same call is an overflow", () => {
    const module = spec(far(BL), symbols, [call(0, "a")]);
    expect(loaded(module, exported, false)).toMatchObject({
      ok: false,
      errno: "ENOEXEC",
      error: expect.stringMatching(/overflow in relocation type 283/),
    });
  });

  test("calls to one target share a veneer when they are sorted together", () => {
    // File order b a a a: sorted a a b, and the last a stays last: three veneers a, b, a.
    const module = spec(far(BL, BL, BL, BL), symbols, [
      call(0, "b"),
      call(4, "a"),
      call(8, "a"),
      call(12, "a"),
    ]);
    // .text 16 bytes, .plt at 64: a 64, b 76, a 88. (76-0)/4, (64-4)/4, (64-8)/4, (88-12)/4.
    expect(wordsOf(".text", module, exported, true)).toEqual([
      "94000013",
      "9400000f",
      "9400000e",
      "94000013",
    ]);
    expect(wordsOf(".plt", module, exported, true)).toEqual([...TO_A, ...TO_B, ...TO_A, ...NONE]);
  });

  test("an addend counts: jumps to a + 4 and to a get two", () => {
    const module = spec(far(B, B), symbols, [call(0, "a", 282, 4n), call(4, "a", 282)]);
    const [first, second] = wordsOf(".text", module, exported, true);
    // The first stays first: the sort has one element only, partition_branch_plt_relas stops short.
    expect([first, second]).toEqual(["14000010", "14000012"]);
    // #0x238 << 10 = 0x8e000.
    const toA4 = ["b0080010", "9108e210", "d61f0200"];
    expect(wordsOf(".plt", module, exported, true)).toEqual([...toA4, ...TO_A, ...NONE]);
  });

  test("init code takes veneers from .init.plt", () => {
    const initText: SectionSpec = { name: ".init.text", flags: AX, bytes: words(BL), align: 4 };
    const module = spec([initText, ...plts], symbols, [
      { target: ".init.text", offset: 0, type: 283, symbol: "a" },
    ]);
    // .init.text 4 bytes, .init.plt at 64; INIT is 0x1000000 after CORE: 0xf001 pages: immlo 1,
    // immhi 0x3c00 << 5 = 0x78000.
    expect(wordsOf(".init.text", module, exported, true)).toEqual(["94000010"]);
    expect(wordsOf(".init.plt", module, exported, true)).toEqual([
      "b0078010",
      "9108d210",
      "d61f0200",
      ...NONE,
    ]);
    expect(wordsOf(".plt", module, exported, true)).toEqual(NONE);
  });

  test("a branch in its own section gets no room: too far there is ENOEXEC", () => {
    const module = spec(
      far(B),
      [{ name: "own", section: ".text", value: 0x1000_0000n }],
      [call(0, "own", 282)],
    );
    expect(loaded(module, exported, true)).toMatchObject({ ok: false, errno: "ENOEXEC" });
  });
});

test("Sections are copies: the file's bytes stay as they were, also those of a Buffer", () => {
  const built = buildElf(spec([text(BL)], [{ name: "s", section: 0 }], [call(0, "s")]));
  const file = Buffer.from(built);
  const before = Buffer.from(built);
  const read = readElf(file);
  if (!read.ok) throw new Error(read.error);
  const laidOut = layoutSections(read.elf, rules(false));
  if (!laidOut.ok) throw new Error(laidOut.error);
  const result = relocate(
    read.elf,
    laidOut.layout,
    read.elf.sections.map(() => CORE),
    [0n, CORE],
  );
  expect(result.ok).toBe(true);
  expect(file).toEqual(before);
});
