// finit_module and delete_module: a file becomes a module in kernel memory, its init runs, and it
// may go again.

import type { LoadModule, ModuleInitReturned } from "../../spec/types/action.ts";
import { type KernVa, kernVa, PAGE_SIZE } from "../../spec/types/address.ts";
import { ERRNO } from "../../spec/types/errno.ts";
import type { El2Section } from "../../spec/types/module.ts";
import { SHF } from "../elf/elf-abi.ts";
import { type Layout, loaderRulesOf, type RegionBases } from "../elf/layout.ts";
import { type LoadedModule, loadModule, type ModuleFile, readModule } from "../elf/load.ts";
import { beginsAnswer, endsAnswer } from "../machine/answer-writer.ts";
import { environmentOf, settled } from "../machine/environment.ts";
import {
  allocModuleMemory,
  freeModuleMemory,
  hostRefused,
  pfnOfKernVa,
  protectKernel,
  writeKernelBytes,
} from "../machine/kernel-memory.ts";
import { callEl1, hostAccess } from "../machine/run.ts";
import { exportedSymbol } from "../machine/symbols.ts";
import {
  type ModuleImage,
  nested,
  over,
  perform,
  returnedValue,
  type System,
  stop,
} from "../machine/system.ts";
import { loadedModule } from "../module/load-module.ts";
import type { InitramfsModule } from "../scenario.ts";
import { CAPABILITIES } from "./capabilities.ts";
import { declareImports, loadWithoutEl1 } from "./el2-only.ts";
import { setParameters } from "./exported/params.ts";
import { writeStructModule } from "./struct-module.ts";
import { branchVermagic } from "./vermagic.ts";

type Refused = NonNullable<LoadModule["refused"]>;
type TakenRegion = ModuleImage["regions"][number];

/**
 * Loads one file and runs its init: 0, or a negative errno; undefined when the system ended in it.
 */
export function finitModule(
  system: System,
  cpu: number,
  entry: InitramfsModule,
  parameters: string,
): number | undefined {
  const bytes = system.files.get(entry.file);
  if (bytes === undefined) throw new Error(`the run was given no file ${entry.file}`);
  const read = readModule(bytes);
  if (!read.ok) return refuse(system, entry.name, read, true);
  const { module } = read;
  if (loadedModule(system.hyp, module.name) !== undefined) {
    return returnedValue(perform(system, loadAction(module, [], undefined)));
  }
  if (system.options.el2Only === true) declareImports(system, module.elf);
  const regions: TakenRegion[] = [];
  const result = loadModule(module, {
    branch: system.hyp.config.branch,
    rules: loaderRulesOf(system.hyp.config.branch, module.elf),
    vermagic: branchVermagic(system.hyp.config.branch),
    exported: (name) => exportedSymbol(system.machine, name, system.options.stubs),
    capabilities: CAPABILITIES,
    place: (layout) => place(system, cpu, layout, regions),
  });
  if (!result.ok) {
    if ("log" in result) {
      for (const text of result.log) {
        system.log.push({ kind: "console", text: `${module.name}: ${text}` });
      }
    }
    if (over(system)) return undefined;
    giveBack(system, regions);
    return refuse(system, module.name, result, regions.length === 0);
  }
  return start(system, cpu, { loaded: result.loaded, regions }, parameters);
}

/** The loader's refusal as a step; what no kernel checks stops the run instead. */
function refuse(
  system: System,
  name: string,
  refusal: { readonly error: string; readonly errno: keyof typeof ERRNO | undefined },
  early: boolean,
): number | undefined {
  if (refusal.errno === undefined) {
    stop(system, `${name}: ${refusal.error}`);
    return undefined;
  }
  const refused: Refused = { errno: -ERRNO[refusal.errno], why: refusal.error, early };
  const action: LoadModule = {
    kind: "load_module",
    name,
    sections: [],
    hasInit: false,
    hasExit: false,
    refused,
  };
  return returnedValue(perform(system, action));
}

const loadAction = (
  module: ModuleFile,
  sections: readonly El2Section[],
  refused: Refused | undefined,
): LoadModule => ({
  kind: "load_module",
  name: module.name,
  sections,
  hasInit: module.thisModule.init !== undefined,
  hasExit: module.thisModule.exit !== undefined,
  refused,
});

/**
 * Allocates the regions of a layout in the module area, or says that there is no room; empty ones
 * lie at NULL.
 */
function place(
  system: System,
  cpu: number,
  layout: Layout,
  regions: TakenRegion[],
): RegionBases | undefined {
  const bases = new Map<Layout["regions"][number]["name"], KernVa>();
  for (const { name, size } of layout.regions) {
    const pages = Math.ceil(size / Number(PAGE_SIZE));
    const base = pages === 0 ? kernVa(0n) : allocModuleMemory(system.machine, pages);
    if (base === undefined) return undefined;
    if (pages > 0) regions.push({ base, pages });
    if (!touched(system, cpu, base, pages)) return undefined;
    bases.set(name, base);
  }
  return bases;
}

/**
 * The loader zeroes what it allocates. A page that was freed while EL2 owned it kills the kernel
 * here, once its stage 2 is on. Source: move_module; measured, behaviour of a failed init.
 */
