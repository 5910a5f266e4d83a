// Hypercalls of what the measured kernels are built without, and those that show nothing.

import { cite } from "../../spec/sources.ts";
import { negative } from "../../spec/types/errno.ts";
import { ANSWERS_NOTHING, answered } from "../../spec/types/outcome.ts";
import { argument, type Hypercall } from "./hypercall.ts";

/**
 * No driver, no tracing: -ENODEV whatever the arguments are. Source: measured, vmbad, both builds.
 */
const absent = (name: string): Hypercall => ({
  name,
  source: [
    cite("android14-6.1", `${name}: the stub without CONFIG_TRACING, or no IOMMU device`),
    cite("measured", "vmbad: -19"),
  ],
  guards: [],
  effect: () => answered(negative("ENODEV")),
});

/** It writes a register of EL2, or a vCPU's, that nobody looks at: x1 stays. */
const silent = (name: string, at: string): Hypercall => ({
  name,
  source: [cite("android14-6.1", at)],
  guards: [],
  effect: () => ANSWERS_NOTHING,
});

/** Its answer is 0 although there is nothing to tear down. */
const teardownTracing: Hypercall = {
  name: "__pkvm_teardown_tracing",
  source: [
    cite("android14-6.1", "handle___pkvm_teardown_tracing, hyp/nvhe/hyp-main.c"),
    cite("measured", "vmbad: 0"),
  ],
  guards: [],
  effect: () => answered(0),
};

/** __pkvm_iommu_finalize(err): once. An error would make EL2 distrust the DMA of all devices. */
const iommuFinalizeCall: Hypercall = {
  name: "__pkvm_iommu_finalize",
  source: [
    cite("android14-6.1", "__pkvm_iommu_finalize, hyp/nvhe/iommu.c"),
    cite("measured", "vmbad: 0"),
  ],
  guards: [
    {
      clause: "VM-80",
      permits: ({ boot }) => !boot.iommuClosed,
      refusal: () => answered(negative("EPERM")),
    },
  ],
  effect: (hyp, call) => {
    if (BigInt.asUintN(32, argument(call, 1)) !== 0n) {
      return { kind: "unmodelled", what: "__pkvm_iommu_finalize of an error" };
    }
    hyp.boot.iommuClosed = true;
    return answered(0);
  },
};

export const UNCONFIGURED_HCALLS: readonly Hypercall[] = [
  iommuFinalizeCall,
  absent("__pkvm_iommu_pm_notify"),
  absent("__pkvm_load_tracing"),
  teardownTracing,
  absent("__pkvm_enable_tracing"),
  absent("__pkvm_rb_swap_reader_page"),
  absent("__pkvm_rb_update_footers"),
  absent("__pkvm_enable_event"),
  silent("__kvm_timer_set_cntvoff", "handle___kvm_timer_set_cntvoff: CNTVOFF_EL2"),
  silent("__kvm_adjust_pc", "handle___kvm_adjust_pc: a vCPU that is not protected, or nothing"),
  silent("__kvm_enable_ssbs", "handle___kvm_enable_ssbs: SCTLR_EL2.DSSBS"),
  silent("__vgic_v3_init_lrs", "__vgic_v3_init_lrs, hyp/vgic-v3-sr.c: the list registers"),
  silent("__kvm_flush_vm_context", "__kvm_flush_vm_context, hyp/nvhe/tlb.c"),
];
