// What modules map at EL2 by op: a page of their own, and the linear map before its time.

import { branchOf } from "../branches/branches.ts";
import { clause, type Step, type StepClause } from "../clause.ts";
import { isMemory, pageAt } from "../machine.ts";
import { cite } from "../sources.ts";
import type { Op } from "../types/action.ts";
import { type HypVa, hypVa, PAGE_SHIFT, PAGE_SIZE, type Pfn, pfn } from "../types/address.ts";
import type { Hyp } from "../types/hyp.ts";
import { PROT } from "../types/module.ts";
import { HYP_PAGE, type PageState } from "../types/page.ts";
import { outsideModules } from "./module-memory.ts";
import {
  all,
  answers,
  changesNothing,
  changesOnly,
  ensure,
  equal,
  panics,
  refuses,
} from "./phrases.ts";
import { asks, everyPage, isFreeAtHyp, isPlain, isWalked, startsInMemory } from "./transfer.ts";

type OpStep = Step<Op>;

const MM = "hyp/nvhe/mm.c";
const MODULES = "hyp/nvhe/modules.c";

const u64 = (value: bigint): bigint => BigInt.asUintN(64, value);
const pageOf = (address: bigint): HypVa => hypVa(address - (address % PAGE_SIZE));
const frame = (value: bigint): Pfn => pfn(Number(u64(value << PAGE_SHIFT) >> PAGE_SHIFT));

/** What EL2's linear map adds. Source: measured, machines: pa - 0x40000000 + 0x4000000000. */
const LINEAR = 0x40_0000_0000n - 0x4000_0000n;
/** One beyond the last address of EL2: 39 bits. */
const LIMIT = 1n << 39n;

const is = (op: string) => (step: OpStep) => step.action.op === op;
const argument = ({ action }: OpStep, n: number): bigint => action.args[n] ?? 0n;

/** What the page-table code takes of a permission. */
function protFits(prot: bigint): boolean {
  const has = (bit: number) => (prot & BigInt(bit)) !== 0n;
  const isDevice = has(PROT.DEVICE);
  const isExecutable = has(PROT.X);
  return (
    has(PROT.R) &&
    !has(PROT.PXN) &&
    !has(PROT.UXN) &&
    !(isDevice && has(PROT.NC)) &&
    !(isExecutable && (isDevice || has(PROT.W)))
  );
}

/** How EL2 maps a page in its linear map when nobody says otherwise. */
const usualProt = (page: Pfn): number =>
  isMemory(page) ? PROT.R | PROT.W : PROT.R | PROT.W | PROT.DEVICE;

/** What EL2 has at an address: the page and the permissions. */
function entryAt(hyp: Hyp, va: bigint): { pfn: Pfn; prot: number } | undefined {
  const mapped = hyp.el2.mappings.get(pageOf(va));
  if (mapped !== undefined) return mapped;
  if (va < LINEAR || va >= LIMIT) return undefined;
  const page = pfn(Number((va - LINEAR) / PAGE_SIZE));
  const state = pageAt(hyp, page);
  if (state.hyp === "NOPAGE") return undefined;
  const usual = state.hyp === "SHARED_BORROWED" ? PROT.R | PROT.W : usualProt(page);
  return { pfn: page, prot: state.hypProt ?? usual };
}

/** Whether an address is free, or has exactly this. */
const fits = (hyp: Hyp, va: bigint, page: Pfn, prot: bigint): boolean => {
  const entry = entryAt(hyp, va);
  return entry === undefined || equal(entry, { pfn: page, prot: Number(prot) });
};

/** map_module_page(pfn, va, prot, is_protected) */
const mapAsked = (step: OpStep) => ({
  page: frame(argument(step, 0)),
  va: argument(step, 1),
  prot: argument(step, 2),
  donates: argument(step, 3) % 256n === 0n,
});
/** Where the slot is NULL there is nothing to ask. */
const isMap = (step: OpStep): boolean =>
  is("map_module_page")(step) && !branchOf(step.pre.config).nullOps.includes(step.action.op);
const isOutside = (step: OpStep): boolean =>
  step.pre.config.build === "el2debug" && outsideModules(step.pre, argument(step, 1));
