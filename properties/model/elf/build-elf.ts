// Writes small relocatable AArch64 files for tests, so that every byte of them is known.

import {
  EHDR_SIZE,
  EM_AARCH64,
  ET_REL,
  RELA_SIZE,
  SHDR_SIZE,
  SHF,
  SHT,
  STB,
  STT,
  SYM_SIZE,
} from "../../../model/elf/elf-abi.ts";

export interface SectionSpec {
  readonly name: string;
  readonly type?: number;
  readonly flags?: number;
  readonly bytes?: Uint8Array;
  /** Only for NOBITS; else the length of the bytes. */
  readonly size?: number | bigint;
  readonly align?: number;
}

export interface SymbolSpec {
  readonly name: string;
  /** The name of a section, or a reserved index; undefined symbols have 0. */
  readonly section: string | number;
  readonly value?: bigint;
  readonly size?: bigint;
  readonly bind?: number;
  readonly type?: number;
}

export interface RelaSpec {
  /** The section that is relocated. */
  readonly target: string;
  readonly offset: number;
  readonly type: number;
  /** Name of a symbol. */
  readonly symbol: string;
  readonly addend?: bigint;
}

export interface ElfSpec {
  readonly sections: readonly SectionSpec[];
  readonly symbols?: readonly SymbolSpec[];
  readonly relocations?: readonly RelaSpec[];
}

export const AX = SHF.ALLOC | SHF.EXECINSTR;
export const A = SHF.ALLOC;
export const WA = SHF.WRITE | SHF.ALLOC;

/** Instruction words as they lie in memory. */
export function words(...values: readonly number[]): Uint8Array {
  const bytes = new Uint8Array(values.length * 4);
  const view = new DataView(bytes.buffer);
  values.forEach((value, i) => {
    view.setUint32(i * 4, value, true);
  });
  return bytes;
}

/** Strings one after the other, each with its zero. */
export const strings = (...texts: readonly string[]): Uint8Array =>
  new TextEncoder().encode(texts.map((text) => `${text}\0`).join(""));

/** The two sections that every module has beside its own. */
export const MODULE_SECTIONS: readonly SectionSpec[] = [
  { name: ".modinfo", flags: A, bytes: strings("license=GPL", "vermagic=6.1.145 SMP aarch64") },
  { name: ".gnu.linkonce.this_module", flags: WA, bytes: new Uint8Array(128), align: 64 },
];

interface Header {
  readonly name: string;
  readonly type: number;
  readonly flags: number;
  readonly offset: number;
  readonly size: bigint;
  readonly link: number;
  readonly info: number;
  readonly align: number;
  readonly entrySize: number;
}

/** A file with the sections as given, then their relocations, .symtab, .strtab and .shstrtab. */
export function buildElf(spec: ElfSpec): Uint8Array {
  const relocated = [...new Set((spec.relocations ?? []).map((rela) => rela.target))];
  const indexOf = new Map(spec.sections.map((section, i) => [section.name, i + 1]));
  const symtab = spec.sections.length + relocated.length + 1;
  const chunks: Uint8Array[] = [];
  let end = EHDR_SIZE;
  const put = (bytes: Uint8Array, align: number): number => {
    const at = Math.ceil(end / align) * align;
    chunks.push(new Uint8Array(at - end), bytes);
    end = at + bytes.length;
    return at;
  };
  const headers: Header[] = [emptyHeader];
  for (const section of spec.sections) headers.push(ownSection(section, put));
  const symbolNames = ["", ...(spec.symbols ?? []).map((symbol) => symbol.name)];
  for (const target of relocated) {
    const entries = (spec.relocations ?? []).filter((rela) => rela.target === target);
    const bytes = relaBytes(entries, symbolNames);
    headers.push({
      ...table(`.rela${target}`, SHT.RELA, put(bytes, 8), bytes.length),
      link: symtab,
      info: indexOf.get(target) ?? 0,
      entrySize: RELA_SIZE,
      align: 8,
    });
  }
  const strtab = nameTable(symbolNames);
  const symbols = symbolBytes(spec.symbols ?? [], strtab.offsets, indexOf);
  headers.push({
    ...table(".symtab", SHT.SYMTAB, put(symbols, 8), symbols.length),
    link: symtab + 1,
    entrySize: SYM_SIZE,
    align: 8,
  });
  headers.push(table(".strtab", SHT.STRTAB, put(strtab.bytes, 1), strtab.bytes.length));
  const shstrtab = nameTable([...headers.map((header) => header.name), ".shstrtab"]);
  headers.push(table(".shstrtab", SHT.STRTAB, put(shstrtab.bytes, 1), shstrtab.bytes.length));
  const tableAt = put(headerBytes(headers, shstrtab.offsets), 8);
  const file = new Uint8Array(end);
  file.set(elfHeader(tableAt, headers.length), 0);
  let at = EHDR_SIZE;
  for (const chunk of chunks) {
    file.set(chunk, at);
    at += chunk.length;
  }
  return file;
}

