// The addresses of what the kernel exports, by name.

import { type KernVa, kernVa } from "../../spec/types/address.ts";
import { codePlaces, objectPlaces } from "./build.ts";
import { withFunctions } from "./gates.ts";
import type { Machine } from "./machine.ts";

/** Variables and code that is executed: the same in every machine. */
const fixedPlaces: ReadonlyMap<string, KernVa> = new Map([
  ...[...objectPlaces()].map(([name, va]) => [name, kernVa(va)] as const),
  ...codePlaces().map(([va, , name]) => [name, va] as const),
]);

/**
 * The address of an exported name; undefined when nothing exports it. A name in `stubs` becomes a
 * function of this
 * machine, which the environment answers.
 */
export function exportedSymbol(
  machine: Machine,
  name: string,
  stubs?: ReadonlyMap<string, bigint>,
): KernVa | undefined {
  const known = fixedPlaces.get(name) ?? machine.gates.functions.get(name);
  if (known !== undefined || stubs?.has(name) !== true) return known;
  machine.gates = withFunctions(machine.gates, [name]);
  return machine.gates.functions.get(name);
}
