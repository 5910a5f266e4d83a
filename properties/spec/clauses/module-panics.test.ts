// The clause about panics that modules bring about, on steps made by hand.

import type { Step } from "../../../spec/clause.ts";
import { MODULE_PANICS } from "../../../spec/clauses/module-panics.ts";
import type { Outcome } from "../../../spec/types/outcome.ts";
import { DEPRIVILEGED, returned, step, tryClauses } from "../tried.ts";

const PANIC: Outcome = { kind: "hyp-panic", reason: "EL2_BUG" };
const unmaps = (outcome: Outcome): Step =>
  step(DEPRIVILEGED, { kind: "op", cpu: 0, op: "linear_unmap_early", args: [0n, 8n] }, outcome);

tryClauses(MODULE_PANICS, {
  "MOD-20": [
    unmaps(returned(0)),
    unmaps(PANIC),
    step(
      DEPRIVILEGED,
      { kind: "default_trap_handler_returned", cpu: 0, handled: false },
      { kind: "hyp-panic", reason: "UNKNOWN_HOST_TRAP" },
    ),
    step(
      DEPRIVILEGED,
      { kind: "host_perm_fault_handler_returned", cpu: 0, handler: 0, value: -22 },
      PANIC,
    ),
  ],
});
