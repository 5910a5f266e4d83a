// The line table: programs written by hand from the DWARF text, and the modules beside addr2line.

import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { lineAt, readLineTable } from "../../../model/elf/dwarf-line.ts";
import { type ElfFile, readElf, sectionNamed } from "../../../model/elf/read.ts";
import { describeWith, EXAMPLES, GCC_AND_MAKE, say } from "../../kdir/toolchain.ts";
import { AX, buildElf, MODULE_SECTIONS, type RelaSpec, strings } from "./build-elf.ts";

const u32 = (value: number): number[] => [0, 8, 16, 24].map((shift) => (value >>> shift) & 0xff);
const text = (...names: readonly string[]): number[] => [...strings(...names)];

/** The program of every test: five rows, written from 6.2.5 with line base -5 and range 14. */
const PROGRAM: readonly number[] = [
  ...[0, 9, 2, 0, 0, 0, 0, 0, 0, 0, 0], // DW_LNE_set_address, relocated
  ...[3, 40], // DW_LNS_advance_line 40: line 41
  1, // DW_LNS_copy: 0x100 is line 41
  13 + 14 * 1 + 5 + 1, // special: one instruction on, one line on: 0x104 is line 42
  ...[2, 3], // DW_LNS_advance_pc 3 instructions
  ...[3, 0x60], // DW_LNS_advance_line -32: line 10
  ...[4, 2], // DW_LNS_set_file 2
  1, // 0x110 is line 10 of the second file
  8, // DW_LNS_const_add_pc: (255 - 13) / 14 = 17 instructions: 0x154
  ...[9, 4, 0], // DW_LNS_fixed_advance_pc 4 bytes: 0x158
  ...[0, 1, 1], // DW_LNE_end_sequence
];
const OPERANDS = [0, 1, 1, 1, 1, 0, 0, 0, 1, 0, 0, 1];

/** One unit around the program; `files` is what follows the opcode lengths. */
function unit(version: number, files: readonly number[]): { bytes: Uint8Array; operandAt: number } {
  const header = [4, ...(version >= 4 ? [1] : []), 1, 0xfb, 14, 13, ...OPERANDS, ...files];
  const before = version >= 5 ? [version, 0, 8, 0] : [version, 0];
  const body = [...before, ...u32(header.length), ...header, ...PROGRAM];
  const bytes = Uint8Array.from([...u32(body.length), ...body]);
  return { bytes, operandAt: bytes.length - PROGRAM.length + 3 };
}

const OLD_FILES = [...text("src"), 0, ...text("a.c"), 0, 0, 0, ...text("b.h"), 1, 0, 0, 0];
/** Directories as strings in line, files with an index of one byte and an MD5 digest. */
const NEW_FILES = [
  ...[1, 1, 8, 2, ...text(".", "src")],
  ...[3, 1, 8, 2, 0x0b, 5, 0x1e, 3],
  ...["x.c", "a.c", "b.h"].flatMap((name, n) => [
    ...text(name),
    n === 2 ? 1 : 0,
    ...new Array<number>(16).fill(7),
  ]),
];

function elfWith(line: Uint8Array, relocations: readonly RelaSpec[]): ElfFile {
  const file = buildElf({
    sections: [
      { name: ".hyp.text", flags: AX, bytes: new Uint8Array(0x200), align: 4 },
      { name: ".debug_line", bytes: line },
      ...MODULE_SECTIONS,
    ],
    symbols: [{ name: "start", section: ".hyp.text", value: 0xc0n }],
    relocations,
  });
  const read = readElf(file);
  if (!read.ok) throw new Error(read.error);
  return read.elf;
}

const relocation = (offset: number): RelaSpec => ({
  target: ".debug_line",
  offset,
  type: 257,
  symbol: "start",
  addend: 0x40n,
});

