// A module file from its bytes to what stands in kernel memory just before its init function runs.
// Source: load_module and layout_and_allocate, kernel/module/main.c; module_finalize, arm64: the
// order of the steps. NON-SPEC: dynamic shadow call stack (scs_patch) is not modelled.

import type { BranchName } from "../../spec/branches/branch.ts";
import type { KernVa } from "../../spec/types/address.ts";
import { kernVa, PAGE_SIZE } from "../../spec/types/address.ts";
import { applyAlternatives } from "./alternatives.ts";
import type { HypModule } from "./hyp.ts";
import { hypModuleOf } from "./hyp.ts";
import type { Layout, LoaderRules, RegionBases } from "./layout.ts";
import { addressesOf, layoutSections } from "./layout.ts";
import type { ModInfo, SymbolVersion } from "./modinfo.ts";
import { readModInfo, readVersions, refuseVermagic } from "./modinfo.ts";
import type { ModuleParam } from "./params.ts";
import { readParams } from "./params.ts";
import type { ElfFile } from "./read.ts";
import { readElf } from "./read.ts";
import type { Refusal, Result } from "./refusal.ts";
import { kernelRefuses } from "./refusal.ts";
import type { LoadedSection } from "./relocate.ts";
import { relocate } from "./relocate.ts";
import type { ExportedSymbols, SymbolValues, UnresolvedSymbols } from "./resolve.ts";
import { resolveSymbols } from "./resolve.ts";
import type { ModulePointer, ThisModule } from "./this-module.ts";
import { readThisModule } from "./this-module.ts";

/** A file that is a module for us: everything that can be said of it before it is loaded. */
export interface ModuleFile {
  readonly elf: ElfFile;
  /** From .modinfo, or else from the struct module in the file. */
  readonly name: string;
  readonly info: ModInfo;
  readonly thisModule: ThisModule;
  readonly params: readonly ModuleParam[];
  /** Undefined without MODVERSIONS. */
  readonly versions: readonly SymbolVersion[] | undefined;
}

/** Reads a module file. A refusal here means that the file is not a module that can be tried. */
export function readModule(file: Uint8Array): Result<{ readonly module: ModuleFile }> {
  const read = readElf(file);
  if (!read.ok) return read;
  const { elf } = read;
  const modinfo = readModInfo(elf);
  if (!modinfo.ok) return modinfo;
  const params = readParams(elf);
  if (!params.ok) return params;
  const versions = readVersions(elf);
  if (!versions.ok) return versions;
  const thisModule = readThisModule(elf);
  const { info } = modinfo;
  const name = info.name ?? thisModule.name;
  return {
    ok: true,
    module: {
      elf,
      name,
      info,
      thisModule,
      params: params.params,
      versions: versions.versions,
    },
  };
}

/** What the kernel brings to a load. */
export interface Loader {
  readonly branch: BranchName;
  readonly rules: LoaderRules;
  /** The kernel's own vermagic; undefined loads whatever a module says. */
  readonly vermagic: string | undefined;
  readonly exported: ExportedSymbols;
  /** CPU capabilities by the kernel's numbers, for .altinstructions; none where it is left out. */
  readonly capabilities?: ReadonlySet<number>;
  /** Where the regions of this module go; undefined when there is no room. */
  readonly place: (layout: Layout) => RegionBases | undefined;
}

/** A module in memory, its init not called yet. */
export interface LoadedModule {
  readonly file: ModuleFile;
  readonly layout: Layout;
  readonly sections: readonly LoadedSection[];
  /** By the index of the symbol. */
  readonly values: SymbolValues;
  /** mod->init and mod->exit; undefined where the module has none. */
  readonly init: KernVa | undefined;
  readonly exit: KernVa | undefined;
  /** Undefined for a module without an EL2 half. */
  readonly hyp: HypModule | undefined;
}

/** Loads a module that was read, or says at which step the kernel gives up. */
export function loadModule(
  file: ModuleFile,
  loader: Loader,
): { readonly ok: true; readonly loaded: LoadedModule } | Refusal | UnresolvedSymbols {
  const { elf } = file;
  if (loader.vermagic !== undefined) {
    const magic = refuseVermagic(file.info, loader.vermagic, file.versions !== undefined);
    if (magic !== undefined) return magic;
  }
  const laidOut = layoutSections(elf, loader.rules);
  if (!laidOut.ok) return laidOut;
  const { layout } = laidOut;
  const bases = loader.place(layout);
  if (bases === undefined) return noRoom(layout);
  const addresses = addressesOf(elf, layout, bases);
  const resolved = resolveSymbols(elf, addresses, loader.exported);
  if (!resolved.ok) return resolved;
  const { values } = resolved;
  const relocated = relocate(elf, layout, addresses, values);
  if (!relocated.ok) return relocated;
  const { sections } = relocated;
  const alternatives = applyAlternatives(elf, sections, {
    has: (capability) => loader.capabilities?.has(capability) ?? false,
    patchNops: loader.exported("alt_cb_patch_nops"),
  });
  if (alternatives !== undefined) return alternatives;
  const el2 = hypModuleOf(elf, sections, loader.branch);
  if (!el2.ok) return el2;
  const { init, exit } = file.thisModule;
  return {
    ok: true,
    loaded: {
      file,
      layout,
      sections,
      values,
      init: pointed(values, init),
      exit: pointed(values, exit),
      hyp: el2.hyp,
    },
  };
}

/** Source: move_module, where module_alloc gives nothing. */
function noRoom(layout: Layout): Refusal {
  const pages = layout.regions.reduce((sum, { size }) => sum + size / Number(PAGE_SIZE), 0);
  return kernelRefuses(
    "ENOMEM",
    `The module takes ${pages} pages and the module area has no room for them;`,
    "load fewer modules before it.",
  );
}

function pointed(values: SymbolValues, pointer: ModulePointer | undefined): KernVa | undefined {
  const value = pointer && values[pointer.symbol.index];
  return value === undefined ? undefined : kernVa(value + pointer!.addend);
}
