// The FF-A proxy, on machines whose firmware knows no FF-A: what it refuses, keeps and forwards.

import { branchOf } from "../../spec/branches/branches.ts";
import { FFA, FFA_BLOCKED, FFA_RET } from "../../spec/smccc.ts";
import { cite } from "../../spec/sources.ts";
import type { Smc } from "../../spec/types/action.ts";
import type { Hyp } from "../../spec/types/hyp.ts";
import type { Outcome } from "../../spec/types/outcome.ts";
import { hypPhys } from "../pgtable/hyp-stage1.ts";
import type { Guard, Transition } from "../transition.ts";
import { firmware } from "./firmware.ts";
import { forwardSmc } from "./forward.ts";

const FFA_FILE = "hyp/nvhe/ffa.c";

const argument = ({ x }: Smc, n: number): bigint => x[n] ?? 0n;
const word = (action: Smc, n: number): bigint => BigInt.asUintN(32, argument(action, n));

/** ffa_set_retval: what an answer does not name is 0, as far up as the branch writes. */
function answer({ config }: Pick<Hyp, "config">, ...x: readonly bigint[]): Outcome {
  const length = branchOf(config).smc.ffaRegisters;
  return { kind: "registers", x: Array.from({ length }, (_, n) => x[n] ?? 0n) };
}

/** ffa_to_smccc_error: the status is in x2. */
const ffaError = (hyp: Pick<Hyp, "config">, status: bigint): Outcome =>
  answer(hyp, FFA.ERROR, 0n, BigInt.asUintN(64, status));
const notSupported = (hyp: Pick<Hyp, "config">): Outcome => ffaError(hyp, FFA_RET.NOT_SUPPORTED);
const invalid = (hyp: Pick<Hyp, "config">): Outcome => ffaError(hyp, FFA_RET.INVALID_PARAMETERS);

const proxy = (
  name: string,
  guards: readonly Guard<Smc>[],
  effect: Transition<Smc>["effect"],
): Transition<Smc> => ({
  name,
  source: [cite("android14-6.1", `${name}, ${FFA_FILE}`), cite("measured", "base: FF-A by SMC")],
  guards,
  effect,
});

/** A call that the proxy keeps from the firmware. */
export const ffaBlocked: Transition<Smc> = proxy("ffa_call_unsupported", [], notSupported);

/** FEATURES of a blocked call; sharing and lending have no dynamic buffers; others go on. */
const doFfaFeatures = proxy(
  "do_ffa_features",
  [
    {
      clause: "SMC-19",
      permits: (_, action) => !FFA_BLOCKED.includes(word(action, 1)),
      refusal: notSupported,
    },
  ],
  (hyp) => answer(hyp, FFA.SUCCESS),
);

/** FEATURES that the proxy answers. */
const FEATURES_KEPT: readonly bigint[] = [
  ...FFA_BLOCKED,
  FFA.MEM_SHARE_32,
  FFA.MEM_SHARE,
  FFA.MEM_LEND_32,
  FFA.MEM_LEND,
];

/** KVM_FFA_MBOX_NR_PAGES. */
const MAILBOX_PAGES = 1n;
const PAGE_MASK = 0xfffn;

/**
 * do_ffa_rxtx_map. The firmware is asked to map EL2's own buffers first. There are none, as no FF-A
 * was found at boot: NULL is converted, the firmware does not know the call and leaves x2 as it
 * was, and the low half of it is taken for an FF-A status.
 */
const doFfaRxtxMap = proxy(
  "do_ffa_rxtx_map",
  [
    {
      clause: "SMC-21",
      permits: (_, action) => word(action, 3) === MAILBOX_PAGES,
      refusal: invalid,
    },
    {
      clause: "SMC-22",
      permits: (_, action) => ((argument(action, 1) | argument(action, 2)) & PAGE_MASK) === 0n,
      refusal: invalid,
    },
  ],
  (hyp) => {
    const buffer = BigInt.asUintN(64, hypPhys(0n));
    const asked = [FFA.RXTX_MAP, buffer, buffer, MAILBOX_PAGES, 0n, 0n, 0n, 0n];
    const said = firmware(hyp, asked);
    const outcome = ffaError(hyp, BigInt.asIntN(32, buffer));
    return said.kind === "answers" && said.x0 !== FFA.SUCCESS && outcome.kind === "registers"
      ? { ...outcome, asked }
      : { kind: "unmodelled", what: "FF-A buffers that the firmware maps" };
  },
);

