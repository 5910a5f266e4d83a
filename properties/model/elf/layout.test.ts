// Where the loader puts sections: the measured module's layout worked out on paper, and its rules.

import { describe, expect, test } from "vitest";
import { SHF, SHT } from "../../../model/elf/elf-abi.ts";
import type { LoaderRules } from "../../../model/elf/layout.ts";
import { addressesOf, consecutiveBases, layoutSections } from "../../../model/elf/layout.ts";
import { readElf } from "../../../model/elf/read.ts";
import { kernVa } from "../../../spec/types/address.ts";
import type { ElfSpec, SectionSpec } from "./build-elf.ts";
import { A, AX, buildElf, MODULE_SECTIONS, strings, WA, words } from "./build-elf.ts";

const SIX_ONE: LoaderRules = {
  regions: "core and init",
  plts: false,
  ftracePlts: 2,
  spaceBytes: 2 ** 27,
};
const SIX_SIX: LoaderRules = {
  regions: "by memory type",
  plts: true,
  ftracePlts: 1,
  spaceBytes: 2 ** 31,
};

function laidOut(spec: ElfSpec, rules: LoaderRules) {
  const read = readElf(buildElf(spec));
  if (!read.ok) throw new Error(read.error);
  return { elf: read.elf, result: layoutSections(read.elf, rules) };
}

/** `name: region+offset` of every section with memory. */
function places(spec: ElfSpec, rules: LoaderRules): Record<string, string> {
  const { result } = laidOut(spec, rules);
  if (!result.ok) throw new Error(result.error);
  return Object.fromEntries(
    result.layout.sections.map(({ section, region, offset }) => [
      section.name,
      `${region}+0x${offset.toString(16)}`,
    ]),
  );
}

const sized = (name: string, flags: number, size: number, align: number): SectionSpec => ({
  name,
  flags,
  bytes: new Uint8Array(size),
  align,
});
const zeroed = (name: string, flags: number, size: number, align: number): SectionSpec => ({
  name,
  flags,
  type: SHT.NOBITS,
  size,
  align,
});

/**
 * The sections with memory of the module that was measured on android14-6.1, in file order, with
 * their sizes and alignments as readelf gave them.
 */
const MEASURED: ElfSpec = {
  sections: [
    sized(".hyp.text", AX, 0x1000, 4096),
    zeroed(".hyp.bss", WA, 0x1000, 4096),
    sized(".hyp.rodata", A, 0x1000, 4096),
    sized(".hyp.data", WA, 0x1000, 4096),
    sized(".hyp.reloc", A, 0, 4),
    sized(".text", AX, 0, 4),
    sized(".init.text", AX, 0x35c, 4),
    sized(".exit.text", AX, 0x1c, 4),
    sized(".rodata", A, 0xb, 1),
    sized(".data", WA, 8, 8),
    sized("__param", A, 0x50, 8),
    { name: ".modinfo", flags: A, bytes: strings("license=GPL") },
    zeroed(".bss", WA, 4, 4),
    sized(".init.data", WA, 8, 8),
    sized(".exit.data", WA, 8, 8),
    sized(".rodata.str1.1", A, 0x133, 1),
    sized(".comment", 0, 0x1d, 1),
    sized(".note.Linux", A, 0x30, 4),
    sized(".gnu.linkonce.this_module", WA, 0x2c0, 64),
    sized(".note.gnu.build-id", A, 0x24, 4),
  ],
  symbols: [],
};

