// The line table of a module: which source line an address of its code comes from.
// Source: DWARF 4 and 5, 6.2 (line number information); versions 2 to 5 are read.

import { type Cursor, cursorOf, s8, sleb, u8, u64, uleb, unsigned } from "./dwarf-cursor.ts";
import { type FileNames, fileName, readFiles, type StringTables } from "./dwarf-line-files.ts";
import { RELA_SIZE, SHT } from "./elf-abi.ts";
import { s64, u32, u64 as wordAt } from "./image.ts";
import { contentsOf, type ElfFile, sectionNamed } from "./read.ts";
import { CORRUPT, kernelDoesNotCheck, type Result } from "./refusal.ts";
import type { Section } from "./section.ts";

/** The code from `from` up to `to`, both offsets in a section, comes from one line. */
interface LineRange {
  readonly from: number;
  readonly to: number;
  readonly line: number;
  readonly file: number;
  readonly names: FileNames;
}

/** A place in a source file. */
export interface SourceLine {
  readonly file: string;
  readonly line: number;
}

/** Ranges by section, in ascending order; empty where the module has no line table. */
export interface LineTable {
  readonly ranges: ReadonlyMap<number, readonly LineRange[]>;
}

/** What a relocation of .debug_line stands for: a section and an offset in it. */
interface Place {
  readonly section: number;
  readonly offset: number;
}

/** The relocations of one section without memory, by the byte that they write to. */
function placesOf(elf: ElfFile, of: Section): ReadonlyMap<number, Place> {
  const places = new Map<number, Place>();
  for (const table of elf.sections) {
    if (table.type !== SHT.RELA || table.info !== of.index) continue;
    for (let n = 0; (n + 1) * RELA_SIZE <= table.size; n++) {
      const at = table.offset + n * RELA_SIZE;
      const symbol = elf.symbols[u32(elf.image, at + 12)];
      if (symbol === undefined) continue;
      const offset = Number(symbol.value + s64(elf.image, at + 16));
      places.set(Number(wordAt(elf.image, at)), { section: symbol.section, offset });
    }
  }
  return places;
}

/** The header of one unit, as far as the program needs it. Source: 6.2.4. */
interface Unit {
  readonly program: Cursor;
  readonly minimumLength: number;
  readonly lineBase: number;
  readonly lineRange: number;
  /** Operands of the standard opcodes, by opcode. */
  readonly operands: readonly number[];
  readonly names: FileNames;
}

interface Reader {
  readonly view: DataView;
  readonly places: ReadonlyMap<number, Place>;
  readonly strings: StringTables;
  readonly ranges: Map<number, LineRange[]>;
}

const DWARF64 = 0xffff_ffff;
/** Bits of an address that a .debug_line of an arm64 module sets. */
const ADDRESS_BYTES = 8;

/** An offset of 4 bytes, or of 8 in the 64-bit format. */
const offsetOf = (cursor: Cursor, wide: boolean): number =>
  wide ? u64(cursor) : unsigned(cursor, 4);

/** Reads the header of the unit at the cursor, which then stands behind the unit. */
function readUnit(reader: Reader, cursor: Cursor): Unit | undefined {
  const length = unsigned(cursor, 4);
  const wide = length === DWARF64;
  const bytes = wide ? u64(cursor) : length;
  const unit = cursorOf(reader.view, cursor.at, cursor.at + bytes);
  cursor.at += bytes;
  cursor.failed ||= unit.failed || bytes === 0;
  const version = unsigned(unit, 2);
  if (version < 2 || version > 5) return undefined;
  if (version >= 5 && (u8(unit) !== ADDRESS_BYTES || u8(unit) !== 0)) return undefined;
  const headerLength = offsetOf(unit, wide);
  const programAt = unit.at + headerLength;
  const minimumLength = u8(unit);
  // More than one operation an instruction is for VLIW machines.
  if (version >= 4 && u8(unit) !== 1) return undefined;
  u8(unit); // default_is_stmt: which rows are statements does not matter here
  const lineBase = s8(unit);
  const lineRange = u8(unit);
  const opcodeBase = u8(unit);
  if (lineRange === 0 || opcodeBase === 0) return undefined;
  const operands = [0, ...Array.from({ length: opcodeBase - 1 }, () => u8(unit))];
  const names = readFiles(unit, version, wide, reader.strings, reader.places);
  if (unit.failed || names === undefined) return undefined;
  const program = cursorOf(reader.view, programAt, unit.end);
  return { program, minimumLength, lineBase, lineRange, operands, names };
}

/** The registers of the line number state machine. Source: 6.2.2. */
interface Row {
  section: number | undefined;
  offset: number;
  file: number;
  line: number;
}

const startRow = (): Row => ({ section: undefined, offset: 0, file: 1, line: 1 });

