// Handlers of which a branch keeps several: kept in order, called in order, never more than 16.

import { branchOf } from "../branches/branches.ts";
import { clause, type Step, type StepClause } from "../clause.ts";
import { cite } from "../sources.ts";
import type { Op, SmcHandlerReturned } from "../types/action.ts";
import type { HypVa } from "../types/address.ts";
import type { CallbackType, DispatchState } from "../types/hyp.ts";
import {
  all,
  answers,
  changesNothing,
  changesOnly,
  ensure,
  equal,
  refuses,
  spell,
} from "./phrases.ts";

const MODULES = "module_handler_register, hyp/nvhe/modules.c";

/** The type whose array an op fills. */
const typeOf = ({ pre, action }: Step<Op>): CallbackType | undefined =>
  branchOf(pre.config).multiSlotCallbacks.find((type) => action.op === `register_${type}`);

/** Everyone of a type, the first before those after it. */
function everyone({ callbacks, further }: DispatchState, type: CallbackType): readonly HypVa[] {
  const first = callbacks[type];
  return first === undefined ? [] : [first, ...(further[type] ?? [])];
}

const isFull = (step: Step<Op>, type: CallbackType): boolean =>
  everyone(step.pre.dispatch, type).length >= branchOf(step.pre.config).handlersPerType;

/** The handler after the one that came back. */
const nextOf = ({ pre, action }: Step<SmcHandlerReturned>): HypVa | undefined =>
  everyone(pre.dispatch, "host_smc_handler")[action.handler + 1];

export const SEVERAL_HANDLERS: readonly StepClause[] = [
  clause({
    id: "REG-21",
    kind: "kernel",
    statement: "From 6.12 on a handler takes the place after the last one; NULL takes none.",
    source: [cite("android16-6.12", MODULES), cite("android17-6.18", MODULES)],
    branches: ["android16-6.12", "android17-6.18"],
    on: ["op"],
    applies: (step) => {
      const type = typeOf(step);
      return type !== undefined && !isFull(step, type);
    },
    holds: (step) => {
      const type = typeOf(step);
      if (type === undefined) return "the op registers no handler";
      const given = step.action.args[0] ?? 0n;
      const were = everyone(step.pre.dispatch, type);
      return all(
        answers(step.outcome, 0),
        ensure(
          equal(everyone(step.post.dispatch, type), given === 0n ? were : [...were, given]),
          `the handlers are not those before and 0x${given.toString(16)}`,
        ),
        changesOnly(step, "dispatch.callbacks", "dispatch.further"),
      );
    },
  }),
  clause({
    id: "REG-22",
    kind: "kernel",
    statement: "A handler beyond the sixteenth of its kind is refused.",
    source: [cite("android16-6.12", `${MODULES}: MAX_MOD_HANDLERS`)],
    branches: ["android16-6.12", "android17-6.18"],
    on: ["op"],
    applies: (step) => {
      const type = typeOf(step);
      return type !== undefined && isFull(step, type);
    },
    holds: (step) => refuses(step, "EBUSY"),
  }),
  clause({
    id: "REG-23",
    kind: "kernel",
    statement: "An SMC that one handler leaves is the next handler's.",
    source: [cite("android16-6.12", "handle_host_smc, hyp/nvhe/hyp-main.c")],
    branches: ["android16-6.12", "android17-6.18"],
    on: ["host_smc_handler_returned"],
    applies: (step) => !step.action.handled && nextOf(step) !== undefined,
    holds: (step) =>
      all(
        ensure(
          step.outcome.kind === "enters" && step.outcome.address === nextOf(step),
          `the next handler is not called: ${spell(step.outcome)}`,
        ),
        changesNothing(step),
      ),
  }),
];
