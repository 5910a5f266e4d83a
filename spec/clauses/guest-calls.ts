// The calls that EL2 answers for a protected guest: memory and the MMIO guard.

import { vmsOf } from "../branches/branches.ts";
import { clause, type StepClause } from "../clause.ts";
import { SMCCC } from "../guest-calls.ts";
import { pageAt } from "../machine.ts";
import { cite, type Source } from "../sources.ts";
import type { HypVm } from "../types/hyp-vm.ts";
import { eventsOf } from "../types/outcome.ts";
import { GUEST_PAGE, GUEST_SHARED_PAGE, PLAIN_PAGE } from "../types/page.ts";
import {
  type CallStep,
  caller,
  callerAfter,
  makes,
  onlyTells,
  pageAtX1,
  reaches,
  reg,
  shows,
  tells,
} from "./guest-view.ts";
import { all, changesOnly, ensure, equal, spell, type Verdict } from "./phrases.ts";

const hyp = (at: string): Source => cite("android14-6.1", `${at}, hyp/nvhe/pkvm.c`);
const protect = (at: string): Source => cite("android14-6.1", `${at}, hyp/nvhe/mem_protect.c`);

const shares = makes(SMCCC.MEM_SHARE);
const unshares = makes(SMCCC.MEM_UNSHARE);
const relinquishes = makes(SMCCC.MEM_RELINQUISH);
const asksInfo = makes(SMCCC.HYP_MEMINFO, SMCCC.MMIO_GUARD_INFO);
const ofMemory = (step: CallStep): boolean => shares(step) || unshares(step) || relinquishes(step);
const guardMaps = makes(SMCCC.MMIO_GUARD_MAP);
const guardUnmaps = makes(SMCCC.MMIO_GUARD_UNMAP);
const enrolls = makes(SMCCC.MMIO_GUARD_ENROLL);

const none = (step: CallStep, ...numbers: readonly number[]): boolean =>
  numbers.every((n) => reg(step, n) === 0n);
const isClean = (step: CallStep): boolean => none(step, 2, 3);
const isAligned = (step: CallStep): boolean => reg(step, 1) % 4096n === 0n;
const isEnrolled = (step: CallStep): boolean => caller(step)?.vm.mmioGuard === true;
const gfn = (step: CallStep): number => Number(reg(step, 1) >> 12n);

/** Whether the page that the address lies in is meant. */
const isMeant = (step: CallStep): boolean =>
  isAligned(step) || relinquishes(step) || !vmsOf(step.pre.config).checksAlignment;

/** What the call demands of the page. */
const wanted = (step: CallStep): string => (unshares(step) ? "SHARED_OWNED" : "OWNED");
const isAsWanted = (step: CallStep): boolean => pageAtX1(step)?.state === wanted(step);

const INVALID = -3n;

/** The page at x1 is in another state for its guest and for the host, and nothing else is. */
function moves(step: CallStep, state: "OWNED" | "SHARED_OWNED"): Verdict {
  const page = pageAtX1(step);
  const now = callerAfter(step)?.vm.stage2.pages.get(gfn(step));
  const host = state === "OWNED" ? GUEST_PAGE : GUEST_SHARED_PAGE;
  const counted = step.post.memProtect - step.pre.memProtect;
  return all(
    ensure(equal(now, { pfn: page?.pfn, state }), "the page is not the guest's as it becomes"),
    ensure(
      page !== undefined && equal(pageAt(step.post, page.pfn), host),
      "the host's table says otherwise",
    ),
    ensure(
      counted === (!vmsOf(step.pre.config).countsPages ? 0 : state === "OWNED" ? 1 : -1),
      `MEM_PROTECT counts ${counted} more`,
    ),
    changesOnly(step, "vmTable", "pages", "memProtect"),
  );
}

/** The caller's VM is as it was, but for this. */
function vmBecomes(step: CallStep, change: Partial<HypVm>): Verdict {
  const before = caller(step)?.vm;
  return all(
    ensure(equal(callerAfter(step)?.vm, { ...before, ...change }), "the VM is not as it becomes"),
    changesOnly(step, "vmTable"),
  );
}

