// The registration ops: one slot a type, or 16, each filled once and never emptied.

import { BRANCHES, branchOf } from "../../spec/branches/branches.ts";
import { cite } from "../../spec/sources.ts";
import type { Op } from "../../spec/types/action.ts";
import { type HypVa, hypVa } from "../../spec/types/address.ts";
import { negative } from "../../spec/types/errno.ts";
import type { CallbackType, Hyp } from "../../spec/types/hyp.ts";
import { returned } from "../../spec/types/outcome.ts";
import type { Guard, Transition } from "../transition.ts";

const TYPES: readonly CallbackType[] = [
  "serial_driver",
  "host_perm_fault_handler",
  "host_smc_handler",
  "default_trap_handler",
  "illegal_abt_notifier",
  "psci_notifier",
  "hyp_panic_notifier",
];

/** Whether the branch has an array of slots for handlers of the type. */
const keepsSeveral = ({ config }: Pick<Hyp, "config">, type: CallbackType): boolean =>
  branchOf(config).multiSlotCallbacks.includes(type);

/** The handlers of a type in the order in which EL2 calls them. */
export function handlersOf(
  { dispatch }: Pick<Hyp, "dispatch">,
  type: CallbackType,
): readonly HypVa[] {
  const first = dispatch.callbacks[type];
  return first === undefined ? [] : [first, ...(dispatch.further[type] ?? [])];
}

/** The types for which some branch has an array. */
const IN_ARRAYS: ReadonlySet<CallbackType> = new Set(
  Object.values(BRANCHES).flatMap(({ multiSlotCallbacks }) => multiSlotCallbacks),
);

/** Not every slot of the array is taken. */
const hasRoom = (type: CallbackType): Guard<Op> => ({
  clause: "REG-22",
  permits: (hyp) =>
    !keepsSeveral(hyp, type) || handlersOf(hyp, type).length < branchOf(hyp.config).handlersPerType,
  refusal: () => returned(negative("EBUSY")),
});

/**
 * register_TYPE(cb): a compare-exchange of the slot with NULL, or of the first of 16 that is NULL.
 * Where none is, -EBUSY; NULL "succeeds" and takes no slot. Nothing records which module
 * registered, and nothing takes it back when that module's init fails.
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
        permits: (hyp) => keepsSeveral(hyp, type) || hyp.dispatch.callbacks[type] === undefined,
        refusal: () => returned(negative("EBUSY")),
      },
      ...(IN_ARRAYS.has(type) ? [hasRoom(type)] : []),
    ],
    effect: (hyp, { args }) => {
      const callback = args[0] ?? 0n;
      if (callback === 0n) return returned(0);
      const { callbacks, further } = hyp.dispatch;
      if (callbacks[type] === undefined) callbacks[type] = hypVa(callback);
      else further[type] = [...(further[type] ?? []), hypVa(callback)];
      return returned(0);
    },
  };
}

/** The registration ops by name. */
export const REGISTRATIONS: readonly Transition<Op>[] = TYPES.map(registration);
