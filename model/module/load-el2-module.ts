// The host's side of loading an EL2 half: the checks before any hypercall, and what is remembered
// after them.

import { cite } from "../../spec/sources.ts";
import type {
  El2ModuleLoaded,
  El2ModuleReserved,
  LoadEl2Module,
  RelocImportedSymbols,
} from "../../spec/types/action.ts";
import { PAGE_SIZE } from "../../spec/types/address.ts";
import { negative } from "../../spec/types/errno.ts";
import { returned } from "../../spec/types/outcome.ts";
import type { Transition } from "../transition.ts";
import { loadedModule } from "./load-module.ts";

/** __pkvm_load_el2_module, its first three steps. */
export const loadEl2Module: Transition<LoadEl2Module> = {
  name: "__pkvm_load_el2_module",
  source: [cite("android14-6.1", "__pkvm_load_el2_module, arch/arm64/kvm/pkvm.c")],
  guards: [
    // 1. Protected mode, and the key has not flipped.
    {
      clause: "LOAD-10",
      permits: (hyp) => hyp.boot.mode === "protected",
      refusal: () => returned(negative("EOPNOTSUPP")),
    },
    {
      clause: "LOAD-11",
      permits: (hyp) => !hyp.boot.key,
      refusal: () => returned(negative("EOPNOTSUPP")),
    },
    // 2. Every section starts on a page; an absent one starts at NULL, which does.
    {
      clause: "LOAD-12",
      permits: (hyp, { name }) =>
        (loadedModule(hyp, name)?.sections ?? []).every(
          ({ kernVa }) => kernVa === undefined || kernVa % PAGE_SIZE === 0n,
        ),
      refusal: () => returned(negative("EINVAL")),
    },
    // 3. try_module_get: the module is not on its way out.
    {
      clause: "LOAD-13",
      permits: (hyp, { name }) => loadedModule(hyp, name) !== undefined,
      refusal: () => returned(negative("ENODEV")),
    },
  ],
  effect: (hyp, { name }) => {
    const module = hyp.modules.get(name);
    if (module !== undefined) module.refcount += 1;
    return returned(0);
  },
};

/**
 * The token is written as soon as there is a reservation, before it is known whether the load
 * succeeds.
 */
export const el2ModuleReserved: Transition<El2ModuleReserved> = {
  name: "el2_module_reserved",
  source: [cite("android14-6.1", "__pkvm_load_el2_module, arch/arm64/kvm/pkvm.c")],
  guards: [],
  effect: (hyp, { name, base }) => {
    const module = hyp.modules.get(name);
    if (module !== undefined) {
      module.token = base;
      // A second load of the same module starts again; the first one's EL2 half stays.
      if (module.el2 !== "initialised") module.el2 = "reserved";
    }
    return returned(0);
  },
};

/**
 * Imports that cannot be resolved end the load where they are found: neither the reference nor the
 * addresses are given back.
 */
export const relocImportedSymbols: Transition<RelocImportedSymbols> = {
  name: "pkvm_reloc_imported_symbols",
  source: [
    cite("android16-6.12", "pkvm_reloc_imported_symbols, __pkvm_load_el2_module, kvm/pkvm.c"),
  ],
  guards: [],
  effect: (hyp, { name, value }) => {
    const module = hyp.modules.get(name);
    if (module !== undefined && value !== 0 && module.el2 !== "initialised") module.el2 = "failed";
    return returned(value);
  },
};

/** __pkvm_load_el2_module returns: success keeps the reference for ever, failure drops it. */
export const el2ModuleLoaded: Transition<El2ModuleLoaded> = {
  name: "el2_module_loaded",
  source: [cite("android14-6.1", "__pkvm_load_el2_module, arch/arm64/kvm/pkvm.c")],
  guards: [],
  effect: (hyp, { name, value }) => {
    const module = hyp.modules.get(name);
    if (module !== undefined) {
      if (value === 0) module.el2 = "initialised";
      else {
        if (module.el2 !== "initialised") module.el2 = "failed";
        module.refcount -= 1;
      }
    }
    return returned(value);
  },
};
