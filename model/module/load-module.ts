// The kernel's own module loader: in, initialised, out.

import { overridden } from "../../spec/branches/documented.ts";
import { cite } from "../../spec/sources.ts";
import type { DeleteModule, LoadModule, ModuleInitReturned } from "../../spec/types/action.ts";
import { negative } from "../../spec/types/errno.ts";
import type { Hyp } from "../../spec/types/hyp.ts";
import type { ModuleState } from "../../spec/types/module.ts";
import { returned } from "../../spec/types/outcome.ts";
import { pageOf } from "../ownership/page-of.ts";
import type { Transition } from "../transition.ts";

/** A module that is in the kernel's list. */
export function loadedModule(hyp: Pick<Hyp, "modules">, name: string): ModuleState | undefined {
  const found = hyp.modules.get(name);
  return found === undefined || found.state === "freed" ? undefined : found;
}

const errnoOf = (refused: LoadModule["refused"]) => returned(refused?.errno ?? 0);

/** finit_module up to the call of the init function. */
export const loadModule: Transition<LoadModule> = {
  name: "load_module",
  source: [
    cite("linux", "load_module, kernel/module/main.c"),
    cite("android14-6.1", "module_init_hyp, arch/arm64/kernel/module.c"),
  ],
  guards: [
    {
      clause: "LOAD-5",
      permits: (_, { refused }) => refused === undefined || !refused.early,
      refusal: (_, { refused }) => errnoOf(refused),
    },
    {
      clause: "LOAD-6",
      permits: (hyp, { name }) => loadedModule(hyp, name) === undefined,
      refusal: () => returned(negative("EEXIST")),
    },
    {
      clause: "LOAD-7",
      permits: (_, { refused }) => refused === undefined,
      refusal: (_, { refused }) => errnoOf(refused),
    },
  ],
  effect: (hyp, { name, sections, hasInit, hasExit }) => {
    hyp.modules.set(name, {
      name,
      state: "coming",
      refcount: 1,
      hasInit,
      hasExit,
      sections: sections.map((section) => ({ ...section, pfns: [...section.pfns] })),
      el2: "absent",
      token: undefined,
      initResult: undefined,
    });
    return returned(0);
  },
};

/** Whether EL2 owns a page of the module. */
const ownedByEl2 = (hyp: Hyp, { sections }: ModuleState): boolean =>
  sections.some(({ pfns }) => pfns.some((page) => pageOf(hyp, page).hyp === "OWNED"));

/** Whether a failed init leaves the module where it is: the promise that no kernel keeps. */
export const staysAfterFailedInit = (hyp: Hyp, module: ModuleState): boolean =>
  overridden(hyp.config, "a module that EL2 runs is not freed") && ownedByEl2(hyp, module);

/**
 * The EL1 init returned. A negative value frees the module whatever holds a reference to it; the
 * pages of an EL2 half
 * that is loaded go back to the page allocator although EL2 owns them.
 */
export const moduleInitReturned: Transition<ModuleInitReturned> = {
  name: "module_init_returned",
  source: [cite("linux", "do_init_module, kernel/module/main.c")],
  guards: [],
  effect: (hyp, { name, value }) => {
    const module = hyp.modules.get(name);
    if (module === undefined) throw new Error(`module_init_returned: ${name} is not loaded`);
    module.initResult = value;
    module.refcount -= 1;
    module.state = value < 0 && !staysAfterFailedInit(hyp as Hyp, module) ? "freed" : "live";
    return returned(value);
  },
};

/** rmmod: a module that something holds stays. */
export const deleteModule: Transition<DeleteModule> = {
  name: "delete_module",
  source: [cite("linux", "delete_module, try_stop_module, kernel/module/main.c")],
  guards: [
    {
      clause: "LIFE-20",
      permits: (hyp, { name }) => loadedModule(hyp, name) !== undefined,
      refusal: () => returned(negative("ENOENT")),
    },
    {
      clause: "LIFE-21",
      permits: (hyp, { name }) => loadedModule(hyp, name)?.state === "live",
      refusal: () => returned(negative("EBUSY")),
    },
    {
      clause: "LIFE-22",
      permits: (hyp, { name }) => {
        const module = loadedModule(hyp, name);
        return module === undefined || !module.hasInit || module.hasExit;
      },
      refusal: () => returned(negative("EBUSY")),
    },
    {
      clause: "LIFE-23",
      permits: (hyp, { name }) => loadedModule(hyp, name)?.refcount === 0,
      refusal: () => returned(negative("EAGAIN")),
    },
  ],
  effect: (hyp, { name }) => {
    const module = hyp.modules.get(name);
    if (module !== undefined) module.state = "freed";
    return returned(0);
  },
};
