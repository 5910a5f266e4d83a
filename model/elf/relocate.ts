// A module's sections as they stand in memory once every relocation has been applied.
// Source: move_module and apply_relocations, kernel/module/main.c; apply_relocate_add, arm64.

import type { KernVa } from "../../spec/types/address.ts";
import { kernVa } from "../../spec/types/address.ts";
import { applyHowto, widthOf } from "./apply.ts";
import { SHF, SHT } from "./elf-abi.ts";
import type { Layout, PlacedSection, PltRoom, RegionName } from "./layout.ts";
import type { PltSection } from "./plt.ts";
import { orderForPlts, veneerFor } from "./plt.ts";
import type { ElfFile } from "./read.ts";
import { contentsOf } from "./read.ts";
import type { Refusal, Result } from "./refusal.ts";
import { CORRUPT, hex, kernelDoesNotCheck, kernelRefuses, quoted } from "./refusal.ts";
import { relocationType } from "./relocation-types.ts";
import type { SymbolValues } from "./resolve.ts";
import { sectionLabel } from "./section.ts";
import type { Rela, RelocationTable } from "./tables.ts";

/** One section in memory. */
export interface LoadedSection {
  readonly index: number;
  readonly name: string;
  /** sh_flags of the file. */
  readonly flags: number;
  readonly region: RegionName;
  readonly address: KernVa;
  readonly size: number;
  /** Its first bytes; from there to `size` it is zero. */
  readonly bytes: Uint8Array;
}

/** Copies every section with memory and relocates it; `addresses` and `values` are by index. */
export function relocate(
  elf: ElfFile,
  layout: Layout,
  addresses: readonly (bigint | undefined)[],
  values: SymbolValues,
): Result<{ readonly sections: readonly LoadedSection[] }> {
  const sections = layout.sections.map((placed) => copied(elf, layout, placed, addresses));
  const byIndex = new Map(sections.map((section) => [section.index, section]));
  const plts = pltSections(layout, byIndex);
  for (const table of elf.relocations) {
    const target = byIndex.get(table.target);
    // NON-SPEC: the kernel would relocate .data..percpu in the file's copy; no module here has one.
    if (target === undefined) continue;
    const refusal = relocateSection(elf, table, target, values, plts);
    if (refusal !== undefined) return refusal;
  }
  return { ok: true, sections };
}

/** Source: move_module. What the loader made NOBITS, such as .plt, begins as zeros. */
function copied(
  elf: ElfFile,
  layout: Layout,
  { section, region, size }: PlacedSection,
  addresses: readonly (bigint | undefined)[],
): LoadedSection {
  const { index, name, flags } = section;
  const { plts } = layout;
  const veneers = index === plts?.core.section || index === plts?.init.section;
  const bytes = veneers ? new Uint8Array(size) : contentsOf(elf, section).slice(0, size);
  return { index, name, flags, region, address: kernVa(addresses[index]!), size, bytes };
}

interface Plts {
  readonly core: PltSection;
  readonly init: PltSection;
}

/** The .plt sections, still without veneers; both have memory wherever the kernel has PLTs. */
function pltSections(
  layout: Layout,
  byIndex: ReadonlyMap<number, LoadedSection>,
): Plts | undefined {
  if (layout.plts === undefined) return undefined;
  const { core, init } = layout.plts;
  const empty = ({ section, capacity }: PltRoom): PltSection => {
    const { address, bytes } = byIndex.get(section)!;
    return { address, bytes, capacity, targets: [] };
  };
  return { core: empty(core), init: empty(init) };
}

const initRegion = (region: RegionName): boolean =>
  region === "init" || region.startsWith("MOD_INIT_");

function relocateSection(
  elf: ElfFile,
  table: RelocationTable,
  target: LoadedSection,
  values: SymbolValues,
  plts: Plts | undefined,
): Refusal | undefined {
  const label = sectionLabel(elf.sections[table.section]!);
  if (table.livepatch) {
    return kernelDoesNotCheck(
      `${label} is for livepatch, which is not modelled; give an ordinary module.`,
    );
  }
  if (table.form === "REL") {
    return kernelRefuses(
      "ENOEXEC",
      `${label} has relocations without addends (REL), which arm64 does not take;`,
      "build without the flags that make them (profile-guided optimisation).",
    );
  }
  // The kernel sorts the relocations of code in the file's copy before it lays the module out.
  const sorted = plts !== undefined && (target.flags & SHF.EXECINSTR) !== 0;
  const entries = sorted ? orderForPlts(elf.symbols, table.entries, target.index) : table.entries;
  const plt = plts && (initRegion(target.region) ? plts.init : plts.core);
  const view = new DataView(target.bytes.buffer, target.bytes.byteOffset, target.bytes.length);
  for (const rela of entries) {
    const refusal = relocateOne(elf, rela, target, view, values, plt);
    if (refusal !== undefined) return refusal;
  }
  return undefined;
}

function relocateOne(
  elf: ElfFile,
  rela: Rela,
  target: LoadedSection,
  view: DataView,
  values: SymbolValues,
  plt: PltSection | undefined,
): Refusal | undefined {
  const { offset } = rela;
  const where = `At ${hex(offset)} of ${sectionLabel(target)},`;
  const type = relocationType(rela.type);
  if (type === undefined) {
    return kernelRefuses("ENOEXEC", where, unsupported(rela.type));
  }
  const { howto } = type;
  if (howto.kind === "none") return undefined;
  if (offset + widthOf(howto) > view.byteLength) {
    const what = elf.sections[target.index]!.type === SHT.NOBITS ? "has no contents" : "ends first";
    const sentence = `the relocation ${type.name} has no place to be written: the section ${what};`;
    return kernelDoesNotCheck(where, sentence, CORRUPT);
  }
  const symbol = elf.symbols[rela.symbol]!;
  const base = values[rela.symbol];
  if (base === undefined) {
    return kernelDoesNotCheck(
      where,
      `${type.name} refers to ${quoted(symbol.name)}, which is in memory that is not modelled`,
      `(section ${symbol.section}); keep it in a section that the module keeps.`,
    );
  }
  const value = BigInt.asUintN(64, base + rela.addend);
  const place = BigInt.asUintN(64, target.address + BigInt(offset));
  if (applyHowto(howto, view, offset, place, value)) return undefined;
  const far = howto.kind === "immediate" && howto.veneer;
  const veneer = far && plt !== undefined ? veneerFor(plt, value) : undefined;
  if (veneer !== undefined && applyHowto(howto, view, offset, place, veneer)) return undefined;
  return kernelRefuses(
    "ENOEXEC",
    where,
    `overflow in relocation type ${type.number} (${type.name}) to ${quoted(symbol.name)}, value`,
    `${hex(value)};`,
    far
      ? "build with module PLTs, or place it nearer."
      : "build with -mcmodel=small, without -fpic.",
  );
}

/** AAELF64: relocations through the global offset table are 300 to 313, thread-local 512 to 573. */
function unsupported(type: number): string {
  const known = `unsupported RELA relocation: ${type};`;
  if (type >= 300 && type <= 313) return `${known} it needs a GOT, so compile with -fno-pic.`;
  if (type >= 512 && type <= 573) return `${known} modules have no thread-local storage.`;
  return `${known} no arm64 kernel knows it, so build again with the kernel's flags.`;
}
