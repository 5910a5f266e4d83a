// The parameters that a module takes: its __param section, read through its relocations.
// Source: struct kernel_param, include/linux/moduleparam.h: name 0, mod 8, ops 16, perm 24, arg 32.

import { SHN } from "./elf-abi.ts";
import { stringAt, u16 } from "./image.ts";
import type { ElfFile } from "./read.ts";
import { contentsOf, sectionNamed } from "./read.ts";
import type { Result } from "./refusal.ts";
import { CORRUPT, kernelDoesNotCheck } from "./refusal.ts";
import { R_AARCH64_ABS64 } from "./relocation-types.ts";
import { sectionLabel } from "./section.ts";
import type { Rela } from "./tables.ts";

const KERNEL_PARAM_SIZE = 40;
const NAME_AT = 0;
const OPS_AT = 16;
const PERM_AT = 24;
const ARG_AT = 32;

/** One struct kernel_param, before it is loaded. */
export interface ModuleParam {
  readonly name: string;
  /** The symbol that says how to parse it: param_ops_int, param_ops_charp, … */
  readonly ops: string;
  /** File permissions in sysfs. */
  readonly perm: number;
  /** The variable: index of a symbol, and what is added to its value. */
  readonly arg: { readonly symbol: number; readonly addend: bigint };
}

/** Reads the module's parameters in the order of the section, in which the kernel tries them. */
export function readParams(elf: ElfFile): Result<{ readonly params: readonly ModuleParam[] }> {
  const section = sectionNamed(elf, "__param");
  if (section === undefined) return { ok: true, params: [] };
  const sites = new Map<number, Rela>();
  for (const table of elf.relocations) {
    if (table.target !== section.index) continue;
    for (const rela of table.entries) {
      if (rela.type === R_AARCH64_ABS64) sites.set(rela.offset, rela);
    }
  }
  const params: ModuleParam[] = [];
  const size = contentsOf(elf, section).length;
  for (let at = 0; at + KERNEL_PARAM_SIZE <= size; at += KERNEL_PARAM_SIZE) {
    const ops = sites.get(at + OPS_AT);
    const arg = sites.get(at + ARG_AT);
    const name = stringOf(elf, sites.get(at + NAME_AT));
    if (name === undefined || ops === undefined || arg === undefined) {
      return kernelDoesNotCheck(
        `Parameter ${at / KERNEL_PARAM_SIZE} of ${sectionLabel(section)} has no relocations for`,
        "its name, ops and variable;",
        CORRUPT,
      );
    }
    const perm = u16(elf.image, section.offset + at + PERM_AT);
    params.push({ name, ops: elf.symbols[ops.symbol]!.name, perm, arg });
  }
  return { ok: true, params };
}

/** The string in the file that a pointer will point to. */
function stringOf(elf: ElfFile, site: Rela | undefined): string | undefined {
  if (site === undefined) return undefined;
  const symbol = elf.symbols[site.symbol]!;
  const section = symbol.section === SHN.UNDEF ? undefined : elf.sections[symbol.section];
  if (section === undefined) return undefined;
  const offset = symbol.value + site.addend;
  const size = contentsOf(elf, section).length;
  if (offset < 0n || offset >= BigInt(size)) return undefined;
  return stringAt(elf.image, section.offset + Number(offset), section.offset + size);
}
