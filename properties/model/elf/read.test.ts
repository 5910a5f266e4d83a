// What the ELF reader refuses, and what the kernel would answer to the same file.

import { describe, expect, test } from "vitest";
import { SHDR_SIZE, SHT, SYM_SIZE } from "../../../model/elf/elf-abi.ts";
import { readElf, sectionNamed } from "../../../model/elf/read.ts";
import { A, AX, buildElf, type ElfSpec, MODULE_SECTIONS, WA, words } from "./build-elf.ts";

const SPEC: ElfSpec = {
  sections: [
    { name: ".text", flags: AX, bytes: words(0x94000000, 0xd65f03c0), align: 4 },
    ...MODULE_SECTIONS,
    { name: ".bss", type: SHT.NOBITS, flags: WA, size: 16, align: 8 },
  ],
  symbols: [
    { name: "start", section: ".text" },
    { name: "ext", section: 0 },
  ],
  relocations: [{ target: ".text", offset: 0, type: 283, symbol: "ext" }],
};

const good = buildElf(SPEC);
const read = readElf(good);
if (!read.ok) throw new Error(read.error);
const { sections } = read.elf;
const view = (file: Uint8Array) => new DataView(file.buffer, file.byteOffset);
const tableAt = Number(view(good).getBigUint64(40, true));

type Change = (file: DataView, headerOf: (section: string) => number) => void;

/** The good file with one change, read again. */
function changed(change: Change, file: Uint8Array = good) {
  const copy = file.slice();
  change(view(copy), (name) => {
    const found = sections.findIndex((section) => section.name === name);
    if (found === -1) throw new Error(`no section ${name}`);
    return tableAt + found * SHDR_SIZE;
  });
  return readElf(copy);
}

test("A file with what a module needs is read: sections, symbols, relocations", () => {
  expect(sections.map((section) => section.name)).toEqual([
    "",
    ".text",
    ".modinfo",
    ".gnu.linkonce.this_module",
    ".bss",
    ".rela.text",
    ".symtab",
    ".strtab",
    ".shstrtab",
  ]);
  expect(sectionNamed(read.elf, ".text")).toMatchObject({ type: 1, flags: 6, offset: 64, size: 8 });
  expect(read.elf.symbols.map(({ name, section }) => [name, section])).toEqual([
    ["", 0],
    ["start", 1],
    ["ext", 0],
  ]);
  expect(read.elf.relocations).toEqual([
    {
      section: 5,
      target: 1,
      form: "RELA",
      livepatch: false,
      entries: [{ offset: 0, type: 283, symbol: 2, addend: 0n }],
    },
  ]);
});

