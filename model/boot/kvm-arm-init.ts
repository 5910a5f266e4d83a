// KVM sets EL2 up: in protected mode the hypervisor has its own tables from here on, and the host
// is still trusted.

import { cite } from "../../spec/sources.ts";
import type { KvmArmInit } from "../../spec/types/action.ts";
import { negative } from "../../spec/types/errno.ts";
import { returned } from "../../spec/types/outcome.ts";
import type { Transition } from "../transition.ts";

/** kvm_arm_init: "none" disables KVM; "protected" leaves pKVM at EL2. */
export const kvmArmInit: Transition<KvmArmInit> = {
  name: "kvm_arm_init",
  source: [cite("android14-6.1", "kvm_arm_init, init_hyp_mode, arch/arm64/kvm/arm.c")],
  guards: [
    {
      clause: "LIFE-3",
      permits: (hyp) => hyp.boot.mode !== "none",
      refusal: () => returned(negative("ENODEV")),
    },
  ],
  effect: (hyp) => {
    hyp.boot.hypUp = hyp.boot.mode === "protected";
    return returned(0);
  },
};
