// Every fault of the list by its number, and why the others cannot be.

import type { Inexpressible, NamedMutant } from "./mutant.ts";
import { DISPATCH_MUTANTS } from "./named/dispatch.ts";
import { HOST_MUTANTS } from "./named/host.ts";
import { LOADING_MUTANTS } from "./named/loading.ts";
import { OWNERSHIP_MUTANTS } from "./named/ownership.ts";
import { VM_MUTANTS } from "./named/vm.ts";

const numberOf = ({ id }: { readonly id: string }): number => Number(id.slice(1));

/** The faults that the model can have, in the order of their numbers. */
export const NAMED: readonly NamedMutant[] = [
  ...DISPATCH_MUTANTS,
  ...LOADING_MUTANTS,
  ...OWNERSHIP_MUTANTS,
  ...HOST_MUTANTS,
  ...VM_MUTANTS,
].toSorted((a, b) => numberOf(a) - numberOf(b));

/** The others. */
export const INEXPRESSIBLE: readonly Inexpressible[] = [
  {
    id: "M8",
    wrong: "The count of registered functions is published before the slot is filled.",
    why: "CPUs interleave in sequence here: no reader sees one store and not the one before it.",
  },
];