describe("What the kernel refuses with ENOEXEC", () => {
  const cases: readonly (readonly [string, Change, RegExp])[] = [
    ["no ELF magic", (f) => f.setUint32(0, 0x21212121), /ELF magic; give a kernel module/],
    ["compressed with gzip", (f) => f.setUint32(0, 0x1f8b0800), /decompress it first/],
    ["big-endian", (f) => f.setUint8(5, 2), /not little-endian/],
    ["an executable", (f) => f.setUint16(16, 2, true), /e_type is 2/],
    ["for x86-64", (f) => f.setUint16(18, 62, true), /for x86-64, not AArch64/],
    ["for an unknown machine", (f) => f.setUint16(18, 9999, true), /machine 9999/],
    ["odd section headers", (f) => f.setUint16(58, 40, true), /40 bytes each/],
    ["section headers at the end", (f) => f.setBigUint64(40, BigInt(good.length), true), /outside/],
    ["section headers past 2^64", (f) => f.setBigUint64(40, 2n ** 64n - 1n, true), /outside/],
    ["65535 sections", (f) => f.setUint16(60, 65535, true), /65535 section headers/],
    ["no sections", (f) => f.setUint16(60, 0, true), /section 8 of 0/],
    ["no name table", (f) => f.setUint16(62, 0, true), /section 0 of 9/],
    ["name table past the end", (f) => f.setUint16(62, 9, true), /section 9 of 9/],
    ["a first section with a type", (f) => f.setUint32(tableAt + 4, 1, true), /Section 0/],
    ["a first section with an address", (f) => f.setUint8(tableAt + 23, 1), /Section 0/],
    ["a first section with a size", (f) => f.setUint32(tableAt + 32, 1, true), /Section 0/],
    [
      "a name outside the table",
      (f, at) => f.setUint32(at(".text"), 0xffff, true),
      /Section 1 has its name at 0xffff/,
    ],
    [
      "contents past the end",
      (f, at) => f.setBigUint64(at(".text") + 24, BigInt(good.length - 4), true),
      /contents of section 1 \("\.text"\), 0x8 bytes at .* lie outside the file/,
    ],
    [
      "contents whose end wraps around 2^64",
      (f, at) => f.setBigUint64(at(".text") + 24, 2n ** 64n - 4n, true),
      /lie outside the file/,
    ],
    [
      "a symbol table without names",
      (f, at) => f.setUint32(at(".symtab") + 40, 0, true),
      /names in section 0 of 9/,
    ],
    [
      "a symbol table with names past the last section",
      (f, at) => f.setUint32(at(".symtab") + 40, 77, true),
      /names in section 77 of 9/,
    ],
    ["no symbol table", (f, at) => f.setUint32(at(".symtab") + 4, 1, true), /0 symbol tables/],
    [
      "two symbol tables",
      (f, at) => f.setUint32(at(".modinfo") + 4, SHT.SYMTAB, true),
      /2 symbol tables/,
    ],
    [
      "a symbol of a section that does not exist",
      (f) => f.setUint16(sectionAt(".symtab") + SYM_SIZE + 6, 500, true),
      /Symbol 1 \("start"\) is defined in section 500 of 9/,
    ],
    [
      "no struct module",
      (f, at) => f.setUint32(at(".gnu.linkonce.this_module") + 8, 1, true),
      /object file but not a module/,
    ],
  ];
  test.each(cases)("%s", (_, change, error) => {
    expect(changed(change)).toMatchObject({ ok: false, errno: "ENOEXEC" });
    expect(changed(change)).toMatchObject({ error: expect.stringMatching(error) });
  });

  test("a file that ends early, at every length", () => {
    for (let length = 0; length < good.length; length++) {
      const result = readElf(good.subarray(0, length));
      expect(result).toMatchObject({ ok: false, errno: "ENOEXEC" });
    }
  });

  test("a name table that does not end with a zero", () => {
    const last = sectionAt(".shstrtab") + sectionSize(".shstrtab") - 1;
    const result = changed((f) => f.setUint8(last, 0x41));
    expect(result).toMatchObject({ ok: false, errno: "ENOEXEC" });
  });
});

test("A section that asks for more than all module memory gets ENOMEM", () => {
  const result = changed((f, at) => f.setBigUint64(at(".bss") + 32, 2n ** 60n, true));
  expect(result).toMatchObject({
    ok: false,
    errno: "ENOMEM",
    error: expect.stringMatching(/section 4 \("\.bss"\) is 0x1000000000000000/),
  });
});

const sectionAt = (name: string): number => sections.find((s) => s.name === name)!.offset;
const sectionSize = (name: string): number => sections.find((s) => s.name === name)!.size;

