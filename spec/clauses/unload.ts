// How a module leaves, by a failed init or by rmmod, and that one with an EL2 half stays.

import { clause, type Step, type StepClause } from "../clause.ts";
import { cite } from "../sources.ts";
import type { DeleteModule } from "../types/action.ts";
import type { ModuleState } from "../types/module.ts";
import { all, answers, changesOnly, ensure, equal, refuses } from "./phrases.ts";

/** The module that is to be removed, if it is in the kernel's list. */
function listed({ pre, action }: Step<DeleteModule>): ModuleState | undefined {
  const module = pre.modules.get(action.name);
  return module?.state === "freed" ? undefined : module;
}

/** Whether only its references count: it is live and not pinned for having no exit function. */
const couldGo = (module: ModuleState | undefined): module is ModuleState =>
  module?.state === "live" && (module.hasExit || !module.hasInit);

export const UNLOAD: readonly StepClause[] = [
  clause({
    id: "LIFE-20",
    kind: "kernel",
    statement: "A module that is not in the list cannot be removed.",
    source: [cite("linux", "delete_module, kernel/module/main.c: find_module")],
    on: ["delete_module"],
    applies: (step) => listed(step) === undefined,
    holds: (step) => refuses(step, "ENOENT"),
  }),
  clause({
    id: "LIFE-21",
    kind: "kernel",
    statement: "A module whose init has not returned cannot be removed.",
    source: [cite("linux", "delete_module, kernel/module/main.c: MODULE_STATE_LIVE")],
    on: ["delete_module"],
    applies: (step) => listed(step)?.state === "coming",
    holds: (step) => refuses(step, "EBUSY"),
  }),
  clause({
    id: "LIFE-22",
    kind: "kernel",
    statement: "A module with an init and no exit function cannot be removed.",
    source: [cite("linux", "delete_module, kernel/module/main.c: mod->init && !mod->exit")],
    on: ["delete_module"],
    applies: (step) => {
      const module = listed(step);
      return module?.state === "live" && !couldGo(module);
    },
    holds: (step) => refuses(step, "EBUSY"),
  }),
  clause({
    id: "LIFE-23",
    kind: "kernel",
    statement: "A module that something holds cannot be removed.",
    source: [
      cite("linux", "try_stop_module, kernel/module/main.c: -EWOULDBLOCK"),
      cite("measured", "rmmod: the module stays and its hypercalls go on working"),
    ],
    on: ["delete_module"],
    applies: (step) => {
      const module = listed(step);
      return couldGo(module) && module.refcount > 0;
    },
    holds: (step) => refuses(step, "EAGAIN"),
  }),
  clause({
    id: "LIFE-24",
    kind: "kernel",
    statement: "A module that nothing holds is freed, and EL2 hears nothing of it.",
    source: [cite("linux", "delete_module, free_module, kernel/module/main.c")],
    on: ["delete_module"],
    applies: (step) => {
      const module = listed(step);
      return couldGo(module) && module.refcount === 0;
    },
    holds: (step) =>
      all(
        answers(step.outcome, 0),
        ensure(
          step.post.modules.get(step.action.name)?.state === "freed",
          `${step.action.name} is still in the list`,
        ),
        changesOnly(step, "modules"),
      ),
  }),
  clause({
    id: "LIFE-25",
    kind: "kernel",
    statement: "A module whose EL2 half is loaded stays for ever: rmmod never removes it.",
    source: [
      cite("android14-6.1", "__pkvm_load_el2_module: the reference is kept on success"),
      cite("measured", "rmmod: status 1, the module is still listed"),
    ],
    on: ["delete_module"],
    applies: (step) => listed(step)?.el2 === "initialised",
    holds: ({ pre, action, post }) =>
      ensure(
        equal(pre.modules.get(action.name), post.modules.get(action.name)),
        `${action.name} was removed while EL2 runs its other half`,
      ),
  }),
  clause({
    id: "LIFE-26",
    kind: "kernel",
    statement: "A module whose init did not fail is live, and init's own reference is given back.",
    source: [cite("linux", "do_init_module, kernel/module/main.c")],
    on: ["module_init_returned"],
    applies: ({ action }) => action.value >= 0,
    holds: (step) => {
      const before = step.pre.modules.get(step.action.name);
      const after = step.post.modules.get(step.action.name);
      return all(
        ensure(after?.state === "live", `${step.action.name} is ${after?.state}`),
        ensure(
          after?.refcount === (before?.refcount ?? 0) - 1 && after?.el2 === before?.el2,
          "a reference or the EL2 half changed otherwise",
        ),
        changesOnly(step, "modules"),
      );
    },
  }),
  clause({
    id: "LIFE-27",
    kind: "kernel",
    statement: "A module whose init failed is freed whatever holds it, and EL2 keeps what it owns.",
    source: [
      cite(
        "linux",
        "do_init_module, kernel/module/main.c: free_module without a look at references",
      ),
      cite("android14-6.1", "no hypercall gives pages back after a load that succeeded"),
    ],
    on: ["module_init_returned"],
    applies: ({ pre, action }) => action.value < 0 && !pre.config.documented,
    holds: (step) =>
      all(
        ensure(
          step.post.modules.get(step.action.name)?.state === "freed",
          `${step.action.name} is still in the list`,
        ),
        changesOnly(step, "modules"),
      ),
  }),
];
