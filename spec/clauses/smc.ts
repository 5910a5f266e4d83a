// What becomes of the host's other SMCs: FF-A, a module's handler, the firmware.

import { branchOf } from "../branches/branches.ts";
import { clause, type StepClause } from "../clause.ts";
import { FFA, FFA_BLOCKED, FFA_RET, isFfa, isPsci, PSCI_RET } from "../smccc.ts";
import { cite } from "../sources.ts";
import type { Smc } from "../types/action.ts";
import { all, changesNothing, ensure, equal, panics, spell } from "./phrases.ts";
import {
  answersItself,
  argument,
  askedOf,
  asksFirmware,
  idOf,
  isFfaCall,
  isLetIn,
  isTrapped,
  leaves,
  type SmcStep,
  unasked,
  word,
} from "./smc-step.ts";

const FFA_FILE = "hyp/nvhe/ffa.c";
const read = (where: string) => cite("android14-6.1", `${where}, ${FFA_FILE}`);
const HANDLE = "handle_host_smc, hyp/nvhe/hyp-main.c";

/** x0 to x3 of an FF-A error; one branch clears everything above as well. */
const error = (status: bigint): readonly bigint[] => [FFA.ERROR, 0n, status, 0n];
const upTo = ({ pre }: SmcStep, x: readonly bigint[]): readonly bigint[] =>
  branchOf(pre.config).smc.ffaRegisters === 4 ? x : [...x, ...new Array<bigint>(14).fill(0n)];

/** What sharing and lending are called. */
const TRANSFERS: readonly bigint[] = [
  FFA.MEM_SHARE_32,
  FFA.MEM_SHARE,
  FFA.MEM_LEND_32,
  FFA.MEM_LEND,
];

const isMap = isFfaCall("filtered", (id) => id === FFA.RXTX_MAP);
const isOnePage = (action: Smc): boolean => word(action, 3) === 1n;
const isAligned = (action: Smc): boolean =>
  argument(action, 1) % 0x1000n === 0n && argument(action, 2) % 0x1000n === 0n;

/** Whether the proxy of the branch keeps an FF-A call. */
function isKept(step: SmcStep, id: bigint): boolean {
  const { ffa } = branchOf(step.pre.config).smc;
  if (ffa !== "filtered") return ffa !== "forwarded";
  const asked = word(step.action, 1);
  if (id === FFA.FEATURES) return FFA_BLOCKED.includes(asked) || TRANSFERS.includes(asked);
  const handled: readonly bigint[] = [
    FFA.RXTX_MAP,
    FFA.RXTX_UNMAP,
    FFA.MEM_RECLAIM,
    FFA.MEM_FRAG_TX,
    ...TRANSFERS,
  ];
  return FFA_BLOCKED.includes(id) || handled.includes(id);
}

/** Whether nothing in pKVM itself answers. */
function isLeft(step: SmcStep): boolean {
  const id = idOf(step);
  if (id === undefined || isPsci(id)) return false;
  return !(isFfa(id) && isKept(step, id));
}

