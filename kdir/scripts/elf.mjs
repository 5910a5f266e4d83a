// What the build's own tools need of the ELF format: sections, symbols and RELA relocations of an
// AArch64 object. Source: System V ABI, Object Files; ELF for the Arm 64-bit Architecture
// (aaelf64), 5.7 Relocation.
import { readFileSync } from "node:fs";

export const SHT_RELA = 4;
export const SHT_REL = 9;
export const SHN_UNDEF = 0;
export const STB_LOCAL = 0;
export const STB_WEAK = 2;

/**
 * @typedef {{ index: number, name: string, type: number, flags: bigint, offset: number, size:
 * number,
 *   link: number, info: number, bytes: Buffer }} Section
 * @typedef {{ index: number, name: string, bind: number, type: number, shndx: number, value: bigint
 * }} ElfSymbol @typedef {{ offset: bigint, type: number, symbol: ElfSymbol, addend: bigint }} Rela
 * @typedef {{ sections: Section[], symbols: ElfSymbol[] }} Elf
 */

/** A message for the person who builds; everything else that is thrown is a defect of the tool. */
export class BuildError extends Error {}

/** @param {Buffer} bytes @param {number} at */
function textAt(bytes, at) {
  return bytes.toString("latin1", at, bytes.indexOf(0, at));
}

/** @param {string} path @returns {Elf} */
export function readElf(path) {
  const file = readFileSync(path);
  try {
    return parseElf(file, path);
  } catch (error) {
    // What the file says of itself leads out of it: Buffer's range checks have found that.
    if (error instanceof BuildError) throw error;
    throw new BuildError(`${path} is not a whole ELF object`);
  }
}

/** @param {Buffer} file @param {string} path @returns {Elf} */
function parseElf(file, path) {
  const little64 =
    file.length >= 64 && file.readUInt32BE(0) === 0x7f454c46 && file[4] === 2 && file[5] === 1;
  if (!little64) throw new BuildError(`${path} is not a little-endian 64-bit ELF object`);
  if (file.readUInt16LE(18) !== 183) {
    throw new BuildError(`${path} is not for AArch64: is the compiler a cross compiler?`);
  }
  const table = Number(file.readBigUInt64LE(40));
  const count = file.readUInt16LE(60);
  const nameTable = file.readUInt16LE(62);
  /** @param {number} index @returns {Section} */
  const sectionAt = (index) => {
    const at = table + index * 64;
    const type = file.readUInt32LE(at + 4);
    const offset = Number(file.readBigUInt64LE(at + 24));
    const size = Number(file.readBigUInt64LE(at + 32));
    const bytes = type === 8 ? Buffer.alloc(0) : file.subarray(offset, offset + size);
    return {
      index,
      name: "",
      type,
      flags: file.readBigUInt64LE(at + 8),
      offset,
      size,
      link: file.readUInt32LE(at + 40),
      info: file.readUInt32LE(at + 44),
      bytes,
    };
  };
  const sections = Array.from({ length: count }, (_, index) => sectionAt(index));
  for (const section of sections) {
    section.name = textAt(sections[nameTable].bytes, file.readUInt32LE(table + section.index * 64));
  }
  return { sections, symbols: readSymbols(sections) };
}

/** @param {Section[]} sections @returns {ElfSymbol[]} */
function readSymbols(sections) {
  const table = sections.find((section) => section.type === 2);
  if (table === undefined) return [];
  const names = sections[table.link].bytes;
  return Array.from({ length: table.size / 24 }, (_, index) => {
    const at = index * 24;
    const info = table.bytes[at + 4];
    return {
      index,
      name: textAt(names, table.bytes.readUInt32LE(at)),
      bind: info >> 4,
      type: info & 15,
      shndx: table.bytes.readUInt16LE(at + 6),
      value: table.bytes.readBigUInt64LE(at + 8),
    };
  });
}

/** @param {Elf} elf @param {Section} section the SHT_RELA section @returns {Rela[]} */
export function readRela(elf, section) {
  return Array.from({ length: section.size / 24 }, (_, index) => {
    const at = index * 24;
    return {
      offset: section.bytes.readBigUInt64LE(at),
      type: section.bytes.readUInt32LE(at + 8),
      symbol: elf.symbols[section.bytes.readUInt32LE(at + 12)],
      addend: section.bytes.readBigInt64LE(at + 16),
    };
  });
}

/** The names that the object uses and does not define, weak ones apart. @param {Elf} elf */
export function undefinedSymbols(elf) {
  const open = elf.symbols.filter((symbol) => symbol.shndx === SHN_UNDEF && symbol.name !== "");
  return open.filter((symbol) => symbol.bind !== STB_WEAK).map((symbol) => symbol.name);
}

/**
 * Runs a tool: a BuildError is one line and exit status 1.
 * @param {string} tool @param {() => void} main
 */
export function runTool(tool, main) {
  try {
    main();
  } catch (error) {
    if (!(error instanceof BuildError)) throw error;
    for (const line of error.message.split("\n")) process.stderr.write(`ERROR: ${tool}: ${line}\n`);
    process.exit(1);
  }
}
