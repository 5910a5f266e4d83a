// The tables inside a module file: the one symbol table, and the relocations of what has memory.
// Source: gABI, symbol table and relocation; setup_load_info, kernel/module/main.c.

import { RELA_SIZE, SHF, SHN, SHT, SYM_SIZE } from "./elf-abi.ts";
import type { Image } from "./image.ts";
import { NAME_MAX, s64, stringAt, u16, u32, u64 } from "./image.ts";
import type { Refusal, Result } from "./refusal.ts";
import { CORRUPT, hex, kernelDoesNotCheck, kernelRefuses, quoted } from "./refusal.ts";
import type { Section } from "./section.ts";
import { allocated, sectionLabel } from "./section.ts";

/** One entry of the symbol table. */
export interface ElfSymbol {
  readonly index: number;
  readonly name: string;
  /** STB_LOCAL, STB_GLOBAL, STB_WEAK. */
  readonly bind: number;
  /** STT_NOTYPE, STT_OBJECT, STT_FUNC, … */
  readonly type: number;
  /** The section that defines it, or a reserved index: SHN_UNDEF, SHN_ABS, SHN_COMMON. */
  readonly section: number;
  readonly value: bigint;
  readonly size: bigint;
}

/** One relocation with addend. */
export interface Rela {
  /** Where in the target section. */
  readonly offset: number;
  /** The number of the relocation type. */
  readonly type: number;
  /** Index into the symbol table. */
  readonly symbol: number;
  readonly addend: bigint;
}

/** The relocations of one section that has memory in the kernel. */
export interface RelocationTable {
  /** The section that holds the table. */
  readonly section: number;
  /** The section that is relocated. */
  readonly target: number;
  /** REL has no addends; arm64 kernels refuse it, so its entries are not read. */
  readonly form: "RELA" | "REL";
  /** Whether livepatch would apply it instead of the module loader. */
  readonly livepatch: boolean;
  readonly entries: readonly Rela[];
}

interface SymbolTable {
  readonly section: number;
  readonly symbols: readonly ElfSymbol[];
}

/** Reads the symbol table. CHOICE: two are refused as kernels since 6.4 do; 6.1 takes the first. */
export function readSymbols(image: Image, sections: readonly Section[]): Result<SymbolTable> {
  const tables = sections.filter((section) => section.type === SHT.SYMTAB);
  const table = tables[0];
  if (table === undefined || tables.length > 1) {
    return kernelRefuses(
      "ENOEXEC",
      `The file has ${tables.length} symbol tables, not one; give the module as built, not a`,
      "stripped one.",
    );
  }
  const strings = stringTableOf(image, sections, table);
  if (!strings.ok) return strings;
  if (table.size % SYM_SIZE !== 0 || table.entrySize !== SYM_SIZE) {
    return kernelDoesNotCheck(
      `The symbol table, ${sectionLabel(table)}, of ${table.size} bytes is not made of entries of`,
      `${SYM_SIZE};`,
      CORRUPT,
    );
  }
  const symbols: ElfSymbol[] = [];
  for (let index = 0; index * SYM_SIZE < table.size; index++) {
    const at = table.offset + index * SYM_SIZE;
    const read = readSymbol(image, at, index, strings.strings, sections.length);
    if (!read.ok) return read;
    symbols.push(read.symbol);
  }
  return { ok: true, section: table.index, symbols };
}

function stringTableOf(
  image: Image,
  sections: readonly Section[],
  table: Section,
): Result<{ strings: Section }> {
  const strings = sections[table.link];
  if (table.link === SHN.UNDEF || strings === undefined) {
    return kernelRefuses(
      "ENOEXEC",
      `The symbol table, ${sectionLabel(table)}, has its names in section ${table.link} of`,
      `${sections.length} (sh_link);`,
      CORRUPT,
    );
  }
  if (strings.type !== SHT.STRTAB) {
    return kernelDoesNotCheck(
      `The symbol table, ${sectionLabel(table)}, has its names in ${sectionLabel(strings)}, which`,
      "is no string table;",
      CORRUPT,
    );
  }
  if (strings.size === 0 || image.bytes[strings.offset + strings.size - 1] !== 0) {
    return kernelDoesNotCheck(
      `The string table, ${sectionLabel(strings)}, does not end with a zero;`,
      CORRUPT,
    );
  }
  return { ok: true, strings };
}

