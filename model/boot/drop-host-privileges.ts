// The latch: the static key flips first, and each CPU is finalised after it.

import { cite } from "../../spec/sources.ts";
import type { DropHostPrivileges } from "../../spec/types/action.ts";
import { returned } from "../../spec/types/outcome.ts";
import type { Transition } from "../transition.ts";

/**
 * pkvm_drop_host_privileges enables kvm_protected_mode_initialized before any CPU runs
 * __pkvm_prot_finalize.
 */
export const dropHostPrivileges: Transition<DropHostPrivileges> = {
  name: "pkvm_drop_host_privileges",
  source: [cite("android14-6.1", "pkvm_drop_host_privileges, arch/arm64/kvm/pkvm.c")],
  guards: [],
  effect: (hyp) => {
    hyp.boot.key = true;
    return returned(0);
  },
};
