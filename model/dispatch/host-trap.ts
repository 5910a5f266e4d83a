// A trap of the host that no table has an entry for: a module's default handler, or the end.

import { cite } from "../../spec/sources.ts";
import type { HostTrap, TrapHandlerReturned } from "../../spec/types/action.ts";
import { type Outcome, returned } from "../../spec/types/outcome.ts";
import type { Transition } from "../transition.ts";

const source = [cite("android14-6.1", "handle_trap: default_trap_handler, hyp/nvhe/hyp-main.c")];
const UNKNOWN: Outcome = { kind: "hyp-panic", reason: "UNKNOWN_HOST_TRAP" };

/** handle_trap for every class but HVC, SMC and aborts. */
export const hostTrap: Transition<HostTrap> = {
  name: "handle_trap",
  source,
  guards: [
    {
      clause: "DISP-51",
      permits: ({ dispatch }) => dispatch.callbacks.default_trap_handler !== undefined,
      refusal: () => UNKNOWN,
    },
  ],
  effect: ({ dispatch }) => {
    const address = dispatch.callbacks.default_trap_handler;
    // Only a removed guard gets here without one: the kernel would call NULL.
    return address === undefined
      ? { kind: "hyp-panic", reason: "EL2_ABORT" }
      : { kind: "enters", address };
  },
};

/** The handler says whether it took the trap; if so the host goes on where it left ELR_EL2. */
export const trapHandlerReturned: Transition<TrapHandlerReturned> = {
  name: "default_trap_handler_returned",
  source,
  guards: [
    {
      clause: "DISP-53",
      permits: (_, { handled }) => handled,
      refusal: () => UNKNOWN,
    },
  ],
  effect: () => returned(1),
};
