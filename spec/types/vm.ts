// The virtual machines that user space made, as the host's KVM keeps them.

import type { Pfn } from "./address.ts";

/** One vCPU as the host's KVM keeps it. Source: struct kvm_vcpu, asm/kvm_host.h (android14-6.1). */
export interface HostVcpu {
  /** arch.features; undefined before KVM_ARM_VCPU_INIT. */
  readonly features: number | undefined;
  /** arch.mp_state is KVM_MP_STATE_STOPPED: it waits for PSCI CPU_ON. */
  readonly stopped: boolean;
}

/** Memory of the process that is memory of the guest. Source: struct kvm_memory_slot. */
export interface MemorySlot {
  readonly gpa: bigint;
  readonly bytes: bigint;
}

/** One VM file descriptor. */
export interface VmState {
  readonly isProtected: boolean;
  /** The guest address of its firmware (KVM_CAP_ARM_PROTECTED_VM_FLAGS_SET_FW_IPA), if set. */
  readonly firmwareIpa: bigint | undefined;
  /** Whether KVM_RUN created it at EL2. */
  readonly started: boolean;
  /** Whether the firmware that it started from was the vendor's image (false: none or zeros). */
  readonly startedFromFirmware: boolean;
  /** arch.pkvm.handle: EL2's handle while EL2 knows it. */
  readonly handle: number | undefined;
  /** vCPUs by number, in the order in which they were made. */
  readonly vcpus: ReadonlyMap<number, HostVcpu>;
  readonly slots: readonly MemorySlot[];
  /** Pages of the process that are pinned for the guest, by guest frame number. */
  readonly pinned: ReadonlyMap<number, Pfn>;
}

/** A VM as KVM_CREATE_VM leaves it. */
export const NEW_VM: Omit<VmState, "isProtected"> = {
  firmwareIpa: undefined,
  started: false,
  startedFromFirmware: false,
  handle: undefined,
  vcpus: new Map(),
  slots: [],
  pinned: new Map(),
};
