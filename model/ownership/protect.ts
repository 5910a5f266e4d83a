// What a module leaves to the host of a page: host_stage2_mod_prot and its range form.

import { cite } from "../../spec/sources.ts";
import type { Op } from "../../spec/types/action.ts";
import { negative } from "../../spec/types/errno.ts";
import type { Hyp } from "../../spec/types/hyp.ts";
import { PROT } from "../../spec/types/module.ts";
import { returned } from "../../spec/types/outcome.ts";
import { type PageState, PLAIN_PAGE } from "../../spec/types/page.ts";
import { HOST_MEMORY_PROT, HOST_MMIO_PROT } from "../pgtable/attributes.ts";
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

/** MODULE_PROT_ALLOWLIST, nvhe/mem_protect.c (android14-6.1); bit 4 is normal non-cacheable. */
const ALLOWED = BigInt(PROT.R | PROT.W | PROT.X | PROT.DEVICE | 0x10 | PROT.PXN | PROT.UXN);
/** The bits whose descriptors are measured. */
const KNOWN = BigInt(PROT.R | PROT.W | PROT.X | PROT.DEVICE);

/** What the op asks for. */
export interface Protection {
  readonly range: PageRange;
  readonly prot: bigint;
}

/** host_stage2_mod_prot(pfn, prot), host_stage2_mod_prot_range(pfn, prot, nr_pages). */
export const protectionOf = ({ op, args }: Pick<Op, "op" | "args">): Protection => ({
  range: rangeOf(args[0] ?? 0n, op === "host_stage2_mod_prot" ? 1n : (args[2] ?? 0n)),
  // The argument is an enum: 32 bits.
  prot: BigInt.asUintN(32, args[1] ?? 0n),
});

/** A page after its protection was changed. */
function protectedPage(prot: number, memory: boolean, before: PageState): PageState {
  const { hyp, refcount } = before;
  if (prot === (memory ? HOST_MEMORY_PROT : HOST_MMIO_PROT)) {
    return { ...PLAIN_PAGE, hyp, refcount };
  }
  if (prot === 0) return { host: "MODULE_OWNED", owner: "PROTECTED", hyp, refcount };
  return { host: "MODULE_OWNED", owner: "HOST", hyp, refcount, prot };
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
    if ((prot & ALLOWED & ~KNOWN) !== 0n)
      return { kind: "unmodelled", what: `op ${name} with prot ${prot}` };
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
