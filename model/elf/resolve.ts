// What every symbol of a module is worth once its sections have addresses.
// Source: simplify_symbols, kernel/module/main.c.

import { SHN, STB } from "./elf-abi.ts";
import type { ElfFile } from "./read.ts";
import type { Refusal } from "./refusal.ts";
import { kernelRefuses, quoted } from "./refusal.ts";
import type { ElfSymbol } from "./tables.ts";

/** What the kernel and the modules before this one export; undefined for what they do not. */
export type ExportedSymbols = (name: string) => bigint | undefined;

/**
 * A value for every symbol by its index; undefined for one that has no address: it is defined in a
 * section without memory, or is left to livepatch.
 */
export type SymbolValues = readonly (bigint | undefined)[];

/** A refusal that also names every symbol that nothing exports, in the table's order. */
export interface UnresolvedSymbols extends Refusal {
  readonly unknown: readonly string[];
  /** What the kernel logs, one line each, without its "MODULE: ". */
  readonly log: readonly string[];
}

/** Values of all symbols, or all reasons why there are none; the last one decides the errno. */
export function resolveSymbols(
  elf: ElfFile,
  addresses: readonly (bigint | undefined)[],
  exported: ExportedSymbols,
): { readonly ok: true; readonly values: SymbolValues } | UnresolvedSymbols {
  const unknown: string[] = [];
  const log: string[] = [];
  let refusal: Refusal | undefined;
  const values = elf.symbols.map((symbol) => {
    if (symbol.index === 0) return symbol.value;
    switch (symbol.section) {
      case SHN.ABS:
        return symbol.value;
      case SHN.LIVEPATCH:
        return undefined;
      case SHN.COMMON:
        if (symbol.name.startsWith("__gnu_lto")) return undefined;
        log.push("please compile with -fno-common");
        refusal = commonSymbol(symbol);
        return undefined;
      case SHN.UNDEF: {
        const value = exported(symbol.name);
        if (value !== undefined) return BigInt.asUintN(64, value);
        if (symbol.bind === STB.WEAK) return symbol.value;
        unknown.push(symbol.name);
        log.push(`Unknown symbol ${symbol.name} (err -2)`);
        refusal = unknownSymbols(unknown);
        return undefined;
      }
      default: {
        const address = addresses[symbol.section];
        return address === undefined ? undefined : BigInt.asUintN(64, address + symbol.value);
      }
    }
  });
  return refusal === undefined ? { ok: true, values } : { ...refusal, unknown, log };
}

const commonSymbol = (symbol: ElfSymbol): Refusal =>
  kernelRefuses(
    "ENOEXEC",
    `The symbol ${quoted(symbol.name)} is a common one, which gets no memory in a module;`,
    "please compile with -fno-common.",
  );

function unknownSymbols(names: readonly string[]): Refusal {
  const last = quoted(names.at(-1) ?? "");
  const others = names.length === 1 ? "" : ` and ${names.length - 1} before it`;
  return kernelRefuses(
    "ENOENT",
    `Unknown symbol ${last} (err -2)${others}: nothing that is loaded exports it;`,
    "load the module that does first, or name it with --stub NAME=VALUE.",
  );
}
