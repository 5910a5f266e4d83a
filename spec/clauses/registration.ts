// Registering at EL2: functions that get a hypercall id, and callbacks that get a slot.

import { branchOf, firstDynamicId, slotOf } from "../branches/branches.ts";
import { clause, type Step, type StepClause } from "../clause.ts";
import { cite } from "../sources.ts";
import type { Hvc, Op } from "../types/action.ts";
import type { HypVa } from "../types/address.ts";
import type { CallbackType, DispatchState } from "../types/hyp.ts";
import { argument, calls, hcallOf } from "./hypercall.ts";
import { outsideModules } from "./module-memory.ts";
import {
  all,
  answers,
  changesNothing,
  changesOnly,
  EVERY_ACTION,
  ensure,
  equal,
  panics,
  refuses,
} from "./phrases.ts";

const registers = calls("__pkvm_register_hcall");

/** Whether a debug build stops here: the function is in no module's reach (assert_in_mod_range). */
const debugStops = (step: Step<Hvc>): boolean =>
  step.pre.config.build === "el2debug" && outsideModules(step.pre, argument(step, 1));

const isFull = ({ pre }: Step<Hvc>): boolean =>
  pre.dispatch.dynamicHcalls.length >= branchOf(pre.config).dynamicHcallMax;

/** Whether the call is let in: the table has room, and no debug build stops it. */
const registersFunction = (step: Step<Hvc>): boolean =>
  registers(step) && !debugStops(step) && !isFull(step);

const CALLBACKS: Readonly<Record<CallbackType, string>> = {
  serial_driver: "register_serial_driver",
  host_perm_fault_handler: "register_host_perm_fault_handler",
  host_smc_handler: "register_host_smc_handler",
  default_trap_handler: "register_default_trap_handler",
  illegal_abt_notifier: "register_illegal_abt_notifier",
  psci_notifier: "register_psci_notifier",
  hyp_panic_notifier: "register_hyp_panic_notifier",
};

/** Which callback an op registers, where the branch has one slot for it. */
function callbackOf({ pre, action }: Step<Op>): CallbackType | undefined {
  const branch = branchOf(pre.config);
  if (slotOf(branch, action.op) === undefined) return undefined;
  const type = (Object.keys(CALLBACKS) as CallbackType[]).find((t) => CALLBACKS[t] === action.op);
  return type === undefined || branch.multiSlotCallbacks.includes(type) ? undefined : type;
}

/** The callback that is registered already. */
const held = (step: Step<Op>): HypVa | undefined => {
  const type = callbackOf(step);
  return type === undefined ? undefined : step.pre.dispatch.callbacks[type];
};

/** Whether no handler after the first went, or has another place. */
const furtherStay = (pre: DispatchState, post: DispatchState): boolean =>
  Object.entries(pre.further).every(([type, addresses]) =>
    equal(post.further[type as CallbackType]?.slice(0, addresses.length), addresses),
  );

/** The address that the op is given. */
const given = ({ action }: Step<Op>): bigint => action.args[0] ?? 0n;

/** Whether the op registers a callback of a type that nobody has registered. */
const isFirst = (step: Step<Op>): boolean =>
  callbackOf(step) !== undefined && held(step) === undefined;

