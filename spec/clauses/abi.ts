// What a module is compiled against: its slots, the numbers of its calls, the sign of an errno.

import { branchOf, firstDynamicId, slotOf } from "../branches/branches.ts";
import { clause, type StepClause } from "../clause.ts";
import { cite } from "../sources.ts";
import { SMCCC_RET_SUCCESS, signed } from "../types/outcome.ts";
import { calls, functionId, LOADING_HCALLS, reachedHcall, registered } from "./hypercall.ts";
import { answer, ensure } from "./phrases.ts";

/** The largest errno. Source: MAX_ERRNO, include/linux/err.h. */
const MAX_ERRNO = 4095n;

export const ABI: readonly StepClause[] = [
  clause({
    id: "ABI-1",
    kind: "kernel",
    statement: "An op that comes back is in a slot that the branch has and does not leave NULL.",
    source: [
      cite("android14-6.1", "struct pkvm_module_ops: reserved slots are zero"),
      cite("android17-6.18", "module_ops, hyp/nvhe/modules.c: map_module_page is left NULL"),
    ],
    on: ["op"],
    applies: ({ outcome }) => outcome.kind === "returned",
    holds: ({ pre, action }) => {
      const branch = branchOf(pre.config);
      return ensure(
        slotOf(branch, action.op) !== undefined && !branch.nullOps.includes(action.op),
        `${branch.name} has no ${action.op}`,
      );
    },
  }),
  clause({
    id: "ABI-2",
    kind: "kernel",
    statement: "A call of loading answers an errno as a negative 64-bit number and nothing below.",
    source: [
      cite("android14-6.1", "handle___pkvm_map_module_page and its like, hyp/nvhe/hyp-main.c"),
      cite("measured", "base: x1 = 0xffffffffffffffff for -EPERM"),
    ],
    on: ["hvc"],
    applies: (step) =>
      LOADING_HCALLS.includes(reachedHcall(step) ?? "") && answer(step.outcome) !== undefined,
    holds: ({ outcome }) => {
      const value = answer(outcome) ?? 0n;
      return ensure(value >= -MAX_ERRNO, `${value} is no errno`);
    },
  }),
  clause({
    id: "ABI-3",
    kind: "kernel",
    statement: "The id of a registered function is below the base plus the size of the table.",
    source: [
      cite("android14-6.1", "__KVM_HOST_SMCCC_FUNC___dynamic_hcalls, MAX_DYNAMIC_HCALLS"),
      cite("measured", "host-hypercall-ids: __dynamic_hcalls is 128"),
    ],
    on: ["hvc"],
    applies: (step) => calls("__pkvm_register_hcall")(step) && (answer(step.outcome) ?? -1n) >= 0n,
    holds: ({ pre, outcome }) => {
      const branch = branchOf(pre.config);
      const first = firstDynamicId(branch);
      const id = answer(outcome) ?? 0n;
      return ensure(
        id >= BigInt(first) && id < BigInt(first + branch.dynamicHcallMax),
        `${id} is not an id of a registered function`,
      );
    },
  }),
  clause({
    id: "ABI-4",
    kind: "kernel",
    statement:
      "A registered function finds x0 of the host as 0 on 6.1, and as its own id from 6.6 on.",
    source: [
      cite("android14-6.1", "handle_host_dynamic_hcall: x0 = SMCCC_RET_SUCCESS before the call"),
      cite("android15-6.6", "handle_host_dynamic_hcall: the function writes regs[0] itself"),
      cite("measured", "mod-ok: the handler sees x0 = 0"),
    ],
    on: ["hvc"],
    applies: (step) =>
      step.outcome.kind === "enters" &&
      step.outcome.hostX0 !== undefined &&
      registered(step) === step.outcome.address,
    holds: (step) => {
      const found = step.outcome.kind === "enters" ? (step.outcome.hostX0 ?? 0n) : 0n;
      const { dispatcherSetsX0 } = branchOf(step.pre.config);
      const expected = dispatcherSetsX0 ? SMCCC_RET_SUCCESS : functionId(step);
      return ensure(found === expected, `the function finds x0 = ${signed(found)}`);
    },
  }),
];
