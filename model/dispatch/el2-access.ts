// An access of module code at EL2: nothing refuses it, and nothing changes but memory.

import { cite } from "../../spec/sources.ts";
import type { El2Access } from "../../spec/types/action.ts";
import { returned } from "../../spec/types/outcome.ts";
import type { Transition } from "../transition.ts";

/** What EL2 maps, code at EL2 may touch: ownership is not asked again at an access. */
export const el2Access: Transition<El2Access> = {
  name: "el2_access",
  source: [cite("android14-6.1", "hyp/nvhe/mm.c: modules run with the hypervisor's own table")],
  guards: [],
  effect: () => returned(0),
};