export const REGISTRATION: readonly StepClause[] = [
  clause({
    id: "REG-1",
    kind: "kernel",
    statement:
      "A function that is registered gets the id after the last one, counted from the base.",
    source: [
      cite("android14-6.1", "__pkvm_register_hcall, hyp/nvhe/modules.c"),
      cite("measured", "mod-ok, rmmod: the first id is 128, the next 129"),
    ],
    on: ["hvc"],
    applies: registersFunction,
    holds: (step) => {
      const was = step.pre.dispatch.dynamicHcalls;
      return all(
        answers(step.outcome, firstDynamicId(branchOf(step.pre.config)) + was.length),
        ensure(
          equal(step.post.dispatch.dynamicHcalls, [...was, argument(step, 1)]),
          "the table is not the old one and this function",
        ),
        changesOnly(step, "dispatch.dynamicHcalls"),
      );
    },
  }),
  clause({
    id: "REG-2",
    kind: "kernel",
    statement: "A full table takes no further function.",
    source: [cite("android14-6.1", "__pkvm_register_hcall: MAX_DYNAMIC_HCALLS, -ENOMEM")],
    on: ["hvc"],
    applies: (step) => registers(step) && !debugStops(step) && isFull(step),
    holds: (step) => refuses(step, "ENOMEM"),
  }),
  clause({
    id: "REG-3",
    kind: "kernel",
    statement: "A debug build stops when the function lies outside every module.",
    source: [
      cite("android14-6.1", "assert_in_mod_range, __pkvm_register_hcall, hyp/nvhe/modules.c"),
      cite("measured", "el2debug mod-regbad0, mod-regbadk, mod-regnoload: hyp BUG at mm.c:126"),
    ],
    on: ["hvc"],
    applies: (step) => registers(step) && debugStops(step),
    holds: ({ outcome }) => panics(outcome, "BAD_HCALL_ADDRESS"),
  }),
  clause({
    id: "REG-4",
    kind: "kernel",
    statement: "A function that is registered again gets another id and keeps the old one.",
    source: [
      cite("android14-6.1", "__pkvm_register_hcall: no search for the function"),
      cite("measured", "mod-ok: one handler is registered first and third and has 128 and 130"),
    ],
    on: ["hvc"],
    applies: (step) =>
      registersFunction(step) &&
      step.pre.dispatch.dynamicHcalls.some((address) => address === argument(step, 1)),
    holds: (step) => {
      const times = (functions: readonly HypVa[]): number =>
        functions.filter((address) => address === argument(step, 1)).length;
      return ensure(
        times(step.post.dispatch.dynamicHcalls) === times(step.pre.dispatch.dynamicHcalls) + 1,
        "the function does not have one id more",
      );
    },
  }),
  clause({
    id: "REG-5",
    kind: "kernel",
    statement: "An id keeps its function for ever and is never given to another.",
    source: [cite("android14-6.1", "hyp/nvhe/modules.c: nothing removes or rewrites a slot")],
    on: EVERY_ACTION,
    applies: ({ pre }) => pre.dispatch.dynamicHcalls.length > 0,
    holds: ({ pre, post }) => {
      const was = pre.dispatch.dynamicHcalls;
      const changed = was.findIndex((address, at) => post.dispatch.dynamicHcalls[at] !== address);
      return ensure(
        changed < 0,
        `id ${firstDynamicId(branchOf(pre.config)) + changed} does not have its function any more`,
      );
    },
  }),
  clause({
    id: "REG-6",
    kind: "kernel",
    statement: "Only __pkvm_register_hcall gives ids out.",
    source: [cite("android14-6.1", "__pkvm_register_hcall, hyp/nvhe/modules.c")],
    on: EVERY_ACTION,
    applies: (step) => hcallOf(step) !== "__pkvm_register_hcall",
    holds: ({ pre, post }) =>
      ensure(
        post.dispatch.dynamicHcalls.length === pre.dispatch.dynamicHcalls.length,
        "the number of ids changed",
      ),
  }),
  clause({
    id: "REG-7",
    kind: "kernel",
    statement: "A production build registers any address, in a module or not.",
    source: [
      cite("android14-6.1", "__pkvm_register_hcall: assert_in_mod_range is empty in production"),
      cite("measured", "production mod-regbad0, mod-regbadk, mod-regnoload: id 128"),
    ],
    on: ["hvc"],
    applies: (step) => registersFunction(step) && outsideModules(step.pre, argument(step, 1)),
    holds: ({ pre, outcome }) =>
      answers(outcome, firstDynamicId(branchOf(pre.config)) + pre.dispatch.dynamicHcalls.length),
  }),
  clause({
    id: "REG-8",
    kind: "kernel",
    statement: "The first callback of a type is stored and answered with 0.",
    source: [
      cite("android14-6.1", "__pkvm_register_host_smc_handler and its like: cmpxchg with NULL"),
      cite("measured", "ops: the first registration of each type gives 0"),
    ],
    on: ["op"],
    applies: (step) => isFirst(step) && given(step) !== 0n,
    holds: (step) => {
      const type = callbackOf(step);
      if (type === undefined) return "the op registers no callback";
      const expected = { ...step.pre.dispatch.callbacks, [type]: given(step) };
      return all(
        answers(step.outcome, 0),
        ensure(equal(step.post.dispatch.callbacks, expected), `${type} is not what was given`),
        changesOnly(step, "dispatch.callbacks"),
      );
    },
  }),
  clause({
    id: "REG-9",
    kind: "kernel",
    statement: "A second callback of a type is refused and the first stays.",
    source: [
      cite("android14-6.1", "__pkvm_register_host_smc_handler and its like: -EBUSY"),
      cite("measured", "ops: the second registration of each type gives -16"),
    ],
    on: ["op"],
    applies: (step) => held(step) !== undefined,
    holds: (step) => refuses(step, "EBUSY"),
  }),
  clause({
    id: "REG-10",
    kind: "kernel",
    statement: "Registering NULL in a free slot answers 0 and leaves the slot free.",
    source: [cite("android14-6.1", "__pkvm_register_host_smc_handler and its like: cmpxchg")],
    on: ["op"],
    applies: (step) => isFirst(step) && given(step) === 0n,
    holds: (step) => all(answers(step.outcome, 0), changesNothing(step)),
  }),
  clause({
    id: "REG-11",
    kind: "kernel",
    statement: "A callback that is registered stays, and only a module's own call registers one.",
    source: [cite("android14-6.1", "hyp/nvhe: there is no operation that unregisters")],
    on: EVERY_ACTION,
    applies: () => true,
    holds: ({ pre, action, post }) => {
      const stays = Object.entries(pre.dispatch.callbacks).every(
        ([type, address]) => post.dispatch.callbacks[type as CallbackType] === address,
      );
      const same =
        equal(pre.dispatch.callbacks, post.dispatch.callbacks) &&
        equal(pre.dispatch.further, post.dispatch.further);
      return all(
        ensure(
          stays && furtherStay(pre.dispatch, post.dispatch),
          "a callback went or was replaced",
        ),
        ensure(same || action.kind === "op", "a callback came from elsewhere"),
      );
    },
  }),
  clause({
    id: "REG-12",
    kind: "kernel",
    statement: "Callbacks are registered after the key is set as they were before it.",
    source: [
      cite("android14-6.1", "__pkvm_register_host_smc_handler and its like: no test of phase"),
      cite("measured", "ops: registered from a hypercall handler after boot"),
    ],
    on: ["op"],
    applies: (step) => step.pre.boot.key && isFirst(step),
    holds: ({ outcome }) => answers(outcome, 0),
  }),
];
