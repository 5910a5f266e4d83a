// The hypercalls that load a module: reserve addresses, map and unmap a page, run its init,
// register a handler.

import { branchOf, firstDynamicId } from "../../spec/branches/branches.ts";
import { initInStruct } from "../../spec/module-struct.ts";
import { cite } from "../../spec/sources.ts";
import { hypVa, PAGE_SHIFT, PAGE_SIZE, type Pfn } from "../../spec/types/address.ts";
import { negative } from "../../spec/types/errno.ts";
import type { Hyp, Reservation } from "../../spec/types/hyp.ts";
import type { MemoryEvent } from "../../spec/types/memory-event.ts";
import { ANSWERS_NOTHING, after, answered, type Outcome } from "../../spec/types/outcome.ts";
import { PRIVATE_LIMIT } from "../initial.ts";
import {
  checkHostDonateHyp,
  checkHypDonateHost,
  hostDonateHyp,
  hypDonateHost,
} from "../ownership/donate.ts";
import { type HypMapping, hypMap, hypMapAnswer, OUT_OF_PLACE } from "../ownership/hyp-map.ts";
import { pageOf } from "../ownership/page-of.ts";
import type { Mutable } from "../transition.ts";
import {
  argument,
  type Hypercall,
  type HypercallArgs,
  structureAddress,
  structurePage,
  wordAt,
} from "./hypercall.ts";

/**
 * A page frame number as a register holds it: the shift loses the bits above 51, so pfn + 2^52 is
 * the same page.
 */
export const pfnArgument = (call: HypercallArgs, n: number): Pfn =>
  Number(BigInt.asUintN(64, argument(call, n) << PAGE_SHIFT) >> PAGE_SHIFT) as Pfn;

/** The smallest power of two that is at least `bytes`. */
function roundUpToPowerOfTwo(bytes: bigint): bigint {
  let size = PAGE_SIZE;
  while (size < bytes) size <<= 1n;
  return size;
}

/**
 * Where a reservation of `pages` would lie: the base is aligned to the size rounded up to a power
 * of two, up to 6.6. Nothing for
 * 0 pages or a range that is full. The shift is not checked, so 2^52 pages are 0.
 * Source: __pkvm_alloc_private_va_range, hyp/nvhe/mm.c (android14-6.1); measured bases of ovm and
 * ovmt.
 */
export function reservation(
  hyp: Pick<Hyp, "el2" | "config">,
  pages: bigint,
): Reservation | undefined {
  const bytes = BigInt.asUintN(64, pages << PAGE_SHIFT);
  if (bytes === 0n || bytes >= PRIVATE_LIMIT) return undefined;
  const byPage = branchOf(hyp.config).privateAlignment === "page";
  const size = byPage ? PAGE_SIZE : roundUpToPowerOfTwo(bytes);
  const base = (hyp.el2.nextFree + size - 1n) & ~(size - 1n);
  if (base + bytes > PRIVATE_LIMIT) return undefined;
  return { base: hypVa(base), pages: Number(bytes >> PAGE_SHIFT) };
}

/** Takes the reservation and answers its base, or 0. Nothing is ever given back. */
export function reserve(hyp: Mutable<Hyp>, pages: bigint, isPrivate = false): bigint {
  const taken = reservation(hyp, pages);
  if (taken === undefined) return 0n;
  hyp.el2.reservations.push(isPrivate ? { ...taken, isPrivate } : { ...taken });
  hyp.el2.nextFree = hypVa(taken.base + BigInt(taken.pages) * PAGE_SIZE);
  return taken.base;
}

/**
 * Whether an EL2 address lies between the first and the last module reservation: the debug build's
 * test, which does
 * not notice what lies between two modules. Source: assert_in_mod_range, hyp/nvhe/mm.c
 * (android14-6.1).
 */
export function inModuleRange(hyp: Pick<Hyp, "el2">, address: bigint): boolean {
  const ofModules = hyp.el2.reservations.filter(({ isPrivate }) => isPrivate !== true);
  const first = ofModules.at(0);
  const last = ofModules.at(-1);
  if (first === undefined || last === undefined) return false;
  return address >= first.base && address < last.base + BigInt(last.pages) * PAGE_SIZE;
}

/** The debug build stops the system when the host names an address outside every module. */
const addressIsChecked = (n: number) => (hyp: Hyp, call: HypercallArgs) =>
  hyp.config.build !== "el2debug" || inModuleRange(hyp, argument(call, n));
