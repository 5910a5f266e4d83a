// The host touches a page that is not its own: an abort of its own, or the end of the hypervisor.

import { branchOf } from "../../spec/branches/branches.ts";
import { cite } from "../../spec/sources.ts";
import type { HostMemAbort } from "../../spec/types/action.ts";
import { negative } from "../../spec/types/errno.ts";
import { returned } from "../../spec/types/outcome.ts";
import type { Transition } from "../transition.ts";

/**
 * handle_host_mem_abort where the entry of the host's stage 2 carries another's mark: the mapping
 * is refused with -EPERM. What EL2 makes of that errno differs: it injects the abort, or takes it
 * for a bug of its own.
 */
export const hostMemAbort: Transition<HostMemAbort> = {
  name: "handle_host_mem_abort",
  source: [
    cite("android14-6.1", "handle_host_mem_abort, host_stage2_idmap, hyp/nvhe/mem_protect.c"),
    cite("measured", "peek, poke: Debian 6.1 and 6.12 stop, android14 and 7.3 inject"),
  ],
  guards: [
    {
      clause: "OWN-63",
      permits: (hyp) => branchOf(hyp.config).foreignPageAbort === "injected",
      refusal: () => ({ kind: "hyp-panic", reason: "HOST_ABORT_UNHANDLED" }),
    },
  ],
  effect: () => returned(negative("EPERM")),
};
