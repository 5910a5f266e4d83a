// A relocatable AArch64 ELF file: header and sections, checked so that nothing looks again later.
// Source: gABI, ELF header and section header; what the kernel checks: elf_validity_check and
// setup_load_info, kernel/module/main.c of 6.1. What no check of the kernel catches is refused here
// without an errno.

import {
  EHDR_SIZE,
  ELFCLASS64,
  ELFDATA2LSB,
  EM_AARCH64,
  ET_REL,
  MACHINE_NAMES,
  SHDR_SIZE,
  SHF,
  SHN,
  SHT,
} from "./elf-abi.ts";
import type { Image } from "./image.ts";
import { contains, imageOf, NAME_MAX, stringAt, u16, u32, u64 } from "./image.ts";
import type { Refusal, Result } from "./refusal.ts";
import { CORRUPT, hex, kernelDoesNotCheck, kernelRefuses } from "./refusal.ts";
import type { Section } from "./section.ts";
import { allocated, sectionLabel } from "./section.ts";
import type { ElfSymbol, RelocationTable } from "./tables.ts";
import { readRelocationTables, readSymbols } from "./tables.ts";

/** A file that has passed every check of this reader. */
export interface ElfFile {
  readonly image: Image;
  readonly sections: readonly Section[];
  /** Every entry of the one symbol table, the empty one at index 0 included. */
  readonly symbols: readonly ElfSymbol[];
  /** The tables that relocate a section with memory, in the order of their section headers. */
  readonly relocations: readonly RelocationTable[];
}

/** The largest section that can be meant: the range of modules on arm64 is 2 GiB at most. */
const SECTION_SIZE_MAX = 2n ** 31n;

/** The contents of a section as they stand in the file; nothing for NOBITS. */
export const contentsOf = (elf: ElfFile, section: Section): Uint8Array =>
  section.type === SHT.NOBITS
    ? new Uint8Array(0)
    : elf.image.bytes.subarray(section.offset, section.offset + section.size);

/** The first section of that name, as the kernel's find_sec and find_section take it. */
export const sectionNamed = (elf: ElfFile, name: string): Section | undefined =>
  elf.sections.find((section) => section.name === name);

/** Reads a module file, or says why it is not one. */
export function readElf(file: Uint8Array): Result<{ readonly elf: ElfFile }> {
  const image = imageOf(file);
  const header = readHeader(image);
  if (!header.ok) return header;
  const table = readSections(image, header);
  if (!table.ok) return table;
  const { sections } = table;
  const overlap = overlapping(sections, header);
  if (overlap !== undefined) return overlap;
  const symbols = readSymbols(image, sections);
  if (!symbols.ok) return symbols;
  const module = holdsModule(sections);
  if (module !== undefined) return module;
  const relocations = readRelocationTables(image, sections, symbols);
  if (!relocations.ok) return relocations;
  return {
    ok: true,
    elf: { image, sections, symbols: symbols.symbols, relocations: relocations.tables },
  };
}

interface Header {
  readonly tableOffset: number;
  readonly count: number;
  readonly nameTable: number;
}

/** The ELF header. Source: elf_validity_check, its first seven checks, in its order. */
function readHeader(image: Image): Result<Header> {
  const length = image.bytes.length;
  if (length < EHDR_SIZE) {
    return kernelRefuses(
      "ENOEXEC",
      `The file has ${length} bytes, too few for an ELF header (${EHDR_SIZE}); it is empty or`,
      "truncated, so copy it again.",
    );
  }
  if (u32(image, 0) !== 0x464c457f) return kernelRefuses("ENOEXEC", notElf(image));
  if (image.bytes[5] !== ELFDATA2LSB) {
    return kernelRefuses(
      "ENOEXEC",
      "The file is not little-endian (EI_DATA); give a module that was built for arm64",
      "little-endian.",
    );
  }
  const type = u16(image, 16);
  if (type !== ET_REL) {
    return kernelRefuses(
      "ENOEXEC",
      `The file is not relocatable (e_type is ${type}, not ${ET_REL}); give the .ko itself, not a`,
      "program or shared object.",
    );
  }
  const machine = u16(image, 18);
  if (machine !== EM_AARCH64) {
    const what = MACHINE_NAMES[machine] ?? `machine ${machine}`;
    return kernelRefuses(
      "ENOEXEC",
      `The file is for ${what}, not AArch64 (e_machine ${EM_AARCH64}); rebuild it with ARCH=arm64.`,
    );
  }
  if (image.bytes[4] !== ELFCLASS64) {
    return kernelDoesNotCheck(
      `The file says that it is not ELF-64 (EI_CLASS is ${image.bytes[4]}); rebuild it for the`,
      "LP64 ABI.",
    );
  }
  return readTableHeader(image);
}

