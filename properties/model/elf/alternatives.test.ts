// Which of two versions of its code a module keeps, and how the other one is moved in.

import { describe, expect, test } from "vitest";
import { consecutiveBases } from "../../../model/elf/layout.ts";
import type { Loader } from "../../../model/elf/load.ts";
import { loadModule, readModule } from "../../../model/elf/load.ts";
import { kernVa } from "../../../spec/types/address.ts";
import { A, AX, buildElf, MODULE_SECTIONS, words } from "./build-elf.ts";

const BASE = kernVa(0xffff_ffc0_0100_0000n);
const NOP = 0xd503201f;
const [CAP, CALLBACK] = [27, 0x8000];

interface Entry {
  /** Word of .text that is replaced, and word that replaces it. */
  readonly original: number;
  readonly replacement: number;
  readonly count?: number;
  readonly replacementCount?: number;
  readonly capability?: number;
}

/** Loads a module with that code at BASE; .altinstructions begins the page after it. */
function load(code: readonly number[], entry: Entry, change: Partial<Loader> = {}) {
  const { original, replacement, count = 1, capability = CAP } = entry;
  const { replacementCount = count } = entry;
  const bytes = new Uint8Array(12);
  const view = new DataView(bytes.buffer);
  const table = Math.ceil((4 * code.length) / 4096) * 4096;
  view.setInt32(0, 4 * original - table, true);
  view.setInt32(4, 4 * replacement - (table + 4), true);
  view.setUint16(8, capability, true);
  view.setUint8(10, 4 * count);
  view.setUint8(11, 4 * replacementCount);
  const file = buildElf({
    sections: [
      { name: ".text", flags: AX, bytes: words(...code), align: 4 },
      { name: ".altinstructions", flags: A, bytes },
      ...MODULE_SECTIONS,
    ],
  });
  const read = readModule(file);
  if (!read.ok) throw new Error(read.error);
  return loadModule(read.module, {
    branch: "android14-6.1",
    rules: { regions: "core and init", plts: false, ftracePlts: 2, spaceBytes: 2 ** 27 },
    vermagic: undefined,
    exported: () => undefined,
    capabilities: new Set([CAP]),
    place: (layout) => consecutiveBases(layout, BASE),
    ...change,
  });
}

function code(...args: Parameters<typeof load>): readonly string[] {
  const result = load(...args);
  if (!result.ok) throw new Error(result.error);
  const { bytes } = result.loaded.sections.find(({ name }) => name === ".text")!;
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  return Array.from({ length: bytes.length / 4 }, (_, i) =>
    view.getUint32(4 * i, true).toString(16),
  );
}

const MOV1 = 0xd2800020;
const MOV2 = 0xd2800040;

describe("Whether", () => {
  const entry: Entry = { original: 0, replacement: 1 };

  test("with the capability the replacement stands in the original's place", () => {
    expect(code([MOV1, MOV2], entry)).toEqual(["d2800040", "d2800040"]);
  });

  test("without it nothing changes, not even a wrong entry is looked at", () => {
    const without = { capabilities: new Set<number>() };
    expect(code([MOV1, MOV2], entry, without)).toEqual(["d2800020", "d2800040"]);
    const wrong = { original: 5000, replacement: 9000, replacementCount: 2 };
    expect(code([MOV1, MOV2], wrong, without)).toEqual(["d2800020", "d2800040"]);
  });

  test("a callback writes NOPs if it is alt_cb_patch_nops, and is not modelled otherwise", () => {
    // Its second pointer is to the kernel's function, 4 * 0x400000 after BASE.
    const callback: Entry = {
      original: 0,
      replacement: 0x40_0000,
      count: 2,
      replacementCount: 0,
      capability: CAP | CALLBACK,
    };
    const at = {
      exported: (name: string) => (name.endsWith("nops") ? BASE + 0x100_0000n : undefined),
    };
    expect(code([MOV1, MOV2, MOV1], callback, at)).toEqual([
      NOP.toString(16),
      NOP.toString(16),
      "d2800020",
    ]);
    const other = { exported: (name: string) => (name.endsWith("nops") ? BASE : undefined) };
    expect(load([MOV1, MOV2, MOV1], callback, other)).toMatchObject({
      ok: false,
      errno: undefined,
      error: expect.stringMatching(/at 0xffffffc002000000, which is not modelled/),
    });
  });
});

describe("How an instruction is moved from word 4 to word 0", () => {
  const entry: Entry = { original: 0, replacement: 4, count: 2 };
  const moved = (insn: number) => code([NOP, NOP, NOP, NOP, insn, NOP], entry)[0];

  test("branches keep their target: 16 bytes more, 4 words", () => {
    // b +0x20 (8 words) becomes 12; bl -0x10 (-4, to word 0) becomes 0.
    expect(moved(0x14000008)).toBe("1400000c");
    expect(moved(0x97fffffc)).toBe("94000000");
    // b.eq +8 words: 8 << 5 = 0x100 becomes 12 << 5 = 0x180; cbz x1 and tbnz w2, #3 the same.
    expect(moved(0x54000100)).toBe("54000180");
    expect(moved(0xb4000101)).toBe("b4000181");
    expect(moved(0x37180102)).toBe("37180182");
  });

  test("branches within the replacement, its end included, stay", () => {
    // To word 5, and to word 6, where the replacement ends.
    expect(moved(0x14000001)).toBe("14000001");
    expect(moved(0x54000040)).toBe("54000040");
    // To word 7: outside.
    expect(moved(0x54000060)).toBe("540000e0");
  });

  test("ADRP keeps its page; here both places are in one page", () => {
    expect(moved(0xb0000000)).toBe("b0000000");
  });

  test("ADRP from another page: the distance changes by the pages between", () => {
    // Word 0x400 is in the next page. From there one page further (immlo 1 << 29) is two from here.
    const nops = Array.from({ length: 0x400 }, () => NOP);
    const across: Entry = { original: 0, replacement: 0x400 };
    expect(code([...nops, 0xb0000000], across)[0]).toBe("d0000000");
    // Five pages, immhi 1 << 5 and immlo 1 << 29, into x25: six from here. A page back: none.
    expect(code([...nops, 0xb0000039], across)[0]).toBe("d0000039");
    expect(code([...nops, 0xf0fffff9], across)[0]).toBe("90000019");
  });

  test("what depends on its place in other ways stops us: ADR, LDR, LDRSW, PRFM (literal)", () => {
    for (const insn of [0x10000000, 0x18000000, 0x58000000, 0x98000000, 0xd8000000]) {
      expect(load([NOP, NOP, NOP, NOP, insn, NOP], entry)).toMatchObject({
        ok: false,
        errno: undefined,
        error: expect.stringMatching(/depends on its place/),
      });
    }
  });
});

describe("Entries that the kernel does not survive", () => {
  const two = [MOV1, MOV2];
  test.each([
    ["two lengths", { original: 0, replacement: 1, replacementCount: 0 }, /4 and 0 bytes/],
    ["an original outside", { original: 5000, replacement: 1 }, /not both in the module/],
    ["a replacement outside", { original: 0, replacement: 5000 }, /not both in the module/],
    ["an end outside", { original: 1, replacement: 0, count: 2 }, /not both in the module/],
  ] satisfies [string, Entry, RegExp][])("%s", (_, entry, error) => {
    expect(load(two, entry)).toMatchObject({ ok: false, errno: undefined });
    expect(load(two, entry)).toMatchObject({ error: expect.stringMatching(error) });
  });
});
