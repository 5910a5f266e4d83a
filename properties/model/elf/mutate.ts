// Mutations of module files: bytes flipped, files cut, fields set to extremes, headers shuffled.

import fc from "fast-check";
import { SHDR_SIZE } from "../../../model/elf/elf-abi.ts";
import type { ElfFile } from "../../../model/elf/read.ts";
import { contentsOf } from "../../../model/elf/read.ts";
import { allocated } from "../../../model/elf/section.ts";

/** A file to begin from, and where its bytes decide something. */
export interface Base {
  readonly name: string;
  readonly bytes: Uint8Array;
  /** Ranges that the reader looks at: headers, tables, names and sections with memory. */
  readonly hot: readonly (readonly [number, number])[];
  readonly tableAt: number;
  readonly sectionCount: number;
}

/** The parts of a good file that are worth changing. */
export function baseOf(name: string, elf: ElfFile): Base {
  const { bytes, view } = elf.image;
  const tableAt = Number(view.getBigUint64(40, true));
  const sectionCount = elf.sections.length;
  const needed = elf.sections.filter(
    (section) =>
      allocated(section) ||
      [".symtab", ".strtab", ".shstrtab"].includes(section.name) ||
      elf.relocations.some((table) => table.section === section.index),
  );
  const hot = needed
    .map((section) => [section.offset, contentsOf(elf, section).length] as const)
    .filter(([, size]) => size > 0);
  const headers = [tableAt, sectionCount * SHDR_SIZE] as const;
  // The headers count three times: most of what can go wrong is there.
  return { name, bytes, hot: [...hot, [0, 64], headers, headers, headers], tableAt, sectionCount };
}

export type Mutation =
  | { readonly kind: "flip"; readonly range: number; readonly at: number; readonly bit: number }
  | { readonly kind: "cut"; readonly at: number }
  | {
      readonly kind: "set";
      readonly range: number;
      readonly at: number;
      readonly width: 1 | 2 | 4 | 8;
      readonly value: bigint;
    }
  | { readonly kind: "swap headers"; readonly a: number; readonly b: number }
  | { readonly kind: "copy header"; readonly a: number; readonly b: number }
  | { readonly kind: "copy field"; readonly a: number; readonly b: number; readonly field: number };

/** Offsets of the fields of a section header, with the width of each. */
const FIELDS: readonly (readonly [number, number])[] = [
  [0, 4],
  [4, 4],
  [8, 8],
  [24, 8],
  [32, 8],
  [40, 4],
  [44, 4],
  [48, 8],
  [56, 8],
];

const EXTREMES = [0n, 1n, 2n, 3n, 7n, 8n, 0x7fn, 0x80n, 0xffn, 0x1000n, 0x7fffn, 0xff00n, 0xfff1n];
const LARGE = [0xfff2n, 0xffffn, 0x7fff_ffffn, 0x8000_0000n, 0xffff_ffffn, 2n ** 32n, 2n ** 40n];
const HUGE = [2n ** 53n, 2n ** 63n - 1n, 2n ** 63n, 2n ** 64n - 4096n, 2n ** 64n - 1n];

/** Without the preference for small numbers, which would hit the ELF magic half of the time. */
const fraction = fc.noBias(fc.nat({ max: 0xffff }));
const header = fc.noBias(fc.nat({ max: 255 }));

export const mutation: fc.Arbitrary<Mutation> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant("flip"),
      range: header,
      at: fraction,
      bit: fc.nat(7),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("cut"), at: fraction }) },
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant("set"),
      range: header,
      at: fraction,
      width: fc.constantFrom(1, 2, 4, 8),
      value: fc.oneof(fc.constantFrom(...EXTREMES, ...LARGE, ...HUGE), fc.bigInt(0n, 2n ** 17n)),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("swap headers"), a: header, b: header }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("copy header"), a: header, b: header }) },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant("copy field"),
      a: header,
      b: header,
      field: fc.nat(8),
    }),
  },
);

/** A copy of the base with the mutations applied in order. */
export function mutated(base: Base, mutations: readonly Mutation[]): Uint8Array {
  let bytes: Uint8Array = base.bytes.slice();
  for (const change of mutations) bytes = applied(base, bytes, change);
  return bytes;
}

function applied(base: Base, bytes: Uint8Array, change: Mutation): Uint8Array {
  if (change.kind === "cut")
    return bytes.slice(0, Math.floor((bytes.length * change.at) / 0x10000));
  if (change.kind === "flip" || change.kind === "set") {
    const [start, size] = base.hot[change.range % base.hot.length]!;
    const within = Math.floor((size * change.at) / 0x10000);
    if (change.kind === "flip") {
      const at = start + within;
      if (at < bytes.length) bytes[at] = bytes[at]! ^ (1 << change.bit);
      return bytes;
    }
    // Fields lie at multiples of their width.
    const at = start + within - (within % change.width);
    for (let i = 0; i < change.width && at + i < bytes.length; i++) {
      bytes[at + i] = Number((change.value >> BigInt(8 * i)) & 0xffn);
    }
    return bytes;
  }
  const headerAt = (index: number) => base.tableAt + (index % base.sectionCount) * SHDR_SIZE;
  const [from, to] = [headerAt(change.a), headerAt(change.b)];
  if (change.kind === "copy field") {
    const [offset, width] = FIELDS[change.field]!;
    return put(bytes, to + offset, bytes.slice(from + offset, from + offset + width));
  }
  const old = bytes.slice(to, to + SHDR_SIZE);
  put(bytes, to, bytes.slice(from, from + SHDR_SIZE));
  return change.kind === "swap headers" ? put(bytes, from, old) : bytes;
}

/** Writes what still fits: an earlier mutation may have cut the file. */
function put(bytes: Uint8Array, at: number, what: Uint8Array): Uint8Array {
  if (at < bytes.length) bytes.set(what.subarray(0, bytes.length - at), at);
  return bytes;
}
