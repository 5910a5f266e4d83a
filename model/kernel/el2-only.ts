// --el2-only: the EL2 half is loaded as a correct EL1 half would load it, and the EL1 half does not
// run.

import { SHN, STB } from "../elf/elf-abi.ts";
import type { ElfFile } from "../elf/read.ts";
import { withFunctions } from "../machine/gates.ts";
import { exportedSymbol } from "../machine/symbols.ts";
import { type ModuleImage, type System, stop } from "../machine/system.ts";
import { hypSymbols } from "./hyp-symbols.ts";
import { hypercall } from "./hypercall.ts";
import { loadEl2Module } from "./load-el2-module.ts";

/** Symbols of EL2 code: no import of the EL1 half, and unknown to every kernel. */
const OF_EL2 = "__kvm_nvhe_";

/** NON-SPEC: what a module imports beyond that stays unknown; the kernel's text ends somewhere. */
const IMPORTS_MAX = 4096;

/**
 * The kernel functions that nothing here exports become functions that end the run with their name
 * when they are called: the EL1 half imports them, and does not run. A weak one stays NULL.
 */
export function declareImports(system: System, { symbols }: ElfFile): void {
  const { machine, options } = system;
  const unknown = symbols.flatMap(({ index, section, bind, name }) => {
    const isImport = index !== 0 && section === SHN.UNDEF && bind !== STB.WEAK && name !== "";
    if (!isImport || name.startsWith(OF_EL2)) return [];
    return exportedSymbol(machine, name, options.stubs) === undefined ? [name] : [];
  });
  const names = [...new Set(unknown)].slice(0, IMPORTS_MAX);
  if (names.length > 0) machine.gates = withFunctions(machine.gates, names);
}

/**
 * Loads with the function whose name ends in "init" and takes part in no handler's name, and
 * registers every other
 * global function whose name says that it is one. NON-SPEC: a convenience for EL2 halves whose EL1
 * half calls kernel
 * functions outside the exported set; the verdict is partial.
 */
export function loadWithoutEl1(
  system: System,
  cpu: number,
  { loaded }: ModuleImage,
): number | undefined {
  if (loaded.hyp === undefined) return 0;
  const { init, handlers } = hypSymbols(loaded);
  if (init === undefined) {
    stop(system, `${loaded.file.name}: --el2-only finds no EL2 init function`);
    return undefined;
  }
  const load = loadEl2Module(system, cpu, loaded.file.name, loaded.hyp, init);
  if (load === undefined) return undefined;
  if (load.value !== 0 || load.token === undefined) return load.value;
  const start = loaded.hyp.table.find(({ name }) => name === ".hyp.text")?.start ?? 0n;
  for (const handler of handlers) {
    const answer = hypercall(system, cpu, "__pkvm_register_hcall", [handler - start + load.token]);
    if (answer === undefined) return undefined;
  }
  return 0;
}
