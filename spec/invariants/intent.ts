// What is meant of every state, and is not so on some branch: what a failed load leaves, whose
// code EL2 executes, and control registers that every CPU should have alike.

import { branchOf } from "../branches/branches.ts";
import type { Invariant } from "../clause.ts";
import { reservationOf } from "../clauses/module-memory.ts";
import { cite } from "../sources.ts";
import type { CpuControls, Hyp } from "../types/hyp.ts";
import { type ModuleState, PROT } from "../types/module.ts";

const hex = (value: number | bigint): string => `0x${value.toString(16)}`;

const failed = ({ modules }: Hyp): readonly ModuleState[] =>
  [...modules.values()].filter(({ el2 }) => el2 === "failed");

const isSame = (a: CpuControls, b: CpuControls): boolean =>
  a.hcrSet === b.hcrSet && a.hcrClear === b.hcrClear && a.hfgwtr === b.hfgwtr;

const isTouched = ({ hcrSet, hcrClear, hfgwtr }: CpuControls): boolean =>
  hcrSet !== 0n || hcrClear !== 0n || hfgwtr !== 0n;

export const INTENT_INVARIANTS: readonly Invariant[] = [
  {
    id: "INV-38",
    kind: "kernel",
    statement: "A load that failed leaves its caller no token.",
    source: [
      cite("android14-6.1", "__pkvm_load_el2_module: *token is written before the load is done"),
      cite("android17-6.18", "pkvm_load_el2_module: no token"),
    ],
    applies: (hyp) => branchOf(hyp.config).loadTakesToken && failed(hyp).length > 0,
    violations: (hyp) =>
      failed(hyp).flatMap(({ name, token }) =>
        token === undefined ? [] : [`${name} failed to load and has the token ${hex(token)}`],
      ),
  },
  {
    id: "INV-35",
    kind: "kernel",
    statement: "A load that failed keeps no addresses of EL2.",
    source: [
      cite("android14-6.1", "__pkvm_load_el2_module: all else of a failed load is undone"),
      cite("android14-6.1", "__pkvm_alloc_private_va_range, hyp/nvhe/mm.c: nothing is given back"),
    ],
    applies: (hyp) => failed(hyp).length > 0,
    violations: (hyp) =>
      failed(hyp).flatMap((module) => {
        const reservation = reservationOf(hyp, module)?.reservation;
        return reservation === undefined
          ? []
          : [`${reservation.pages} pages at ${hex(reservation.base)} stay with ${module.name}`];
      }),
  },
  {
    id: "INV-36",
    kind: "kernel",
    statement: "What a module sets of HCR_EL2 and HFGWTR_EL2 is set on every CPU.",
    source: [cite("android14-6.1", "__update_hcr_el2, hyp/nvhe/modules.c: this_cpu_ptr")],
    branches: ["android14-6.1", "android15-6.6", "android16-6.12"],
    applies: ({ controls }) => controls.some(isTouched),
    violations: ({ controls }) => {
      const [first] = controls;
      const other = controls.findIndex((one) => first !== undefined && !isSame(first, one));
      return other < 0 ? [] : [`CPU ${other} has another setting than CPU 0`];
    },
  },
  {
    id: "INV-37",
    kind: "kernel",
    statement: "What EL2 executes beyond its own code are pages of modules.",
    source: [
      cite(
        "android14-6.1",
        "__pkvm_map_module_page, hyp/nvhe/mm.c: the page is what the host says",
      ),
    ],
    applies: ({ el2 }) => [...el2.mappings.values()].some(({ prot }) => (prot & PROT.X) !== 0),
    violations: ({ el2, modules }) => {
      const known = new Set(
        [...modules.values()].flatMap(({ sections }) => sections.flatMap(({ pfns }) => pfns)),
      );
      return [...el2.mappings]
        .filter(([, { pfn, prot }]) => (prot & PROT.X) !== 0 && !known.has(pfn))
        .map(([va, { pfn }]) => `${hex(va)} executes pfn ${hex(pfn)}, which is of no module`);
    },
  },
];
