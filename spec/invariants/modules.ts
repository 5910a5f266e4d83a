// What is true of every state about the modules themselves.

import type { Invariant } from "../clause.ts";
import { isPlaced } from "../clauses/module-memory.ts";
import { pageAt } from "../machine.ts";
import { PAGE } from "../page.ts";
import { cite } from "../sources.ts";

export const MODULE_INVARIANTS: readonly Invariant[] = [
  {
    id: "INV-23",
    kind: "documented",
    statement: "EL2 owns no page of a module that was freed.",
    source: [
      cite("page", PAGE.failedInit),
      cite("android14-6.1", "__pkvm_load_el2_module: the reference is kept so that this is so"),
    ],
    applies: ({ modules }) => [...modules.values()].some(({ state }) => state === "freed"),
    violations: (hyp) =>
      [...hyp.modules.values()]
        .filter(({ state }) => state === "freed")
        .flatMap(({ name, sections }) => {
          const pages = sections.flatMap(({ pfns }) => pfns);
          const owned = pages.filter((page) => pageAt(hyp, page).hyp === "OWNED");
          return owned.length === 0 ? [] : [`EL2 owns ${owned.length} pages of ${name}, freed`];
        }),
  },
  {
    id: "INV-24",
    kind: "kernel",
    statement: "A module that is in the list and has its EL2 half loaded is held.",
    source: [
      cite("android14-6.1", "__pkvm_load_el2_module: try_module_get, kept on success"),
      cite("measured", "rmmod: the module stays"),
    ],
    applies: ({ modules }) => [...modules.values()].some(({ el2 }) => el2 === "initialised"),
    violations: ({ modules }) =>
      [...modules.values()]
        .filter(
          ({ el2, state, refcount }) => el2 === "initialised" && state !== "freed" && refcount < 1,
        )
        .map(({ name, refcount }) => `${name} runs at EL2 and is held ${refcount} times`),
  },
  {
    id: "INV-25",
    kind: "kernel",
    statement: "An EL2 half that was placed has a token, and the token is where EL2 sees it.",
    source: [cite("android14-6.1", "__pkvm_load_el2_module: *token = hyp_va")],
    applies: ({ modules }) => [...modules.values()].some(({ token }) => token !== undefined),
    violations: (hyp) =>
      [...hyp.modules.values()]
        .filter(({ token, el2: half }) => token !== undefined || half === "initialised")
        .filter(({ token }) => token === undefined || !isPlaced(hyp, token))
        .map(({ name }) => `the token of ${name} is the base of nothing`),
  },
];
