// The file names of one unit of a line table; a name is looked up only when a line is asked for.
// Source: DWARF 4 and 5, 6.2.4 (the line number program header), 6.2.4.1 (standard content types).

import { type Cursor, skip, skipString, u64, uleb, unsigned } from "./dwarf-cursor.ts";
import { NAME_MAX } from "./image.ts";

/** Where strings stand: in .debug_line itself, or in one of the string sections. */
export interface StringTables {
  readonly line: Uint8Array;
  readonly lineStr: Uint8Array;
  readonly str: Uint8Array;
}

interface StringRef {
  readonly table: Uint8Array;
  readonly at: number;
}

interface FileEntry {
  readonly name: StringRef | undefined;
  readonly directory: number;
}

/** The names of one unit, by the numbers that its program uses. */
export interface FileNames {
  readonly directories: readonly (StringRef | undefined)[];
  readonly files: readonly FileEntry[];
}

/** What a relocation of a string offset stands for. */
type Relocated = ReadonlyMap<number, { readonly offset: number }>;

/** Reads both lists; undefined where the unit has a form that no compiler uses there. */
export function readFiles(
  cursor: Cursor,
  version: number,
  wide: boolean,
  strings: StringTables,
  relocated: Relocated,
): FileNames | undefined {
  if (version < 5) return readOldFiles(cursor, strings);
  const directories = readEntries(cursor, wide, strings, relocated);
  const files = directories && readEntries(cursor, wide, strings, relocated);
  if (files === undefined) return undefined;
  return { directories: directories!.map(({ name }) => name), files };
}

/** Versions 2 to 4: strings one after the other; number 0 is the unit's own folder or file. */
function readOldFiles(cursor: Cursor, { line }: StringTables): FileNames {
  const directories: (StringRef | undefined)[] = [undefined];
  for (let at = skipString(cursor); at !== undefined; at = skipString(cursor)) {
    directories.push({ table: line, at });
    if (cursor.failed) break;
  }
  const files: FileEntry[] = [{ name: undefined, directory: 0 }];
  for (let at = skipString(cursor); at !== undefined; at = skipString(cursor)) {
    const directory = uleb(cursor);
    uleb(cursor); // time of the last change
    uleb(cursor); // length in bytes
    files.push({ name: { table: line, at }, directory });
    if (cursor.failed) break;
  }
  return { directories, files };
}

/** Content types and forms. Source: DWARF 5, 7.22 and 7.5.6. */
const DW_LNCT = { path: 1, directoryIndex: 2 } as const;
const DW_FORM = {
  data2: 0x05,
  data4: 0x06,
  data8: 0x07,
  string: 0x08,
  block: 0x09,
  data1: 0x0b,
  strp: 0x0e,
  udata: 0x0f,
  data16: 0x1e,
  lineStrp: 0x1f,
} as const;

type Value = StringRef | number | undefined;

/** Version 5: a description of the entries, then the entries. Every form takes at least a byte. */
function readEntries(
  cursor: Cursor,
  wide: boolean,
  strings: StringTables,
  relocated: Relocated,
): FileEntry[] | undefined {
  const formatCount = unsigned(cursor, 1);
  const format = Array.from({ length: formatCount }, () => [uleb(cursor), uleb(cursor)] as const);
  const count = uleb(cursor);
  if (formatCount === 0 && count > 0) return undefined;
  const entries: FileEntry[] = [];
  for (let n = 0; n < count && !cursor.failed; n++) {
    let name: StringRef | undefined;
    let directory = 0;
    for (const [content, form] of format) {
      const value = readForm(cursor, form, wide, strings, relocated);
      if (value === "unknown") return undefined;
      if (content === DW_LNCT.path && typeof value === "object") name = value;
      if (content === DW_LNCT.directoryIndex && typeof value === "number") directory = value;
    }
    entries.push({ name, directory });
  }
  return cursor.failed ? undefined : entries;
}

function readForm(
  cursor: Cursor,
  form: number,
  wide: boolean,
  strings: StringTables,
  relocated: Relocated,
): Value | "unknown" {
  const reference = (table: Uint8Array): StringRef => {
    const moved = relocated.get(cursor.at)?.offset;
    const stands = wide ? u64(cursor) : unsigned(cursor, 4);
    return { table, at: moved ?? stands };
  };
  switch (form) {
    case DW_FORM.string: {
      const at = skipString(cursor);
      return at === undefined ? undefined : { table: strings.line, at };
    }
    case DW_FORM.lineStrp:
      return reference(strings.lineStr);
    case DW_FORM.strp:
      return reference(strings.str);
    case DW_FORM.data1:
      return unsigned(cursor, 1);
    case DW_FORM.data2:
      return unsigned(cursor, 2);
    case DW_FORM.data4:
      return unsigned(cursor, 4);
    case DW_FORM.data8:
      return u64(cursor);
    case DW_FORM.udata:
      return uleb(cursor);
    case DW_FORM.data16:
      skip(cursor, 16); // an MD5 digest
      return undefined;
    case DW_FORM.block:
      skip(cursor, uleb(cursor));
      return undefined;
    default:
      return "unknown";
  }
}

/** The string at a place; undefined where there is none, or none that ends. */
function stringOf(ref: StringRef | undefined): string | undefined {
  if (ref === undefined || ref.at < 0 || ref.at >= ref.table.length) return undefined;
  const window = ref.table.subarray(ref.at, ref.at + NAME_MAX + 1);
  const length = window.indexOf(0);
  return length <= 0 ? undefined : new TextDecoder().decode(window.subarray(0, length));
}

/** Characters that would break a line of a report, or a terminal. */
const UNPRINTABLE = /[^\x20-\x7e\u{a0}-\u{10ffff}]/gu;

/** The path of a file by its number, as the compiler was given it. */
export function fileName({ directories, files }: FileNames, file: number): string | undefined {
  const entry = files[file];
  const name = stringOf(entry?.name);
  if (name === undefined) return undefined;
  const folder = stringOf(directories[entry!.directory]);
  const path = folder === undefined || name.startsWith("/") ? name : `${folder}/${name}`;
  return path.replace(/^(\.\/)+/, "").replaceAll(UNPRINTABLE, "?");
}
