// Pins of shared memory, what modules leave to the host of a page, and private mappings.

import { branchOf } from "../branches/branches.ts";
import { clause, type StepClause } from "../clause.ts";
import { isMemory } from "../machine.ts";
import { cite } from "../sources.ts";
import { type HypVa, hypVa, PAGE_SIZE, type Pfn, pfn } from "../types/address.ts";
import { negative } from "../types/errno.ts";
import type { Hyp, ModuleMapping } from "../types/hyp.ts";
import { PROT } from "../types/module.ts";
import { type PageState, PLAIN_PAGE } from "../types/page.ts";
import {
  all,
  answer,
  answers,
  changesNothing,
  changesOnly,
  ensure,
  equal,
  panics,
  refuses,
  succeeded,
} from "./phrases.ts";
import {
  type Asked,
  askedBy,
  asks,
  everyPage,
  inOneRegion,
  isBorrowed,
  isPinned,
  isPlain,
  isShort,
  isWalked,
  moves,
  startsInMemory,
  type TransferStep,
  walks,
} from "./transfer.ts";

const ON = ["op"] as const;
const MEM_PROTECT = "hyp/nvhe/mem_protect.c";

/** The protection that a page of the host has without a module. */
const fullProt = (page: Pfn): number =>
  isMemory(page) ? PROT.R | PROT.W | PROT.X : PROT.R | PROT.W;

function withProt({ prot }: Asked): (before: PageState, page: Pfn) => PageState {
  return (before, page) => {
    const { hyp, refcount, hypProt } = before;
    const byHyp = { hyp, refcount, ...(hypProt === undefined ? {} : { hypProt }) };
    if (Number(prot) === fullProt(page)) return { ...PLAIN_PAGE, ...byHyp };
    const module = { host: "MODULE_OWNED", ...byHyp } as const;
    if (prot === 0n) return { ...module, owner: "PROTECTED" };
    // A device that the host may read, write and not execute is in no state of its own.
    const isHosts = !isMemory(page) && prot % 8n === 6n;
    return {
      ...module,
      host: isHosts ? "OWNED" : "MODULE_OWNED",
      owner: "HOST",
      prot: Number(prot),
    };
  };
}

/** MODULE_PROT_ALLOWLIST: X, W, R, device, non-cacheable, PXN, UXN. */
const isAllowed = ({ prot }: Asked): boolean => prot < 0x80n;

/** Memory is all the modules', or all plainly the host's; nothing is asked of devices. */
const isOfOneKind = (asked: Asked, { pre }: TransferStep): boolean =>
  !startsInMemory(asked) ||
  everyPage(pre, asked, ({ host }) => host === "MODULE_OWNED") ||
  everyPage(pre, asked, isPlain);

/** X, PXN and UXN exclude each other. */
const EXECUTION = BigInt(PROT.X | PROT.PXN | PROT.UXN);
const hasEntry = ({ prot }: Asked): boolean =>
  [0n, BigInt(PROT.X), BigInt(PROT.PXN), BigInt(PROT.UXN)].includes(prot & EXECUTION);

const pfnAt = (address: bigint): Pfn => pfn(Number(address / PAGE_SIZE));
/** Whether EL2 took a page at boot. */
function isCarved(hyp: Hyp, page: Pfn): boolean {
  const { first, last } = branchOf(hyp.config).layout.carveOut;
  return page >= first && page <= last;
}

const protects = (isSo: (asked: Asked, step: TransferStep) => boolean) =>
  asks(["protect"], (asked, step) => isAllowed(asked) && isShort(asked) && isSo(asked, step));

const measured = cite("measured", "base, ops-inrange, random-ops-101");

