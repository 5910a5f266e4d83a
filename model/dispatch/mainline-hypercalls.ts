// The hypercalls of KVM on the branches without vendor modules: those that show nothing, those
// that follow an address, and the virtual interface of the GIC.

import { branchOf } from "../../spec/branches/branches.ts";
import { cite } from "../../spec/sources.ts";
import type { Hyp } from "../../spec/types/hyp.ts";
import { ANSWERS_NOTHING, answered } from "../../spec/types/outcome.ts";
import { VMCR_RESET, vmcrKept } from "../../spec/vmcr.ts";
import { pageOf } from "../ownership/page-of.ts";
import { argument, type Hypercall, type HypercallArgs, structurePage } from "./hypercall.ts";

const HYP_MAIN = "arch/arm64/kvm/hyp/nvhe/hyp-main.c";

/** The function that unpacks the registers. */
const handlerOf = (name: string): string => `handle_${name}`;

/** What android14-6.1 has as well, and answers otherwise. */
const ANSWERED_OTHERWISE = [
  "__kvm_flush_vm_context",
  "__kvm_timer_set_cntvoff",
  "__kvm_adjust_pc",
  "__kvm_vcpu_run",
];
const variant = (name: string): string =>
  ANSWERED_OTHERWISE.includes(name) ? `${name}@mainline-6.1` : name;

/** It changes a register of EL2, or what the TLB holds; the host sees x0 alone. */
const silent = (name: string): Hypercall => ({
  name: variant(name),
  source: [cite("linux", `${handlerOf(name)}, ${HYP_MAIN}`)],
  guards: [],
  effect: () => ANSWERS_NOTHING,
});

const isMapped = (hyp: Hyp, call: HypercallArgs): boolean =>
  pageOf(hyp, structurePage(argument(call, 1))).hyp !== "NOPAGE";

/** It reads the structure of the host's KVM that x1 points to. */
const follows = (name: string): Hypercall => ({
  name: variant(name),
  source: [cite("linux", `${handlerOf(name)}, ${HYP_MAIN}; kern_hyp_va, asm/kvm_mmu.h`)],
  guards: [],
  effect: (hyp, call) =>
    isMapped(hyp as Hyp, call)
      ? { kind: "unmodelled", what: `${name} of a structure that EL2 maps` }
      : { kind: "hyp-panic", reason: "EL2_ABORT" },
});

/** __vgic_v3_write_vmcr(u32): what the GIC keeps of it, on this CPU. */
const writeVmcr: Hypercall = {
  name: "__vgic_v3_write_vmcr",
  source: [cite("linux", `${handlerOf("__vgic_v3_write_vmcr")}, ${HYP_MAIN}`)],
  guards: [],
  effect: (hyp, call) => {
    hyp.vmcr.set(call.cpu, vmcrKept(argument(call, 1)));
    return ANSWERS_NOTHING;
  },
};

/** __vgic_v3_read_vmcr(). */
const readVmcr: Hypercall = {
  name: "__vgic_v3_read_vmcr",
  source: [cite("linux", `${handlerOf("__vgic_v3_read_vmcr")}, ${HYP_MAIN}`)],
  guards: [],
  effect: (hyp, { cpu }) => answered(hyp.vmcr.get(cpu) ?? VMCR_RESET),
};

/**
 * By the name in the table. What is missing stops with its name: the hypercalls of VMs, and those
 * of the GIC and of tracing that only 6.12 and 7.3 have.
 */
const MAINLINE: ReadonlyMap<string, Hypercall> = new Map([
  ...["__kvm_flush_vm_context", "__kvm_timer_set_cntvoff"].map(
    (name) => [name, silent(name)] as const,
  ),
  ...[
    "__kvm_adjust_pc",
    "__kvm_vcpu_run",
    "__kvm_tlb_flush_vmid_ipa",
    "__kvm_tlb_flush_vmid",
    "__kvm_flush_cpu_context",
    "__vgic_v3_save_aprs",
    "__vgic_v3_restore_aprs",
    "__pkvm_vcpu_init_traps",
  ].map((name) => [name, follows(name)] as const),
  ["__vgic_v3_write_vmcr", writeVmcr],
  ["__vgic_v3_read_vmcr", readVmcr],
]);

export const MAINLINE_HCALLS: readonly Hypercall[] = [...MAINLINE.values()];

/** The transition of a hypercall of KVM on a branch without vendor modules. */
export const mainlineHypercall = ({ config }: Hyp, name: string): Hypercall | undefined =>
  branchOf(config).name === "mainline-6.1" ? MAINLINE.get(name) : undefined;
