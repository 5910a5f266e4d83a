// Loading a module at EL1: the request, the file, and the host's half of loading its EL2 part.

import { branchOf } from "../branches/branches.ts";
import { clause, type Step, type StepClause } from "../clause.ts";
import { cite } from "../sources.ts";
import type { El2ModuleLoaded, LoadEl2Module, LoadModule } from "../types/action.ts";
import { PAGE_SIZE } from "../types/address.ts";
import { negative } from "../types/errno.ts";
import type { El2Section, El2State, ModuleState } from "../types/module.ts";
import { isPlaced, placedPages, reservationOf } from "./module-memory.ts";
import {
  all,
  answers,
  changesNothing,
  changesOnly,
  ensure,
  equal,
  refuses,
  succeeded,
} from "./phrases.ts";

/** The module that the action names, if it is in the kernel's list. */
function named(step: Step<LoadModule | LoadEl2Module>): ModuleState | undefined {
  const module = step.pre.modules.get(step.action.name);
  return module?.state === "freed" ? undefined : module;
}

/** Whether the loader opens the window at all: protected mode, and the key is clear. */
const windowOpen = ({ pre }: Step<LoadEl2Module>): boolean =>
  pre.boot.mode === "protected" && !pre.boot.key;

const startsOnPage = ({ kernVa }: El2Section): boolean =>
  kernVa === undefined || kernVa % PAGE_SIZE === 0n;

const sectionsFit = (step: Step<LoadEl2Module>): boolean =>
  named(step)?.sections.every(startsOnPage) ?? true;

/** The module as it was before the step. */
const before = ({ pre, action }: Step<LoadEl2Module | El2ModuleLoaded>): ModuleState | undefined =>
  pre.modules.get(action.name);

/** How far the EL2 half is after a further attempt: what one load achieved no other undoes. */
const halfAfter = ({ el2 }: ModuleState, attempt: El2State): El2State =>
  el2 === "initialised" ? el2 : attempt;