export const PROTECTION: readonly StepClause[] = [
  clause({
    id: "OWN-14",
    kind: "kernel",
    statement: "Only what the host shares with the hypervisor is pinned.",
    source: [cite("android14-6.1", `hyp_pin_shared_mem, ${MEM_PROTECT}`), measured],
    on: ON,
    applies: walks("pin", (asked, { pre }) => !everyPage(pre, asked, isBorrowed)),
    holds: (step) => refuses(step, "EPERM"),
  }),
  clause({
    id: "OWN-15",
    kind: "kernel",
    statement: "A pin counts on every page of its range, and an unpin counts back.",
    source: [
      cite("android14-6.1", `hyp_pin_shared_mem, hyp_unpin_shared_mem, ${MEM_PROTECT}`),
      cite("measured", "ops-inrange: unshare is -16 until the unpin"),
    ],
    on: ["op"],
    applies: (step) =>
      walks("pin", (asked, { pre }) => everyPage(pre, asked, isBorrowed))(step) ||
      walks("unpin", (asked, { pre }) => everyPage(pre, asked, isPinned))(step),
    holds: (step) => {
      const by = askedBy(step)?.what === "pin" ? 1 : -1;
      const counted = (before: PageState) => ({ ...before, refcount: before.refcount + by });
      // An unpin returns nothing.
      return moves(
        by === 1 ? step : { ...step, outcome: { kind: "returned", value: 0n } },
        counted,
      );
    },
  }),
  clause({
    id: "OWN-16",
    kind: "kernel",
    statement: "An unpin of memory that nobody pinned stops the system.",
    source: [cite("android14-6.1", "hyp_page_ref_dec, nvhe/memory.h: BUG_ON, read, not measured")],
    on: ON,
    applies: walks("unpin", (asked, { pre }) => {
      const unpinned = (state: PageState, page: Pfn) =>
        isMemory(page) && !isPinned(state) && !isCarved(pre, page);
      return asked.bytes > 0n && everyPage(pre, asked, unpinned);
    }),
    holds: ({ outcome }) => panics(outcome, "EL2_BUG"),
  }),
  clause({
    id: "OWN-78",
    kind: "kernel",
    statement: "An unpin of what is no memory finds no counter, and stops the system.",
    source: [cite("android14-6.1", "hyp_virt_to_page, hyp_back_vmemmap, hyp/nvhe/mm.c: derived")],
    on: ON,
    applies: asks(
      ["unpin"],
      (asked) =>
        asked.bytes > 0n && isShort(asked) && isWalked(asked) && !isMemory(pfnAt(asked.start)),
    ),
    holds: ({ outcome }) => panics(outcome, "EL2_ABORT"),
  }),
  clause({
    id: "OWN-19",
    kind: "kernel",
    statement: "A protection with a bit that modules may not set is refused.",
    source: [cite("android14-6.1", `MODULE_PROT_ALLOWLIST, ${MEM_PROTECT}`)],
    on: ON,
    applies: asks(["protect"], (asked) => !isAllowed(asked)),
    holds: (step) => refuses(step, "EINVAL"),
  }),
  clause({
    id: "OWN-20",
    kind: "kernel",
    statement: "A change of protection does not reach out of memory, nor out of a hole beside it.",
    source: [cite("android14-6.1", `module_change_host_page_prot, ${MEM_PROTECT}: find_mem_range`)],
    on: ON,
    applies: asks(["protect"], (asked) => isAllowed(asked) && !inOneRegion(asked)),
    holds: (step) => refuses(step, "EPERM"),
  }),
  clause({
    id: "OWN-21",
    kind: "kernel",
    statement:
      "The protection of memory changes where all is the modules', or all plainly the host's.",
    source: [cite("android14-6.1", `module_change_host_page_prot, ${MEM_PROTECT}`), measured],
    on: ON,
    applies: protects((asked, step) => inOneRegion(asked) && !isOfOneKind(asked, step)),
    holds: (step) => refuses(step, "EPERM"),
  }),
  clause({
    id: "OWN-22",
    kind: "kernel",
    statement: "A page has the protection asked for: full is plainly the host's, 0 is nobody's.",
    source: [
      cite("android14-6.1", `module_change_host_page_prot, ${MEM_PROTECT}`),
      cite("measured", "ops-inrange: entries for protection 0, 1, 2, 3, 5, 6, 7, 8 and 15"),
    ],
    on: ON,
    applies: protects(
      (asked, step) =>
        inOneRegion(asked) && isOfOneKind(asked, step) && hasEntry(asked) && isWalked(asked),
    ),
    holds: (step) => {
      const asked = askedBy(step);
      return asked === undefined ? "it asks for nothing" : moves(step, withProt(asked));
    },
  }),
  clause({
    id: "OWN-23",
    kind: "kernel",
    statement: "A change of protection beyond the host's addresses stops the system.",
    source: [cite("android14-6.1", `module_change_host_page_prot, ${MEM_PROTECT}: WARN_ON`)],
    on: ON,
    applies: protects((asked) => inOneRegion(asked) && hasEntry(asked) && !isWalked(asked)),
    holds: ({ outcome }) => panics(outcome, "EL2_BUG"),
  }),
  clause({
    id: "OWN-24",
    kind: "kernel",
    statement: "No entry is read beyond the host's addresses.",
    source: [cite("android14-6.1", "kvm_pgtable_get_leaf, _kvm_pgtable_walk, hyp/pgtable.c")],
    on: ON,
    applies: asks(["leaf"], (asked) => !isWalked(asked)),
    holds: (step) => refuses(step, "ERANGE"),
  }),
  clause({
    id: "OWN-25",
    kind: "kernel",
    statement: "Reading an entry of the host's table changes nothing.",
    source: [cite("android14-6.1", `host_stage2_get_leaf, ${MEM_PROTECT}`), measured],
    on: ON,
    applies: asks(["leaf"], isWalked),
    holds: (step) => all(answers(step.outcome, 0), changesNothing(step)),
  }),
  clause({
    id: "OWN-26",
    kind: "kernel",
    statement: "A private mapping takes fresh addresses for any page and leaves it to its owner.",
    source: [cite("android14-6.1", "__pkvm_create_private_mapping, hyp/nvhe/mm.c")],
    on: ON,
    applies: ({ action, outcome }) => action.op === "create_private_mapping" && succeeded(outcome),
    holds: (step) => {
      const [phys = 0n, size = 0n, prot = 0n] = step.action.args;
      const { el2 } = step.post;
      const taken = el2.reservations.at(-1);
      const count = Number((size + (phys % PAGE_SIZE) + PAGE_SIZE - 1n) / PAGE_SIZE);
      const first = Number(phys / PAGE_SIZE);
      const mapped = Array.from({ length: count }, (_, n) => [
        hypVa((taken?.base ?? 0n) + BigInt(n) * PAGE_SIZE),
        { pfn: pfn(first + n), prot: Number(prot) },
      ]) as readonly (readonly [HypVa, ModuleMapping])[];
      return all(
        ensure(
          taken !== undefined && taken.pages === count && taken.base >= step.pre.el2.nextFree,
          "the addresses are not fresh",
        ),
        ensure(
          equal(el2.mappings, new Map([...step.pre.el2.mappings, ...mapped])),
          "the addresses, and no others, map the pages with the permissions asked for",
        ),
        changesOnly(step, "el2"),
      );
    },
  }),
  clause({
    id: "OWN-27",
    kind: "kernel",
    statement: "A private mapping that is refused for its permissions has used up its addresses.",
    source: [
      cite("android14-6.1", "__pkvm_create_private_mapping, hyp/nvhe/mm.c"),
      cite("measured", "mod-ok: prot 0x44 is -EINVAL"),
    ],
    on: ON,
    applies: ({ action, outcome }) =>
      action.op === "create_private_mapping" && answer(outcome) === BigInt(negative("EINVAL")),
    holds: (step) =>
      all(
        ensure(step.post.el2.nextFree > step.pre.el2.nextFree, "the addresses are still free"),
        changesOnly(step, "el2.nextFree", "el2.reservations"),
      ),
  }),
];
