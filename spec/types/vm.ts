// The virtual machines that user space made, as far as the lifecycle promises speak of them.

/** One VM file descriptor. */
export interface VmState {
  readonly isProtected: boolean;
  /** The guest address of its firmware (KVM_CAP_ARM_PROTECTED_VM_FLAGS_SET_FW_IPA), if set. */
  readonly firmwareIpa: bigint | undefined;
  /** Whether KVM_RUN created it at EL2. */
  readonly started: boolean;
  /** Whether the firmware that it started from was the vendor's image (false: none or zeros). */
  readonly startedFromFirmware: boolean;
}