describe("a program by hand", () => {
  test.each([
    [2, OLD_FILES],
    [3, OLD_FILES],
    [4, OLD_FILES],
    [5, NEW_FILES],
  ])("version %i", (version, files) => {
    const { bytes, operandAt } = unit(version, files);
    const read = readLineTable(elfWith(bytes, [relocation(operandAt)]));
    if (!read.ok) throw new Error(read.error);
    const at = (offset: number) => lineAt(read.table, 1, offset);
    expect(at(0xfc)).toBeUndefined();
    expect(at(0x100)).toEqual({ file: "a.c", line: 41 });
    expect(at(0x104)).toEqual({ file: "a.c", line: 42 });
    expect(at(0x10c)).toEqual({ file: "a.c", line: 42 });
    expect(at(0x110)).toEqual({ file: "src/b.h", line: 10 });
    expect(at(0x154)).toEqual({ file: "src/b.h", line: 10 });
    expect(at(0x158)).toBeUndefined();
    expect(lineAt(read.table, 2, 0x100)).toBeUndefined();
  });

  test("without a relocation nobody knows whose lines they are", () => {
    const read = readLineTable(elfWith(unit(4, OLD_FILES).bytes, []));
    expect(read.ok && read.table.ranges.size).toBe(0);
  });

  test.each([
    ["a version that does not exist", (bytes: Uint8Array) => bytes.fill(9, 4, 5)],
    ["a line range of zero", (bytes: Uint8Array) => bytes.fill(0, 14, 15)],
    ["a unit that is longer than the section", (bytes: Uint8Array) => bytes.fill(0x7f, 0, 1)],
    ["a unit that is cut", (bytes: Uint8Array) => bytes.subarray(0, bytes.length - 7)],
  ])("%s is refused in one sentence", (_, change) => {
    const read = readLineTable(elfWith(change(unit(4, OLD_FILES).bytes), []));
    expect(read.ok ? "" : read.error).toMatch(/^The unit at 0 of \.debug_line cannot be read;/);
  });

  // 7.5.6: a form that a reader does not know has no length that it knows.
  test("version 5 with a form that nobody knows is refused in one sentence", () => {
    const files = NEW_FILES.map((byte) => (byte === 0x1e ? 0x7e : byte));
    const read = readLineTable(elfWith(unit(5, files).bytes, []));
    expect(read.ok ? "" : read.error).toMatch(/^The unit at 0 of \.debug_line cannot be read;/);
  });
});

test("the page's handler: the store is line 27, where the source says cpu_reg(ctx, 1) = 0", () => {
  const read = readElf(readFileSync(join(EXAMPLES, "page/pkvm_module.ko")));
  if (!read.ok) throw new Error(read.error);
  const handler = read.elf.symbols.find(({ name }) => name === "__kvm_nvhe_pkvm_driver_hyp_hvc");
  const lines = readLineTable(read.elf);
  const source = readFileSync(join(EXAMPLES, "page/hyp/el2.c"), "utf8").split("\n");
  const line = source.findIndex((one) => one.includes("cpu_reg(ctx, 1) = 0")) + 1;
  const at = lines.ok && lineAt(lines.table, handler?.section ?? 0, Number(handler?.value));
  expect(at).toEqual({ file: "hyp/el2.c", line });
});

describeWith(GCC_AND_MAKE, "every instruction of every example has addr2line's line", () => {
  const files = globSync("*/*.ko", { cwd: EXAMPLES }).sort();
  const readable = files.flatMap((file) => {
    const read = readElf(readFileSync(join(EXAMPLES, file)));
    return read.ok ? [[file, read.elf] as const] : [];
  });
  test.each(readable)("%s", (file, elf) => {
    const read = readLineTable(elf);
    if (!read.ok) throw new Error(read.error);
    for (const name of [".hyp.text", ".init.text", ".text"]) {
      const section = sectionNamed(elf, name);
      const offsets = Array.from({ length: Math.floor((section?.size ?? 0) / 4) }, (_, n) => 4 * n);
      if (section === undefined || offsets.length === 0) continue;
      const asked = offsets.map((offset) => `0x${offset.toString(16)}`);
      const from = ["-e", join(EXAMPLES, file), "-j", name];
      const { text: said } = say("aarch64-linux-gnu-addr2line", [...from, ...asked]);
      const theirs = said
        .split("\n")
        .flatMap((one) => /([^/]+:(?:\d+|\?))(?: |$)/.exec(one)?.[1] ?? []);
      const ours = offsets.map((offset) => {
        const line = lineAt(read.table, section.index, offset);
        return line === undefined ? "??:?" : `${line.file.split("/").at(-1)}:${line.line}`;
      });
      expect(ours).toEqual(theirs.map((one) => (/:[?0]$/.test(one) ? "??:?" : one)));
    }
  });
});