describe("What the kernel does not look at, and we refuse without an errno", () => {
  const cases: readonly (readonly [string, Change, RegExp])[] = [
    ["a 32-bit class", (f) => f.setUint8(4, 1), /not ELF-64/],
    [
      "an alignment that is no power of two",
      (f, at) => f.setBigUint64(at(".text") + 48, 6n, true),
      /alignment of section 1 \("\.text"\) is 0x6/,
    ],
    [
      "contents that overlap others",
      (f, at) => f.setBigUint64(at(".text") + 24, BigInt(sectionAt(".modinfo")), true),
      /overlaps/,
    ],
    [
      "contents that overlap the ELF header",
      (f, at) => f.setBigUint64(at(".text") + 24, 60n, true),
      /overlaps the ELF header/,
    ],
    [
      "a name table that is no string table",
      (f, at) => f.setUint32(at(".shstrtab") + 4, 1, true),
      /not STRTAB/,
    ],
    [
      "symbol names in a section that holds none (the table itself: a loop)",
      (f, at) => f.setUint32(at(".symtab") + 40, 6, true),
      /no string table/,
    ],
    [
      "symbol names that do not end",
      (f) => f.setUint8(sectionAt(".strtab") + sectionSize(".strtab") - 1, 0x41),
      /does not end with a zero/,
    ],
    [
      "a symbol name outside its table",
      (f) => f.setUint32(sectionAt(".symtab") + SYM_SIZE, 0x7fffffff, true),
      /Symbol 1 has its name at 0x7fffffff/,
    ],
    [
      "a symbol table that is not a whole number of entries",
      (f, at) => f.setBigUint64(at(".symtab") + 32, BigInt(SYM_SIZE * 2 + 1), true),
      /not made of entries of 24/,
    ],
    [
      "relocations for a section that does not exist",
      (f, at) => f.setUint32(at(".rela.text") + 44, 99, true),
      /for section 99 \(sh_info\)/,
    ],
    [
      "relocations for their own table (a loop)",
      (f, at) => f.setUint32(at(".rela.text") + 44, 5, true),
      /a table itself/,
    ],
    [
      "relocations with symbols of another table",
      (f, at) => f.setUint32(at(".rela.text") + 40, 7, true),
      /take their symbols from section 7/,
    ],
    [
      "relocations of odd size",
      (f, at) => f.setBigUint64(at(".rela.text") + 56, 8n, true),
      /not made of entries of 24/,
    ],
    [
      "a relocation against a symbol that does not exist",
      (f) => f.setUint32(sectionAt(".rela.text") + 12, 3, true),
      /against symbol 3 of 3/,
    ],
    [
      "a relocation outside its section",
      (f) => f.setBigUint64(sectionAt(".rela.text"), 8n, true),
      /Relocation 0 .* is at 0x8, outside section 1/,
    ],
    [
      "an unused section header with a size",
      (f, at) => f.setUint32(at(".bss") + 4, SHT.NULL, true),
      /unused section header/,
    ],
  ];
  test.each(cases)("%s", (_, change, error) => {
    expect(changed(change)).toMatchObject({ ok: false, errno: undefined });
    expect(changed(change)).toMatchObject({ error: expect.stringMatching(error) });
  });
});

test("Names that overlap do not multiply the work: one longer than 511 bytes is refused", () => {
  const name = "n".repeat(600);
  const symbols = Array.from({ length: 500 }, () => ({ name, section: ".text" }));
  const file = buildElf({ ...SPEC, symbols: [...SPEC.symbols!, ...symbols] });
  const result = readElf(file);
  expect(result).toMatchObject({ ok: false, errno: undefined });
  const long = buildElf({
    ...SPEC,
    symbols: [
      ...SPEC.symbols!,
      ...symbols.map((symbol) => ({ ...symbol, name: name.slice(0, 511) })),
    ],
  });
  const accepted = readElf(long);
  expect(accepted.ok && accepted.elf.image.looked).toBeLessThan(24 * long.length);
});

test("A message shows a hostile name escaped and cut", () => {
  const name = `\x1b[2J${"x".repeat(200)}`;
  const file = buildElf({ ...SPEC, sections: [...SPEC.sections, { name, flags: A, align: 6 }] });
  const result = readElf(file);
  expect(result).toMatchObject({ error: expect.stringMatching(/\\u001b\[2Jx+\.\.\./) });
  expect(!result.ok && result.error.length).toBeLessThan(200);
});
