// KVM sets EL2 up: in protected mode the hypervisor has its own tables from here on, and the host
// is still trusted.

import { cite } from "../../spec/sources.ts";
import type { KvmArmInit } from "../../spec/types/action.ts";
import { PAGE_SIZE, pfn } from "../../spec/types/address.ts";
import { negative } from "../../spec/types/errno.ts";
import type { Hyp } from "../../spec/types/hyp.ts";
import { returned } from "../../spec/types/outcome.ts";
import { HYP_PAGE } from "../../spec/types/page.ts";
import { PVMFW_FIRST } from "../initial.ts";
import { setPage } from "../ownership/page-of.ts";
import type { Mutable, Transition } from "../transition.ts";

/** What EL2 maps of the firmware's region is its own, whatever becomes of the image. */
function takeFirmware(hyp: Mutable<Hyp>): void {
  const pages = Math.ceil(hyp.firmware.regionBytes / Number(PAGE_SIZE));
  for (let n = 0; n < pages; n += 1) setPage(hyp, pfn(PVMFW_FIRST + n), HYP_PAGE);
}

/** kvm_arm_init: "none" disables KVM; "protected" leaves pKVM at EL2. */
export const kvmArmInit: Transition<KvmArmInit> = {
  name: "kvm_arm_init",
  source: [
    cite("android14-6.1", "kvm_arm_init, init_hyp_mode, arch/arm64/kvm/arm.c"),
    cite("android14-6.1", "recreate_hyp_mappings, fix_host_ownership, hyp/nvhe/setup.c"),
  ],
  guards: [
    {
      clause: "LIFE-3",
      permits: (hyp) => hyp.boot.mode !== "none",
      refusal: () => returned(negative("ENODEV")),
    },
  ],
  effect: (hyp) => {
    hyp.boot.hypUp = hyp.boot.mode === "protected";
    if (hyp.boot.hypUp) takeFirmware(hyp);
    return returned(0);
  },
};
