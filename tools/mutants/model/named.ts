// Every fault of the list by its number, and why the others cannot be.

import type { Inexpressible, MutantThatIs, NamedMutant } from "./mutant.ts";
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

/** Those that a measured kernel has: the stored counterexample of the rule is their witness. */
export const REAL: readonly MutantThatIs[] = [
  {
    id: "M28",
    wrong: "What an EL2 init registered before it failed stays registered.",
    branch: "android14-6.1",
    rule: "INV-17",
  },
  {
    id: "M63",
    wrong: "A guest gives back a page by an address inside it.",
    branch: "android14-6.1",
    rule: "GUEST-28",
  },
];

/** The others. */
export const INEXPRESSIBLE: readonly Inexpressible[] = [
  {
    id: "M8",
    wrong: "The count of registered functions is published before the slot is filled.",
    why: "CPUs interleave in sequence here: no reader sees one store and not the one before it.",
  },
  {
    id: "M44",
    wrong: "A module takes back the protection that another one gave.",
    why: "No kernel keeps which module gave it, so that every one of them does this.",
  },
  {
    id: "M54",
    wrong: "Of a page that two guests borrow only one is counted.",
    why: "Only later branches lend a page twice, and VMs at EL2 are those of android14-6.1 here.",
  },
  {
    id: "M56",
    wrong: "A CPU that comes late on 6.18 runs without stage 2.",
    why: "Every CPU is there when the host is deprivileged.",
  },
  {
    id: "M59",
    wrong: "A page that is shared by FF-A is not marked.",
    why: "There is no secure world here: the firmware refuses before a page would be marked.",
  },
];