function notElf(image: Image): string {
  const word = u32(image, 0);
  const packed =
    (word & 0xffff) === 0x8b1f || word === 0x587a37fd || word === 0xfd2fb528
      ? "it is compressed, so decompress it first"
      : "give a kernel module (.ko)";
  return `The file does not begin with the ELF magic; ${packed}.`;
}

/** Where the section headers are. Source: elf_validity_check, e_shentsize to e_shstrndx. */
function readTableHeader(image: Image): Result<Header> {
  const tableOffset = u64(image, 40);
  const entrySize = u16(image, 58);
  const count = u16(image, 60);
  const nameTable = u16(image, 62);
  if (entrySize !== SHDR_SIZE) {
    return kernelRefuses(
      "ENOEXEC",
      `The section headers are said to have ${entrySize} bytes each (e_shentsize), not`,
      `${SHDR_SIZE};`,
      CORRUPT,
    );
  }
  const tableSize = BigInt(count * SHDR_SIZE);
  if (tableOffset >= BigInt(image.bytes.length) || !contains(image, tableOffset, tableSize)) {
    return kernelRefuses(
      "ENOEXEC",
      `The ${count} section headers at ${hex(tableOffset)} lie outside the file of`,
      `${image.bytes.length} bytes; it is truncated, so copy it again.`,
    );
  }
  if (nameTable === SHN.UNDEF || nameTable >= count) {
    return kernelRefuses(
      "ENOEXEC",
      `The section name table is said to be section ${nameTable} of ${count} (e_shstrndx);`,
      CORRUPT,
    );
  }
  return { ok: true, tableOffset: Number(tableOffset), count, nameTable };
}

/** All section headers with their names. */
function readSections(image: Image, header: Header): Result<{ sections: readonly Section[] }> {
  const names = readSection(image, header, header.nameTable, undefined);
  if (!names.ok) return names;
  const table = names.section;
  if (table.type !== SHT.STRTAB) {
    return kernelDoesNotCheck(
      `Section ${table.index}, the section name table, has type ${table.type}, not STRTAB;`,
      CORRUPT,
    );
  }
  if (table.size === 0 || image.bytes[table.offset + table.size - 1] !== 0) {
    return kernelRefuses(
      "ENOEXEC",
      `Section ${table.index}, the section name table, does not end with a zero;`,
      CORRUPT,
    );
  }
  const first = header.tableOffset;
  if (
    u32(image, first + 4) !== SHT.NULL ||
    (u64(image, first + 16) | u64(image, first + 32)) > 0n
  ) {
    const sentence = "Section 0 is not the empty one that ELF wants first;";
    return kernelRefuses("ENOEXEC", sentence, CORRUPT);
  }
  const sections: Section[] = [];
  for (let index = 0; index < header.count; index++) {
    const read = readSection(image, header, index, table);
    if (!read.ok) return read;
    sections.push(read.section);
  }
  return { ok: true, sections };
}

/** One section header; without a name table, its name is left empty. */
function readSection(
  image: Image,
  header: Header,
  index: number,
  names: Section | undefined,
): Result<{ section: Section }> {
  const at = header.tableOffset + index * SHDR_SIZE;
  const nameOffset = u32(image, at);
  const type = u32(image, at + 4);
  const flags = Number(u64(image, at + 8) & 0xffff_ffffn);
  const offset = u64(image, at + 24);
  const size = u64(image, at + 32);
  const align = u64(image, at + 48);
  const entrySize = u64(image, at + 56);
  let name = "";
  if (names !== undefined) {
    const read = sectionName(image, names, index, nameOffset, flags);
    if (!read.ok) return read;
    name = read.name;
  }
  const wrong = wrongExtent(image, sectionLabel({ index, name }), type, offset, size, align);
  if (wrong !== undefined) return wrong;
  return {
    ok: true,
    section: {
      index,
      name,
      type,
      flags,
      offset: type === SHT.NOBITS || type === SHT.NULL ? 0 : Number(offset),
      size: Number(size),
      link: u32(image, at + 40),
      info: u32(image, at + 44),
      align: Math.max(1, Number(align)),
      entrySize: Number(entrySize),
    },
  };
}