export const GUEST_MEMORY_CALLS: readonly StepClause[] = [
  clause({
    id: "GUEST-20",
    kind: "kernel",
    statement: "Arguments that are reserved are 0, or the guest is told that one is wrong.",
    source: [
      hyp("pkvm_memshare_call, pkvm_memunshare_call, pkvm_memrelinquish_call, pkvm_meminfo_call"),
      cite("measured", "pvm-peek: -3"),
    ],
    on: ["guest_hvc"],
    applies: (step) =>
      (ofMemory(step) && !isClean(step)) || (asksInfo(step) && !none(step, 1, 2, 3)),
    holds: (step) => onlyTells(step, INVALID),
  }),
  clause({
    id: "GUEST-21",
    kind: "kernel",
    statement: "An address beyond the guest's 40 bits is wrong.",
    source: [
      protect("kvm_pgtable_get_leaf in __guest_request_page_transition"),
      cite("measured", "pvm-peek: MEM_SHARE of 0xffffffffff000 is -3"),
    ],
    on: ["guest_hvc"],
    applies: (step) => ofMemory(step) && isClean(step) && !reaches(step),
    holds: (step) => onlyTells(step, INVALID),
  }),
  clause({
    id: "GUEST-22",
    kind: "kernel",
    statement: "Sharing a page that is not there leaves for the host like a store that finds none.",
    source: [
      hyp("__pkvm_memshare_page_req"),
      cite("measured", "pvm-nolegacy: where no memory is, x0 stays: the guest skips an abort"),
    ],
    on: ["guest_hvc"],
    applies: (step) =>
      shares(step) &&
      isClean(step) &&
      isMeant(step) &&
      reaches(step) &&
      pageAtX1(step) === undefined,
    holds: (step) => {
      const { outcome } = step;
      if (outcome.kind !== "exits") return `the guest does not leave: ${spell(outcome)}`;
      const { esr, ipa, far, again, x } = outcome;
      return all(
        ensure(esr === 0x9000_0047n && far === 0n, "it does not look like a store"),
        ensure(ipa === BigInt(gfn(step)) << 12n, "it is the fault of another page"),
        ensure(again, "the call is not made again"),
        ensure(
          vmsOf(step.pre.config).keepsRegisters ? x?.length === 0 : x === undefined,
          "the host sees more registers, or fewer",
        ),
        changesOnly(step, "vmTable"),
      );
    },
  }),
  clause({
    id: "GUEST-23",
    kind: "kernel",
    statement: "A page in another state than the call is for stays in it.",
    source: [
      protect("__guest_request_page_transition, relinquish_walker"),
      cite("measured", "pvm-peek: -3 for a second share, for an unshare of what is not shared"),
    ],
    on: ["guest_hvc"],
    applies: (step) => {
      if (!ofMemory(step) || !isClean(step) || !reaches(step)) return false;
      if (pageAtX1(step) === undefined && !unshares(step)) return false;
      return !isAsWanted(step);
    },
    holds: (step) => onlyTells(step, INVALID),
  }),
  clause({
    id: "GUEST-24",
    kind: "kernel",
    statement: "Giving back a page that is not there does nothing, and is said to have been done.",
    source: [hyp("pkvm_memrelinquish_call: pa is 0"), cite("measured", "pvm-peek: x0 = 0, x1 = 0")],
    on: ["guest_hvc"],
    applies: (step) =>
      relinquishes(step) && isClean(step) && reaches(step) && pageAtX1(step) === undefined,
    holds: (step) => onlyTells(step, 0n),
  }),
  clause({
    id: "GUEST-25",
    kind: "kernel",
    statement: "A page that is shared, or taken back, is so for both; the host may be told.",
    source: [
      protect("__pkvm_guest_share_host, __pkvm_guest_unshare_host"),
      cite("measured", "pvm-peek: 0; 0x80022001 is as good as its page"),
    ],
    on: ["guest_hvc"],
    applies: (step) =>
      (shares(step) || unshares(step)) && isClean(step) && isMeant(step) && isAsWanted(step),
    holds: (step) => {
      const tellsHost = vmsOf(step.pre.config).tellsOfShares;
      const told = tellsHost ? shows(step, 4) : tells(step.outcome, 0n);
      return all(told, moves(step, shares(step) ? "SHARED_OWNED" : "OWNED"));
    },
  }),
  clause({
    id: "GUEST-26",
    kind: "kernel",
    statement: "A page that is given back is emptied before the host has it.",
    source: [
      protect("__pkvm_guest_relinquish_to_host, hyp_poison_page"),
      cite("measured", "pvm-peek: it reads 0 when it is touched again"),
    ],
    on: ["guest_hvc"],
    applies: (step) => relinquishes(step) && isClean(step) && isAsWanted(step),
    holds: (step) => {
      const page = pageAtX1(step)?.pfn;
      const events = eventsOf(step.outcome);
      const zero = events.findIndex((event) => event.kind === "zero" && event.page === page);
      const give = events.findIndex((event) => event.kind === "give" && event.page === page);
      return all(
        shows(step, 4),
        ensure(zero >= 0 && give > zero, "the page is not emptied before it is given"),
        ensure(!callerAfter(step)?.vm.stage2.pages.has(gfn(step)), "the guest still has it"),
        ensure(
          page !== undefined && equal(pageAt(step.post, page), PLAIN_PAGE),
          "it is not plainly the host's",
        ),
        ensure(step.post.memProtect === step.pre.memProtect - 1, "MEM_PROTECT counts it still"),
        changesOnly(step, "vmTable", "pages", "memProtect"),
      );
    },
  }),
  clause({
    id: "GUEST-27",
    kind: "kernel",
    statement: "Memory and the guard come in pages of 4 KiB.",
    source: [hyp("pkvm_meminfo_call"), cite("measured", "pvm-peek: 0x1000")],
    on: ["guest_hvc"],
    applies: (step) => asksInfo(step) && none(step, 1, 2, 3),
    holds: (step) => onlyTells(step, 0x1000n),
  }),
  clause({
    id: "GUEST-28",
    kind: "kernel",
    statement: "A call about memory names a page, and an address inside one is wrong.",
    source: [
      cite("mainline-7.3", "pkvm_memshare_call, pkvm_memunshare_call, hyp/nvhe/pkvm.c"),
      cite("measured", "pvm: mainline 7.3.4 answers -3 for 0x80022001"),
    ],
    on: ["guest_hvc"],
    applies: (step) =>
      ofMemory(step) && isClean(step) && !isAligned(step) && (isAsWanted(step) || !isMeant(step)),
    holds: (step) => onlyTells(step, INVALID),
  }),
  clause({
    id: "GUEST-30",
    kind: "kernel",
    statement: "Without the guard nothing is let through it.",
    source: [
      protect("__pkvm_install_ioguard_page, __pkvm_remove_ioguard_page"),
      cite("measured", "pvm-peek: MMIO_GUARD_MAP before ENROLL is -3"),
    ],
    on: ["guest_hvc"],
    applies: (step) => (guardMaps(step) || guardUnmaps(step)) && !isEnrolled(step),
    holds: (step) => onlyTells(step, INVALID),
  }),
  clause({
    id: "GUEST-31",
    kind: "kernel",
    statement: "What the guard lets through is whole pages.",
    source: [protect("__pkvm_install_ioguard_page"), cite("measured", "pvm-peek: 0x9002008, -3")],
    on: ["guest_hvc"],
    applies: (step) => guardMaps(step) && isEnrolled(step) && !isAligned(step),
    holds: (step) => onlyTells(step, INVALID),
  }),
  clause({
    id: "GUEST-32",
    kind: "kernel",
    statement: "What the guard lets through lies in the guest's 40 bits.",
    source: [protect("kvm_pgtable_get_leaf in __pkvm_install_ioguard_page")],
    on: ["guest_hvc"],
    applies: (step) => guardMaps(step) && isEnrolled(step) && isAligned(step) && !reaches(step),
    holds: (step) => onlyTells(step, INVALID),
  }),
  clause({
    id: "GUEST-33",
    kind: "kernel",
    statement: "A page of the guest is not a device.",
    source: [
      protect("__pkvm_install_ioguard_page: -EBUSY"),
      cite("measured", "pvm-peek: 0x80000000 is -3, 0x80040000, not touched yet, is 0"),
    ],
    on: ["guest_hvc"],
    applies: (step) =>
      guardMaps(step) && isEnrolled(step) && isAligned(step) && pageAtX1(step) !== undefined,
    holds: (step) => onlyTells(step, INVALID),
  }),
  clause({
    id: "GUEST-34",
    kind: "kernel",
    statement:
      "The guard lets a free page through, or asks the host for memory to write that down.",
    source: [
      protect("__pkvm_install_ioguard_page"),
      hyp("pkvm_install_ioguard_page: -ENOMEM goes to the host"),
      cite("measured", "pvm-peek, pvm-nolegacy: 0"),
    ],
    on: ["guest_hvc"],
    applies: (step) =>
      guardMaps(step) &&
      isEnrolled(step) &&
      isAligned(step) &&
      reaches(step) &&
      pageAtX1(step) === undefined,
    holds: (step) => {
      const { outcome } = step;
      const guarded = callerAfter(step)?.vm.stage2.guarded;
      const before = new Set(caller(step)?.vm.stage2.guarded);
      if (outcome.kind === "guest") before.add(gfn(step));
      const asked = outcome.kind === "exits" && outcome.again;
      return all(
        asked ? shows(step, 4) : tells(outcome, 0n),
        ensure(equal(guarded, before), "other pages are let through"),
        changesOnly(step, "vmTable"),
      );
    },
  }),
  clause({
    id: "GUEST-35",
    kind: "kernel",
    statement: "The guard is on for good once it is asked for.",
    source: [hyp("kvm_handle_pvm_hvc64"), cite("measured", "pvm-peek: 0, and 0 again")],
    on: ["guest_hvc"],
    applies: enrolls,
    holds: (step) => all(tells(step.outcome, 0n), vmBecomes(step, { mmioGuard: true })),
  }),
  clause({
    id: "GUEST-36",
    kind: "kernel",
    statement: "The guard lets a page through no longer, and says so of every address.",
    source: [
      protect("__pkvm_remove_ioguard_page"),
      cite("measured", "pvm-peek: 0 for pages never let through; pvm-nolegacy: it aborts again"),
    ],
    on: ["guest_hvc"],
    applies: (step) => guardUnmaps(step) && isEnrolled(step),
    holds: (step) => {
      const left = new Set(caller(step)?.vm.stage2.guarded);
      if (reaches(step)) left.delete(gfn(step));
      const { guarded, pages } = callerAfter(step)?.vm.stage2 ?? {};
      return all(
        tells(step.outcome, 0n),
        ensure(equal(guarded, left), "what is let through is not as it becomes"),
        ensure(equal(pages, caller(step)?.vm.stage2.pages), "a page of the guest is gone"),
        changesOnly(step, "vmTable"),
      );
    },
  }),
];
