// The struct module that the loader finds in the file: its name, and its init and exit pointers.
// Source: modpost's __this_module; include/linux/module.h. The offsets of init and exit differ from
// kernel to kernel, so their relocations tell; state, list and name stand first in all of them.

import type { ElfFile } from "./read.ts";
import { contentsOf, sectionNamed } from "./read.ts";
import { R_AARCH64_ABS64 } from "./relocation-types.ts";
import type { ElfSymbol } from "./tables.ts";

const NAME_AT = 24;
const MODULE_NAME_LEN = 56;

/** One pointer of struct module. */
export interface ModulePointer {
  /** Byte offset in struct module. */
  readonly offset: number;
  readonly symbol: ElfSymbol;
  readonly addend: bigint;
}

/** The module's own struct module, before it is loaded. */
export interface ThisModule {
  readonly section: number;
  /** sizeof(struct module) of the kernel that it was built for. */
  readonly size: number;
  /** The name field; empty if it does not fit. */
  readonly name: string;
  readonly init: ModulePointer | undefined;
  readonly exit: ModulePointer | undefined;
}

/**
 * Reads .gnu.linkonce.this_module, which every file that readElf accepts has. DEVIATION: kernels
 * since 6.4 answer ENOEXEC to a size that is not their own; here vendors' sizes are all taken.
 */
export function readThisModule(elf: ElfFile): ThisModule {
  const section = sectionNamed(elf, ".gnu.linkonce.this_module")!;
  const name = contentsOf(elf, section).subarray(NAME_AT, NAME_AT + MODULE_NAME_LEN);
  const length = name.indexOf(0);
  elf.image.looked += name.length;
  return {
    section: section.index,
    size: section.size,
    name: length === -1 ? "" : String.fromCharCode(...name.subarray(0, length)),
    init: pointerTo(elf, section.index, "init_module"),
    exit: pointerTo(elf, section.index, "cleanup_module"),
  };
}

function pointerTo(elf: ElfFile, section: number, name: string): ModulePointer | undefined {
  for (const table of elf.relocations) {
    if (table.target !== section) continue;
    for (const rela of table.entries) {
      const symbol = elf.symbols[rela.symbol]!;
      if (rela.type === R_AARCH64_ABS64 && symbol.name === name) {
        return { offset: rela.offset, symbol, addend: rela.addend };
      }
    }
  }
  return undefined;
}