const emptyHeader: Header = {
  name: "",
  type: SHT.NULL,
  flags: 0,
  offset: 0,
  size: 0n,
  link: 0,
  info: 0,
  align: 0,
  entrySize: 0,
};

const table = (name: string, type: number, offset: number, size: number): Header => ({
  ...emptyHeader,
  name,
  type,
  offset,
  size: BigInt(size),
  align: 1,
});

function ownSection(
  { name, type = SHT.PROGBITS, flags = 0, bytes = new Uint8Array(0), size, align = 1 }: SectionSpec,
  put: (bytes: Uint8Array, align: number) => number,
): Header {
  const offset = put(bytes, align);
  return { ...table(name, type, offset, 0), flags, align, size: BigInt(size ?? bytes.length) };
}

function nameTable(names: readonly string[]): {
  readonly bytes: Uint8Array;
  readonly offsets: ReadonlyMap<string, number>;
} {
  const offsets = new Map([["", 0]]);
  let text = "\0";
  for (const name of names) {
    if (offsets.has(name)) continue;
    offsets.set(name, text.length);
    text += `${name}\0`;
  }
  return { bytes: new TextEncoder().encode(text), offsets };
}

function symbolBytes(
  symbols: readonly SymbolSpec[],
  nameOffsets: ReadonlyMap<string, number>,
  indexOf: ReadonlyMap<string, number>,
): Uint8Array {
  const bytes = new Uint8Array((symbols.length + 1) * SYM_SIZE);
  const view = new DataView(bytes.buffer);
  symbols.forEach((symbol, i) => {
    const at = (i + 1) * SYM_SIZE;
    const { section, bind = STB.GLOBAL, type = STT.NOTYPE } = symbol;
    view.setUint32(at, nameOffsets.get(symbol.name) ?? 0, true);
    view.setUint8(at + 4, (bind << 4) | type);
    view.setUint16(
      at + 6,
      typeof section === "number" ? section : (indexOf.get(section) ?? 0),
      true,
    );
    view.setBigUint64(at + 8, symbol.value ?? 0n, true);
    view.setBigUint64(at + 16, symbol.size ?? 0n, true);
  });
  return bytes;
}

function relaBytes(entries: readonly RelaSpec[], symbolNames: readonly string[]): Uint8Array {
  const bytes = new Uint8Array(entries.length * RELA_SIZE);
  const view = new DataView(bytes.buffer);
  entries.forEach((rela, i) => {
    view.setBigUint64(i * RELA_SIZE, BigInt(rela.offset), true);
    view.setUint32(i * RELA_SIZE + 8, rela.type, true);
    view.setUint32(i * RELA_SIZE + 12, Math.max(0, symbolNames.indexOf(rela.symbol)), true);
    view.setBigInt64(i * RELA_SIZE + 16, rela.addend ?? 0n, true);
  });
  return bytes;
}

function headerBytes(
  headers: readonly Header[],
  nameOffsets: ReadonlyMap<string, number>,
): Uint8Array {
  const bytes = new Uint8Array(headers.length * SHDR_SIZE);
  const view = new DataView(bytes.buffer);
  headers.forEach((header, i) => {
    const at = i * SHDR_SIZE;
    view.setUint32(at, nameOffsets.get(header.name) ?? 0, true);
    view.setUint32(at + 4, header.type, true);
    view.setBigUint64(at + 8, BigInt(header.flags), true);
    view.setBigUint64(at + 24, BigInt(header.offset), true);
    view.setBigUint64(at + 32, header.size, true);
    view.setUint32(at + 40, header.link, true);
    view.setUint32(at + 44, header.info, true);
    view.setBigUint64(at + 48, BigInt(header.align), true);
    view.setBigUint64(at + 56, BigInt(header.entrySize), true);
  });
  return bytes;
}

function elfHeader(tableAt: number, count: number): Uint8Array {
  const bytes = new Uint8Array(EHDR_SIZE);
  const view = new DataView(bytes.buffer);
  bytes.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1], 0);
  view.setUint16(16, ET_REL, true);
  view.setUint16(18, EM_AARCH64, true);
  view.setUint32(20, 1, true);
  view.setBigUint64(40, BigInt(tableAt), true);
  view.setUint16(52, EHDR_SIZE, true);
  view.setUint16(58, SHDR_SIZE, true);
  view.setUint16(60, count, true);
  view.setUint16(62, count - 1, true);
  return bytes;
}
