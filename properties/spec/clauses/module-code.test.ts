// The clauses about modules' own code, each on steps made by hand.

import { MODULE_CODE } from "../../../spec/clauses/module-code.ts";
import {
  type Case,
  DEPRIVILEGED,
  DONE,
  panicked,
  returned,
  step,
  TRUSTED,
  tryClauses,
} from "../tried.ts";

const back = step(DEPRIVILEGED, { kind: "handler_returned", cpu: 0, x: [0n, 1n] }, DONE);
const fault = {
  kind: "el2_exception",
  cpu: 1,
  esr: 0x9600_0004n,
  elr: 0x20_0000_c128n,
  far: 0n,
  entered: "inside",
} as const;
const oops = { kind: "host_oops", cpu: 0, esr: 0x9600_0004n, elr: 0n, far: 0n } as const;
const hostPanic = { kind: "host-panic", reason: "HOST_OOPS" } as const;

const cases: Record<string, Case> = {
  "MOD-1": [back, step(DEPRIVILEGED, fault, panicked("EL2_BUG"))],
  "MOD-2": [
    back,
    step(
      DEPRIVILEGED,
      { kind: "budget_spent", cpu: 0, where: "a handler" },
      {
        kind: "hang",
        where: "a handler",
      },
    ),
  ],
  "MOD-3": [
    step(TRUSTED, { kind: "module_init_returned", name: "mod1", value: -22 }, returned(-22)),
    step(TRUSTED, oops, hostPanic),
    step(TRUSTED, { kind: "host_panic", cpu: 0, why: "BUG" }, hostPanic),
  ],
};

tryClauses(MODULE_CODE, cases);
