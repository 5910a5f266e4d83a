// The EL2 half of a loaded module: its sections, the span that they take, and its own relocations.
// Source: module_init_hyp, arch/arm64/kernel/module.c; the section table of __pkvm_load_el2_module
// and kvm_apply_hyp_module_relocations, arch/arm64/kvm/pkvm.c.

import type { BranchName } from "../../spec/branches/branch.ts";
import type { HypVa, KernVa } from "../../spec/types/address.ts";
import { kernVa, PAGE_SIZE } from "../../spec/types/address.ts";
import { PAGE_HYP, PAGE_HYP_EXEC, PAGE_HYP_RO } from "../../spec/types/module.ts";
import type { ElfFile } from "./read.ts";
import { sectionNamed } from "./read.ts";
import type { Result } from "./refusal.ts";
import { CORRUPT, hex, kernelDoesNotCheck, kernelRefuses } from "./refusal.ts";
import type { LoadedSection } from "./relocate.ts";

export type HypSectionName =
  | ".hyp.text"
  | ".hyp.bss"
  | ".hyp.rodata"
  | ".hyp.event_ids"
  | ".hyp.patchable_function_entries"
  | ".hyp.data";

/** One row of the section table. An absent section has NULL as start and end: undefined here. */
export interface HypSection {
  readonly name: HypSectionName;
  /** struct kvm_pgtable_prot bits: how EL2 maps it. */
  readonly prot: number;
  readonly start: KernVa | undefined;
  readonly end: KernVa | undefined;
  /** Index of the section in the file; undefined if absent. */
  readonly section: number | undefined;
}

/** The EL2 half as struct pkvm_el2_module has it. */
export interface HypModule {
  /** In the order of the kernel's table. */
  readonly table: readonly HypSection[];
  readonly relocs: {
    readonly section: number;
    readonly address: KernVa;
    readonly count: number;
  };
}

/** Source: the secs_map of __pkvm_load_el2_module. */
const TABLE: readonly {
  readonly name: HypSectionName;
  readonly prot: number;
  readonly since: "6.1" | "6.6" | "6.12";
}[] = [
  { name: ".hyp.text", prot: PAGE_HYP_EXEC, since: "6.1" },
  { name: ".hyp.bss", prot: PAGE_HYP, since: "6.1" },
  { name: ".hyp.rodata", prot: PAGE_HYP_RO, since: "6.1" },
  { name: ".hyp.event_ids", prot: PAGE_HYP_RO, since: "6.6" },
  { name: ".hyp.patchable_function_entries", prot: PAGE_HYP_RO, since: "6.12" },
  { name: ".hyp.data", prot: PAGE_HYP, since: "6.1" },
];

const VERSIONS_OF: Readonly<Record<BranchName, readonly string[]>> = {
  "android14-6.1": ["6.1"],
  "android15-6.6": ["6.1", "6.6"],
  "android16-6.12": ["6.1", "6.6", "6.12"],
  "android17-6.18": ["6.1", "6.6", "6.12"],
  "mainline-6.1": [],
  "mainline-6.12": [],
  "mainline-7.3": [],
};

/** Bytes of one entry of .hyp.reloc: a signed distance from the entry itself. */
const RELOC_SIZE = 4;

/** The EL2 half of a module; undefined for one that has none, which is then a plain module. */
export function hypModuleOf(
  elf: ElfFile,
  sections: readonly LoadedSection[],
  branch: BranchName,
): Result<{ readonly hyp: HypModule | undefined }> {
  const text = sectionNamed(elf, ".hyp.text");
  if (text === undefined || text.size === 0) return { ok: true, hyp: undefined };
  const relocs = sectionNamed(elf, ".hyp.reloc");
  if (relocs === undefined) {
    return kernelRefuses(
      "ENOEXEC",
      "The module has .hyp.text but no .hyp.reloc, so its EL2 half cannot be relocated;",
      "build that half through Makefile.module, and do not strip it.",
    );
  }
  const rows = TABLE.filter(({ since }) => VERSIONS_OF[branch].includes(since));
  const found = rows.map(({ name }) => sectionNamed(elf, name));
  const loaded = new Map(sections.map((section) => [section.index, section]));
  for (const section of [relocs, ...found]) {
    if (section !== undefined && section.size > 0 && !loaded.has(section.index)) {
      const { name } = section;
      return kernelDoesNotCheck(
        `${name} has no memory at run time (SHF_ALLOC is not set);`,
        CORRUPT,
      );
    }
  }
  // The event ids count only beside the events that EL1 defines.
  const hasEvents = sectionNamed(elf, "_hyp_events") !== undefined;
  const table = rows.map(({ name, prot }, i): HypSection => {
    const section = loaded.get(found[i]?.index ?? -1);
    if (section === undefined || section.size === 0 || (name === ".hyp.event_ids" && !hasEvents)) {
      return { name, prot, start: undefined, end: undefined, section: undefined };
    }
    const { address: start, size, index } = section;
    return { name, prot, start, end: kernVa(start + BigInt(size)), section: index };
  });
  const address = loaded.get(relocs.index)?.address ?? kernVa(0n);
  const count = Math.floor(relocs.size / RELOC_SIZE);
  return { ok: true, hyp: { table, relocs: { section: relocs.index, address, count } } };
}

