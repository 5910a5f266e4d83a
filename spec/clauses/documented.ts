// What the Android page promises, one clause a promise, with the page's own words as the source.

import { match } from "ts-pattern";
import { branchOf, firstDynamicId, slotOf } from "../branches/branches.ts";
import { clause, type Step, type StepClause } from "../clause.ts";
import { isMemory, pageAt } from "../machine.ts";
import { PAGE } from "../page.ts";
import { cite } from "../sources.ts";
import type { Hvc } from "../types/action.ts";
import { type HypVa, hypVa, type Pfn } from "../types/address.ts";
import type { KvmCreateVm, KvmRun } from "../types/guest-action.ts";
import type { Hyp } from "../types/hyp.ts";
import { type ModuleState, PROT } from "../types/module.ts";
import {
  argument,
  calls,
  functionId,
  LOADING_HCALLS,
  pfnArgument,
  registered,
  staticNumber,
} from "./hypercall.ts";
import { namesOf } from "./lifecycle.ts";
import { type PlacedPage, placedPages } from "./module-memory.ts";
import {
  all,
  answer,
  answers,
  changesNothing,
  EVERY_ACTION,
  ensure,
  equal,
  isUnknown,
  spell,
  succeeded,
} from "./phrases.ts";
import { asksProtected } from "./vm.ts";

const unmaps = calls("__pkvm_unmap_module_page");
const registers = calls("__pkvm_register_hcall");

const pagesOf = (module: ModuleState | undefined): readonly Pfn[] =>
  (module?.sections ?? []).flatMap(({ pfns }) => pfns);

const ownedByEl2 = (hyp: Hyp, page: Pfn): boolean => pageAt(hyp, page).hyp === "OWNED";

/**
 * Whether a load is being undone: the page is of a module whose init still runs, and the address
 * is counted from the token, by the page's distance or, unshifted, by its whole EL1 address.
 */
function undoesLoad(step: Step<Hvc>): boolean {
  const [pfn, address] = [pfnArgument(step, 1), hypVa(argument(step, 2))];
  if (!unmaps(step) || !isMemory(pfn) || !ownedByEl2(step.pre, pfn)) return false;
  return [...step.pre.modules.values()]
    .filter(({ state }) => state === "coming")
    .some((module) =>
      placedPages(module)
        .filter((page) => page.pfn === pfn)
        .some((page) => [page.hypVa, unshifted(module, page)].includes(address)),
    );
}

/** The address that a table with an absent section first gives: the distance is that from NULL. */
const unshifted = ({ token }: ModuleState, page: PlacedPage): HypVa =>
  hypVa((token ?? 0n) + page.kernVa);

/** Whether the call would make or start a protected VM. */
const wantsProtectedVm = ({ pre, action }: Step<KvmCreateVm | KvmRun>): boolean =>
  match(action)
    .with({ kind: "KVM_CREATE_VM" }, ({ type }) => asksProtected(type))
    .with({ kind: "KVM_RUN" }, ({ vm }) => pre.vms.get(vm)?.isProtected === true)
    .exhaustive();

/** Whether an HVC names a call of loading, let in or not. */
function namesLoading(step: Step<Hvc>): boolean {
  const branch = branchOf(step.pre.config);
  const number = staticNumber(branch, functionId(step));
  return number !== undefined && LOADING_HCALLS.includes(branch.hcalls[number] ?? "");
}

