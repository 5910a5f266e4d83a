// What can happen around a guest: ioctls of user space, the host's KVM, and the guest's own calls.

import type { Pfn } from "./address.ts";

/** KVM_CHECK_EXTENSION on /dev/kvm. */
export interface KvmCheckExtension {
  readonly kind: "KVM_CHECK_EXTENSION";
  readonly capability: number;
}

/** KVM_CREATE_VM. `type` bit 31 asks for a protected VM. */
export interface KvmCreateVm {
  readonly kind: "KVM_CREATE_VM";
  readonly vm: number;
  readonly type: number;
}

/** KVM_ENABLE_CAP(KVM_CAP_ARM_PROTECTED_VM, SET_FW_IPA). */
export interface KvmSetFirmwareIpa {
  readonly kind: "KVM_SET_FW_IPA";
  readonly vm: number;
  readonly ipa: bigint;
}

export interface KvmCreateVcpu {
  readonly kind: "KVM_CREATE_VCPU";
  readonly vm: number;
  readonly vcpu: number;
}

/** KVM_ARM_VCPU_INIT with the preferred target; `features` is the first word of the bitmap. */
export interface KvmArmVcpuInit {
  readonly kind: "KVM_ARM_VCPU_INIT";
  readonly vm: number;
  readonly vcpu: number;
  readonly features: number;
}

/** KVM_SET_USER_MEMORY_REGION with a slot of its own. */
export interface KvmSetUserMemoryRegion {
  readonly kind: "KVM_SET_USER_MEMORY_REGION";
  readonly vm: number;
  readonly gpa: bigint;
  readonly bytes: bigint;
}

/** KVM_SET_ONE_REG of a core register: x0 to x30, or the program counter. */
export interface KvmSetOneReg {
  readonly kind: "KVM_SET_ONE_REG";
  readonly vm: number;
  readonly vcpu: number;
  readonly register: number | "pc";
  readonly value: bigint;
}

/** KVM_RUN begins: what user space may have left out. Source: kvm_arch_vcpu_run_pid_change. */
export interface KvmRun {
  readonly kind: "KVM_RUN";
  readonly vm: number;
  readonly vcpu: number;
}

/** The first KVM_RUN made the VM at EL2, or did not. Source: pkvm_create_hyp_vm. */
export interface CreateHypVm {
  readonly kind: "pkvm_create_hyp_vm";
  readonly vm: number;
  /** The handle, or a negative errno. */
  readonly value: number;
}

/** The host answered a fault of the guest with a page of the process. Source: pkvm_mem_abort. */
export interface MemAbort {
  readonly kind: "pkvm_mem_abort";
  readonly vm: number;
  readonly gfn: number;
  readonly page: Pfn;
  /** What __pkvm_host_map_guest answered. */
  readonly value: number;
}

/** The guest gave a page back, as the host hears of it. Source: pkvm_host_reclaim_page. */
export interface HostReclaimPage {
  readonly kind: "pkvm_host_reclaim_page";
  readonly vm: number;
  /** The address as the guest gave it. */
  readonly ipa: bigint;
}

/** A PSCI call of a guest reached the host. Source: kvm_psci_call, arch/arm64/kvm/psci.c. */
export interface KvmPsciCall {
  readonly kind: "kvm_psci_call";
  readonly vm: number;
  readonly vcpu: number;
  /** x0 to x3. */
  readonly x: readonly bigint[];
}

/** The host answered every other call of a guest. Source: kvm_smccc_call_handler, hypercalls.c. */
export interface KvmSmcccCall {
  readonly kind: "kvm_smccc_call_handler";
  readonly vm: number;
  readonly vcpu: number;
  /** x0 to x3. */
  readonly x: readonly bigint[];
}

/** close() of a VM's file descriptor, the last reference to it. */
export interface KvmClose {
  readonly kind: "KVM_CLOSE";
  readonly vm: number;
}

/** The guest that runs on a CPU executed HVC. Source: kvm_handle_pvm_hvc64, hyp/nvhe/pkvm.c. */
export interface GuestHvc {
  readonly kind: "guest_hvc";
  readonly cpu: number;
  /** x0 to x17. */
  readonly x: readonly bigint[];
}

/** The guest that runs on a CPU took an abort of its stage 2. Source: __guest_exit, entry.S. */
export interface GuestAbort {
  readonly kind: "guest_abort";
  readonly cpu: number;
  readonly esr: bigint;
  /** The virtual address that it used, and the page that it meant. */
  readonly far: bigint;
  readonly ipa: bigint;
  /** What the guest has in the register that it stores. */
  readonly stored: bigint;
}

/** A guest used up its instructions, or its vCPU sleeps and nothing wakes it: KVM_RUN stays. */
export interface GuestBudgetSpent {
  readonly kind: "guest_budget_spent";
  readonly cpu: number;
  readonly where: string;
}

export type GuestAction =
  | KvmCheckExtension
  | KvmCreateVm
  | KvmSetFirmwareIpa
  | KvmCreateVcpu
  | KvmArmVcpuInit
  | KvmSetUserMemoryRegion
  | KvmSetOneReg
  | KvmRun
  | CreateHypVm
  | MemAbort
  | HostReclaimPage
  | KvmPsciCall
  | KvmSmcccCall
  | KvmClose
  | GuestHvc
  | GuestAbort
  | GuestBudgetSpent;
