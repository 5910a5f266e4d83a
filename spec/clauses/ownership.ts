// Who owns a page after a share or a donation, and when it is refused.

import type { AddressChecks } from "../branches/branch.ts";
import { branchOf } from "../branches/branches.ts";
import { clause, type Step, type StepClause } from "../clause.ts";
import { isMappedDevice, isMemory } from "../machine.ts";
import { cite } from "../sources.ts";
import type { Hyp } from "../types/hyp.ts";
import { HYP_PAGE, type PageState, PLAIN_PAGE } from "../types/page.ts";
import { all, answer, changesNothing, ensure, panics, refuses, spell } from "./phrases.ts";
import {
  type Asked,
  asks,
  everyPage,
  isBeyond,
  isBeyondHyp,
  isBorrowed,
  isFreeAtHyp,
  isPinned,
  isPlain,
  moves,
  overflows,
  type TransferStep,
  walks,
} from "./transfer.ts";

const ON = ["hvc", "op"] as const;
const MEM_PROTECT = "hyp/nvhe/mem_protect.c";

/** What the branch answers for what is not memory. */
const checksOf = ({ pre }: Step): AddressChecks => branchOf(pre.config).addressChecks;

/** No page of the range is refused for not being memory. */
const meetsChecks = (pre: Hyp, asked: Asked): boolean =>
  everyPage(
    pre,
    asked,
    (_, page) =>
      isMemory(page) ||
      (!isMappedDevice(pre, page) &&
        branchOf(pre.config).addressChecks.untouchedDevice === "shared"),
  );

/** Whether the branch lets a module give these pages away: devices perhaps only if asked to. */
const isGiveable = (asked: Asked, { pre, action }: TransferStep): boolean =>
  branchOf(pre.config).donatesDevices === "always" ||
  (action.kind === "op" && BigInt.asUintN(8, action.args[2] ?? 0n) !== 0n) ||
  everyPage(pre, asked, (_, page) => isMemory(page));

/** The host's side of a return is looked at in a debug build only. */
const canReturn = ({ host, hyp }: PageState, { config }: Hyp): boolean =>
  hyp === "OWNED" && (config.build === "production" || host === "NOPAGE");

const measured = cite("measured", "base, ops-inrange, random-ops-101");