const BAD_ADDRESS: Outcome = { kind: "hyp-panic", reason: "BAD_HCALL_ADDRESS" };
const EL2_BUG: Outcome = { kind: "hyp-panic", reason: "EL2_BUG" };
const UNMAP_NOT_OWNED: Outcome = { kind: "hyp-panic", reason: "UNMAP_NOT_OWNED" };

/** __pkvm_alloc_module_va(nr_pages): an address in the private range, or 0. */
export const allocModuleVa: Hypercall = {
  name: "__pkvm_alloc_module_va",
  source: [cite("android14-6.1", "__pkvm_alloc_module_va, hyp/nvhe/mm.c")],
  guards: [],
  effect: (hyp, call) => answered(reserve(hyp, argument(call, 1))),
};

/**
 * From 6.12 on the address must be one of a page.
 */
const ADDRESS_OF_PAGE = {
  clause: "LOAD-45",
  permits: ({ config }: Hyp, call: HypercallArgs) =>
    !branchOf(config).moduleAddressChecked || argument(call, 2) % PAGE_SIZE === 0n,
  refusal: () => answered(negative("EINVAL")),
} as const;

/**
 * __pkvm_map_module_page(pfn, va, prot): the page becomes the hypervisor's, then it is mapped. The
 * host cannot ask for a mapping without the donation; only the op of the same name can.
 */
const asked = (call: HypercallArgs): HypMapping => ({
  va: argument(call, 2),
  page: pfnArgument(call, 1),
  prot: argument(call, 3),
});

export const mapModulePage: Hypercall = {
  name: "__pkvm_map_module_page",
  source: [cite("android14-6.1", "__pkvm_map_module_page, hyp/nvhe/mm.c")],
  guards: [
    ADDRESS_OF_PAGE,
    { clause: "LOAD-19", permits: addressIsChecked(2), refusal: () => BAD_ADDRESS },
    {
      clause: "LOAD-20",
      permits: (hyp, call) => checkHostDonateHyp(hyp, pfnArgument(call, 1)) === 0,
      refusal: (hyp, call) => answered(checkHostDonateHyp(hyp, pfnArgument(call, 1))),
    },
    // The donation is taken back, so that the refused page is the host's as before. The permissions
    // are looked at before the walk.
    {
      clause: "LOAD-21",
      permits: (hyp, call) => hypMapAnswer(hyp, asked(call)) !== "EINVAL",
      refusal: () => answered(negative("EINVAL")),
    },
    {
      clause: "LOAD-37",
      permits: (hyp, call) => hypMapAnswer(hyp, asked(call)) !== "ERANGE",
      refusal: () => answered(negative("ERANGE")),
    },
    // The page-table code takes an entry that is there already for a bug of its own.
    {
      clause: "LOAD-35",
      permits: (hyp, call) => hypMapAnswer(hyp, asked(call)) !== "EL2_BUG",
      refusal: () => EL2_BUG,
    },
  ],
  effect: (hyp, call) => {
    const mapping = asked(call);
    if (hypMapAnswer(hyp, mapping) === "unmodelled") return OUT_OF_PLACE;
    hostDonateHyp(hyp, mapping.page);
    hypMap(hyp, mapping);
    return answered(0);
  },
};

/**
 * __pkvm_unmap_module_page(pfn, va): up to 6.6 the page is given to the host first and the mapping
 * removed after it, from 6.12 on the other way round; either failing is a bug of EL2's own, and the
 * system stops. Up to 6.6 it has no result, so that x1 stays as it was.
 */
export const unmapModulePage: Hypercall = {
  name: "__pkvm_unmap_module_page",
  source: [
    cite("android14-6.1", "__pkvm_unmap_module_page, pkvm_remove_mappings, hyp/nvhe/mm.c"),
    cite("android16-6.12", "__pkvm_unmap_module_pages, hyp/nvhe/mm.c"),
  ],
  guards: [
    ADDRESS_OF_PAGE,
    {
      clause: "LOAD-25",
      permits: (hyp, call) => checkHypDonateHost(hyp, pfnArgument(call, 1)) === 0,
      refusal: () => UNMAP_NOT_OWNED,
    },
  ],
  effect: (hyp, call) => {
    const va = hypVa(argument(call, 2));
    const page = pfnArgument(call, 1);
    hypDonateHost(hyp, page);
    if (!hyp.el2.mappings.delete(va)) return UNMAP_NOT_OWNED;
    const unmap: MemoryEvent = { kind: "unmap", page };
    const give: MemoryEvent = { kind: "give", page };
    return branchOf(hyp.config).unmapOrder === "donate, unmap"
      ? after([give, unmap], ANSWERS_NOTHING)
      : after([unmap, give], answered(0));
  },
};

