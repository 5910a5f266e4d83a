// --el2-only: the EL2 half is loaded as a correct EL1 half would load it, and the EL1 half does not
// run.

import { type ModuleImage, type System, stop } from "../machine/system.ts";
import { hypSymbols } from "./hyp-symbols.ts";
import { hypercall } from "./hypercall.ts";
import { loadEl2Module } from "./load-el2-module.ts";

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
