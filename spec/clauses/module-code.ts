// What a module's own code must not do: it runs where nothing catches it.

import { clause, type StepClause } from "../clause.ts";
import { cite } from "../sources.ts";
import { ensure } from "./phrases.ts";

const hex = (value: bigint): string => `0x${value.toString(16)}`;

/** The ways in which an entry of EL2 code of a module ends. */
const EL2_ENDS = [
  "handler_returned",
  "el2_init_returned",
  "el2_exception",
  "budget_spent",
] as const;

/** The ways in which an entry of EL1 code of a module ends. */
const EL1_ENDS = ["module_init_returned", "host_oops", "host_panic"] as const;

export const MODULE_CODE: readonly StepClause[] = [
  clause({
    id: "MOD-1",
    kind: "kernel",
    statement: "Code of a module at EL2 takes no exception.",
    source: [
      cite("android14-6.1", "hyp/nvhe/host.S, hyp_panic: an exception from EL2 is a panic"),
      cite("measured", "production mod-regbadk, mod-regnoload: the machine stops"),
    ],
    on: EL2_ENDS,
    applies: () => true,
    holds: ({ action }) =>
      ensure(
        action.kind !== "el2_exception",
        action.kind === "el2_exception"
          ? `EL2 took an exception: ESR ${hex(action.esr)}, FAR ${hex(action.far)}`
          : "",
      ),
  }),
  clause({
    id: "MOD-2",
    kind: "kernel",
    statement: "Code of a module comes back within its budget of instructions.",
    source: [cite("android14-6.1", "hyp/nvhe: interrupts are masked at EL2, nothing preempts it")],
    on: [...EL2_ENDS, "module_init_returned"],
    applies: () => true,
    holds: ({ action }) =>
      ensure(
        action.kind !== "budget_spent",
        action.kind === "budget_spent"
          ? `CPU ${action.cpu} does not come back: ${action.where}`
          : "",
      ),
  }),
  clause({
    id: "MOD-3",
    kind: "kernel",
    statement: "Code of a module at EL1 does not bring the kernel down.",
    source: [cite("linux", "die, arch/arm64/kernel/traps.c; panic, kernel/panic.c")],
    on: EL1_ENDS,
    applies: () => true,
    holds: ({ action }) =>
      ensure(
        action.kind === "module_init_returned",
        action.kind === "host_oops"
          ? `the kernel took an exception at ${hex(action.elr)}: ESR ${hex(action.esr)}`
          : `the kernel panicked: ${action.kind === "host_panic" ? action.why : ""}`,
      ),
  }),
];
