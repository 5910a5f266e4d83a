// What is true of every state about who owns a page.

import type { Invariant } from "../clause.ts";
import { cite } from "../sources.ts";
import type { Hyp } from "../types/hyp.ts";
import type { PageState } from "../types/page.ts";

/** One sentence for each kept page that offends. */
const pagesThat = (
  { pages }: Hyp,
  offends: (page: PageState) => boolean,
  how: (page: PageState) => string,
): readonly string[] =>
  [...pages]
    .filter(([, page]) => offends(page))
    .map(([pfn, page]) => `pfn 0x${pfn.toString(16)} ${how(page)}`);

/** How many own a page: exactly one should. */
function ownersOf({ host, owner, hyp }: PageState): readonly string[] {
  const hostHas = owner === "HOST" && ["OWNED", "SHARED_OWNED", "MODULE_OWNED"].includes(host);
  const anotherHas = owner !== "HOST" && owner !== "HYP";
  return [
    ...(hostHas ? ["the host"] : []),
    ...(hyp === "OWNED" ? ["the hypervisor"] : []),
    ...(anotherHas ? [owner] : []),
  ];
}

export const OWNERSHIP_INVARIANTS: readonly Invariant[] = [
  {
    id: "INV-19",
    kind: "kernel",
    statement: "A page has exactly one owner.",
    source: [cite("android14-6.1", "do_donate, do_share, hyp/nvhe/mem_protect.c")],
    applies: ({ pages }) => pages.size > 0,
    violations: (hyp) =>
      pagesThat(
        hyp,
        (page) => ownersOf(page).length !== 1,
        (page) => `is owned by ${ownersOf(page).join(" and ") || "nobody"}`,
      ),
  },
  {
    id: "INV-20",
    kind: "kernel",
    statement: "A page is marked as the hypervisor's in the host's tables exactly when it is.",
    source: [
      cite("android14-6.1", "host_stage2_set_owner_locked, hyp/nvhe/mem_protect.c"),
      cite("measured", "ops: entry 4 for a page of the hypervisor"),
    ],
    applies: ({ pages }) => pages.size > 0,
    violations: (hyp) =>
      pagesThat(
        hyp,
        ({ host, owner, hyp: el2 }) =>
          (el2 === "OWNED") !== (owner === "HYP") || (owner === "HYP" && host !== "NOPAGE"),
        ({ host, owner, hyp: el2 }) => `is ${el2} at EL2, ${host} and marked ${owner} for the host`,
      ),
  },
  {
    id: "INV-21",
    kind: "kernel",
    statement: "What the hypervisor borrows the host has shared.",
    source: [cite("android14-6.1", "__pkvm_host_share_hyp, do_share, hyp/nvhe/mem_protect.c")],
    applies: ({ pages }) => pages.size > 0,
    violations: (hyp) =>
      pagesThat(
        hyp,
        ({ host, hyp: el2 }) => el2 === "SHARED_BORROWED" && host !== "SHARED_OWNED",
        ({ host }) => `is borrowed by the hypervisor and ${host} for the host`,
      ),
  },
  {
    id: "INV-22",
    kind: "kernel",
    statement: "What is pinned is shared, and nothing is pinned less than not at all.",
    source: [cite("android14-6.1", "hyp_pin_shared_mem, hyp_unpin_shared_mem, mem_protect.c")],
    applies: ({ pages }) => pages.size > 0,
    violations: (hyp) =>
      pagesThat(
        hyp,
        ({ refcount, hyp: el2 }) => refcount < 0 || (refcount > 0 && el2 !== "SHARED_BORROWED"),
        ({ refcount, hyp: el2 }) => `is pinned ${refcount} times and ${el2} at EL2`,
      ),
  },
];
