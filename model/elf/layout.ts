// Where the sections of a module go in kernel memory: which region, and at which offset in it.
// Source: layout_and_allocate, layout_sections, module_get_offset in kernel/module/main.c (6.1: a
// core and an init region; since 6.4: one region per kind of memory), module_enforce_rwx_sections.

import type { BranchName } from "../../spec/branches/branch.ts";
import type { KernVa } from "../../spec/types/address.ts";
import { kernVa, PAGE_SIZE } from "../../spec/types/address.ts";
import { SHF, SHT } from "./elf-abi.ts";
import { countPlts, orderForPlts, PLT_ENTRY_SIZE } from "./plt.ts";
import type { ElfFile } from "./read.ts";
import { sectionNamed } from "./read.ts";
import type { Result } from "./refusal.ts";
import { hex, kernelRefuses } from "./refusal.ts";
import type { Section } from "./section.ts";
import { allocated, sectionLabel } from "./section.ts";

/** How a kernel lays modules out. */
export interface LoaderRules {
  readonly regions: "core and init" | "by memory type";
  /** CONFIG_ARM64_MODULE_PLTS: .plt and .init.plt must be there, and are given room. */
  readonly plts: boolean;
  /** NR_FTRACE_PLTS: entries of a .text.ftrace_trampoline section. */
  readonly ftracePlts: number;
  /** The address range that all modules share, in bytes. */
  readonly spaceBytes: number;
}

/** The regions, named as in struct module: core_layout, init_layout, or mem[MOD_…] since 6.4. */
export type RegionName =
  | "core"
  | "init"
  | "MOD_TEXT"
  | "MOD_DATA"
  | "MOD_RODATA"
  | "MOD_RO_AFTER_INIT"
  | "MOD_INIT_TEXT"
  | "MOD_INIT_DATA"
  | "MOD_INIT_RODATA";

/** One allocation that the module takes: a multiple of the page size, zeroed. */
export interface Region {
  readonly name: RegionName;
  readonly size: number;
}

/** One section with memory. */
export interface PlacedSection {
  readonly section: Section;
  readonly region: RegionName;
  readonly offset: number;
  /** Its size in memory: that of the file, but for .plt, which is given room for its veneers. */
  readonly size: number;
}

/** A section for veneers: its index, and how many fit. */
export interface PltRoom {
  readonly section: number;
  readonly capacity: number;
}

/** .plt for the core half and .init.plt for the init half. */
export interface PltRooms {
  readonly core: PltRoom;
  readonly init: PltRoom;
}

/**
 * Everything that has memory, in the order of the section headers; the regions in the order in
 * which they are allocated. NON-SPEC: the loader's own copies of the symbol table (layout_symtab)
 * are left out; nothing in a module refers to them.
 */
export interface Layout {
  readonly rules: LoaderRules;
  readonly regions: readonly Region[];
  readonly sections: readonly PlacedSection[];
  readonly plts: PltRooms | undefined;
}

/** First address of each region. */
export type RegionBases = ReadonlyMap<RegionName, KernVa>;

const MIB = 2 ** 20;

/**
 * The rules of a branch. CHOICE: a 6.1 kernel has PLTs exactly when the module brings .plt: both
 * come from one configuration, and the measured 6.1 kernels had none (no CONFIG_RANDOMIZE_BASE).
 */
export function loaderRulesOf(branch: BranchName, elf: ElfFile): LoaderRules {
  if (branch !== "android14-6.1") {
    return { regions: "by memory type", plts: true, ftracePlts: 1, spaceBytes: 2048 * MIB };
  }
  const plts = sectionNamed(elf, ".plt") !== undefined;
  return { regions: "core and init", plts, ftracePlts: 2, spaceBytes: 128 * MIB };
}

/** A section as the loader sees it once the architecture has changed it. */
interface Shaped {
  readonly section: Section;
  readonly flags: number;
  readonly align: number;
  readonly size: number;
}

