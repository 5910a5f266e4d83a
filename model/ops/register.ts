// The registration ops: one slot a type, filled once, never emptied.

import { cite } from "../../spec/sources.ts";
import type { Op } from "../../spec/types/action.ts";
import { hypVa } from "../../spec/types/address.ts";
import { negative } from "../../spec/types/errno.ts";
import type { CallbackType } from "../../spec/types/hyp.ts";
import { returned } from "../../spec/types/outcome.ts";
import type { Transition } from "../transition.ts";

const TYPES: readonly CallbackType[] = [
  "serial_driver",
  "host_perm_fault_handler",
  "host_smc_handler",
  "default_trap_handler",
  "illegal_abt_notifier",
  "psci_notifier",
  "hyp_panic_notifier",
];

/**
 * register_TYPE(cb): a compare-exchange of the slot with NULL. A second registration is -EBUSY;
 * NULL "succeeds" and
 * takes no slot. Nothing records which module registered, and nothing takes it back when that
 * module's init fails.
 * Source: hyp/nvhe/modules.c and the register functions it names (android14-6.1); measured: second
 * is -16.
 */
function registration(type: CallbackType): Transition<Op> {
  return {
    name: `register_${type}`,
    source: [cite("android14-6.1", `register_${type}, hyp/nvhe`), cite("measured", "ops")],
    guards: [
      {
        clause: "REG-9",
        permits: (hyp) => hyp.dispatch.callbacks[type] === undefined,
        refusal: () => returned(negative("EBUSY")),
      },
    ],
    effect: (hyp, { args }) => {
      const callback = args[0] ?? 0n;
      if (callback !== 0n) hyp.dispatch.callbacks[type] = hypVa(callback);
      return returned(0);
    },
  };
}

/** The registration ops by name. */
export const REGISTRATIONS: readonly Transition<Op>[] = TYPES.map(registration);
