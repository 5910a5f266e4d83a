// What a module leaves to the host of a page: host_stage2_mod_prot and its range form.

import { cite } from "../../spec/sources.ts";
import type { Op } from "../../spec/types/action.ts";
import { negative } from "../../spec/types/errno.ts";
import type { Hyp } from "../../spec/types/hyp.ts";
import { PROT } from "../../spec/types/module.ts";
import { returned } from "../../spec/types/outcome.ts";
import { type PageState, PLAIN_PAGE } from "../../spec/types/page.ts";
import { HOST_MEMORY_PROT, HOST_MMIO_PROT, hasHostEntry } from "../pgtable/attributes.ts";
import type { Guard, Transition } from "../transition.ts";
import { pageOf, setPage } from "./page-of.ts";
import {
  everyPage,
  hostReaches,
  inOneRegion,
  isFollowed,
  isMemoryPage,
  type PageRange,
  pagesOf,
  rangeOf,
} from "./range.ts";

/** MODULE_PROT_ALLOWLIST, nvhe/mem_protect.c (android14-6.1). */
const ALLOWED = BigInt(PROT.R | PROT.W | PROT.X | PROT.DEVICE | PROT.NC | PROT.PXN | PROT.UXN);
const RWX = PROT.R | PROT.W | PROT.X;

/** What the op asks for. */
export interface Protection {
  readonly range: PageRange;
  readonly prot: bigint;
}

/** host_stage2_mod_prot(pfn, prot), host_stage2_mod_prot_range(pfn, prot, nr_pages). */
export const protectionOf = ({ op, args }: Pick<Op, "op" | "args">): Protection => ({
  range: rangeOf(args[0] ?? 0n, op === "host_stage2_mod_prot" ? 1n : (args[2] ?? 0n)),
  // An enum with values up to bit 58: all of the register.
  prot: args[1] ?? 0n,
});

/**
 * A page after its protection was changed. Memory is flagged as the modules' unless it is given
 * back whole; of a device only the entry says anything, and RW is what a host's has.
 */
function protectedPage(prot: number, memory: boolean, before: PageState): PageState {
  const { host: _, owner: __, prot: ___, ...byHyp } = before;
  if (prot === (memory ? HOST_MEMORY_PROT : HOST_MMIO_PROT)) {
    return { ...PLAIN_PAGE, ...byHyp };
  }
  if (prot === 0) return { host: "MODULE_OWNED", owner: "PROTECTED", ...byHyp };
  const isHosts = !memory && (prot & RWX) === HOST_MMIO_PROT;
  return { host: isHosts ? "OWNED" : "MODULE_OWNED", owner: "HOST", ...byHyp, prot };
}

const startsInMemory = ({ start }: PageRange): boolean =>
  isMemoryPage(Number(start >> 12n) as Parameters<typeof isMemoryPage>[0]);

/** Memory is wholly the modules', or wholly the host's; of devices nothing is asked. */
function isConsistent(hyp: Hyp, range: PageRange): boolean {
  if (!startsInMemory(range)) return true;
  return (
    everyPage(hyp, range, ({ host }) => host === "MODULE_OWNED") ||
    everyPage(hyp, range, ({ host }) => host === "OWNED")
  );
}

/** One page lies in one region; only a range can reach out of it. */
const IN_ONE_REGION: Guard<Op> = {
  clause: "OWN-20",
  permits: (_, action) => inOneRegion(protectionOf(action).range),
  refusal: () => returned(negative("EPERM")),
};

const changesProtection = (name: string, regionGuards: readonly Guard<Op>[]): Transition<Op> => ({
  name,
  source: [
    cite("android14-6.1", "module_change_host_page_prot, hyp/nvhe/mem_protect.c"),
    cite("measured", "ops-inrange, ops-permfault-nohandler, random-ops-101"),
  ],
  guards: [
    {
      clause: "OWN-19",
      permits: (_, action) => (protectionOf(action).prot & ~ALLOWED) === 0n,
      refusal: () => returned(negative("EINVAL")),
    },
    ...regionGuards,
    {
      clause: "OWN-21",
      permits: (hyp, action) => isConsistent(hyp, protectionOf(action).range),
      refusal: () => returned(negative("EPERM")),
    },
    // What stage 2 cannot say, and an address that it does not have, are bugs of EL2's own.
    {
      clause: "OWN-52",
      permits: (_, action) => hasHostEntry(Number(protectionOf(action).prot)),
      refusal: () => ({ kind: "hyp-panic", reason: "EL2_BUG" }),
    },
    // The table is walked without a check of the address; the failed walk is a bug of EL2's own.
    {
      clause: "OWN-23",
      permits: (_, action) => hostReaches(protectionOf(action).range),
      refusal: () => ({ kind: "hyp-panic", reason: "EL2_BUG" }),
    },
  ],
  effect: (hyp, action) => {
    const { range, prot } = protectionOf(action);
    if (!isFollowed(range)) return { kind: "unmodelled", what: `op ${name} of so many pages` };
    for (const page of pagesOf(range)) {
      const after = protectedPage(Number(prot), isMemoryPage(page), pageOf(hyp, page));
      setPage(hyp, page, after);
    }
    return returned(0);
  },
});

/** host_stage2_get_leaf(phys, &pte, &level): the entry itself is read where the machine is. */
const getLeaf: Transition<Op> = {
  name: "host_stage2_get_leaf",
  source: [
    cite("android14-6.1", "host_stage2_get_leaf, kvm_pgtable_get_leaf, hyp/pgtable.c"),
    cite("measured", "ops-inrange, random-ops-101"),
  ],
  guards: [
    {
      clause: "OWN-24",
      permits: (_, { args }) => hostReaches(rangeOf((args[0] ?? 0n) >> 12n, 1n)),
      refusal: () => returned(negative("ERANGE")),
    },
  ],
  effect: () => returned(0),
};

/** The ops on the host's stage 2. */
export const STAGE2_OPS: readonly Transition<Op>[] = [
  changesProtection("host_stage2_mod_prot", []),
  changesProtection("host_stage2_mod_prot_range", [IN_ONE_REGION]),
  getLeaf,
];