/** Source: elf_validity_check, sh_name; it looks only at sections with memory. */
function sectionName(
  image: Image,
  names: Section,
  index: number,
  nameOffset: number,
  flags: number,
): Result<{ name: string }> {
  const end = names.offset + names.size;
  if (nameOffset >= names.size) {
    const sentence = [
      `Section ${index} has its name at ${hex(nameOffset)} of a name table of`,
      `${hex(names.size)} bytes;`,
      CORRUPT,
    ];
    const checked = (flags & SHF.ALLOC) !== 0;
    return checked ? kernelRefuses("ENOEXEC", ...sentence) : kernelDoesNotCheck(...sentence);
  }
  const name = stringAt(image, names.offset + nameOffset, end);
  if (name === undefined) {
    return kernelDoesNotCheck(
      `Section ${index} has a name of more than ${NAME_MAX} bytes; no module has, so the file is`,
      "corrupt: build it again.",
    );
  }
  return { ok: true, name };
}

/** Source: validate_section_offset; ALIGN of include/linux/align.h means powers of two. */
function wrongExtent(
  image: Image,
  label: string,
  type: number,
  offset: bigint,
  size: bigint,
  align: bigint,
): Refusal | undefined {
  const hasContents = type !== SHT.NULL && type !== SHT.NOBITS;
  if (hasContents && !contains(image, offset, size)) {
    return kernelRefuses(
      "ENOEXEC",
      `The contents of ${label}, ${hex(size)} bytes at ${hex(offset)}, lie outside the file of`,
      `${image.bytes.length} bytes; it is truncated or corrupt, so copy or build it again.`,
    );
  }
  if (type === SHT.NULL && size !== 0n) {
    return kernelDoesNotCheck(
      `The unused section header of ${label} has a size, ${hex(size)};`,
      CORRUPT,
    );
  }
  if (size > SECTION_SIZE_MAX) {
    // CHOICE: the kernel adds such sizes up in 32 bits and fails, or not, by what is left of them.
    return kernelRefuses(
      "ENOMEM",
      `The size of ${label} is ${hex(size)}, more than all modules together can have (2 GiB);`,
      "make it smaller.",
    );
  }
  if ((align & (align - 1n)) !== 0n || align > SECTION_SIZE_MAX) {
    return kernelDoesNotCheck(
      `The alignment of ${label} is ${hex(align)}, which is no power of two below 2 GiB;`,
      CORRUPT,
    );
  }
  return undefined;
}

/** Contents that overlap each other or the headers; the kernel copies each section for itself. */
function overlapping(sections: readonly Section[], header: Header): Refusal | undefined {
  const extents = sections
    .filter((section) => section.type !== SHT.NULL && section.type !== SHT.NOBITS)
    .filter((section) => section.size > 0)
    .map((section) => ({
      label: sectionLabel(section),
      start: section.offset,
      end: section.offset + section.size,
    }));
  const tableEnd = header.tableOffset + header.count * SHDR_SIZE;
  extents.push({ label: "the ELF header", start: 0, end: EHDR_SIZE });
  extents.push({ label: "the section headers", start: header.tableOffset, end: tableEnd });
  extents.sort((a, b) => a.start - b.start || a.end - b.end);
  for (let i = 1; i < extents.length; i++) {
    const before = extents[i - 1]!;
    const here = extents[i]!;
    if (here.start < before.end) {
      return kernelDoesNotCheck(
        `In the file, ${here.label} at ${hex(here.start)} overlaps ${before.label}, which ends at`,
        `${hex(before.end)};`,
        CORRUPT,
      );
    }
  }
  return undefined;
}

/** Source: setup_load_info, "No module found in object". */
function holdsModule(sections: readonly Section[]): Refusal | undefined {
  const found = sections.find((section) => section.name === ".gnu.linkonce.this_module");
  if (found === undefined || !allocated(found) || found.type === SHT.NOBITS) {
    return kernelRefuses(
      "ENOEXEC",
      "The file has no .gnu.linkonce.this_module section, so it is an object file but not a",
      "module; link it through the kernel's build (make -C KDIR M=$PWD modules).",
    );
  }
  return undefined;
}