export const DOCUMENTED: readonly StepClause[] = [
  clause({
    id: "DOC-1",
    kind: "documented",
    statement: "The init function of the EL2 half decides the load: its value is the answer.",
    source: [cite("page", PAGE.init)],
    on: ["el2_init_returned"],
    applies: () => true,
    holds: ({ action, outcome }) => answers(outcome, BigInt.asIntN(32, action.value)),
  }),
  clause({
    id: "DOC-2",
    kind: "documented",
    statement:
      "What a module asks of the hypervisor is a slot of the struct as its branch froze it.",
    source: [cite("page", PAGE.ops), cite("page", PAGE.abi)],
    on: ["op"],
    applies: ({ outcome }) => outcome.kind === "returned",
    holds: ({ pre, action }) =>
      ensure(
        slotOf(branchOf(pre.config), action.op) !== undefined,
        `${action.op} is no slot of ${pre.config.branch}`,
      ),
  }),
  clause({
    id: "DOC-3",
    kind: "documented",
    statement: "A load that succeeds has the module's code executable at EL2.",
    source: [cite("page", PAGE.load)],
    on: ["el2_module_loaded"],
    applies: ({ action }) => action.value === 0,
    holds: ({ pre, action, post }) => {
      const code = placedPages(pre.modules.get(action.name)).filter(
        ({ prot }) => (prot & PROT.X) !== 0,
      );
      const executable = ({ hypVa: address, pfn }: PlacedPage): boolean => {
        const mapping = post.el2.mappings.get(address);
        return mapping?.pfn === pfn && (mapping.prot & PROT.X) !== 0;
      };
      return ensure(
        code.length > 0 && code.every(executable),
        `not all of the code of ${action.name} is executable at EL2`,
      );
    },
  }),
  clause({
    id: "DOC-4",
    kind: "documented",
    statement: "An EL2 half is loaded by its own EL1 half while that is initialised.",
    source: [cite("page", PAGE.load)],
    on: ["__pkvm_load_el2_module"],
    applies: ({ outcome }) => succeeded(outcome),
    holds: ({ pre, action }) => {
      const state = pre.modules.get(action.name)?.state;
      return ensure(state === "coming", `${action.name} is ${state ?? "not there"}, not coming`);
    },
  }),
  clause({
    id: "DOC-5",
    kind: "documented",
    statement: "A good module that is not yet loaded is taken by the loader as any other.",
    source: [cite("page", PAGE.modprobe)],
    on: ["load_module"],
    applies: ({ pre, action }) => {
      const state = pre.modules.get(action.name)?.state ?? "freed";
      return action.refused === undefined && state === "freed";
    },
    holds: ({ action, outcome, post }) =>
      all(
        answers(outcome, 0),
        ensure(post.modules.get(action.name)?.state === "coming", `${action.name} is not coming`),
      ),
  }),
  clause({
    id: "DOC-6",
    kind: "documented",
    statement: "After deprivileging nothing more is loaded at EL2.",
    source: [cite("page", PAGE.window)],
    on: ["__pkvm_load_el2_module", "hvc"],
    applies: (step) =>
      step.pre.boot.key &&
      (step.action.kind === "__pkvm_load_el2_module" ||
        (step.pre.boot.hypUp && namesLoading({ ...step, action: step.action }))),
    holds: (step) =>
      all(
        ensure(
          step.action.kind === "hvc" ? isUnknown(step.outcome) : (answer(step.outcome) ?? 0n) < 0n,
          `it was let in: ${spell(step.outcome)}`,
        ),
        changesNothing(step),
      ),
  }),
  clause({
    id: "DOC-7",
    kind: "documented",
    statement: "Every module named on the command line is asked for in turn, unless one fails.",
    source: [cite("page", PAGE.included), cite("page", PAGE.list)],
    on: ["pkvm_load_early_modules"],
    applies: ({ pre }) => pre.boot.mode === "protected" && pre.boot.loadFailure === undefined,
    holds: ({ pre }) =>
      ensure(
        equal(pre.boot.requestedNames, namesOf(pre.boot.protectedModules)),
        `asked for ${pre.boot.requestedNames}, named were ${pre.boot.protectedModules}`,
      ),
  }),
  clause({
    id: "DOC-8",
    kind: "documented",
    statement:
      "A file that the loader refuses, for its signature or anything else, leaves no trace.",
    source: [
      cite("page", PAGE.signature),
      cite("android14-6.1", "nothing checks where a file came from; CONFIG_MODULE_SIG* applies"),
    ],
    on: ["load_module"],
    applies: ({ action }) => action.refused !== undefined,
    holds: (step) =>
      all(
        ensure((answer(step.outcome) ?? 0n) < 0n, `it was taken: ${spell(step.outcome)}`),
        changesNothing(step),
      ),
  }),
  clause({
    id: "DOC-9",
    kind: "documented",
    statement:
      "A module that failed to load makes the system insecure, and nothing makes it secure again.",
    source: [cite("page", PAGE.failedLoad)],
    on: EVERY_ACTION,
    applies: ({ pre, action }) =>
      pre.boot.loadFailure !== undefined ||
      (action.kind === "modprobe_exit" && action.status !== 0),
    holds: ({ pre, post }) =>
      ensure(
        post.boot.loadFailure !== undefined &&
          (pre.boot.loadFailure === undefined ||
            equal(pre.boot.loadFailure, post.boot.loadFailure)),
        "the failure is forgotten",
      ),
  }),
  clause({
    id: "DOC-10",
    kind: "documented",
    statement: "After a failed load no protected VM is made or started.",
    source: [cite("page", PAGE.failedLoad)],
    on: ["KVM_CREATE_VM", "KVM_RUN"],
    applies: (step) => step.pre.boot.loadFailure !== undefined && wantsProtectedVm(step),
    holds: (step) =>
      all(
        ensure(
          (answer(step.outcome) ?? 0n) < 0n,
          `"${step.pre.boot.loadFailure?.name}" failed to load, and: ${spell(step.outcome)}`,
        ),
        changesNothing(step),
      ),
  }),
  clause({
    id: "DOC-11",
    kind: "documented",
    statement: "HVC with the number of a registered function runs that function at EL2.",
    source: [cite("page", PAGE.hvc), cite("page", PAGE.call), cite("page", PAGE.callHvc)],
    on: ["hvc"],
    applies: (step) => step.pre.boot.hypUp && (registered(step) ?? 0n) !== 0n,
    holds: (step) =>
      ensure(
        step.outcome.kind === "enters" && step.outcome.address === registered(step),
        `the function was not run: ${spell(step.outcome)}`,
      ),
  }),
  clause({
    id: "DOC-12",
    kind: "documented",
    statement: "What a handler writes to x1 is what its caller gets.",
    source: [cite("page", PAGE.handler)],
    on: ["handler_returned"],
    applies: () => true,
    holds: ({ action, outcome }) =>
      ensure(
        outcome.kind === "hcall" && outcome.x1 === (action.x[1] ?? 0n),
        `the caller gets something else: ${spell(outcome)}`,
      ),
  }),
  clause({
    id: "DOC-13",
    kind: "documented",
    statement: "A failed load costs the system its protected VMs and not its life.",
    source: [cite("page", PAGE.failedLoad)],
    on: ["hvc"],
    applies: undoesLoad,
    holds: ({ outcome }) =>
      ensure(outcome.kind !== "hyp-panic", `undoing a load stopped the system: ${spell(outcome)}`),
  }),
  clause({
    id: "DOC-14",
    kind: "documented",
    statement: "A module whose init fails keeps its memory while EL2 owns a page of it.",
    source: [
      cite("page", PAGE.failedInit),
      cite("linux", "do_init_module, kernel/module/main.c: frees it"),
    ],
    on: ["module_init_returned"],
    applies: ({ pre, action }) =>
      action.value < 0 &&
      pagesOf(pre.modules.get(action.name)).some((page) => ownedByEl2(pre, page)),
    holds: ({ action, post }) =>
      ensure(
        post.modules.get(action.name)?.state !== "freed",
        `${action.name} is freed although EL2 owns its pages`,
      ),
  }),
  clause({
    id: "DOC-15",
    kind: "documented",
    statement: "Registering a handler gives the number to call it by, or a negative error.",
    source: [cite("page", PAGE.register)],
    on: ["hvc"],
    applies: (step) => registers(step) && answer(step.outcome) !== undefined,
    holds: (step) => {
      const number = Number(answer(step.outcome));
      const at = number - firstDynamicId(branchOf(step.pre.config));
      return ensure(
        number < 0 || step.post.dispatch.dynamicHcalls[at] === step.action.x[1],
        `${number} is not the number of the function`,
      );
    },
  }),
];
