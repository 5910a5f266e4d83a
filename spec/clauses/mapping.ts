// Loading a module at EL2: addresses reserved, pages donated and mapped, the init function entered.

import { branchOf } from "../branches/branches.ts";
import { clause, type Step, type StepClause } from "../clause.ts";
import { isMemory, pageAt } from "../machine.ts";
import { cite } from "../sources.ts";
import type { Hvc } from "../types/action.ts";
import { type HypVa, hypVa, PAGE_SHIFT, PAGE_SIZE, type Pfn } from "../types/address.ts";
import type { Hyp } from "../types/hyp.ts";
import { PROT } from "../types/module.ts";
import type { Outcome } from "../types/outcome.ts";
import { HYP_PAGE, PLAIN_PAGE } from "../types/page.ts";
import {
  argument,
  calls,
  functionId,
  hcallOf,
  LOADING_HCALLS,
  pfnArgument,
  staticNumber,
} from "./hypercall.ts";
import { outsideModules } from "./module-memory.ts";
import {
  all,
  answer,
  answers,
  changesNothing,
  changesOnly,
  EVERY_ACTION,
  ensure,
  equal,
  panics,
  refuses,
  spell,
  unknown,
  type Verdict,
} from "./phrases.ts";

type HvcStep = Step<Hvc>;

const reserves = calls("__pkvm_alloc_module_va");
const maps = calls("__pkvm_map_module_page");
const unmaps = calls("__pkvm_unmap_module_page");
const initialises = calls("__pkvm_init_module");

/** Whether a debug build stops here: the address is in no module's reach (assert_in_mod_range). */
const debugStops = (step: HvcStep, address: bigint): boolean =>
  step.pre.config.build === "el2debug" && outsideModules(step.pre, address);

/** __pkvm_map_module_page(pfn, va, prot) */
const mapCall = (step: HvcStep) => ({
  page: pfnArgument(step, 1),
  va: pageOf(argument(step, 2)),
  prot: Number(argument(step, 3)),
});

const pageOf = (address: bigint): HypVa => hypVa(address & ~(PAGE_SIZE - 1n));

/** What the page-table code takes: readable, never W with X, no executable device. */
const protFits = (prot: number): boolean =>
  (prot & PROT.R) !== 0 &&
  (prot & (PROT.PXN | PROT.UXN)) === 0 &&
  (prot & (PROT.DEVICE | PROT.NC)) !== (PROT.DEVICE | PROT.NC) &&
  !((prot & PROT.X) !== 0 && (prot & (PROT.W | PROT.DEVICE)) !== 0);

/** Addresses of EL2 on the measured machine have 39 bits. */
const inReach = (va: HypVa): boolean => va < 1n << 39n;

const isFree = (hyp: Hyp, va: HypVa): boolean => !hyp.el2.mappings.has(va);

/** Whether the address maps nothing yet, or exactly what is asked for. */
function fits(step: HvcStep): boolean {
  const { page, va, prot } = mapCall(step);
  return isFree(step.pre, va) || equal(step.pre.el2.mappings.get(va), { pfn: page, prot });
}

/**
 * Whether the call gets as far as the page-table code: a checked address, a page that is plainly
 * the host's.
 */
function donates(step: HvcStep): boolean {
  const { page } = mapCall(step);
  return (
    maps(step) &&
    isTaken(step) &&
    !debugStops(step, argument(step, 2)) &&
    isMemory(page) &&
    equal(pageAt(step.pre, page), PLAIN_PAGE)
  );
}

/** Whether the branch takes the address: from 6.12 on it must be one of a page. */
const isTaken = (step: HvcStep): boolean =>
  !branchOf(step.pre.config).moduleAddressChecked || argument(step, 2) % PAGE_SIZE === 0n;

/** A debug build looks at EL2's own side of a donation too: it must have nothing there. */
const debugHas = ({ pre }: HvcStep, page: Pfn): boolean =>
  pre.config.build === "el2debug" && pageAt(pre, page).hyp !== "NOPAGE";

/** Whether a page is given back and its mapping removed, both of which must work. */
const unmapsMemory = (step: HvcStep): boolean =>
  unmaps(step) && isTaken(step) && isMemory(pfnArgument(step, 1));

