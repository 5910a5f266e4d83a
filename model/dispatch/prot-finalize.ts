// __pkvm_prot_finalize: one CPU puts the host behind its stage 2, once.

import { branchOf } from "../../spec/branches/branches.ts";
import { cite } from "../../spec/sources.ts";
import { negative } from "../../spec/types/errno.ts";
import { answered } from "../../spec/types/outcome.ts";
import type { Hypercall } from "./hypercall.ts";

/**
 * Sets HCR_EL2.VM on the calling CPU; the second call on a CPU is refused, and stays callable for
 * ever.
 */
export const protFinalize: Hypercall = {
  name: "__pkvm_prot_finalize",
  source: [
    cite("android14-6.1", "__pkvm_prot_finalize, hyp/nvhe/mem_protect.c"),
    cite("measured", "base: x0 = 0, x1 = -EPERM on each CPU after boot"),
  ],
  guards: [
    {
      clause: "LIFE-18",
      permits: (hyp, { cpu }) => hyp.boot.finalised[cpu] === false,
      refusal: (hyp) => answered(negative(branchOf(hyp.config).finaliseTwice)),
    },
    // Where it is called on every CPU; the first that finds bytes left stops the system.
    {
      clause: "LIFE-34",
      permits: ({ el2, config }) =>
        el2.earlyBytes === 0 || branchOf(config).closingCheck !== "__pkvm_prot_finalize",
      refusal: () => ({ kind: "hyp-panic", reason: "EARLY_MAPPING_LEFT" }),
    },
  ],
  effect: (hyp, { cpu }) => {
    hyp.boot.finalised[cpu] = true;
    return answered(0);
  },
};
