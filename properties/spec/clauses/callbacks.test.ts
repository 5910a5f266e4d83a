// The clauses of traps and of modules' registers, each on steps made by hand.

import { describe } from "vitest";
import { REGISTERS, TRAPS } from "../../../spec/clauses/callbacks.ts";
import type { HostTrap, Op, TrapHandlerReturned } from "../../../spec/types/action.ts";
import {
  answering,
  type Case,
  type Change,
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

const TRAP: HostTrap = { kind: "host_trap", cpu: 0, esr: 0x6200_0000n };
const back = (handled: boolean): TrapHandlerReturned => ({
  kind: "default_trap_handler_returned",
  cpu: 0,
  handled,
});
const REGISTERED = like(DEPRIVILEGED, (hyp) => {
  hyp.dispatch.callbacks.default_trap_handler = HANDLER;
});
const op = (name: string, ...args: readonly bigint[]): Op => ({
  kind: "op",
  cpu: 0,
  op: name,
  args,
});
const controls =
  (cpu: number, hcrSet: bigint, hcrClear: bigint, hfgwtr = 0n): Change =>
  (hyp) => {
    hyp.controls[cpu] = { hcrSet, hcrClear, hfgwtr };
  };

const unknown = step(DEPRIVILEGED, TRAP, panicked("UNKNOWN_HOST_TRAP"));
const known = step(REGISTERED, TRAP, entered(HANDLER));
const left = step(REGISTERED, back(false), panicked("UNKNOWN_HOST_TRAP"));
const taken = step(REGISTERED, back(true), returned(1));
const hcr = step(DEPRIVILEGED, op("update_hcr_el2", 6n, 4n), returned(6), controls(0, 2n, 4n));
const hfgwtr = step(
  DEPRIVILEGED,
  op("update_hfgwtr_el2", 6n, 4n),
  returned(6),
  controls(0, 0n, 0n, 2n),
);
const prints = step(DEPRIVILEGED, op("puts", 0n), returned(0));

const TRAP_CASES: Readonly<Record<string, Case>> = {
  "DISP-51": [unknown, answering(unknown, returned(0))],
  "DISP-52": [known, answering(known, panicked("UNKNOWN_HOST_TRAP")), leaving(known, takesPage)],
  "DISP-53": [left, answering(left, returned(0))],
  "DISP-54": [taken, answering(taken, panicked("UNKNOWN_HOST_TRAP")), leaving(taken, takesPage)],
};
const REGISTER_CASES: Readonly<Record<string, Case>> = {
  "ABI-21": [
    hcr,
    step(DEPRIVILEGED, op("update_hcr_el2", 6n, 4n), returned(6), controls(0, 6n, 0n)),
    leaving(hcr, controls(1, 2n, 4n)),
    leaving(hcr, (hyp) => {
      hyp.boot.finalised[0] = false;
    }),
    leaving(hcr, takesPage),
  ],
  "ABI-22": [
    hfgwtr,
    step(DEPRIVILEGED, op("update_hfgwtr_el2", 6n, 4n), returned(6), controls(0, 0n, 0n, 6n)),
    leaving(hfgwtr, controls(1, 0n, 0n, 2n)),
    leaving(hfgwtr, takesPage),
  ],
  "ABI-23": [prints, answering(prints, panicked("EL2_BUG")), leaving(prints, takesPage)],
};

describe("traps", () => {
  tryClauses(TRAPS, TRAP_CASES);
});
describe("registers", () => {
  tryClauses(REGISTERS, REGISTER_CASES);
});
