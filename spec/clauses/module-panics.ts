// What module code may not bring EL2 to do on its behalf, whatever the host passes: stop.

import { clause, type StepClause } from "../clause.ts";
import { cite } from "../sources.ts";
import { ensure } from "./phrases.ts";

/** What EL2 was doing for a module, in words. */
const DOING = {
  op: "an op that the module calls",
  default_trap_handler_returned: "a trap that the module does not take",
  host_perm_fault_handler_returned: "a permission fault that the module answers",
} as const;

export const MODULE_PANICS: readonly StepClause[] = [
  clause({
    id: "MOD-20",
    kind: "kernel",
    statement: "EL2 goes on after every op that a module calls and every answer of a callback.",
    source: [
      cite("android14-6.1", "hyp/nvhe: BUG_ON and WARN_ON of EL2 are a panic of the machine"),
      cite("android14-6.1", "handle_trap: BUG where default_trap_handler gives false"),
      cite("android14-6.1", "handle_host_mem_abort: BUG_ON of an errno that it does not know"),
    ],
    on: ["op", "default_trap_handler_returned", "host_perm_fault_handler_returned"],
    applies: () => true,
    holds: ({ action, outcome }) => {
      const what = action.kind === "op" ? `, ${action.op}` : "";
      const how = outcome.kind === "hyp-panic" ? outcome.reason : "";
      return ensure(
        outcome.kind !== "hyp-panic",
        `${DOING[action.kind]}${what}: EL2 stops with ${how}`,
      );
    },
  }),
];