/** Lays out a module, or says why the kernel does not. */
export function layoutSections(elf: ElfFile, rules: LoaderRules): Result<{ layout: Layout }> {
  const rooms = rules.plts ? pltRooms(elf) : { ok: true as const, plts: undefined };
  if (!rooms.ok) return rooms;
  const { plts } = rooms;
  const shaped = elf.sections.map((section) => shape(section, rules, plts));
  const writableCode = shaped.find(({ flags }) => flags & SHF.WRITE && flags & SHF.EXECINSTR);
  if (writableCode !== undefined) {
    return kernelRefuses(
      "ENOEXEC",
      `${sectionLabel(writableCode.section)} is both writable and executable`,
      '("invalid WRITE|EXEC flags"); give code and data sections of their own.',
    );
  }
  const inMemory = dropTransient(shaped);
  const core = placeSections(inMemory, rules, "core");
  const init = placeSections(inMemory, rules, "init");
  const sections = [...core.sections, ...init.sections].sort(
    (a, b) => a.section.index - b.section.index,
  );
  const regions = regionsOf(rules, new Map([...core.sizes, ...init.sizes]));
  const total = regions.reduce((sum, region) => sum + region.size, 0);
  if (total > rules.spaceBytes) {
    return kernelRefuses(
      "ENOMEM",
      `The module takes ${hex(total)} bytes and all modules share ${hex(rules.spaceBytes)};`,
      "make its largest section smaller.",
    );
  }
  return { ok: true, layout: { rules, regions, sections, plts } };
}

/** Source: module_frob_arch_sections: the last section of each name, and all branches of a half. */
function pltRooms(elf: ElfFile): Result<{ readonly plts: PltRooms }> {
  const last = (name: string): Section | undefined =>
    elf.sections.findLast((section) => section.name === name && section.type !== SHT.NULL);
  const core = last(".plt");
  const init = last(".init.plt");
  if (core === undefined || init === undefined) {
    return kernelRefuses(
      "ENOEXEC",
      'The module lacks .plt or .init.plt ("module PLT section(s) missing");',
      "link it with the module.lds of the kernel that loads it.",
    );
  }
  const count = { core: 0, init: 0 };
  for (const { target, entries } of elf.relocations) {
    const section = elf.sections[target]!;
    if ((section.flags & SHF.EXECINSTR) === 0) continue;
    const ordered = orderForPlts(elf.symbols, entries, target);
    count[initSection(section) ? "init" : "core"] += countPlts(elf.symbols, ordered, target);
  }
  const plts = {
    core: { section: core.index, capacity: count.core },
    init: { section: init.index, capacity: count.init },
  };
  return { ok: true, plts };
}

/** Source: module_init_section. CHOICE: CONFIG_MODULE_UNLOAD, as every vermagic here says. */
const initSection = (section: Section): boolean => section.name.startsWith(".init");

/** What the architecture and the generic loader change in a section header before the layout. */
function shape(section: Section, rules: LoaderRules, plts: PltRooms | undefined): Shaped {
  const { index, name, align, size } = section;
  if (plts !== undefined) {
    const flags = SHF.EXECINSTR | SHF.ALLOC;
    const room = [plts.core, plts.init].find((candidate) => candidate.section === index);
    if (room !== undefined) {
      return { section, flags, align: 64, size: (room.capacity + 1) * PLT_ENTRY_SIZE };
    }
    if (name === ".text.ftrace_trampoline" || name === ".init.text.ftrace_trampoline") {
      return { section, flags, align: 4, size: rules.ftracePlts * PLT_ENTRY_SIZE };
    }
  }
  const roAfterInit = name === ".data..ro_after_init" || name === "__jump_table";
  const added = roAfterInit && allocated(section) ? SHF.RO_AFTER_INIT : 0;
  return { section, flags: section.flags | added, align, size };
}

/**
 * Sections that keep no memory, or memory of another kind: .modinfo and __versions are read from
 * the file, .data..percpu goes to the per-CPU allocator.
 * Source: rewrite_section_headers, layout_and_allocate.
 */
const dropTransient = (shaped: readonly Shaped[]): readonly Shaped[] =>
  shaped.filter(
    ({ section, flags }) =>
      (flags & SHF.ALLOC) !== 0 &&
      section.type !== SHT.NULL &&
      ![".modinfo", "__versions", ".data..percpu"].includes(section.name),
  );

/** One pass over the sections: which flags it wants, which it leaves, and where they go. */
interface Pass {
  readonly wanted: number;
  readonly unwanted: number;
  readonly core: RegionName;
  /** Undefined where init memory has no such kind: the pass is left out. */
  readonly init: RegionName | undefined;
}

