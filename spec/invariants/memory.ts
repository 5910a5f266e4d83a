// What is true of every state about the memory of modules at EL2.

import type { Invariant } from "../clause.ts";
import { endOf, outsideModules, reservationOf } from "../clauses/module-memory.ts";
import { pageAt } from "../machine.ts";
import { cite } from "../sources.ts";
import { PAGE_SIZE, type Pfn } from "../types/address.ts";
import type { Hyp } from "../types/hyp.ts";
import { PROT } from "../types/module.ts";

const hex = (value: number | bigint): string => `0x${value.toString(16)}`;
const may = (prot: number, bit: number): boolean => (prot & bit) !== 0;

/** The pages that one mapping makes executable and another writable. */
function bothWays({ el2 }: Hyp): readonly Pfn[] {
  const mappings = [...el2.mappings.values()];
  const writable = new Set(mappings.filter(({ prot }) => may(prot, PROT.W)).map(({ pfn }) => pfn));
  const executable = mappings.filter(({ prot }) => may(prot, PROT.X)).map(({ pfn }) => pfn);
  return [...new Set(executable)].filter((pfn) => writable.has(pfn));
}

export const MEMORY_INVARIANTS: readonly Invariant[] = [
  {
    id: "INV-9",
    kind: "kernel",
    statement: "What EL2 executes of a module the host cannot write: the page is the hypervisor's.",
    source: [
      cite("android14-6.1", "__pkvm_map_module_page: __pkvm_host_donate_hyp before the mapping"),
      cite("measured", "ops, peek: a host access to a module page is an injected abort"),
    ],
    applies: ({ el2 }) => el2.mappings.size > 0,
    violations: (hyp) =>
      [...hyp.el2.mappings].flatMap(([va, { pfn, prot }]) => {
        const { host, hyp: el2 } = pageAt(hyp, pfn);
        const safe = !may(prot, PROT.X) || (host === "NOPAGE" && el2 === "OWNED");
        return safe ? [] : [`${hex(va)} executes pfn ${hex(pfn)}, which the host has as ${host}`];
      }),
  },
  {
    id: "INV-10",
    kind: "kernel",
    statement: "A mapping of module memory is readable, and not both writable and executable.",
    source: [
      cite("android14-6.1", "hyp_set_prot_attr, hyp/pgtable.c"),
      cite("android14-6.1", "pkvm_map_module_sections: RX, R and RW, arch/arm64/kvm/pkvm.c"),
    ],
    applies: ({ el2 }) => el2.mappings.size > 0,
    violations: ({ el2 }) =>
      [...el2.mappings].flatMap(([va, { prot }]) =>
        may(prot, PROT.R) && !(may(prot, PROT.W) && may(prot, PROT.X))
          ? []
          : [`${hex(va)} is mapped with prot ${prot}`],
      ),
  },
  {
    id: "INV-11",
    kind: "kernel",
    statement: "No page is executable through one module mapping and writable through another.",
    source: [
      cite("android14-6.1", "__pkvm_map_module_page: a page is donated once, so mapped once"),
      cite("android14-6.1", "the linear-map alias of a module page is writable: do_donate"),
    ],
    applies: ({ el2 }) => el2.mappings.size > 1,
    violations: (hyp) =>
      bothWays(hyp).map((pfn) => `pfn ${hex(pfn)} is mapped executable and, elsewhere, writable`),
  },
  {
    id: "INV-12",
    kind: "kernel",
    statement: "Reservations start on pages, follow one another, and end before what is free.",
    source: [
      cite("android14-6.1", "__pkvm_alloc_private_va_range, hyp/nvhe/mm.c"),
      cite("measured", "machines: bases of ovm and ovmt"),
    ],
    applies: ({ el2 }) => el2.reservations.length > 0,
    violations: ({ el2 }) =>
      el2.reservations.flatMap((reservation, at) => {
        const next = el2.reservations[at + 1]?.base ?? el2.nextFree;
        const { base, pages } = reservation;
        return base % PAGE_SIZE === 0n && pages > 0 && endOf(reservation) <= next
          ? []
          : [`${pages} pages at ${hex(base)} do not end before ${hex(next)}`];
      }),
  },
  {
    id: "INV-13",
    kind: "kernel",
    statement:
      "In a debug build module pages are mapped between the first and the last reservation.",
    source: [cite("android14-6.1", "assert_in_mod_range, hyp/nvhe/mm.c")],
    applies: ({ config, el2 }) => config.build === "el2debug" && el2.mappings.size > 0,
    violations: (hyp) =>
      [...hyp.el2.mappings.keys()]
        .filter((va) => outsideModules(hyp, va))
        .map((va) => `${hex(va)} is mapped and lies in no module's reach`),
  },
  {
    id: "INV-14",
    kind: "kernel",
    statement: "Where a load failed nothing is mapped.",
    source: [
      cite("android14-6.1", "__pkvm_load_el2_module, pkvm_unmap_module_sections"),
      cite("measured", "mod-failinit"),
    ],
    applies: ({ modules }) => [...modules.values()].some(({ el2 }) => el2 === "failed"),
    violations: (hyp) =>
      [...hyp.modules.values()]
        .filter(({ el2 }) => el2 === "failed")
        .flatMap((module) =>
          (reservationOf(hyp, module)?.mapped ?? []).map(
            (va) => `${hex(va)} is still mapped for ${module.name}, which failed to load`,
          ),
        ),
  },
];