/** Up to 6.6 the call has no result. */
const unmapsInSilence = ({ pre }: HvcStep): boolean =>
  branchOf(pre.config).unmapOrder === "donate, unmap";

const canUnmap = (step: HvcStep): boolean =>
  equal(pageAt(step.pre, pfnArgument(step, 1)), HYP_PAGE) &&
  !isFree(step.pre, hypVa(argument(step, 2)));

/** Whether the call names an init function, and not a struct that holds one. */
const givesInit = (step: HvcStep): boolean =>
  initialises(step) && branchOf(step.pre.config).initArgument === "function VA";

/** x0 alone was written. */
const isSilent = (outcome: Outcome): boolean =>
  outcome.kind === "hcall" && outcome.x0 === 0n && outcome.x1 === undefined;

const entersInit = (step: HvcStep): Verdict =>
  ensure(
    step.outcome.kind === "enters" && step.outcome.address === argument(step, 1),
    `the init function was not entered: ${spell(step.outcome)}`,
  );

/** What the base of a reservation of so many bytes is a multiple of. */
function alignment(step: HvcStep, bytes: bigint): bigint {
  if (branchOf(step.pre.config).privateAlignment === "page") return PAGE_SIZE;
  return 1n << BigInt((bytes - 1n).toString(2).length);
}

