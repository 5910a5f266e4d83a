// The clauses of the host's aborts, each on steps made by hand.

import { describe } from "vitest";
import { HOST_FAULTS } from "../../../spec/clauses/host-faults.ts";
import type { PermFaultHandlerReturned } from "../../../spec/types/action.ts";
import { hypVa } from "../../../spec/types/address.ts";
import {
  answering,
  type Case,
  DEPRIVILEGED,
  entered,
  HANDLER,
  leaving,
  like,
  panicked,
  returned,
  step,
  takesPage,
  tryClauses,
} from "../tried.ts";

const ESR = 0x9200_004fn;
const FAULT = { kind: "host_perm_fault", cpu: 0, esr: ESR, ipa: 0x5001_0000n } as const;
const back = (value: number, handler = 0): PermFaultHandlerReturned => ({
  kind: "host_perm_fault_handler_returned",
  cpu: 0,
  handler,
  value,
});
const HANDLED = like(DEPRIVILEGED, (hyp) => {
  hyp.dispatch.callbacks.host_perm_fault_handler = HANDLER;
  hyp.dispatch.callbacks.illegal_abt_notifier = HANDLER;
});
const SECOND = hypVa(HANDLER + 8n);
const SEVERAL = like(HANDLED, (hyp) => {
  hyp.config.branch = "android16-6.12";
  hyp.dispatch.further.host_perm_fault_handler = [SECOND];
});

const unhandled = step(DEPRIVILEGED, FAULT, returned(-1));
const handled = step(HANDLED, FAULT, entered(HANDLER));
const bug = step(HANDLED, back(-22), panicked("EL2_BUG"));
const again = step(HANDLED, back(-11), returned(-11));
const next = step(SEVERAL, back(-1), entered(SECOND));
const told = step(HANDLED, { kind: "illegal_abort", cpu: 0, esr: ESR }, entered(HANDLER));
const injected = step(
  DEPRIVILEGED,
  { kind: "host_inject_abort", cpu: 0, esr: ESR, fromEl1: true },
  { kind: "returned", value: 0x9600_00cfn },
);

const CASES: Readonly<Record<string, Case>> = {
  "OWN-71": [unhandled, answering(unhandled, returned(0)), leaving(unhandled, takesPage)],
  "OWN-72": [handled, answering(handled, returned(-1)), answering(handled, entered(SECOND))],
  "OWN-73": [bug, answering(bug, returned(-22))],
  "OWN-74": [again, answering(again, returned(-1)), leaving(again, takesPage)],
  "OWN-75": [
    next,
    answering(next, returned(-1)),
    step(SEVERAL, back(0), entered(SECOND)),
    step(SEVERAL, back(-1, 1), returned(0)),
  ],
  "OWN-76": [told, answering(told, returned(0)), leaving(told, takesPage)],
  "OWN-77": [
    injected,
    answering(injected, { kind: "returned", value: 0x9200_00cfn }),
    answering(injected, { kind: "returned", value: 0x9600_004fn }),
  ],
};

describe("aborts of the host", () => {
  tryClauses(HOST_FAULTS, CASES);
});
