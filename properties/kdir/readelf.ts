// What readelf says of a file, as data: a reader of ELF that is not ours.

import { join } from "node:path";
import { EXAMPLES, readelf, say } from "./toolchain.ts";

/** One row of the section table. */
export interface SectionRow {
  readonly name: string;
  readonly type: string;
  readonly address: number;
  readonly sizeBytes: number;
  readonly flags: string;
  readonly alignment: number;
}

/** One relocation, with the section that it changes. */
export interface RelocationRow {
  readonly section: string;
  readonly offset: number;
  readonly type: string;
  /** Symbol and addend as readelf prints them: "init_module + 0". */
  readonly value: string;
}

const hex = (digits: string | undefined): number => Number.parseInt(digits ?? "", 16);

const ask = (option: string, module: string): string => {
  const said = say(readelf!, [option, "-W", join(EXAMPLES, module)]);
  if (said.status !== 0) throw new Error(said.text);
  return said.text;
};

const SECTION =
  /^ {2}\[ *\d+\] (\S+) +(\S+) +([0-9a-f]{16}) [0-9a-f]+ ([0-9a-f]+) \d\d (.{3}) +\d+ +\d+ +(\d+)$/;

/** The section table without its first, empty row. */
export function sectionsOf(module: string): readonly SectionRow[] {
  const rows = ask("-S", module)
    .split("\n")
    .map((line) => SECTION.exec(line))
    .filter((match) => match !== null);
  return rows.map(([, name, type, address, size, flags, alignment]) => ({
    name: name ?? "",
    type: type ?? "",
    address: hex(address),
    sizeBytes: hex(size),
    flags: (flags ?? "").trim(),
    alignment: Number(alignment),
  }));
}

const RELOCATION = /^([0-9a-f]{16}) +[0-9a-f]+ +(R_\w+) +(?:[0-9a-f]{16} +)?(.*)$/;

/** All relocations of the file, in its order. */
export function relocationsOf(module: string): readonly RelocationRow[] {
  const rows: RelocationRow[] = [];
  let section = "";
  for (const line of ask("-r", module).split("\n")) {
    section = /^Relocation section '\.rela(\S+)'/.exec(line)?.[1] ?? section;
    const match = RELOCATION.exec(line);
    if (match === null) continue;
    const [, offset, type = "", value = ""] = match;
    rows.push({ section, offset: hex(offset), type, value: value.trim() });
  }
  return rows;
}

/** Names of the symbols that the file uses and does not define, sorted. */
export function undefinedOf(module: string): readonly string[] {
  const names = [...ask("-s", module).matchAll(/ UND (\S+)$/gm)].map(([, name]) => name ?? "");
  return names.toSorted();
}

/** The "tag=text" entries of .modinfo, sorted. */
export function modinfoOf(module: string): readonly string[] {
  const said = say(readelf!, ["-p", ".modinfo", join(EXAMPLES, module)]);
  return [...said.text.matchAll(/^ +\[ *[0-9a-f]+\] +(\S.*)$/gm)]
    .map(([, entry]) => entry ?? "")
    .toSorted();
}