export const MAPPING: readonly StepClause[] = [
  clause({
    id: "LOAD-15",
    kind: "kernel",
    statement: "A reservation is the first free range that is aligned as the branch aligns it.",
    source: [
      cite("android14-6.1", "__pkvm_alloc_private_va_range, hyp/nvhe/mm.c"),
      cite("android16-6.12", "__pkvm_alloc_private_va_range: page aligned"),
      cite("measured", "machines: 6 pages at 0x2000010000, again at 0x2000018000"),
    ],
    on: ["hvc"],
    applies: (step) => reserves(step) && (answer(step.outcome) ?? 0n) !== 0n,
    holds: (step) => {
      const bytes = BigInt.asUintN(64, argument(step, 1) << PAGE_SHIFT);
      const base = BigInt.asUintN(64, answer(step.outcome) ?? 0n);
      const { nextFree, reservations } = step.pre.el2;
      const size = alignment(step, bytes);
      return all(
        ensure(
          base % size === 0n,
          `0x${base.toString(16)} is not aligned to 0x${size.toString(16)}`,
        ),
        ensure(base >= nextFree && base < nextFree + size, "it is not the first free range"),
        ensure(
          equal(step.post.el2.reservations, [
            ...reservations,
            { base: hypVa(base), pages: Number(bytes / PAGE_SIZE) },
          ]) && step.post.el2.nextFree === base + bytes,
          "what is reserved is not what was answered",
        ),
        changesOnly(step, "el2.nextFree", "el2.reservations"),
      );
    },
  }),
  clause({
    id: "LOAD-16",
    kind: "kernel",
    statement: "Where nothing can be reserved, or nothing was asked for, the address is 0.",
    source: [
      cite("android14-6.1", "__pkvm_alloc_module_va, hyp/nvhe/mm.c"),
      cite("measured", "mod-rawids: __pkvm_alloc_module_va(0) gives x0 = 0, x1 = 0"),
    ],
    on: ["hvc"],
    applies: (step) =>
      reserves(step) && (argument(step, 1) === 0n || (answer(step.outcome) ?? 0n) === 0n),
    holds: (step) => all(answers(step.outcome, 0), changesNothing(step)),
  }),
  clause({
    id: "LOAD-17",
    kind: "kernel",
    statement: "A reservation is never moved and never given back.",
    source: [
      cite("android14-6.1", "__pkvm_alloc_private_va_range, hyp/nvhe/mm.c: a bump allocator"),
      cite("measured", "mod-failinit, mod-doubleload: a later load gets other addresses"),
    ],
    on: EVERY_ACTION,
    applies: ({ pre }) => pre.el2.reservations.length > 0,
    holds: ({ pre, post }) =>
      all(
        ensure(
          equal(post.el2.reservations.slice(0, pre.el2.reservations.length), pre.el2.reservations),
          "an old reservation is gone or elsewhere",
        ),
        ensure(post.el2.nextFree >= pre.el2.nextFree, "the next free address went back"),
      ),
  }),
  clause({
    id: "LOAD-19",
    kind: "kernel",
    statement: "A debug build stops when a page is to be mapped outside every module.",
    source: [cite("android14-6.1", "assert_in_mod_range, __pkvm_map_module_page, hyp/nvhe/mm.c")],
    on: ["hvc"],
    applies: (step) => maps(step) && isTaken(step) && debugStops(step, argument(step, 2)),
    holds: ({ outcome }) => panics(outcome, "BAD_HCALL_ADDRESS"),
  }),
  clause({
    id: "LOAD-20",
    kind: "kernel",
    statement: "A page that is not plainly the host's is not mapped.",
    source: [
      cite("android14-6.1", "__pkvm_host_donate_hyp, do_donate, hyp/nvhe/mem_protect.c"),
      cite("measured", "mod-doubleload: Failed to map EL2 module page: -1"),
    ],
    on: ["hvc"],
    applies: (step) => {
      const { page } = mapCall(step);
      return (
        maps(step) &&
        isTaken(step) &&
        !debugStops(step, argument(step, 2)) &&
        (!isMemory(page) || pageAt(step.pre, page).host !== "OWNED" || debugHas(step, page))
      );
    },
    holds: (step) => refuses(step, "EPERM"),
  }),
  clause({
    id: "LOAD-21",
    kind: "kernel",
    statement:
      "A page to be writable and executable, or unreadable, is refused and stays the host's.",
    source: [cite("android14-6.1", "hyp_set_prot_attr, hyp/pgtable.c; __pkvm_map_module_page")],
    on: ["hvc"],
    applies: (step) => donates(step) && !protFits(mapCall(step).prot),
    holds: (step) => refuses(step, "EINVAL"),
  }),
  clause({
    id: "LOAD-35",
    kind: "kernel",
    statement: "A page to be mapped where another is, or otherwise than it is, stops the system.",
    source: [
      cite("android14-6.1", "hyp_map_walker_try_leaf, hyp/pgtable.c: WARN_ON, which EL2 dies of"),
    ],
    on: ["hvc"],
    applies: (step) =>
      donates(step) && inReach(mapCall(step).va) && protFits(mapCall(step).prot) && !fits(step),
    holds: ({ outcome }) => panics(outcome, "EL2_BUG"),
  }),
  clause({
    id: "LOAD-37",
    kind: "kernel",
    statement: "A page to be mapped beyond the addresses of EL2 is refused and stays the host's.",
    source: [cite("android14-6.1", "kvm_pgtable_hyp_map, hyp/pgtable.c: the walk is refused")],
    on: ["hvc"],
    applies: (step) => donates(step) && protFits(mapCall(step).prot) && !inReach(mapCall(step).va),
    holds: (step) => refuses(step, "ERANGE"),
  }),
  clause({
    id: "LOAD-22",
    kind: "kernel",
    statement:
      "A page that is mapped is the hypervisor's, where and with what permissions was asked for.",
    source: [
      cite("android14-6.1", "__pkvm_map_module_page, hyp/nvhe/mm.c"),
      cite("measured", "mod-ok, ops: module pages are the hypervisor's (pte 4)"),
    ],
    on: ["hvc"],
    applies: (step) =>
      donates(step) && inReach(mapCall(step).va) && protFits(mapCall(step).prot) && fits(step),
    holds: (step) => {
      const { page, va, prot } = mapCall(step);
      return all(
        answers(step.outcome, 0),
        ensure(
          equal(step.post.pages, new Map(step.pre.pages).set(page, HYP_PAGE)),
          "the page, and no other, is the hypervisor's",
        ),
        ensure(
          equal(
            step.post.el2.mappings,
            new Map(step.pre.el2.mappings).set(va, { pfn: page, prot }),
          ),
          "the address, and no other, maps the page with the permissions asked for",
        ),
        changesOnly(step, "pages", "el2.mappings"),
      );
    },
  }),
  clause({
    id: "LOAD-24",
    kind: "kernel",
    statement:
      "A page that is unmapped is the host's again, its address free; up to 6.6 x1 is untouched.",
    source: [
      cite("android14-6.1", "__pkvm_unmap_module_page, hyp/nvhe/mm.c; its handler writes no x1"),
      cite("android16-6.12", "__pkvm_unmap_module_pages, hyp/nvhe/mm.c: an errno"),
      cite("measured", "mod-failinit: the load fails with -22 and the system goes on"),
    ],
    on: ["hvc"],
    applies: (step) => unmapsMemory(step) && canUnmap(step),
    holds: (step) => {
      const [page, va] = [pfnArgument(step, 1), hypVa(argument(step, 2))];
      return all(
        unmapsInSilence(step)
          ? ensure(isSilent(step.outcome), `x1 is not left as it was: ${spell(step.outcome)}`)
          : answers(step.outcome, 0),
        ensure(equal(pageAt(step.post, page), PLAIN_PAGE), "the page is not plainly the host's"),
        ensure(isFree(step.post, va), "the address is still mapped"),
        ensure(
          step.post.el2.mappings.size === step.pre.el2.mappings.size - 1,
          "more than one mapping went",
        ),
        changesOnly(step, "pages", "el2.mappings"),
      );
    },
  }),
  clause({
    id: "LOAD-25",
    kind: "kernel",
    statement: "Unmapping a page that EL2 does not own, or does not map there, stops the system.",
    source: [
      cite("android14-6.1", "__pkvm_unmap_module_page, pkvm_remove_mappings: WARN_ON at EL2"),
      cite("measured", "textonly-fail: hyp BUG at mm.c:211, in both builds"),
    ],
    on: ["hvc"],
    applies: (step) => unmapsMemory(step) && !canUnmap(step),
    holds: ({ outcome }) => panics(outcome, "UNMAP_NOT_OWNED"),
  }),
  clause({
    id: "LOAD-26",
    kind: "kernel",
    statement:
      "Up to android15-6.6 EL2 enters whatever address the host gives as the init function.",
    source: [cite("android14-6.1", "__pkvm_init_module, hyp/nvhe/modules.c: no validation")],
    on: ["hvc"],
    applies: givesInit,
    holds: (step) => all(entersInit(step), changesNothing(step)),
  }),
  clause({
    id: "LOAD-27",
    kind: "kernel",
    statement: "A debug build looks no closer at the address of an init function.",
    source: [
      cite("android14-6.1", "__pkvm_init_module, hyp/nvhe/modules.c: no assert_in_mod_range"),
    ],
    on: ["hvc"],
    applies: (step) => givesInit(step) && debugStops(step, argument(step, 1)),
    holds: entersInit,
  }),
  clause({
    id: "LOAD-28",
    kind: "kernel",
    statement:
      "What the EL2 init returns, as an int, is what the host gets, and nothing is undone.",
    source: [
      cite("android14-6.1", "__pkvm_init_module, hyp/nvhe/modules.c"),
      cite("measured", "mod-failinit: Failed to init EL2 module: -22"),
    ],
    on: ["el2_init_returned"],
    applies: () => true,
    holds: (step) =>
      all(answers(step.outcome, BigInt.asIntN(32, step.action.value)), changesNothing(step)),
  }),
  clause({
    id: "LOAD-31",
    kind: "kernel",
    statement: "Once the key is set no hypercall of loading does anything.",
    source: [
      cite("android14-6.1", "handle_host_hcall, hyp/nvhe/hyp-main.c: hcall_min"),
      cite("measured", "base: ids 0xc600000c to 0xc6000010 give x0 = -1 after boot"),
    ],
    on: ["hvc"],
    applies: (step) => {
      const branch = branchOf(step.pre.config);
      const name = branch.hcalls[staticNumber(branch, functionId(step)) ?? 0];
      return step.pre.boot.hypUp && step.pre.boot.key && LOADING_HCALLS.includes(name ?? "");
    },
    holds: (step) => all(unknown(step.outcome), changesNothing(step)),
  }),
  clause({
    id: "LOAD-32",
    kind: "kernel",
    statement:
      "Only mapping and unmapping, by the host or by a module's op, changes what EL2 maps.",
    source: [cite("android14-6.1", "pkvm_create_mappings and pkvm_remove_mappings, their callers")],
    on: EVERY_ACTION,
    applies: (step) =>
      step.action.kind !== "op" &&
      !["__pkvm_map_module_page", "__pkvm_unmap_module_page"].includes(hcallOf(step) ?? ""),
    holds: ({ pre, post }) =>
      ensure(equal(pre.el2.mappings, post.el2.mappings), "the mappings of EL2 changed"),
  }),
];
