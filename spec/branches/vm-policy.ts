// What differs between branches about VMs at EL2: their memory, their handles, their guests.

import type { Evidence } from "../sources.ts";

/** VMs as EL2 and the host's KVM of a branch keep them. */
export interface VmPolicy {
  /** How this part is known. */
  readonly evidence: Evidence;
  /** Bytes of struct pkvm_hyp_vm before its array of vCPU pointers. */
  readonly hypVmBytes: number;
  /** Bytes of struct pkvm_hyp_vcpu. */
  readonly hypVcpuBytes: number;
  /**
   * Whether the host reserves a handle first, and writes it into its struct kvm for
   * __pkvm_init_vm; otherwise that gives the handle.
   */
  readonly reservesHandles: boolean;
  /** Whether a vCPU is made at EL2 when it first runs; otherwise all are, with their VM. */
  readonly makesVcpusLate: boolean;
  /** Whether EL2 keeps the registers of a protected guest; otherwise the host has them. */
  readonly keepsRegisters: boolean;
  /**
   * What a protected guest is told of the vendor's calls: bit n is call n. EL2 answers those, and
   * PSCI where it keeps the registers.
   */
  readonly features: number;
  /** Whether MEM_SHARE and MEM_UNSHARE refuse an address inside a page. */
  readonly checksAlignment: boolean;
  /** Whether the host hears of a MEM_SHARE or MEM_UNSHARE that EL2 has done. */
  readonly tellsOfShares: boolean;
  /** Whether PSCI MEM_PROTECT counts the pages that guests have for themselves. */
  readonly countsPages: boolean;
  /** PSCI as the host's KVM has it. */
  readonly hostPsci: number;
  /** The same of a guest that is not protected, by the host's KVM; undefined: not known. */
  readonly hostFeatures: number | undefined;
}