/** Whatever they are given: no buffers are mapped, and every earlier check answers the same. */
const withoutBuffers = (name: string): Transition<Smc> => proxy(name, [], invalid);
const doFfaRxtxUnmap = withoutBuffers("do_ffa_rxtx_unmap");
const doFfaMemXfer = withoutBuffers("do_ffa_mem_xfer");
const doFfaMemFragTx = withoutBuffers("do_ffa_mem_frag_tx");

/**
 * A store to address 0 at EL2: a translation fault of level 1, a write. Source: DDI0487 D24.2.40,
 * ESR_EL2: EC 0x25, IL, WnR, DFSC 0b000101.
 */
const STORE_TO_NULL_ESR = 0x9600_0045n;

/** do_ffa_mem_reclaim does not ask whether there are buffers: it writes through NULL. */
const doFfaMemReclaim = proxy("do_ffa_mem_reclaim", [], (hyp) => {
  hyp.end = { kind: "hyp-panic", reason: "EL2_ABORT", esr: STORE_TO_NULL_ESR };
  return { kind: "hyp-panic", reason: "EL2_ABORT" };
});

const KEPT: ReadonlyMap<bigint, Transition<Smc>> = new Map([
  [FFA.RXTX_MAP, doFfaRxtxMap],
  [FFA.RXTX_UNMAP, doFfaRxtxUnmap],
  [FFA.MEM_SHARE_32, doFfaMemXfer],
  [FFA.MEM_SHARE, doFfaMemXfer],
  [FFA.MEM_LEND_32, doFfaMemXfer],
  [FFA.MEM_LEND, doFfaMemXfer],
  [FFA.MEM_FRAG_TX, doFfaMemFragTx],
  [FFA.MEM_RECLAIM, doFfaMemReclaim],
]);

/** The proxy that filters: what it answers itself, or nothing, and the call goes on. */
function filtered(action: Smc, id: bigint): Transition<Smc> | undefined {
  if (id === FFA.FEATURES) {
    return FEATURES_KEPT.includes(word(action, 1)) ? doFfaFeatures : undefined;
  }
  return KEPT.get(id) ?? (FFA_BLOCKED.includes(id) ? ffaBlocked : undefined);
}

/** do_ffa_version: whatever version is asked for, the firmware has none. */
const doFfaVersion = proxy("do_ffa_version", [], (hyp) => answer(hyp, FFA_RET.NOT_SUPPORTED));

/** Anything else while no version is negotiated, which never happens here. */
const notNegotiated = proxy("kvm_host_ffa_handler", [], invalid);
/** The same on android15-6.6: no register is written back. */
const swallowed: Transition<Smc> = {
  name: "kvm_host_ffa_handler@android15-6.6",
  source: [cite("android15-6.6", `kvm_host_ffa_handler, ${FFA_FILE}: no write-back`)],
  guards: [],
  effect: () => ({ kind: "registers", x: [] }),
};

/** What the proxy of a branch does with an FF-A call; nothing: it lets it pass. */
export function ffaTarget(hyp: Hyp, action: Smc, id: bigint): Transition<Smc> | undefined {
  const { ffa } = branchOf(hyp.config).smc;
  switch (ffa) {
    case "forwarded":
      return undefined;
    case "filtered":
      return filtered(action, id);
    case "version first":
      return id === FFA.VERSION ? doFfaVersion : notNegotiated;
    case "swallowed":
      return id === FFA.VERSION ? doFfaVersion : swallowed;
  }
}

/** Every transition of the proxy. */
export const FFA_CALLS: readonly Transition<Smc>[] = [
  ffaBlocked,
  doFfaFeatures,
  doFfaRxtxMap,
  doFfaRxtxUnmap,
  doFfaMemXfer,
  doFfaMemFragTx,
  doFfaMemReclaim,
  doFfaVersion,
  notNegotiated,
  swallowed,
  forwardSmc,
];