describe("The measured module (android14-6.1, core and init)", () => {
  test("its EL2 half lies as measured: rodata +0x2000, data +0x5000, six pages", () => {
    // Code: .hyp.text 0..0x1000, .text empty, .exit.text 0x1000..0x101c; page end 0x2000.
    // Read-only: .hyp.rodata 0x2000..0x3000, .hyp.reloc empty, .rodata 0x3000..0x300b,
    //   __param at the next multiple of 8, 0x3010..0x3060, .rodata.str1.1 0x3060..0x3193,
    //   .note.Linux at a multiple of 4, 0x3194..0x31c4, .note.gnu.build-id ..0x31e8; end 0x4000.
    // Nothing is read-only after init. Writable: .hyp.bss 0x4000..0x5000, .hyp.data 0x5000..0x6000,
    //   .data 0x6000, .bss 0x6008..0x600c, .exit.data 0x6010..0x6018, this_module at a multiple of
    //   64, 0x6040..0x6300; end 0x7000.
    // Init: .init.text 0..0x35c, page end 0x1000, .init.data 0x1000; end 0x2000.
    expect(places(MEASURED, SIX_ONE)).toEqual({
      ".hyp.text": "core+0x0",
      ".text": "core+0x1000",
      ".exit.text": "core+0x1000",
      ".hyp.rodata": "core+0x2000",
      ".hyp.reloc": "core+0x3000",
      ".rodata": "core+0x3000",
      __param: "core+0x3010",
      ".rodata.str1.1": "core+0x3060",
      ".note.Linux": "core+0x3194",
      ".note.gnu.build-id": "core+0x31c4",
      ".hyp.bss": "core+0x4000",
      ".hyp.data": "core+0x5000",
      ".data": "core+0x6000",
      ".bss": "core+0x6008",
      ".exit.data": "core+0x6010",
      ".gnu.linkonce.this_module": "core+0x6040",
      ".init.text": "init+0x0",
      ".init.data": "init+0x1000",
    });
    const { result } = laidOut(MEASURED, SIX_ONE);
    expect(result.ok && result.layout.regions).toEqual([
      { name: "core", size: 0x7000 },
      { name: "init", size: 0x2000 },
    ]);
  });

  test("regions follow each other with vmalloc's guard page between them", () => {
    const { elf, result } = laidOut(MEASURED, SIX_ONE);
    if (!result.ok) throw new Error(result.error);
    const bases = consecutiveBases(result.layout, kernVa(0xffff_ffc0_0100_0000n));
    expect(bases.get("init")).toBe(0xffff_ffc0_0100_8000n);
    const addresses = addressesOf(elf, result.layout, bases);
    // .hyp.data is section 4, .comment 17.
    expect(addresses[4]).toBe(0xffff_ffc0_0100_5000n);
    expect(addresses[17]).toBeUndefined();
  });
});

const small = (...own: readonly SectionSpec[]): ElfSpec => ({
  sections: [...own, ...MODULE_SECTIONS],
});