/**
 * The table sorted by start, absent sections first.
 * Source: the sort of __pkvm_load_el2_module by __pkvm_cmp_mod_sec.
 */
export const sortedTable = (hyp: HypModule): readonly HypSection[] =>
  [...hyp.table].sort((a, b) => {
    const from = a.start ?? 0n;
    const to = b.start ?? 0n;
    return from < to ? -1 : Number(from > to);
  });

/** From the first section's start to the last one's end, holes included. */
export interface HypSpan {
  readonly start: KernVa;
  readonly end: KernVa;
  /** What __pkvm_alloc_module_va is asked for: size >> PAGE_SHIFT, so a part of a page is lost. */
  readonly pageCount: number;
}

/** The span of a module that has an EL2 half: .hyp.text is never absent. */
export function spanOf(hyp: HypModule): HypSpan {
  const present = sortedTable(hyp).filter((section) => section.start !== undefined);
  const start = present[0]!.start!;
  const end = present.at(-1)!.end!;
  return { start, end, pageCount: Number((end - start) / PAGE_SIZE) };
}

/** Sections whose start is not page-aligned: EINVAL at load; the kernel does not look at ends. */
export const misaligned = (hyp: HypModule): readonly HypSection[] =>
  hyp.table.filter((section) => (section.start ?? 0n) % PAGE_SIZE !== 0n);

/** One 8-byte pointer of the EL2 half that .hyp.reloc names. */
export interface HypSlot {
  /** Its kernel address. */
  readonly address: KernVa;
  /** The section that it is in, and where. */
  readonly section: number;
  readonly offset: number;
}

/** The slots that .hyp.reloc names, as the file has them: before EL1 code of the module ran. */
export function hypSlots(
  hyp: HypModule,
  sections: readonly LoadedSection[],
): Result<{ readonly slots: readonly HypSlot[] }> {
  const relocs = sections.find((section) => section.index === hyp.relocs.section);
  const bytes = relocs?.bytes ?? new Uint8Array(0);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const places = hypSections(hyp, sections);
  const slots: HypSlot[] = [];
  for (let i = 0; (i + 1) * RELOC_SIZE <= bytes.length; i++) {
    const entry = hyp.relocs.address + BigInt(i * RELOC_SIZE);
    const address = kernVa(entry + BigInt(view.getInt32(i * RELOC_SIZE, true)));
    const section = places.find(
      (place) => address >= place.address && address + 8n <= place.address + lengthOf(place),
    );
    if (section === undefined) {
      return kernelDoesNotCheck(
        `Entry ${i} of .hyp.reloc names ${hex(address)}, which is not in the contents of the EL2`,
        "half, so the kernel would rewrite other memory;",
        CORRUPT,
      );
    }
    slots.push({ address, section: section.index, offset: Number(address - section.address) });
  }
  return { ok: true, slots };
}

const lengthOf = (section: LoadedSection): bigint => BigInt(section.bytes.length);

const hypSections = (hyp: HypModule, sections: readonly LoadedSection[]): LoadedSection[] =>
  sections.filter((section) => hyp.table.some((row) => row.section === section.index));

/**
 * What a slot holds after relocation: the kernel address in it, moved to where EL2 will see it. A
 * value that points elsewhere is moved as well. Source: kvm_apply_hyp_module_relocations.
 */
export const relocatedSlot = (value: bigint, spanStart: KernVa, hypBase: HypVa): bigint =>
  BigInt.asUintN(64, value - spanStart + hypBase);

/** The sections with every slot relocated for an EL2 half that will lie at `hypBase`. */
export function applyHypRelocs(
  hyp: HypModule,
  sections: readonly LoadedSection[],
  hypBase: HypVa,
): Result<{ readonly sections: readonly LoadedSection[] }> {
  const read = hypSlots(hyp, sections);
  if (!read.ok) return read;
  const { start } = spanOf(hyp);
  const changed = new Map<number, LoadedSection>();
  for (const section of hypSections(hyp, sections)) {
    changed.set(section.index, { ...section, bytes: section.bytes.slice() });
  }
  for (const { section, offset } of read.slots) {
    const { bytes } = changed.get(section)!;
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    view.setBigUint64(offset, relocatedSlot(view.getBigUint64(offset, true), start, hypBase), true);
  }
  return { ok: true, sections: sections.map((section) => changed.get(section.index) ?? section) };
}