const cannotDonate = (step: OpStep): boolean => {
  const { page, donates } = mapAsked(step);
  const { host, hyp, refcount } = pageAt(step.pre, page);
  const isHosts = isMemory(page) && host === "OWNED" && refcount === 0;
  return donates && !(isHosts && (step.pre.config.build !== "el2debug" || hyp === "NOPAGE"));
};
/** Whether a mapping gets as far as the page-table code. */
const reachesTable = (step: OpStep): boolean =>
  isMap(step) && !isOutside(step) && !cannotDonate(step);
const isInReach = (va: bigint): boolean => va < LIMIT;

/** linear_map_early(phys, size, prot), linear_unmap_early(addr, size): whole pages. */
const isEarly = is("linear_map_early");
const isUnmap = is("linear_unmap_early");
const isWhole = (step: OpStep): boolean =>
  argument(step, 0) % PAGE_SIZE === 0n && argument(step, 1) % PAGE_SIZE === 0n;

/** NON-SPEC: more pages than this are not looked at one by one. */
const LOOKED_AT = 0x1000n;
const addresses = (first: bigint, size: bigint): readonly bigint[] =>
  Array.from({ length: Number(size / PAGE_SIZE) }, (_, n) => first + BigInt(n) * PAGE_SIZE);

/** The pages that are mapped early, by their addresses, when all of them are EL2's to reach. */
function earlyPages(step: OpStep): ReadonlyMap<bigint, Pfn> | undefined {
  const [phys, size] = [argument(step, 0), argument(step, 1)];
  if (!isEarly(step) || !isWhole(step) || size / PAGE_SIZE > LOOKED_AT) return undefined;
  if (!protFits(argument(step, 2)) || phys + LINEAR + size > LIMIT) return undefined;
  return new Map(
    addresses(phys, size).map((pa) => [pa + LINEAR, pfn(Number(pa / PAGE_SIZE))] as const),
  );
}
const earlyFits = (step: OpStep, pages: ReadonlyMap<bigint, Pfn>): boolean =>
  [...pages].every(([va, page]) => fits(step.pre, va, page, argument(step, 2)));

/** A page after EL2 mapped it in its linear map with these permissions. */
function mappedEarly(before: PageState, page: Pfn, prot: bigint): PageState {
  const { hypProt: _, ...rest } = before;
  const hyp = prot % 8n === 6n ? "OWNED" : "RESTRICTED_PROT";
  const isUsual = Number(prot) === usualProt(page);
  return { ...rest, hyp, ...(isUsual ? {} : { hypProt: Number(prot) }) };
}

/** Whether EL2 has every page of what is unmapped. */
const hasAll = (step: OpStep): boolean =>
  argument(step, 1) % PAGE_SIZE === 0n &&
  addresses(pageOf(argument(step, 0)), argument(step, 1)).every(
    (va) => entryAt(step.pre, va) !== undefined,
  );
const isShortUnmap = (step: OpStep): boolean =>
  isUnmap(step) && argument(step, 1) / PAGE_SIZE <= LOOKED_AT;

const counted = (step: OpStep, bytes: bigint): boolean =>
  step.post.el2.earlyBytes === Number(BigInt.asIntN(32, BigInt(step.pre.el2.earlyBytes) + bytes));

/** What share and donation meet of EL2's own at the pages that are the host's. */
const meetsHyp = (build: string) =>
  asks(["share", "donate"], (asked, step) => {
    const isHosts =
      isWalked(asked) && startsInMemory(asked) && asked.bytes <= LOOKED_AT * PAGE_SIZE;
    if (!isHosts || !everyPage(step.pre, asked, isPlain)) return false;
    return step.pre.config.build === build && !everyPage(step.pre, asked, isFreeAtHyp(step));
  });

const early = cite("android14-6.1", `__pkvm_linear_map_early, ${MODULES}`);

