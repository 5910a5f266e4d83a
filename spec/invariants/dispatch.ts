// What is true of every state about the functions that modules registered.

import { branchOf, firstDynamicId } from "../branches/branches.ts";
import type { Invariant } from "../clause.ts";
import { lies, reservationOf } from "../clauses/module-memory.ts";
import { cite } from "../sources.ts";
import { hypVa, PAGE_SIZE } from "../types/address.ts";
import type { Hyp } from "../types/hyp.ts";
import { PROT } from "../types/module.ts";

/** Something that EL2 will call, and what calls it. */
interface EntryPoint {
  readonly address: bigint;
  readonly as: string;
}

/** Every function of a module that EL2 may enter; NULL is never entered. */
function entryPoints({ config, dispatch }: Hyp): readonly EntryPoint[] {
  const branch = branchOf(config);
  const hcalls = dispatch.dynamicHcalls.map((address, at) => ({
    address,
    as: `hypercall ${firstDynamicId(branch) + at}`,
  }));
  const callbacks = Object.entries(dispatch.callbacks).map(([as, address]) => ({ address, as }));
  const further = Object.entries(dispatch.further).flatMap(([as, addresses]) =>
    addresses.map((address) => ({ address, as })),
  );
  return [...hcalls, ...callbacks, ...further].filter(({ address }) => address !== 0n);
}

/** Whether EL2 maps an address executable for a module. */
function isExecutable({ el2 }: Hyp, address: bigint): boolean {
  const mapping = el2.mappings.get(hypVa(address & ~(PAGE_SIZE - 1n)));
  return mapping !== undefined && (mapping.prot & PROT.X) !== 0;
}

export const DISPATCH_INVARIANTS: readonly Invariant[] = [
  {
    id: "INV-15",
    kind: "kernel",
    statement: "No more functions are registered than the table has room for.",
    source: [cite("android14-6.1", "MAX_DYNAMIC_HCALLS, hyp/nvhe/modules.c")],
    applies: ({ dispatch }) => dispatch.dynamicHcalls.length > 0,
    violations: ({ config, dispatch }) => {
      const count = dispatch.dynamicHcalls.length;
      const { dynamicHcallMax } = branchOf(config);
      return count <= dynamicHcallMax ? [] : [`${count} functions in ${dynamicHcallMax} slots`];
    },
  },
  {
    id: "INV-16",
    kind: "kernel",
    statement: "Every id that was given out has a function.",
    source: [
      cite("android14-6.1", "handle_host_dynamic_hcall: tests for NULL and so expects none"),
      cite("android14-6.1", "assert_in_mod_range: what a debug build makes of NULL"),
    ],
    applies: ({ dispatch }) => dispatch.dynamicHcalls.length > 0,
    violations: ({ config, dispatch }) =>
      dispatch.dynamicHcalls.flatMap((address, at) =>
        address === 0n
          ? [`id ${firstDynamicId(branchOf(config)) + at} was given out for NULL`]
          : [],
      ),
  },
  {
    id: "INV-17",
    kind: "kernel",
    statement: "A failed load leaves no handler behind.",
    source: [
      cite("android14-6.1", "__pkvm_load_el2_module: all else of a failed load is undone"),
      cite("android14-6.1", "hyp/nvhe/modules.c: no registration is ever undone"),
    ],
    applies: ({ modules }) => [...modules.values()].some(({ el2 }) => el2 === "failed"),
    violations: (hyp) =>
      [...hyp.modules.values()]
        .filter(({ el2 }) => el2 === "failed")
        .flatMap((module) => {
          const reservation = reservationOf(hyp, module)?.reservation;
          if (reservation === undefined) return [];
          return entryPoints(hyp)
            .filter(({ address }) => lies(address, reservation))
            .map(({ as }) => `${as} is in ${module.name}, which failed to load`);
        }),
  },
  {
    id: "INV-18",
    kind: "kernel",
    statement: "What EL2 may call of modules it can execute.",
    source: [
      cite("android14-6.1", "assert_in_mod_range, __pkvm_register_hcall: the debug build's check"),
      cite("measured", "production mod-regbadk, mod-regnoload: EL2 panics when it calls"),
    ],
    applies: (hyp) => entryPoints(hyp).length > 0,
    violations: (hyp) =>
      entryPoints(hyp)
        .filter(({ address }) => !isExecutable(hyp, address))
        .map(({ address, as }) => `${as} is 0x${address.toString(16)}, which EL2 cannot execute`),
  },
];