export const LOADING: readonly StepClause[] = [
  clause({
    id: "LOAD-1",
    kind: "kernel",
    statement: "Outside protected mode no early module is requested.",
    source: [cite("android14-6.1", "pkvm_request_early_module, arch/arm64/kvm/pkvm.c")],
    on: ["pkvm_request_early_module"],
    applies: ({ pre }) => pre.boot.mode !== "protected",
    holds: (step) => refuses(step, "EACCES"),
  }),
  clause({
    id: "LOAD-2",
    kind: "kernel",
    statement: "Once the key is set no early module is requested.",
    source: [cite("android14-6.1", "pkvm_request_early_module, arch/arm64/kvm/pkvm.c")],
    on: ["pkvm_request_early_module"],
    applies: ({ pre }) => pre.boot.mode === "protected" && pre.boot.key,
    holds: (step) => refuses(step, "EACCES"),
  }),
  clause({
    id: "LOAD-3",
    kind: "kernel",
    statement: "An accepted request is the one being served, and one is served at a time.",
    source: [
      cite("android14-6.1", "pkvm_request_early_module, arch/arm64/kvm/pkvm.c: UMH_WAIT_PROC"),
      cite("measured", "mod-two: each modprobe exits before the next starts"),
    ],
    on: ["pkvm_request_early_module"],
    applies: ({ outcome }) => succeeded(outcome),
    holds: (step) =>
      all(
        ensure(step.pre.boot.requested === undefined, `"${step.pre.boot.requested}" is unfinished`),
        ensure(step.post.boot.requested === step.action.name, "another name is being served"),
        ensure(
          equal(step.post.boot.requestedNames, [...step.pre.boot.requestedNames, step.action.name]),
          "the names requested so far are not the old ones and this one",
        ),
        changesOnly(step, "boot.requested", "boot.requestedNames"),
      ),
  }),
  clause({
    id: "LOAD-4",
    kind: "kernel",
    statement:
      "The end of modprobe ends the request and leaves nothing but the record of a failure.",
    source: [cite("android14-6.1", "pkvm_request_early_module, arch/arm64/kvm/pkvm.c")],
    on: ["modprobe_exit"],
    applies: () => true,
    holds: (step) =>
      all(
        answers(step.outcome, step.action.status),
        ensure(step.post.boot.requested === undefined, "the request is still being served"),
        changesOnly(step, "boot.requested", "boot.loadFailure"),
      ),
  }),
  clause({
    id: "LOAD-5",
    kind: "kernel",
    statement: "A file that is wrong in itself is refused before its name is looked at.",
    source: [
      cite("linux", "load_module, kernel/module/main.c: elf_validity_cache_copy, early_mod_check"),
    ],
    on: ["load_module"],
    applies: ({ action }) => action.refused?.early === true,
    holds: (step) =>
      all(answers(step.outcome, step.action.refused?.errno ?? 0), changesNothing(step)),
  }),
  clause({
    id: "LOAD-6",
    kind: "kernel",
    statement: "A name that is in the kernel's list is refused.",
    source: [
      cite("linux", "add_unformed_module, kernel/module/main.c"),
      cite("measured", "mod-twice: finit_module gives 17, EEXIST"),
    ],
    on: ["load_module"],
    applies: (step) => step.action.refused?.early !== true && named(step) !== undefined,
    holds: (step) => refuses(step, "EEXIST"),
  }),
  clause({
    id: "LOAD-7",
    kind: "kernel",
    statement:
      "A file whose symbols or relocations are wrong is refused after its name was looked at.",
    source: [
      cite("linux", "load_module, kernel/module/main.c: simplify_symbols, apply_relocations"),
      cite("android14-6.1", "module_init_hyp, arch/arm64/kernel/module.c: -ENOEXEC"),
    ],
    on: ["load_module"],
    applies: (step) => step.action.refused?.early === false && named(step) === undefined,
    holds: (step) =>
      all(answers(step.outcome, step.action.refused?.errno ?? 0), changesNothing(step)),
  }),
  clause({
    id: "LOAD-8",
    kind: "kernel",
    statement: "An accepted module is coming, held once for its init, and has no EL2 half yet.",
    source: [
      cite("linux", "load_module, module_unload_init, kernel/module/main.c"),
      cite("android14-6.1", "module_init_hyp, arch/arm64/kernel/module.c: only records sections"),
    ],
    on: ["load_module"],
    applies: (step) => step.action.refused === undefined && named(step) === undefined,
    holds: (step) => {
      const { name, sections, hasInit, hasExit } = step.action;
      const module: ModuleState = {
        name,
        state: "coming",
        refcount: 1,
        hasInit,
        hasExit,
        sections,
        el2: "absent",
        token: undefined,
        initResult: undefined,
      };
      return all(
        answers(step.outcome, 0),
        ensure(equal(step.post.modules.get(name), module), `${name} is not as its file says`),
      );
    },
  }),
  clause({
    id: "LOAD-9",
    kind: "kernel",
    statement: "The loader itself touches nothing but the kernel's list of modules.",
    source: [
      cite("android14-6.1", "module_finalize, arch/arm64/kernel/module.c: no hypercall is made"),
    ],
    on: ["load_module"],
    applies: () => true,
    holds: (step) => changesOnly(step, "modules"),
  }),
  clause({
    id: "LOAD-10",
    kind: "kernel",
    statement: "Outside protected mode no EL2 half is loaded.",
    source: [cite("android14-6.1", "__pkvm_load_el2_module, arch/arm64/kvm/pkvm.c")],
    on: ["__pkvm_load_el2_module"],
    applies: ({ pre }) => pre.boot.mode !== "protected",
    holds: (step) => refuses(step, "EOPNOTSUPP"),
  }),
  clause({
    id: "LOAD-11",
    kind: "kernel",
    statement: "Once the key is set no EL2 half is loaded.",
    source: [
      cite("android14-6.1", "__pkvm_load_el2_module, arch/arm64/kvm/pkvm.c"),
      cite("measured", "late: load gives -95 and the token stays 0"),
    ],
    on: ["__pkvm_load_el2_module"],
    applies: ({ pre }) => pre.boot.mode === "protected" && pre.boot.key,
    holds: (step) => refuses(step, "EOPNOTSUPP"),
  }),
  clause({
    id: "LOAD-12",
    kind: "kernel",
    statement:
      "A section that does not start on a page is refused, where an absent one starts at NULL.",
    source: [cite("android14-6.1", "__pkvm_load_el2_module, arch/arm64/kvm/pkvm.c: PAGE_ALIGNED")],
    on: ["__pkvm_load_el2_module"],
    applies: (step) => windowOpen(step) && !sectionsFit(step),
    holds: (step) => refuses(step, "EINVAL"),
  }),
  clause({
    id: "LOAD-13",
    kind: "kernel",
    statement: "A module that is no longer in the list cannot be held and is refused.",
    source: [cite("android14-6.1", "__pkvm_load_el2_module: try_module_get")],
    on: ["__pkvm_load_el2_module"],
    applies: (step) => windowOpen(step) && sectionsFit(step) && named(step) === undefined,
    holds: (step) => refuses(step, "ENODEV"),
  }),
  clause({
    id: "LOAD-14",
    kind: "kernel",
    statement: "A load that is let in holds its module once more and has changed nothing else.",
    source: [cite("android14-6.1", "__pkvm_load_el2_module: try_module_get")],
    on: ["__pkvm_load_el2_module"],
    applies: (step) => windowOpen(step) && sectionsFit(step) && named(step) !== undefined,
    holds: (step) => {
      const was = before(step);
      const now = step.post.modules.get(step.action.name);
      return all(
        answers(step.outcome, 0),
        ensure(
          equal(now, was && { ...was, refcount: was.refcount + 1 }),
          `${step.action.name} is not held exactly once more`,
        ),
        changesOnly(step, "modules"),
      );
    },
  }),
  clause({
    id: "LOAD-18",
    kind: "kernel",
    statement:
      "The token is where EL2 sees the module, written before the load is known to succeed.",
    source: [
      cite("android14-6.1", "__pkvm_load_el2_module, arch/arm64/kvm/pkvm.c: *token"),
      cite("measured", "mod-failinit: ret -22, and the token is the module's base all the same"),
    ],
    on: ["el2_module_reserved"],
    applies: () => true,
    holds: (step) => {
      const was = step.pre.modules.get(step.action.name);
      const now = step.post.modules.get(step.action.name);
      return all(
        ensure(
          isPlaced(step.pre, step.action.base),
          "the token is not the base of a reservation, nor in the mirror of the module area",
        ),
        ensure(
          equal(now, was && { ...was, token: step.action.base, el2: halfAfter(was, "reserved") }),
          "the token was not written, or more than the token was",
        ),
        changesOnly(step, "modules"),
      );
    },
  }),
  clause({
    id: "LOAD-29",
    kind: "kernel",
    statement: "A load that succeeded keeps its reference for ever.",
    source: [cite("android14-6.1", "__pkvm_load_el2_module: no module_put on the way out")],
    on: ["el2_module_loaded"],
    applies: ({ action }) => action.value === 0,
    holds: (step) => {
      const was = before(step);
      return all(
        answers(step.outcome, 0),
        ensure(
          equal(step.post.modules.get(step.action.name), was && { ...was, el2: "initialised" }),
          `${step.action.name} is not initialised with its references as they were`,
        ),
        changesOnly(step, "modules"),
      );
    },
  }),
  clause({
    id: "LOAD-30",
    kind: "kernel",
    statement:
      "A load that failed gives its reference back and leaves no page mapped where it was.",
    source: [
      cite("android14-6.1", "__pkvm_load_el2_module, pkvm_unmap_module_sections: module_put"),
      cite("measured", "mod-failinit: load -22, the pages are the host's again"),
    ],
    on: ["el2_module_loaded"],
    applies: ({ action }) => action.value !== 0,
    holds: (step) => {
      const was = before(step);
      const now = step.post.modules.get(step.action.name);
      const left = reservationOf(step.post, was)?.mapped ?? [];
      // A second load that got no address has left the token, and the pages, of the first.
      const first =
        was?.el2 === "initialised" &&
        placedPages(was).every(({ hypVa, pfn, prot }) =>
          equal(step.post.el2.mappings.get(hypVa), { pfn, prot }),
        );
      return all(
        answers(step.outcome, step.action.value),
        ensure(now?.refcount === (was?.refcount ?? 0) - 1, "the reference was not given back"),
        ensure(
          was !== undefined && now?.el2 === halfAfter(was, "failed"),
          `the EL2 half is ${now?.el2}`,
        ),
        ensure(left.length === 0 || first, `${left.length} pages are still mapped at EL2`),
        changesOnly(step, "modules"),
      );
    },
  }),
  clause({
    id: "LOAD-33",
    kind: "kernel",
    statement: "A load succeeds only with every page of every section mapped as the section asks.",
    source: [
      cite("android14-6.1", "pkvm_map_module_sections, arch/arm64/kvm/pkvm.c"),
      cite("measured", "mod-ok, machines: sections keep the distances of the loaded file"),
    ],
    on: ["el2_module_loaded"],
    applies: ({ action }) => action.value === 0,
    holds: (step) => {
      const missing = placedPages(before(step)).find(
        ({ hypVa, pfn, prot }) => !equal(step.post.el2.mappings.get(hypVa), { pfn, prot }),
      );
      return ensure(
        missing === undefined,
        `0x${missing?.hypVa.toString(16)} does not map its page of ${step.action.name} as asked`,
      );
    },
  }),
  clause({
    id: "LOAD-36",
    kind: "kernel",
    statement: "A load that gets no EL2 address fails with the errno that its branch has for that.",
    source: [
      cite("android14-6.1", "__pkvm_load_el2_module: -EPERM or -ENOMEM"),
      cite("android16-6.12", "__pkvm_load_el2_module: -ENOMEM for either"),
    ],
    on: ["el2_module_loaded"],
    applies: (step) => step.action.value !== 0 && before(step)?.el2 === "absent",
    holds: ({ pre, action }) => {
      const { reserveRefused, reserveFailed } = branchOf(pre.config);
      return ensure(
        [negative(reserveRefused), negative(reserveFailed)].includes(action.value),
        `${action.value} is neither -${reserveRefused} nor -${reserveFailed}`,
      );
    },
  }),
];
