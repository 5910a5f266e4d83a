// Names for addresses of a loaded module, for reports: the symbol at or before an address.
// Source: find_kallsyms_symbol, kernel/module/kallsyms.c; AAELF64, "Mapping symbols".

import { STT } from "./elf-abi.ts";
import type { ElfFile } from "./read.ts";
import type { LoadedSection } from "./relocate.ts";
import type { SymbolValues } from "./resolve.ts";

/** Where an address lies. */
export interface Located {
  /** The nearest symbol at or before it in the same section, or the section's own name. */
  readonly name: string;
  readonly offset: bigint;
  readonly section: string;
}

interface NamedAddress {
  readonly name: string;
  readonly address: bigint;
}

/** The symbols of one section in ascending order. */
interface SectionSymbols {
  readonly section: LoadedSection;
  readonly symbols: readonly NamedAddress[];
}

export type SymbolIndex = readonly SectionSymbols[];

/** `$x` and `$d`, also with a suffix, and with the prefix that EL2 symbols carry. */
const MAPPING_SYMBOL = /^(__kvm_nvhe_)?\$[xd](\.|$)/;

/** Sorts the symbols for look-ups; of several at one address the first in this order wins. */
export function symbolIndex(
  elf: ElfFile,
  sections: readonly LoadedSection[],
  values: SymbolValues,
): SymbolIndex {
  const bySection = new Map<number, { name: string; address: bigint; rank: number }[]>();
  for (const symbol of elf.symbols) {
    const address = values[symbol.index];
    if (address === undefined || symbol.name === "" || MAPPING_SYMBOL.test(symbol.name)) continue;
    if (symbol.type === STT.SECTION || symbol.type === STT.FILE) continue;
    const sized = symbol.type === STT.FUNC || symbol.type === STT.OBJECT;
    const list = bySection.get(symbol.section) ?? [];
    list.push({ name: symbol.name, address, rank: sized ? 0 : 1 });
    bySection.set(symbol.section, list);
  }
  return sections.map((section) => ({
    section,
    symbols: (bySection.get(section.index) ?? [])
      .sort((a, b) => compare(a.address, b.address) || a.rank - b.rank)
      .filter((symbol, i, all) => symbol.address !== all[i - 1]?.address),
  }));
}

const compare = (a: bigint, b: bigint): number => (a < b ? -1 : Number(a > b));

/** What lies at an address; undefined outside the module. */
export function locate(index: SymbolIndex, address: bigint): Located | undefined {
  const found = index.find(
    ({ section }) => address >= section.address && address < section.address + BigInt(section.size),
  );
  if (found === undefined) return undefined;
  const { section, symbols } = found;
  let low = 0;
  let high = symbols.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (symbols[middle]!.address <= address) low = middle + 1;
    else high = middle;
  }
  const symbol = symbols[low - 1] ?? { name: section.name, address: section.address as bigint };
  return { name: symbol.name, offset: address - symbol.address, section: section.name };
}

/** An address as people read it: `name+0x10 (.text)`; the bare number outside the module. */
export function describeAddress(index: SymbolIndex, address: bigint): string {
  const located = locate(index, address);
  if (located === undefined) return `0x${address.toString(16)}`;
  const { name, offset, section } = located;
  const plus = offset === 0n ? "" : `+0x${offset.toString(16)}`;
  return name === section ? `${name}${plus}` : `${name}${plus} (${section})`;
}
