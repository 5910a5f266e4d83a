// Hypercalls of what the measured kernels are built without, and those that show nothing.

import { cite } from "../../spec/sources.ts";
import { negative } from "../../spec/types/errno.ts";
import { ANSWERS_NOTHING, answered } from "../../spec/types/outcome.ts";
import { SIZE } from "../../spec/vm-layout.ts";
import type { Guard } from "../transition.ts";
import { physicalOf } from "../vm/donated.ts";
import { argument, type Hypercall, type HypercallArgs } from "./hypercall.ts";

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

/** Drivers and devices are taken until EL2 is told that there are no more. */
const BEFORE_THE_END: Guard<HypercallArgs> = {
  clause: "VM-85",
  permits: ({ boot }) => !boot.iommuClosed,
  refusal: () => answered(negative("EPERM")),
};

/** __pkvm_iommu_register(…, driver, …): no driver was ever initialised. */
const iommuRegister: Hypercall = {
  name: "__pkvm_iommu_register",
  source: [cite("android14-6.1", "__pkvm_iommu_register, get_driver, hyp/nvhe/iommu.c")],
  guards: [BEFORE_THE_END],
  effect: () => answered(negative("ENOENT")),
};

/** __pkvm_iommu_driver_init(driver, …): it follows the pointer, and nobody knows where to. */
const iommuDriverInit: Hypercall = {
  name: "__pkvm_iommu_driver_init",
  source: [cite("android14-6.1", "__pkvm_iommu_driver_init, hyp/nvhe/iommu.c")],
  guards: [BEFORE_THE_END],
  // Only a removed guard gets here too late: the kernel would take the driver.
  effect: ({ boot }) =>
    boot.iommuClosed ? answered(0) : { kind: "unmodelled", what: "__pkvm_iommu_driver_init" },
};

/** Registers of the GIC go from or to a vCPU: one that is loaded, or nobody's. */
const ofLoadedVcpu = (name: string): Hypercall => ({
  name,
  source: [cite("android14-6.1", `handle_${name}, get_host_hyp_vcpus_from_vgic_v3_cpu_if`)],
  guards: [],
  effect: (hyp, call) => {
    const which = hyp.loaded[call.cpu];
    const vcpu = which && hyp.vmTable.get(which.handle)?.vcpus[which.vcpu];
    const at = physicalOf(argument(call, 1));
    const isIts = vcpu !== undefined && at >= vcpu.hostVcpu && at < vcpu.hostVcpu + SIZE.vcpu;
    return isIts ? { kind: "unmodelled", what: `${name} of a loaded vCPU` } : ANSWERS_NOTHING;
  },
});

export const UNCONFIGURED_HCALLS: readonly Hypercall[] = [
  iommuDriverInit,
  iommuRegister,
  iommuFinalizeCall,
  ofLoadedVcpu("__vgic_v3_save_vmcr_aprs"),
  ofLoadedVcpu("__vgic_v3_restore_vmcr_aprs"),
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
