// The ids that a host of the compared kernel can put into x0, by the names that the branch gives.

import { branchOf } from "../../spec/branches/branches.ts";
import { SYSTEM } from "./debian-machine.ts";

/** Fast calls of 64 bits, owned by vendor hypervisors. Source: KVM_HOST_SMCCC_ID, asm/kvm_asm.h. */
export const ID_BASE = 0xc600_0000;

const { hcalls } = branchOf(SYSTEM);

/** The id of a hypercall. */
export function idOf(name: string): number {
  const number = hcalls.indexOf(name);
  if (number < 0) throw new Error(`the branch has no ${name}`);
  return ID_BASE + number;
}

/** One past the last id that the kernel has. */
export const ID_END = ID_BASE + hcalls.length;
/** Where the dynamic ids of Android begin, which this kernel does not have, and where they end. */
export const DYNAMIC_IDS = { first: ID_BASE + 128, end: ID_BASE + 256 } as const;

export const SHARE = idOf("__pkvm_host_share_hyp");
export const UNSHARE = idOf("__pkvm_host_unshare_hyp");
export const WRITE_VMCR = idOf("__vgic_v3_write_vmcr");
export const FINALIZE = idOf("__pkvm_prot_finalize");

/** Hypercalls that take the address of a structure of the host; address 0 is nothing of EL2's. */
export const TAKES_POINTER: readonly string[] = [
  "__kvm_adjust_pc",
  "__kvm_vcpu_run",
  "__kvm_tlb_flush_vmid_ipa",
  "__kvm_tlb_flush_vmid",
  "__kvm_flush_cpu_context",
  "__vgic_v3_save_aprs",
  "__vgic_v3_restore_aprs",
  "__pkvm_vcpu_init_traps",
];
