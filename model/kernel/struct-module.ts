// The fields of struct module that the loader fills for pKVM, and that EL1 code of the module reads
// and writes.

import layouts from "../../kdir/struct-module.json" with { type: "json" };
import { type KernVa, kernVa, PAGE_SIZE } from "../../spec/types/address.ts";
import { type HypSectionName, spanOf } from "../elf/hyp.ts";
import type { LoadedModule } from "../elf/load.ts";
import { readKernel64, writeKernel64 } from "../machine/kernel-memory.ts";
import type { ModuleImage, System } from "../machine/system.ts";

/** Where mod->arch.hyp and its members lie, in bytes. */
export interface ArchHyp {
  readonly archHyp: number;
  readonly size: number;
  readonly sections: Readonly<Partial<Record<HypSectionName, number>>>;
  readonly relocs: number;
  readonly relocCount: number;
  readonly init: number;
  /** From 6.6 on: where the span begins, and where it ends. */
  readonly span: number | undefined;
  /** From 6.12 on: where EL2 sees the span. */
  readonly hypVa: number | undefined;
}

/** A member that only later branches have. */
const later = (hyp: Readonly<Record<string, number>>, name: string): number | undefined =>
  hyp[name];

/** Where the addresses of each section lie in struct pkvm_el2_module. */
function sectionOffsets(hyp: Readonly<Record<string, number>>): ArchHyp["sections"] {
  const names = ["text", "bss", "rodata", "event_ids", "patchable_function_entries", "data"];
  return Object.fromEntries(
    names.flatMap((name) => (hyp[name] === undefined ? [] : [[`.hyp.${name}`, hyp[name]]])),
  );
}

/** The layout of a struct module of that size, if it is one that we know. */
export function archHypOf(size: number): ArchHyp | undefined {
  const row = Object.values(layouts.rows).find((candidate) => candidate.size === size);
  if (row === undefined) return undefined;
  const { hyp } = row;
  return {
    archHyp: row.archHyp,
    size: hyp.size,
    sections: sectionOffsets(hyp),
    span: later(hyp, "sections"),
    hypVa: later(hyp, "hyp_va"),
    relocs: hyp.relocs,
    relocCount: hyp.nr_relocs,
    init: hyp.init,
  };
}

/** The address of the module's struct module, its THIS_MODULE. */
export function thisModuleAddress(loaded: LoadedModule): KernVa {
  const index = loaded.file.thisModule.section;
  const section = loaded.sections.find((candidate) => candidate.index === index);
  if (section === undefined) throw new Error(`${loaded.file.name}: struct module has no memory`);
  return section.address;
}

/**
 * Source: module_init_hyp, arch/arm64/kernel/module.c: the table of sections and relocations in
 * mod->arch.hyp.
 */
export function writeStructModule(system: System, { loaded }: ModuleImage): void {
  const layout = archHypOf(loaded.file.thisModule.size);
  if (layout === undefined || loaded.hyp === undefined) return;
  const base = thisModuleAddress(loaded) + BigInt(layout.archHyp);
  const put = (offset: number, value: bigint): void =>
    writeKernel64(system.machine, kernVa(base + BigInt(offset)), value);
  for (const { name, start, end } of loaded.hyp.table) {
    const offset = layout.sections[name];
    if (offset === undefined) continue;
    put(offset, start ?? 0n);
    put(offset + 8, end ?? 0n);
  }
  const { start, pageCount } = spanOf(loaded.hyp);
  if (layout.span !== undefined) {
    put(layout.span, start);
    put(layout.span + 8, start + BigInt(pageCount) * PAGE_SIZE);
  }
  put(layout.relocs, loaded.hyp.relocs.address);
  put(layout.relocCount, BigInt(loaded.hyp.relocs.count));
}

/**
 * The init function that pkvm_load_el2_module stored in mod->arch.hyp.init. For a struct module
 * whose layout we do not
 * know, the one pointer in it that lies in the module's own .hyp.text.
 */
export function el2InitOf(system: System, loaded: LoadedModule): bigint | undefined {
  const base = thisModuleAddress(loaded);
  const { size } = loaded.file.thisModule;
  const layout = archHypOf(size);
  if (layout !== undefined) {
    return readKernel64(system.machine, kernVa(base + BigInt(layout.archHyp + layout.init)));
  }
  const text = loaded.hyp?.table.find(({ name }) => name === ".hyp.text");
  for (let offset = 0; offset + 8 <= size; offset += 8) {
    const value = readKernel64(system.machine, kernVa(base + BigInt(offset)));
    if (value >= (text?.start ?? 1n) && value < (text?.end ?? 0n)) return value;
  }
  return undefined;
}