describe("The rules", () => {
  test("read-only after init: .data..ro_after_init and __jump_table get pages of their own", () => {
    const spec = small(
      sized(".text", AX, 4, 4),
      sized(".data", WA, 8, 8),
      sized("__jump_table", WA, 16, 8),
      sized(".data..ro_after_init", WA, 8, 8),
      sized(".rodata", A, 8, 8),
    );
    expect(places(spec, SIX_ONE)).toEqual({
      ".text": "core+0x0",
      ".rodata": "core+0x1000",
      __jump_table: "core+0x2000",
      ".data..ro_after_init": "core+0x2010",
      ".data": "core+0x3000",
      ".gnu.linkonce.this_module": "core+0x3040",
    });
  });

  test("by memory type (since 6.4), every kind of memory is an allocation of its own", () => {
    const spec = small(
      sized(".plt", AX, 1, 1),
      sized(".init.plt", AX, 1, 1),
      sized(".hyp.text", AX, 0x1000, 4096),
      sized(".hyp.rodata", A, 0x1000, 4096),
      sized(".hyp.data", WA, 0x1000, 4096),
      sized(".init.text", AX, 4, 4),
      sized(".init.rodata", A, 4, 4),
      sized(".init.data", WA, 4, 4),
      sized("__jump_table", WA, 16, 8),
    );
    // An empty .plt has room for one entry of 12 bytes, aligned to a cache line.
    expect(places(spec, SIX_SIX)).toEqual({
      ".plt": "MOD_TEXT+0x0",
      ".hyp.text": "MOD_TEXT+0x1000",
      ".hyp.rodata": "MOD_RODATA+0x0",
      ".hyp.data": "MOD_DATA+0x0",
      ".gnu.linkonce.this_module": "MOD_DATA+0x1000",
      __jump_table: "MOD_RO_AFTER_INIT+0x0",
      ".init.plt": "MOD_INIT_TEXT+0x0",
      ".init.text": "MOD_INIT_TEXT+0xc",
      ".init.rodata": "MOD_INIT_RODATA+0x0",
      ".init.data": "MOD_INIT_DATA+0x0",
    });
    const { result } = laidOut(spec, SIX_SIX);
    expect(result.ok && result.layout.regions).toEqual([
      { name: "MOD_TEXT", size: 0x2000 },
      { name: "MOD_DATA", size: 0x2000 },
      { name: "MOD_RODATA", size: 0x1000 },
      { name: "MOD_RO_AFTER_INIT", size: 0x1000 },
      { name: "MOD_INIT_TEXT", size: 0x1000 },
      { name: "MOD_INIT_DATA", size: 0x1000 },
      { name: "MOD_INIT_RODATA", size: 0x1000 },
    ]);
  });

  test("a region of empty sections is not allocated: they lie at NULL", () => {
    const spec = small(sized(".text", AX, 4, 4), sized(".init.text", AX, 0, 4));
    const { elf, result } = laidOut(spec, SIX_ONE);
    if (!result.ok) throw new Error(result.error);
    expect(result.layout.regions.map(({ name }) => name)).toEqual(["core"]);
    const bases = consecutiveBases(result.layout, kernVa(0x1000n));
    expect(addressesOf(elf, result.layout, bases).slice(1, 3)).toEqual([0x1000n, 0n]);
  });

  test("sections whose name begins with .init go to init, .exit ones stay", () => {
    const spec = small(sized(".initcall", A, 4, 4), sized(".exit.text", AX, 4, 4));
    expect(places(spec, SIX_ONE)).toMatchObject({
      ".initcall": "init+0x0",
      ".exit.text": "core+0x0",
    });
  });

  test("__versions, .modinfo and per-CPU data get no module memory", () => {
    const spec = small(sized("__versions", A, 64, 8), sized(".data..percpu", WA, 64, 64));
    expect(places(spec, SIX_ONE)).toEqual({ ".gnu.linkonce.this_module": "core+0x0" });
  });

  test("a section that is writable and executable: ENOEXEC", () => {
    const { result } = laidOut(small(sized(".text", WA | AX, 4, 4)), SIX_ONE);
    expect(result).toMatchObject({ ok: false, errno: "ENOEXEC" });
    expect(result).toMatchObject({ error: expect.stringMatching(/WRITE\|EXEC/) });
  });

  test("more than the modules' address range: ENOMEM", () => {
    const { result } = laidOut(small(zeroed(".bss", WA, 2 ** 27, 1)), SIX_ONE);
    expect(result).toMatchObject({ ok: false, errno: "ENOMEM" });
    const smaller = laidOut(small(zeroed(".bss", WA, 2 ** 27 - 0x1000, 1)), SIX_ONE);
    expect(smaller.result.ok).toBe(true);
  });

  test("a kernel with PLTs refuses a module without them: ENOEXEC", () => {
    const { result } = laidOut(small(sized(".plt", AX, 1, 1)), SIX_SIX);
    expect(result).toMatchObject({ ok: false, errno: "ENOEXEC" });
    expect(result).toMatchObject({ error: expect.stringMatching(/PLT section\(s\) missing/) });
  });

  test(".plt gets an entry for every branch target in another section, and one more", () => {
    // Two calls of one symbol and one of another: two entries, and the spare: 36 bytes.
    const spec: ElfSpec = {
      sections: [
        { name: ".text", flags: AX, bytes: words(0x94000000, 0x94000000, 0x94000000), align: 4 },
        sized(".plt", 0, 1, 1),
        sized(".init.plt", 0, 1, 1),
        ...MODULE_SECTIONS,
      ],
      symbols: [
        { name: "a", section: 0 },
        { name: "b", section: 0 },
        { name: "own", section: ".text" },
      ],
      relocations: [
        { target: ".text", offset: 0, type: 283, symbol: "a" },
        { target: ".text", offset: 4, type: 283, symbol: "b" },
        { target: ".text", offset: 8, type: 283, symbol: "a" },
      ],
    };
    const { result } = laidOut(spec, SIX_SIX);
    if (!result.ok) throw new Error(result.error);
    const plt = result.layout.sections.find(({ section }) => section.name === ".plt");
    // The last of the three is not sorted to its equal: partition_branch_plt_relas stops one
    // short. Counted are a, b, a.
    expect(plt).toMatchObject({ region: "MOD_TEXT", offset: 0x40, size: 4 * 12 });
  });

  test("a flag that only Linux has is kept: SHF_RO_AFTER_INIT in the file", () => {
    const spec = small(sized(".ro", WA | SHF.RO_AFTER_INIT, 8, 8), sized(".data", WA, 8, 8));
    expect(places(spec, SIX_ONE)).toMatchObject({ ".ro": "core+0x0", ".data": "core+0x1000" });
  });
});