export const HYP_MAP: readonly StepClause[] = [
  clause({
    id: "OWN-41",
    kind: "kernel",
    statement: "A debug build stops when a module maps a page outside all module memory.",
    source: [cite("android14-6.1", `__pkvm_map_module_page, assert_in_mod_range, ${MM}`)],
    on: ["op"],
    applies: (step) => isMap(step) && isOutside(step),
    holds: ({ outcome }) => panics(outcome, "BAD_HCALL_ADDRESS"),
  }),
  clause({
    id: "OWN-42",
    kind: "kernel",
    statement: "A page that a module maps, and that must be donated first, is plainly the host's.",
    source: [cite("android14-6.1", `__pkvm_map_module_page: __pkvm_host_donate_hyp, ${MM}`)],
    on: ["op"],
    applies: (step) => isMap(step) && !isOutside(step) && cannotDonate(step),
    holds: (step) => refuses(step, "EPERM"),
  }),
  clause({
    id: "OWN-43",
    kind: "kernel",
    statement:
      "A module's mapping that may be written and executed is refused, and donates nothing.",
    source: [
      cite("android14-6.1", `hyp_set_prot_attr, hyp/pgtable.c; __pkvm_map_module_page, ${MM}`),
    ],
    on: ["op"],
    applies: (step) => reachesTable(step) && !protFits(argument(step, 2)),
    holds: (step) => refuses(step, "EINVAL"),
  }),
  clause({
    id: "OWN-44",
    kind: "kernel",
    statement: "A module's mapping beyond EL2's addresses is refused, and donates nothing.",
    source: [cite("android14-6.1", "kvm_pgtable_hyp_map, _kvm_pgtable_walk, hyp/pgtable.c")],
    on: ["op"],
    applies: (step) =>
      reachesTable(step) && protFits(argument(step, 2)) && !isInReach(argument(step, 1)),
    holds: (step) => refuses(step, "ERANGE"),
  }),
  clause({
    id: "OWN-45",
    kind: "kernel",
    statement: "A module's mapping over another one stops the system.",
    source: [cite("android14-6.1", "hyp_map_walker_try_leaf, hyp/pgtable.c: WARN_ON")],
    on: ["op"],
    applies: (step) => {
      const { page, va, prot } = mapAsked(step);
      return (
        reachesTable(step) && protFits(prot) && isInReach(va) && !fits(step.pre, va, page, prot)
      );
    },
    holds: ({ outcome }) => panics(outcome, "EL2_BUG"),
  }),
  clause({
    id: "OWN-46",
    kind: "kernel",
    statement: "A module's mapping is as asked for, and takes the page unless the module says not.",
    source: [cite("android14-6.1", `__pkvm_map_module_page: is_protected, ${MM}`)],
    on: ["op"],
    applies: (step) => {
      const { page, va, prot } = mapAsked(step);
      const isPrivate = va < LINEAR;
      return reachesTable(step) && protFits(prot) && isPrivate && fits(step.pre, va, page, prot);
    },
    holds: (step) => {
      const { page, va, prot, donates } = mapAsked(step);
      const mappings = new Map(step.pre.el2.mappings);
      mappings.set(pageOf(va), { pfn: page, prot: Number(prot) });
      const pages = new Map(step.pre.pages);
      if (donates) pages.set(page, HYP_PAGE);
      return all(
        answers(step.outcome, 0),
        ensure(equal(step.post.el2.mappings, mappings), "the address does not map the page"),
        ensure(equal(step.post.pages, pages), "the page has another owner than it should"),
        changesOnly(step, "pages", "el2.mappings"),
      );
    },
  }),
  clause({
    id: "OWN-47",
    kind: "kernel",
    statement: "What is not made of whole pages is not mapped early.",
    source: [early],
    on: ["op"],
    applies: (step) => isEarly(step) && !isWhole(step),
    holds: (step) => all(answers(step.outcome, 0), changesNothing(step)),
  }),
  clause({
    id: "OWN-48",
    kind: "kernel",
    statement: "An early mapping that the page-table code refuses answers NULL.",
    source: [early, cite("android14-6.1", "hyp_set_prot_attr, _kvm_pgtable_walk, hyp/pgtable.c")],
    on: ["op"],
    applies: (step) =>
      isEarly(step) &&
      isWhole(step) &&
      argument(step, 1) > 0n &&
      (!protFits(argument(step, 2)) || argument(step, 0) + LINEAR >= LIMIT) &&
      argument(step, 0) + argument(step, 1) < 1n << 50n,
    holds: (step) => all(answers(step.outcome, 0), changesNothing(step)),
  }),
  clause({
    id: "OWN-49",
    kind: "kernel",
    statement: "An early mapping over what EL2 has otherwise stops the system.",
    source: [early, cite("android14-6.1", "hyp_map_walker_try_leaf, hyp/pgtable.c: WARN_ON")],
    on: ["op"],
    applies: (step) => {
      const pages = earlyPages(step);
      return pages !== undefined && !earlyFits(step, pages);
    },
    holds: ({ outcome }) => panics(outcome, "EL2_BUG"),
  }),
  clause({
    id: "OWN-50",
    kind: "kernel",
    statement: "An early mapping puts pages into EL2's linear map and leaves them to their owner.",
    source: [early],
    on: ["op"],
    applies: (step) => {
      const pages = earlyPages(step);
      return pages !== undefined && earlyFits(step, pages);
    },
    holds: (step) => {
      const [phys, size, prot] = [argument(step, 0), argument(step, 1), argument(step, 2)];
      const pages = [...(earlyPages(step)?.values() ?? [])];
      return all(
        answers(step.outcome, phys + LINEAR),
        ensure(
          pages.every((page) =>
            equal(pageAt(step.post, page), mappedEarly(pageAt(step.pre, page), page, prot)),
          ),
          "a page is not what it becomes",
        ),
        ensure(counted(step, size), "its bytes are not counted"),
        changesOnly(step, "pages", "el2.earlyBytes"),
      );
    },
  }),
  clause({
    id: "OWN-51",
    kind: "kernel",
    statement: "Unmapping what EL2 has not whole stops the system.",
    source: [cite("android14-6.1", `pkvm_remove_mappings, ${MM}: WARN_ON`)],
    on: ["op"],
    applies: (step) => isShortUnmap(step) && !hasAll(step),
    holds: ({ outcome }) => panics(outcome, "EL2_BUG"),
  }),
  clause({
    id: "OWN-52",
    kind: "kernel",
    statement: "A protection that stage 2 has no entry for stops the system.",
    source: [cite("android14-6.1", "stage2_set_prot_attr, hyp/pgtable.c: exec_type; WARN_ON")],
    on: ["op"],
    applies: asks(["protect"], (asked, step) => {
      const execution = asked.prot & BigInt(PROT.X | PROT.PXN | PROT.UXN);
      const isOne = [0n, 1n, BigInt(PROT.PXN), BigInt(PROT.UXN)].includes(execution);
      const isKnown = asked.prot < 0x80n && isWalked(asked) && asked.bytes === PAGE_SIZE;
      return !isOne && isKnown && everyPage(step.pre, asked, isPlain);
    }),
    holds: ({ outcome }) => panics(outcome, "EL2_BUG"),
  }),
  clause({
    id: "OWN-53",
    kind: "kernel",
    statement: "A debug build neither shares nor donates what EL2 has in its linear map already.",
    source: [cite("android14-6.1", "hyp_ack_share, hyp_ack_donation, hyp/nvhe/mem_protect.c")],
    on: ["hvc", "op"],
    applies: meetsHyp("el2debug"),
    holds: (step) => refuses(step, "EPERM"),
  }),
  clause({
    id: "OWN-54",
    kind: "kernel",
    statement: "In production sharing or donating what EL2 has otherwise stops the system.",
    source: [
      cite("android14-6.1", "hyp_complete_share, hyp_complete_donation: kvm_pgtable_hyp_map"),
    ],
    on: ["hvc", "op"],
    applies: meetsHyp("production"),
    holds: ({ outcome }) => panics(outcome, "EL2_BUG"),
  }),
  clause({
    id: "OWN-55",
    kind: "kernel",
    statement: "What is unmapped EL2 has no more, whoever owns it; its bytes are counted back.",
    source: [cite("android14-6.1", `__pkvm_linear_unmap_early, ${MODULES}`)],
    on: ["op"],
    applies: (step) => isShortUnmap(step) && hasAll(step),
    holds: (step) => {
      const [from, size] = [pageOf(argument(step, 0)), argument(step, 1)];
      return all(
        ensure(
          addresses(from, size).every((va) => entryAt(step.post, va) === undefined),
          "EL2 still has a page",
        ),
        ensure(counted(step, -size), "its bytes are not counted back"),
        changesOnly(step, "pages", "el2.mappings", "el2.earlyBytes"),
      );
    },
  }),
];