/** Standard and extended opcodes. Source: 7.22. */
const DW_LNS = {
  copy: 1,
  advancePc: 2,
  advanceLine: 3,
  setFile: 4,
  constAddPc: 8,
  fixedAdvancePc: 9,
} as const;
const DW_LNE = { endSequence: 1, setAddress: 2 } as const;

/** One run of the state machine: what it has seen since the last sequence ended. */
interface Machine {
  readonly reader: Reader;
  readonly unit: Unit;
  row: Row;
  /** The last row that was appended. */
  last: Row | undefined;
}

/** Appends a row: the one before it ends here. */
function append(machine: Machine): void {
  const { row, last, reader, unit } = machine;
  if (last?.section !== undefined && last.section === row.section && row.offset > last.offset) {
    const list = reader.ranges.get(last.section) ?? [];
    reader.ranges.set(last.section, list);
    const { offset: from, line, file } = last;
    list.push({ from, to: row.offset, line, file, names: unit.names });
  }
  machine.last = { ...row };
}

const advance = ({ row, unit }: Machine, operations: number): void => {
  row.offset += operations * unit.minimumLength;
};

/** A special opcode moves both registers and appends. Source: 6.2.5.1. */
function special(machine: Machine, opcode: number): void {
  const { unit, row } = machine;
  const adjusted = opcode - unit.operands.length;
  advance(machine, Math.floor(adjusted / unit.lineRange));
  row.line += unit.lineBase + (adjusted % unit.lineRange);
  append(machine);
}

function extended(machine: Machine): void {
  const { program } = machine.unit;
  const length = uleb(program);
  const next = program.at + length;
  const opcode = length === 0 ? 0 : u8(program);
  if (opcode === DW_LNE.endSequence) {
    append(machine);
    machine.row = startRow();
    machine.last = undefined;
  } else if (opcode === DW_LNE.setAddress) {
    const place = machine.reader.places.get(program.at);
    machine.row.section = place?.section;
    machine.row.offset = place?.offset ?? 0;
  }
  if (next > program.end) program.failed = true;
  else program.at = next;
}

function standard(machine: Machine, opcode: number): void {
  const { unit, row } = machine;
  const { program } = unit;
  switch (opcode) {
    case DW_LNS.copy:
      append(machine);
      return;
    case DW_LNS.advancePc:
      advance(machine, uleb(program));
      return;
    case DW_LNS.advanceLine:
      row.line += sleb(program);
      return;
    case DW_LNS.setFile:
      row.file = uleb(program);
      return;
    case DW_LNS.constAddPc:
      advance(machine, Math.floor((255 - unit.operands.length) / unit.lineRange));
      return;
    case DW_LNS.fixedAdvancePc:
      row.offset += unsigned(program, 2);
      return;
    default:
      for (let n = 0; n < (unit.operands[opcode] ?? 0); n++) uleb(program);
  }
}

/** Runs the program of one unit; each opcode takes a byte, so the table is no longer than it. */
function runProgram(reader: Reader, unit: Unit): boolean {
  const machine: Machine = { reader, unit, row: startRow(), last: undefined };
  const { program } = unit;
  while (!program.failed && program.at < program.end) {
    const opcode = u8(program);
    if (opcode >= unit.operands.length) special(machine, opcode);
    else if (opcode === 0) extended(machine);
    else standard(machine, opcode);
  }
  return !program.failed;
}

/** Reads .debug_line; a module without one has an empty table. */
export function readLineTable(elf: ElfFile): Result<{ readonly table: LineTable }> {
  const section = sectionNamed(elf, ".debug_line");
  if (section === undefined) return { ok: true, table: { ranges: new Map() } };
  const bytes = contentsOf(elf, section);
  const contents = (name: string): Uint8Array => {
    const found = sectionNamed(elf, name);
    return found === undefined ? new Uint8Array(0) : contentsOf(elf, found);
  };
  const reader: Reader = {
    view: new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength),
    places: placesOf(elf, section),
    strings: {
      line: bytes,
      lineStr: contents(".debug_line_str"),
      str: contents(".debug_str"),
    },
    ranges: new Map(),
  };
  const cursor = cursorOf(reader.view, 0, bytes.length);
  while (cursor.at < cursor.end) {
    const at = cursor.at;
    const unit = readUnit(reader, cursor);
    if (cursor.failed || unit === undefined || !runProgram(reader, unit)) {
      return kernelDoesNotCheck(`The unit at ${at} of .debug_line cannot be read;`, CORRUPT);
    }
  }
  for (const ranges of reader.ranges.values()) ranges.sort((a, b) => a.from - b.from);
  return { ok: true, table: { ranges: reader.ranges } };
}

/** The line that an offset of a section comes from. */
export function lineAt(table: LineTable, section: number, offset: number): SourceLine | undefined {
  const found = table.ranges
    .get(section)
    ?.findLast(({ from, to }) => from <= offset && offset < to);
  if (found === undefined || found.line <= 0) return undefined;
  const file = fileName(found.names, found.file);
  return file === undefined ? undefined : { file, line: found.line };
}