export const OWNERSHIP: readonly StepClause[] = [
  clause({
    id: "OWN-1",
    kind: "kernel",
    statement: "A range of the host that ends beyond 64 bits is refused.",
    source: [
      cite(
        "measured",
        "base: pfn 0xfffffffffffff is -22 on android14 and 7.3, -34 on 6.1 and 6.12",
      ),
      cite("android14-6.1", MEM_PROTECT),
    ],
    on: ON,
    applies: asks(["share", "unshare", "donate", "pin"], overflows),
    holds: (step) => refuses(step, checksOf(step).overflow),
  }),
  clause({
    id: "OWN-2",
    kind: "kernel",
    statement: "A range of the host beyond its 40 bits of addresses is refused.",
    source: [
      cite("android14-6.1", "_kvm_pgtable_walk, hyp/pgtable.c"),
      cite("measured", "base: pfns from 0x10000000 up are -34, on 7.3 -1"),
    ],
    on: ON,
    applies: asks(
      ["share", "unshare", "donate", "pin"],
      (asked) => !overflows(asked) && isBeyond(asked),
    ),
    holds: (step) => refuses(step, checksOf(step).beyond),
  }),
  clause({
    id: "OWN-3",
    kind: "kernel",
    statement: "The host shares only pages that are wholly its own.",
    source: [cite("android14-6.1", `__pkvm_host_share_hyp, do_share, ${MEM_PROTECT}`), measured],
    on: ON,
    applies: walks(
      "share",
      (asked, { pre }) => meetsChecks(pre, asked) && !everyPage(pre, asked, isPlain),
    ),
    holds: (step) => refuses(step, "EPERM"),
  }),
  clause({
    id: "OWN-4",
    kind: "kernel",
    statement: "A page that is shared stays the host's, and the hypervisor borrows it.",
    source: [cite("android14-6.1", `__pkvm_host_share_hyp, do_share, ${MEM_PROTECT}`), measured],
    on: ON,
    applies: walks(
      "share",
      (asked, step) =>
        meetsChecks(step.pre, asked) &&
        everyPage(step.pre, asked, isPlain) &&
        everyPage(step.pre, asked, isFreeAtHyp(step)),
    ),
    holds: (step) =>
      moves(step, () => ({
        host: "SHARED_OWNED",
        owner: "HOST",
        hyp: "SHARED_BORROWED",
        refcount: 0,
      })),
  }),
  clause({
    id: "OWN-5",
    kind: "kernel",
    statement: "What is not shared with the hypervisor is not unshared.",
    source: [
      cite("android14-6.1", `__pkvm_host_unshare_hyp, do_unshare, ${MEM_PROTECT}`),
      measured,
    ],
    on: ON,
    applies: walks(
      "unshare",
      (asked, { pre }) => meetsChecks(pre, asked) && !everyPage(pre, asked, isBorrowed),
    ),
    holds: (step) => refuses(step, "EPERM"),
  }),
  clause({
    id: "OWN-6",
    kind: "kernel",
    statement: "A page that is pinned is not unshared.",
    source: [
      cite("android14-6.1", `hyp_ack_unshare, ${MEM_PROTECT}`),
      cite("measured", "ops-inrange: -16 after a pin"),
    ],
    on: ON,
    applies: walks(
      "unshare",
      (asked, { pre }) =>
        meetsChecks(pre, asked) &&
        everyPage(pre, asked, isBorrowed) &&
        !everyPage(pre, asked, (s) => !isPinned(s)),
    ),
    holds: (step) => refuses(step, "EBUSY"),
  }),
  clause({
    id: "OWN-7",
    kind: "kernel",
    statement: "A page that is unshared is plainly the host's again.",
    source: [
      cite("android14-6.1", `__pkvm_host_unshare_hyp, do_unshare, ${MEM_PROTECT}`),
      measured,
    ],
    on: ON,
    applies: walks(
      "unshare",
      (asked, { pre }) =>
        meetsChecks(pre, asked) &&
        everyPage(pre, asked, (state) => isBorrowed(state) && !isPinned(state)),
    ),
    holds: (step) => moves(step, () => PLAIN_PAGE),
  }),
  clause({
    id: "OWN-8",
    kind: "kernel",
    statement: "A module gives the hypervisor only pages that are wholly the host's.",
    source: [cite("android14-6.1", `__pkvm_host_donate_hyp, do_donate, ${MEM_PROTECT}`), measured],
    on: ON,
    applies: walks(
      "donate",
      (asked, step) => isGiveable(asked, step) && !everyPage(step.pre, asked, isPlain),
    ),
    holds: (step) => refuses(step, "EPERM"),
  }),
  clause({
    id: "OWN-9",
    kind: "kernel",
    statement: "A debug build refuses a donation that the linear map of EL2 cannot hold.",
    source: [
      cite("android14-6.1", `hyp_ack_donation, ${MEM_PROTECT}: NVHE_EL2_DEBUG`),
      cite("measured", "el2debug ops: pfn 0x9000000 is -34"),
    ],
    on: ON,
    applies: walks(
      "donate",
      (asked, { pre, ...step }) =>
        isGiveable(asked, { pre, ...step }) &&
        pre.config.build === "el2debug" &&
        everyPage(pre, asked, isPlain) &&
        isBeyondHyp(asked),
    ),
    holds: (step) => refuses(step, "ERANGE"),
  }),
  clause({
    id: "OWN-10",
    kind: "kernel",
    statement: "A production build stops at a donation that the linear map of EL2 cannot hold.",
    source: [
      cite("android14-6.1", `do_donate, ${MEM_PROTECT}: WARN_ON, which EL2 dies of`),
      cite("measured", "production ops: hyp BUG at do_donate"),
    ],
    on: ON,
    applies: walks(
      "donate",
      (asked, { pre, ...step }) =>
        isGiveable(asked, { pre, ...step }) &&
        pre.config.build === "production" &&
        everyPage(pre, asked, isPlain) &&
        isBeyondHyp(asked),
    ),
    holds: ({ outcome }) => panics(outcome, "DONATE_MAP_FAILED"),
  }),
  clause({
    id: "OWN-11",
    kind: "kernel",
    statement: "A range that would be returned and ends beyond 64 bits at EL2 is refused.",
    source: [cite("android14-6.1", `__hyp_check_page_state_range, ${MEM_PROTECT}`)],
    on: ON,
    applies: asks(["return"], overflows),
    holds: (step) => refuses(step, "EINVAL"),
  }),
  clause({
    id: "OWN-12",
    kind: "kernel",
    statement: "A range that would be returned beyond the addresses of EL2 is refused.",
    source: [cite("android14-6.1", "_kvm_pgtable_walk, hyp/pgtable.c")],
    on: ON,
    applies: asks(["return"], (asked) => !overflows(asked) && isBeyond(asked)),
    holds: (step) => refuses(step, "ERANGE"),
  }),
  clause({
    id: "OWN-13",
    kind: "kernel",
    statement: "Only what the hypervisor owns is returned to the host.",
    source: [cite("android14-6.1", `__pkvm_hyp_donate_host, do_donate, ${MEM_PROTECT}`), measured],
    on: ON,
    applies: walks(
      "return",
      (asked, { pre }) => !everyPage(pre, asked, (state) => canReturn(state, pre)),
    ),
    holds: (step) => refuses(step, "EPERM"),
  }),
  clause({
    id: "OWN-17",
    kind: "kernel",
    statement: "Pages that are given are the hypervisor's, devices too.",
    source: [
      cite("android14-6.1", `__pkvm_host_donate_hyp, do_donate, ${MEM_PROTECT}`),
      cite("measured", "ops-inrange: pfns 0xa001 and 0x100000 are taken"),
    ],
    on: ON,
    applies: walks(
      "donate",
      (asked, step) =>
        isGiveable(asked, step) &&
        everyPage(step.pre, asked, isPlain) &&
        everyPage(step.pre, asked, isFreeAtHyp(step)) &&
        !isBeyondHyp(asked),
    ),
    holds: (step) => moves(step, () => HYP_PAGE),
  }),
  clause({
    id: "OWN-18",
    kind: "kernel",
    statement: "Pages that are returned are plainly the host's.",
    source: [cite("android14-6.1", `__pkvm_hyp_donate_host, do_donate, ${MEM_PROTECT}`), measured],
    on: ON,
    applies: walks("return", (asked, { pre }) =>
      everyPage(pre, asked, (state) => canReturn(state, pre)),
    ),
    holds: (step) => moves(step, () => PLAIN_PAGE),
  }),
  clause({
    id: "OWN-79",
    kind: "kernel",
    statement: "A donation of addresses that EL2 does not have is refused, and costs nothing else.",
    source: [
      cite("android14-6.1", `hyp_ack_donation, hyp_complete_donation, ${MEM_PROTECT}: an errno`),
      cite("measured", "el2debug ops: pfn 0x9000000 is -34"),
    ],
    on: ["op"],
    branches: ["android14-6.1"],
    applies: asks(
      ["donate"],
      (asked) => asked.bytes > 0n && (overflows(asked) || isBeyond(asked) || isBeyondHyp(asked)),
    ),
    holds: (step) =>
      all(
        ensure((answer(step.outcome) ?? 0n) < 0n, `it is not refused: ${spell(step.outcome)}`),
        changesNothing(step),
      ),
  }),
];