/**
 * The passes in order; a section goes where the first one takes it. The pass for SMALL data is left
 * out: arm64 has none. A region is page-aligned after each pass.
 * Source: masks in layout_sections, core_m_to_mem_type and init_m_to_mem_type.
 */
const PASSES: readonly Pass[] = [
  { wanted: SHF.EXECINSTR, unwanted: 0, core: "MOD_TEXT", init: "MOD_INIT_TEXT" },
  { wanted: 0, unwanted: SHF.WRITE, core: "MOD_RODATA", init: "MOD_INIT_RODATA" },
  { wanted: SHF.RO_AFTER_INIT, unwanted: 0, core: "MOD_RO_AFTER_INIT", init: undefined },
  { wanted: SHF.WRITE, unwanted: 0, core: "MOD_DATA", init: "MOD_INIT_DATA" },
];

const alignUp = (value: number, align: number): number => Math.ceil(value / align) * align;
const PAGE = Number(PAGE_SIZE);

/** The sections of one half, pass by pass, and the size that every region has then. */
function placeSections(
  shaped: readonly Shaped[],
  rules: LoaderRules,
  half: "core" | "init",
): { sections: readonly PlacedSection[]; sizes: ReadonlyMap<RegionName, number> } {
  const sizes = new Map<RegionName, number>();
  const sections: PlacedSection[] = [];
  const taken = new Set<number>();
  for (const pass of PASSES) {
    const region = rules.regions === "core and init" ? half : pass[half];
    if (region === undefined) continue;
    let end = sizes.get(region) ?? 0;
    for (const { section, flags, align, size } of shaped) {
      if (taken.has(section.index) || initSection(section) !== (half === "init")) continue;
      if ((flags & pass.wanted) !== pass.wanted || (flags & pass.unwanted) !== 0) continue;
      const offset = alignUp(end, align);
      end = offset + size;
      taken.add(section.index);
      sections.push({ section, region, offset, size });
    }
    sizes.set(region, alignUp(end, PAGE));
  }
  return { sections, sizes };
}

/** The order of allocation. Source: move_module; enum mod_mem_type. */
const ALLOCATION_ORDER: readonly RegionName[] = [
  "core",
  "init",
  "MOD_TEXT",
  "MOD_DATA",
  "MOD_RODATA",
  "MOD_RO_AFTER_INIT",
  "MOD_INIT_TEXT",
  "MOD_INIT_DATA",
  "MOD_INIT_RODATA",
];

const regionsOf = (rules: LoaderRules, sizes: ReadonlyMap<RegionName, number>): Region[] =>
  ALLOCATION_ORDER.filter((name) => (sizes.get(name) ?? 0) > 0 || coreOf(rules, name)).map(
    (name) => ({ name, size: sizes.get(name) ?? 0 }),
  );

/** The core region of 6.1 is allocated even when empty. */
const coreOf = (rules: LoaderRules, name: RegionName): boolean =>
  rules.regions === "core and init" && name === "core";

/**
 * Regions one after the other from a page address, with the guard page that vmalloc leaves.
 * CHOICE: a kernel places them where its address space has room; nothing in a module depends on it
 * but relative branches, which this keeps short.
 */
export function consecutiveBases(layout: Layout, start: KernVa): RegionBases {
  const bases = new Map<RegionName, KernVa>();
  let next = start as bigint;
  for (const { name, size } of layout.regions) {
    bases.set(name, kernVa(next));
    next += BigInt(size) + PAGE_SIZE;
  }
  return bases;
}

/**
 * The address of every section by its index; undefined for one without memory. A region that holds
 * empty sections only is not allocated: they lie at NULL and after it, as in the kernel.
 */
export function addressesOf(
  elf: ElfFile,
  layout: Layout,
  bases: RegionBases,
): readonly (bigint | undefined)[] {
  const addresses: (bigint | undefined)[] = elf.sections.map(() => undefined);
  const allocatedAt = new Map<RegionName, bigint>();
  for (const { name } of layout.regions) {
    const base = bases.get(name);
    if (base === undefined || base % PAGE_SIZE !== 0n) {
      throw new Error(`region ${name} was given no page-aligned base`);
    }
    allocatedAt.set(name, base);
  }
  for (const { section, region, offset } of layout.sections) {
    const base = allocatedAt.get(region) ?? 0n;
    addresses[section.index] = BigInt.asUintN(64, base + BigInt(offset));
  }
  return addresses;
}