function touched(system: System, cpu: number, base: KernVa, pages: number): boolean {
  for (let n = 0; n < pages; n += 1) {
    const va = base + BigInt(n) * PAGE_SIZE;
    if (hostRefused(system.machine, cpu, va) === undefined) continue;
    const store = { va, sizeBytes: 8, store: 0n } as const;
    const met = hostAccess(system.machine, cpu, store, environmentOf(system));
    if (met.kind !== "fault") throw new Error(`the store to 0x${va.toString(16)} did not fault`);
    perform(system, { kind: "host_oops", cpu, esr: met.esr, elr: 0n, far: met.far });
    return false;
  }
  return true;
}

/** The EL2 sections with the pages behind them. */
function el2Sections(system: System, loaded: LoadedModule): El2Section[] {
  return (loaded.hyp?.table ?? []).map(({ name, prot, start, end }) => {
    const pfns = [];
    if (start !== undefined && end !== undefined) {
      for (let at: bigint = start; at < end; at += PAGE_SIZE) {
        pfns.push(pfnOfKernVa(system.machine, kernVa(at)));
      }
    }
    return { name, kernVa: start, pfns, prot } as El2Section;
  });
}

/** Everything from "the file is good" to what the init returned. */
function start(
  system: System,
  cpu: number,
  image: ModuleImage,
  parameters: string,
): number | undefined {
  const { loaded } = image;
  const { name } = loaded.file;
  for (const section of loaded.sections) {
    writeKernelBytes(system.machine, section.address, section.bytes);
  }
  perform(system, loadAction(loaded.file, el2Sections(system, loaded), undefined));
  system.images.set(name, image);
  writeStructModule(system, image);
  protect(system, loaded);
  const initialised = initialise(system, cpu, image, parameters);
  if (initialised === undefined) return undefined;
  const { value } = initialised;
  perform(system, { kind: "module_init_returned", name, ...initialised });
  if (loadedModule(system.hyp, name) === undefined) {
    system.images.delete(name);
    system.freed.set(name, image.loaded);
    giveBack(system, image.regions);
  }
  return Math.min(value, 0);
}

/**
 * Code becomes executable and no longer writable, constants no longer writable. Each kind of
 * section has pages of its
 * own. Source: complete_formation: module_enable_ro, module_enable_nx, module_enable_x.
 */
function protect(system: System, { sections }: LoadedModule): void {
  for (const { address, size, flags } of sections) {
    const base = address - (address % PAGE_SIZE);
    const pages = Number((address + BigInt(size) - base + PAGE_SIZE - 1n) / PAGE_SIZE);
    const prot = flags & SHF.EXECINSTR ? "rx" : flags & SHF.WRITE ? "rw" : "ro";
    if (size > 0) protectKernel(system.machine, kernVa(base), pages, prot);
  }
}

/** What an init returned, and who made it. */
type Initialised = Pick<ModuleInitReturned, "value" | "from">;

/** Sets the parameters and runs the EL1 init: what load_module and do_init_module answer. */
function initialise(
  system: System,
  cpu: number,
  image: ModuleImage,
  parameters: string,
): Initialised | undefined {
  const caller = { cpu, env: environmentOf(system), budget: system.options.budget };
  const parsed = setParameters(system.machine, image.loaded, parameters, caller);
  if (parsed.kind === "stopped") {
    settled(system, cpu, parsed.ran);
    return undefined;
  }
  for (const text of parsed.log) system.log.push({ kind: "console", text });
  return parsed.errno !== 0 ? { value: parsed.errno } : runInit(system, cpu, image);
}

/** Runs the EL1 init to its return. */
function runInit(system: System, cpu: number, image: ModuleImage): Initialised | undefined {
  if (system.options.el2Only === true) {
    const value = loadWithoutEl1(system, cpu, image);
    return value === undefined ? undefined : { value };
  }
  const { init } = image.loaded;
  if (init === undefined) return { value: 0 };
  beginsAnswer(system.watch?.answers, cpu, 1);
  const ran = nested(system, () =>
    callEl1(system.machine, cpu, init, [], environmentOf(system), system.options.budget),
  );
  if (!settled(system, cpu, ran)) return undefined;
  const value = Number(BigInt.asIntN(32, ran.x[0] ?? 0n));
  return { value, ...endsAnswer(system.watch?.answers, cpu, 1, ran.x[0]) };
}

/** The memory of a module goes back to the page allocator, whoever owns the pages. */
function giveBack(system: System, regions: readonly TakenRegion[]): void {
  for (const { base, pages } of regions) freeModuleMemory(system.machine, base, pages);
}

/** rmmod: the checks, the exit function, the memory. Undefined when the system ended in it. */
export function deleteModule(system: System, cpu: number, name: string): number | undefined {
  const image = system.images.get(name);
  const value = returnedValue(perform(system, { kind: "delete_module", name }));
  if (value !== 0 || image === undefined) return value;
  const { exit } = image.loaded;
  if (exit !== undefined) {
    const ran = nested(system, () =>
      callEl1(system.machine, cpu, exit, [], environmentOf(system), system.options.budget),
    );
    if (!settled(system, cpu, ran)) return undefined;
  }
  system.images.delete(name);
  system.freed.set(name, image.loaded);
  giveBack(system, image.regions);
  return 0;
}