const takesStructure = ({ config }: Pick<Hyp, "config">): boolean =>
  branchOf(config).initArgument === "shared struct";

/** Whether the structure that x1 points to is shared, so that EL2 can pin it. */
function structureIsShared(hyp: Hyp, call: HypercallArgs): boolean {
  if (!takesStructure(hyp)) return true;
  const { host, hyp: el2 } = pageOf(hyp, structurePage(argument(call, 1)));
  return host === "SHARED_OWNED" && el2 === "SHARED_BORROWED";
}

/** The init function that the structure names, as EL2 reads it. */
function structureInit(call: HypercallArgs): bigint {
  const at = structureAddress(argument(call, 1));
  return initInStruct((offset) => wordAt(call, at + offset));
}

/**
 * __pkvm_init_module(function): up to 6.6 EL2 calls whatever address it is given, and no build
 * looks at it. From 6.12 on it is given a structure of the host's, which it pins while it reads the
 * function from it.
 */
export const initModule: Hypercall = {
  name: "__pkvm_init_module",
  source: [
    cite("android14-6.1", "__pkvm_init_module, hyp/nvhe/modules.c"),
    cite("android16-6.12", "__pkvm_init_module, hyp/nvhe/modules.c: hyp_pin_shared_mem"),
  ],
  guards: [
    {
      clause: "LOAD-41",
      permits: structureIsShared,
      refusal: () => answered(negative("EPERM")),
    },
  ],
  effect: (hyp, call) => ({
    kind: "enters",
    address: hypVa(takesStructure(hyp) ? structureInit(call) : argument(call, 1)),
  }),
};

/**
 * __pkvm_late_cpus_finalize(), once and before the key flips: no early mapping may be left.
 * CHOICE: every CPU is online, so that none is late.
 */
const lateCpusFinalize: Hypercall = {
  name: "__pkvm_late_cpus_finalize",
  source: [cite("android17-6.18", "__pkvm_late_cpus_finalize, hyp/nvhe/mem_protect.c")],
  guards: [
    {
      clause: "LIFE-51",
      permits: ({ el2 }) => el2.earlyBytes === 0,
      refusal: () => ({ kind: "hyp-panic", reason: "EARLY_MAPPING_LEFT" }),
    },
  ],
  effect: () => answered(0),
};

/** __pkvm_devices_init(): the device tree of the measured machine assigns none. */
const devicesInit: Hypercall = {
  name: "__pkvm_devices_init",
  source: [cite("android16-6.12", "finalize_pkvm, arch/arm64/kvm/pkvm.c")],
  guards: [],
  effect: () => answered(0),
};

/** What the kernel calls on its way to the end of the host's privileges. */
export const FINALIZE_HCALLS: readonly Hypercall[] = [lateCpusFinalize, devicesInit];

/**
 * __pkvm_register_hcall(function): the next free id; a debug build checks the address, a production
 * build does not.
 */
export const registerHcall: Hypercall = {
  name: "__pkvm_register_hcall",
  source: [cite("android14-6.1", "__pkvm_register_hcall, hyp/nvhe/modules.c")],
  guards: [
    { clause: "REG-3", permits: addressIsChecked(1), refusal: () => BAD_ADDRESS },
    {
      clause: "REG-2",
      permits: (hyp) => hyp.dispatch.dynamicHcalls.length < branchOf(hyp.config).dynamicHcallMax,
      refusal: () => answered(negative("ENOMEM")),
    },
  ],
  effect: (hyp, call) => {
    const id = firstDynamicId(branchOf(hyp.config)) + hyp.dispatch.dynamicHcalls.length;
    hyp.dispatch.dynamicHcalls.push(hypVa(argument(call, 1)));
    return answered(id);
  },
};

/** The value of an EL2 init becomes the answer of __pkvm_init_module. */
export const initReturned = (value: bigint): Outcome => answered(BigInt.asIntN(32, value));