export const SMC: readonly StepClause[] = [
  clause({
    id: "SMC-1",
    kind: "kernel",
    statement: "Without pKVM an SMC of the host goes to the firmware and no module hears of it.",
    source: [cite("android14-6.1", "HCR_HOST_NVHE_PROTECTED_FLAGS, asm/kvm_arm.h: HCR_TSC")],
    on: ["smc"],
    applies: ({ pre }) => !isTrapped(pre),
    holds: ({ action, outcome }) =>
      outcome.kind === "off" ||
      all(
        asksFirmware(outcome, action.x),
        ensure(outcome.kind === "registers" && outcome.x.length === 1, spell(outcome)),
      ),
  }),
  clause({
    id: "SMC-2",
    kind: "kernel",
    statement:
      "Where a branch looks at them, an immediate or an id of 64 bits makes an SMC unknown.",
    source: [
      cite("android17-6.18", `${HANDLE}: the immediate`),
      cite("linux", `${HANDLE}, 7.3: the immediate and the upper half of x0`),
    ],
    on: ["smc"],
    applies: (step) => isTrapped(step.pre) && !isLetIn(step),
    holds: (step) => all(answersItself(step.outcome, PSCI_RET.NOT_SUPPORTED), changesNothing(step)),
  }),
  clause({
    id: "SMC-18",
    kind: "kernel",
    statement: "An FF-A call that the proxy blocks is an error NOT_SUPPORTED.",
    source: [read("ffa_call_unsupported"), cite("measured", "base: 0x84000070")],
    on: ["smc"],
    applies: isFfaCall("filtered", (id) => FFA_BLOCKED.includes(id)),
    holds: (step) =>
      all(answersItself(step.outcome, ...error(FFA_RET.NOT_SUPPORTED)), changesNothing(step)),
  }),
  clause({
    id: "SMC-19",
    kind: "kernel",
    statement: "FEATURES of a blocked call is an error NOT_SUPPORTED.",
    source: [read("do_ffa_features"), cite("measured", "base: FEATURES of 0x84000066")],
    on: ["smc"],
    applies: isFfaCall(
      "filtered",
      (id, action) => id === FFA.FEATURES && FFA_BLOCKED.includes(word(action, 1)),
    ),
    holds: (step) =>
      all(answersItself(step.outcome, ...error(FFA_RET.NOT_SUPPORTED)), changesNothing(step)),
  }),
  clause({
    id: "SMC-20",
    kind: "kernel",
    statement: "FEATURES of sharing and lending is a success without properties.",
    source: [read("do_ffa_features")],
    on: ["smc"],
    applies: isFfaCall(
      "filtered",
      (id, action) => id === FFA.FEATURES && TRANSFERS.includes(word(action, 1)),
    ),
    holds: (step) =>
      all(answersItself(step.outcome, FFA.SUCCESS, 0n, 0n, 0n), changesNothing(step)),
  }),
  clause({
    id: "SMC-21",
    kind: "kernel",
    statement: "Buffers of other than one page are refused before the firmware is asked.",
    source: [read("do_ffa_rxtx_map"), cite("measured", "base: 0xc4000066 with 0 pages")],
    on: ["smc"],
    applies: (step) => isMap(step) && !isOnePage(step.action),
    holds: (step) =>
      all(answersItself(step.outcome, ...error(FFA_RET.INVALID_PARAMETERS)), changesNothing(step)),
  }),
  clause({
    id: "SMC-22",
    kind: "kernel",
    statement: "Buffers that do not begin with a page are refused before the firmware is asked.",
    source: [read("do_ffa_rxtx_map: PAGE_ALIGNED")],
    on: ["smc"],
    applies: (step) => isMap(step) && isOnePage(step.action) && !isAligned(step.action),
    holds: (step) =>
      all(answersItself(step.outcome, ...error(FFA_RET.INVALID_PARAMETERS)), changesNothing(step)),
  }),
  clause({
    id: "SMC-23",
    kind: "kernel",
    statement: "Good buffers are refused by the firmware, whose status is taken from a wrong x2.",
    source: [read("spmd_map_ffa_buffers: res.a2, hyp_virt_to_phys(NULL); derived, not measured")],
    on: ["smc"],
    applies: (step) => isMap(step) && isOnePage(step.action) && isAligned(step.action),
    holds: (step) => {
      const [id, tx, rx, pages] = askedOf(step.outcome) ?? [];
      // 0 in EL2's linear map is 0x40000000 - 0x4000000000, whose low half is 0x40000000.
      const buffer = BigInt.asUintN(64, 0x4000_0000n - 0x40_0000_0000n);
      return all(
        leaves(step.outcome, ...error(0x4000_0000n)),
        ensure(
          id === FFA.RXTX_MAP && tx === buffer && rx === buffer && pages === 1n,
          "the firmware was not asked about EL2's buffers",
        ),
        changesNothing(step),
      );
    },
  }),
  clause({
    id: "SMC-24",
    kind: "kernel",
    statement: "Without buffers nothing is unmapped, shared, lent or continued.",
    source: [
      read("do_ffa_rxtx_unmap, __do_ffa_mem_xfer, do_ffa_mem_frag_tx"),
      cite("measured", "base: 0x84000073, 0xc4000073"),
    ],
    on: ["smc"],
    applies: isFfaCall(
      "filtered",
      (id) => id === FFA.RXTX_UNMAP || id === FFA.MEM_FRAG_TX || TRANSFERS.includes(id),
    ),
    holds: (step) =>
      all(answersItself(step.outcome, ...error(FFA_RET.INVALID_PARAMETERS)), changesNothing(step)),
  }),
  clause({
    id: "SMC-25",
    kind: "kernel",
    statement: "MEM_RECLAIM without FF-A below writes through a NULL pointer of EL2.",
    source: [read("do_ffa_mem_reclaim, hyp_ffa_init: hyp_buffers; derived, not measured")],
    on: ["smc"],
    applies: isFfaCall("filtered", (id) => id === FFA.MEM_RECLAIM),
    holds: ({ outcome }) => panics(outcome, "EL2_ABORT"),
  }),
  clause({
    id: "SMC-26",
    kind: "kernel",
    statement: "A proxy that wants the version first finds none below and says NOT_SUPPORTED.",
    source: [
      cite("android15-6.6", `do_ffa_version, ${FFA_FILE}`),
      cite("measured", "base: Debian 6.12 and mainline 7.3 answer -1 and clear x1 to x3"),
    ],
    on: ["smc"],
    applies: (step) =>
      isFfaCall("version first", (id) => id === FFA.VERSION)(step) ||
      isFfaCall("swallowed", (id) => id === FFA.VERSION)(step),
    holds: (step) =>
      all(
        answersItself(step.outcome, ...upTo(step, [FFA_RET.NOT_SUPPORTED, 0n, 0n, 0n])),
        changesNothing(step),
      ),
  }),
  clause({
    id: "SMC-27",
    kind: "kernel",
    statement: "Before the version every other FF-A call is invalid; on 6.6 its error gets lost.",
    source: [
      cite("android15-6.6", `kvm_host_ffa_handler, ${FFA_FILE}: no write-back`),
      cite("measured", "base: Debian 6.12 and mainline 7.3 answer INVALID_PARAMETERS"),
    ],
    on: ["smc"],
    applies: (step) =>
      isFfaCall("version first", (id) => id !== FFA.VERSION)(step) ||
      isFfaCall("swallowed", (id) => id !== FFA.VERSION)(step),
    holds: (step) => {
      const isLost = branchOf(step.pre.config).smc.ffa === "swallowed";
      return all(
        answersItself(
          step.outcome,
          ...(isLost ? [] : upTo(step, error(FFA_RET.INVALID_PARAMETERS))),
        ),
        changesNothing(step),
      );
    },
  }),
  clause({
    id: "SMC-28",
    kind: "kernel",
    statement:
      "A module's handler sees an SMC that pKVM does not answer, before the firmware does.",
    source: [
      cite("android14-6.1", `${HANDLE}: default_host_smc_handler`),
      cite("measured", "ops-inrange: the handler's counter"),
    ],
    on: ["smc"],
    applies: (step) => isLeft(step) && step.pre.dispatch.callbacks.host_smc_handler !== undefined,
    holds: (step) =>
      all(
        ensure(
          step.outcome.kind === "enters" &&
            step.outcome.address === step.pre.dispatch.callbacks.host_smc_handler,
          `the handler is not called: ${spell(step.outcome)}`,
        ),
        changesNothing(step),
      ),
  }),
  clause({
    id: "SMC-29",
    kind: "kernel",
    statement: "An SMC that nobody answers goes down as it is, and only x0 comes back changed.",
    source: [
      cite("android14-6.1", `${HANDLE}: __kvm_hyp_host_forward_smc`),
      cite("measured", "base: unknown ids are -1, x1 to x3 intact"),
    ],
    on: ["smc"],
    applies: (step) => isLeft(step) && step.pre.dispatch.callbacks.host_smc_handler === undefined,
    holds: (step) =>
      all(
        asksFirmware(step.outcome, step.action.x),
        leaves(step.outcome, PSCI_RET.NOT_SUPPORTED),
        changesNothing(step),
      ),
  }),
  clause({
    id: "SMC-30",
    kind: "kernel",
    statement: "What a handler keeps, the firmware never sees, and the host gets its registers.",
    source: [cite("android14-6.1", HANDLE), cite("measured", "ops-inrange: x0 and x1 came back")],
    on: ["host_smc_handler_returned"],
    applies: ({ action }) => action.handled,
    holds: (step) =>
      all(
        unasked(step.outcome),
        ensure(
          step.outcome.kind === "registers" && equal(step.outcome.x, step.action.x),
          "the host gets other registers",
        ),
        changesNothing(step),
      ),
  }),
  clause({
    id: "SMC-31",
    kind: "kernel",
    statement: "What the last handler leaves, the firmware sees as the handler left it.",
    source: [cite("android14-6.1", HANDLE)],
    on: ["host_smc_handler_returned"],
    applies: ({ pre, action, outcome }) =>
      !action.handled &&
      pre.dispatch.further.host_smc_handler?.[action.handler] === undefined &&
      outcome.kind !== "off",
    holds: (step) =>
      all(
        asksFirmware(step.outcome, step.action.x),
        ensure(step.outcome.kind === "registers" && step.outcome.x.length === 1, "more than x0"),
        changesNothing(step),
      ),
  }),
];
