// What the host's aborts come to: a module's handler, the notifier, and the abort that EL1 takes.

import { branchOf } from "../branches/branches.ts";
import { clause, type StepClause } from "../clause.ts";
import { cite } from "../sources.ts";
import { negative } from "../types/errno.ts";
import type { Hyp } from "../types/hyp.ts";
import type { Outcome } from "../types/outcome.ts";
import {
  all,
  answers,
  changesNothing,
  ensure,
  panics,
  refuses,
  spell,
  type Verdict,
} from "./phrases.ts";

const MEM_PROTECT = "hyp/nvhe/mem_protect.c";
const read = (where: string) => cite("android14-6.1", `${where}, ${MEM_PROTECT}`);

const handlers = ({ dispatch }: Hyp): readonly bigint[] => {
  const first = dispatch.callbacks.host_perm_fault_handler;
  return first === undefined ? [] : [first, ...(dispatch.further.host_perm_fault_handler ?? [])];
};
const keepsOne = ({ config }: Hyp): boolean => branchOf(config).multiSlotCallbacks.length === 0;

const enters = (outcome: Outcome, address: bigint | undefined): Verdict =>
  ensure(
    outcome.kind === "enters" && outcome.address === address,
    `it is not called: ${spell(outcome)}`,
  );

/** Exception classes of aborts, from below and from the same level. Source: DDI0487 D24.2.40. */
const CLASSES: ReadonlyMap<bigint, bigint> = new Map([
  [0x20n, 0x21n],
  [0x24n, 0x25n],
]);

export const HOST_FAULTS: readonly StepClause[] = [
  clause({
    id: "OWN-71",
    kind: "kernel",
    statement: "A permission fault of the host that no module handles is refused.",
    source: [
      read("handle_host_perm_fault"),
      cite("measured", "ops-permfault-nohandler: the access is aborted"),
    ],
    on: ["host_perm_fault"],
    applies: ({ pre }) => handlers(pre).length === 0,
    holds: (step) => refuses(step, "EPERM"),
  }),
  clause({
    id: "OWN-72",
    kind: "kernel",
    statement: "A permission fault of the host goes to the first handler that was registered.",
    source: [read("handle_host_perm_fault")],
    on: ["host_perm_fault"],
    applies: ({ pre }) => handlers(pre).length > 0,
    holds: (step) => all(enters(step.outcome, handlers(step.pre)[0]), changesNothing(step)),
  }),
  clause({
    id: "OWN-73",
    kind: "kernel",
    statement: "A lone handler that answers other than 0, -EAGAIN or -EPERM stops the system.",
    source: [read("handle_host_mem_abort: BUG_ON")],
    on: ["host_perm_fault_handler_returned"],
    applies: ({ pre, action }) =>
      keepsOne(pre) && ![0, negative("EAGAIN"), negative("EPERM")].includes(action.value),
    holds: ({ outcome }) => panics(outcome, "EL2_BUG"),
  }),
  clause({
    id: "OWN-74",
    kind: "kernel",
    statement: "What a lone handler answers decides: 0 and -EAGAIN try again, -EPERM aborts.",
    source: [read("handle_host_mem_abort")],
    on: ["host_perm_fault_handler_returned"],
    applies: ({ pre, action }) =>
      keepsOne(pre) && [0, negative("EAGAIN"), negative("EPERM")].includes(action.value),
    holds: (step) => all(answers(step.outcome, step.action.value), changesNothing(step)),
  }),
  clause({
    id: "OWN-75",
    kind: "kernel",
    statement:
      "Of several handlers the first that answers 0 ends the walk; if none does, it aborts.",
    source: [cite("android16-6.12", "module_handle_host_perm_fault, hyp/nvhe/modules.c")],
    on: ["host_perm_fault_handler_returned"],
    applies: ({ pre }) => !keepsOne(pre),
    holds: (step) => {
      const next = handlers(step.pre)[step.action.handler + 1];
      if (step.action.value === 0) return all(answers(step.outcome, 0), changesNothing(step));
      if (next === undefined) return refuses(step, "EPERM");
      return all(enters(step.outcome, next), changesNothing(step));
    },
  }),
  clause({
    id: "OWN-76",
    kind: "kernel",
    statement: "A module's notifier hears of an abort before the host does.",
    source: [read("host_inject_abort: illegal_abt_notifier")],
    on: ["illegal_abort"],
    applies: () => true,
    holds: (step) => {
      const notifier = step.pre.dispatch.callbacks.illegal_abt_notifier;
      return all(
        notifier === undefined ? answers(step.outcome, 0) : enters(step.outcome, notifier),
        changesNothing(step),
      );
    },
  }),
  clause({
    id: "OWN-77",
    kind: "kernel",
    statement: "The host's abort is of its own level where it comes from EL1, and has S1PTW set.",
    source: [read("host_inject_abort"), cite("measured", "peek, ops: the access faults")],
    on: ["host_inject_abort"],
    applies: ({ action }) => CLASSES.has(action.esr >> 26n),
    holds: (step) => {
      const { esr, fromEl1 } = step.action;
      const from = esr >> 26n;
      const to = fromEl1 ? (CLASSES.get(from) ?? from) : from;
      const rest = (esr % (1n << 26n)) | 0x80n;
      return all(answers(step.outcome, (to << 26n) + rest), changesNothing(step));
    },
  }),
];
