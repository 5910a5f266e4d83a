// SMC by the host: what pKVM answers itself is not modelled; a module's handler, then the firmware.

import { cite } from "../../spec/sources.ts";
import type { Smc } from "../../spec/types/action.ts";
import { NOT_SUPPORTED } from "../../spec/types/outcome.ts";
import type { Transition } from "../transition.ts";

/** Function numbers of PSCI and FF-A, in the standard secure services. Source: DEN0022, DEN0077. */
const STANDARD = 0x84n;
const OWNERS = 0xbfn;
const PSCI_AND_FFA_END = 0x100n;

/** Whether the relay of PSCI or the proxy of FF-A answers. Source: is_ffa_call, is_psci_call. */
function isRelayed(x0: bigint): boolean {
  const id = BigInt.asUintN(32, x0);
  return ((id >> 24n) & OWNERS) === STANDARD && (id & 0xff_ffffn) < PSCI_AND_FFA_END;
}

/**
 * handle_host_smc: the module's handler sees what PSCI and FF-A leave; what it leaves is forwarded.
 * The firmware below the measured machines knows PSCI and nothing else: everything forwarded is -1.
 */
export const hostSmcCall: Transition<Smc> = {
  name: "handle_host_smc",
  source: [
    cite("android14-6.1", "handle_host_smc, hyp/nvhe/hyp-main.c"),
    cite("measured", "base, ops-inrange: unknown ids are -1, the handler's is answered"),
  ],
  guards: [],
  effect: (hyp, { x }) => {
    const x0 = x[0] ?? 0n;
    if (isRelayed(x0) || !hyp.boot.hypUp || hyp.boot.mode !== "protected") {
      return { kind: "unmodelled", what: `SMC 0x${x0.toString(16)}` };
    }
    const address = hyp.dispatch.callbacks.host_smc_handler;
    return address === undefined ? NOT_SUPPORTED : { kind: "enters", address };
  },
};
