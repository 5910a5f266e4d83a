// SMC by the host: the PSCI relay, the FF-A proxy, a module's handler, and what is left goes down.

import type { SmcPolicy } from "../../spec/branches/branch.ts";
import { branchOf } from "../../spec/branches/branches.ts";
import { isFfa, isPsci, PSCI_RET, SMCCC_CALL_HINTS } from "../../spec/smccc.ts";
import { cite } from "../../spec/sources.ts";
import type { Smc, SmcHandlerReturned } from "../../spec/types/action.ts";
import type { Hyp } from "../../spec/types/hyp.ts";
import type { Transition } from "../transition.ts";
import { FFA_CALLS, ffaTarget } from "./ffa-proxy.ts";
import { forward, forwardSmc } from "./forward.ts";
import { PSCI_CALLS, psciCpuEntry, psciNotified, psciNotSupported } from "./psci-relay.ts";

/** Whether SMCs are trapped: HCR_EL2.TSC is one of the flags of protected mode. */
const isTrapped = ({ boot }: Hyp): boolean => boot.hypUp && boot.mode === "protected";

/** The function id that pKVM looks at; what it forwards is x0 as it is. */
function functionId(hyp: Hyp, { x }: Smc): bigint {
  const { hintMasked } = branchOf(hyp.config).smc;
  const id = BigInt.asUintN(32, x[0] ?? 0n);
  return hintMasked ? id & ~SMCCC_CALL_HINTS : id;
}

/** What later branches do not look at any further. */
const isRefused = (policy: SmcPolicy, imm: number, x0: bigint): boolean =>
  (policy.immediateRefused && imm !== 0) || (policy.upperBitsRefused && x0 >> 32n !== 0n);

const refused = () => ({ kind: "registers", x: [PSCI_RET.NOT_SUPPORTED] }) as const;

/**
 * handle_host_smc, up to a module's handler: it sees what PSCI and FF-A leave.
 * Source: android14-6.1 as read and measured; the first check is of later branches.
 */
export const hostSmc: Transition<Smc> = {
  name: "handle_host_smc",
  source: [
    cite("android14-6.1", "handle_host_smc, hyp/nvhe/hyp-main.c"),
    cite("android17-6.18", "handle_host_smc, hyp/nvhe/hyp-main.c: the immediate"),
    cite("measured", "base, ops-inrange: unknown ids are -1, the handler's is answered"),
  ],
  guards: [
    {
      clause: "SMC-2",
      permits: (hyp, { imm = 0, x }) =>
        !isTrapped(hyp) || !isRefused(branchOf(hyp.config).smc, imm, x[0] ?? 0n),
      refusal: refused,
    },
  ],
  effect: (hyp) => {
    const address = hyp.dispatch.callbacks.host_smc_handler;
    // Only a call with a handler gets here; `smcTarget` has sent on the others.
    return address === undefined
      ? { kind: "unmodelled", what: "an SMC for no handler" }
      : { kind: "enters", address };
  },
};

/** Who answers an SMC that the first checks let in. */
export function smcTarget(hyp: Hyp, action: Smc): Transition<Smc> {
  if (!isTrapped(hyp)) return forwardSmc;
  const id = functionId(hyp, action);
  if (isPsci(id)) return PSCI_CALLS.get(id) ?? psciNotSupported;
  const proxy = isFfa(id) ? ffaTarget(hyp, action, id) : undefined;
  if (proxy !== undefined) return proxy;
  return hyp.dispatch.callbacks.host_smc_handler === undefined ? forwardSmc : hostSmc;
}

/**
 * A handler came back: with true the host has what it left, with false the next handler is called,
 * and after the last the firmware.
 */
export const smcHandlerReturned: Transition<SmcHandlerReturned> = {
  name: "host_smc_handler_returned",
  source: [
    cite("android14-6.1", "handle_host_smc, hyp/nvhe/hyp-main.c"),
    cite("measured", "ops-inrange: x0 and x1 are the handler's"),
  ],
  guards: [],
  effect: (hyp, { cpu, handler, handled, x }) => {
    if (handled) return { kind: "registers", x };
    const next = hyp.dispatch.further.host_smc_handler?.[handler];
    return next === undefined ? forward(hyp, { cpu, x }) : { kind: "enters", address: next };
  },
};

/** Every transition of host SMCs. */
export const SMC_TRANSITIONS: readonly Transition<never>[] = [
  hostSmc,
  smcHandlerReturned,
  psciNotSupported,
  ...new Set(PSCI_CALLS.values()),
  psciNotified,
  psciCpuEntry,
  ...FFA_CALLS,
];