function readSymbol(
  image: Image,
  at: number,
  index: number,
  strings: Section,
  sectionCount: number,
): Result<{ symbol: ElfSymbol }> {
  const nameOffset = u32(image, at);
  const info = u16(image, at + 4) & 0xff;
  const section = u16(image, at + 6);
  const name =
    nameOffset < strings.size
      ? stringAt(image, strings.offset + nameOffset, strings.offset + strings.size)
      : undefined;
  if (name === undefined) {
    return kernelDoesNotCheck(
      `Symbol ${index} has its name at ${hex(nameOffset)} of a string table of`,
      `${hex(strings.size)} bytes, or a name of more than ${NAME_MAX};`,
      CORRUPT,
    );
  }
  if (index !== 0 && section >= sectionCount && !reserved(section)) {
    return kernelRefuses(
      "ENOEXEC",
      `Symbol ${index} (${quoted(name)}) is defined in section ${section} of ${sectionCount};`,
      CORRUPT,
    );
  }
  const value = u64(image, at + 8);
  const size = u64(image, at + 16);
  return {
    ok: true,
    symbol: { index, name, bind: info >> 4, type: info & 0xf, section, value, size },
  };
}

const reserved = (section: number): boolean =>
  section === SHN.ABS || section === SHN.COMMON || section === SHN.LIVEPATCH;

/** Reads every relocation table whose target has memory; others are for debuggers only. */
export function readRelocationTables(
  image: Image,
  sections: readonly Section[],
  symbolTable: SymbolTable,
): Result<{ tables: readonly RelocationTable[] }> {
  const tables: RelocationTable[] = [];
  for (const section of sections) {
    if (section.type !== SHT.RELA && section.type !== SHT.REL) continue;
    const target = sections[section.info];
    const wrong = wrongTable(section, target, symbolTable);
    if (wrong !== undefined) return wrong;
    if (target === undefined || !allocated(target)) continue;
    const read = readEntries(image, section, target, symbolTable.symbols.length);
    if (!read.ok) return read;
    tables.push({
      section: section.index,
      target: target.index,
      form: section.type === SHT.RELA ? "RELA" : "REL",
      livepatch: (section.flags & SHF.RELA_LIVEPATCH) !== 0,
      entries: read.entries,
    });
  }
  return { ok: true, tables };
}

/** A table that names what it cannot relocate. The kernel skips or follows it without a look. */
function wrongTable(
  section: Section,
  target: Section | undefined,
  symbolTable: SymbolTable,
): Refusal | undefined {
  const label = sectionLabel(section);
  if (target === undefined || section.info === SHN.UNDEF) {
    return kernelDoesNotCheck(
      `The relocations of ${label} are for section ${section.info} (sh_info), which does not`,
      "exist;",
      CORRUPT,
    );
  }
  if (target.type === SHT.RELA || target.type === SHT.REL || target.type === SHT.SYMTAB) {
    return kernelDoesNotCheck(
      `The relocations of ${label} are for ${sectionLabel(target)}, which is a table itself;`,
      CORRUPT,
    );
  }
  if (section.link !== symbolTable.section) {
    return kernelDoesNotCheck(
      `The relocations of ${label} take their symbols from section ${section.link} (sh_link), not`,
      "from the symbol table;",
      CORRUPT,
    );
  }
  const entrySize = section.type === SHT.RELA ? RELA_SIZE : 16;
  if (section.size % entrySize !== 0 || section.entrySize !== entrySize) {
    return kernelDoesNotCheck(
      `The relocations of ${label} of ${section.size} bytes are not made of entries of`,
      `${entrySize};`,
      CORRUPT,
    );
  }
  return undefined;
}

function readEntries(
  image: Image,
  section: Section,
  target: Section,
  symbolCount: number,
): Result<{ entries: readonly Rela[] }> {
  const entries: Rela[] = [];
  if (section.type === SHT.REL) return { ok: true, entries };
  for (let index = 0; index * RELA_SIZE < section.size; index++) {
    const at = section.offset + index * RELA_SIZE;
    const offset = u64(image, at);
    const type = u32(image, at + 8);
    const symbol = u32(image, at + 12);
    if (offset >= BigInt(target.size)) {
      return kernelDoesNotCheck(
        `Relocation ${index} of ${sectionLabel(section)} is at ${hex(offset)}, outside`,
        `${sectionLabel(target)} of ${hex(target.size)} bytes, where the kernel would write over`,
        "other memory;",
        CORRUPT,
      );
    }
    if (symbol >= symbolCount) {
      return kernelDoesNotCheck(
        `Relocation ${index} of ${sectionLabel(section)} is against symbol ${symbol} of`,
        `${symbolCount};`,
        CORRUPT,
      );
    }
    entries.push({ offset: Number(offset), type, symbol, addend: s64(image, at + 16) });
  }
  return { ok: true, entries };
}
