// KVM as user space sees it, as far as the promises about failed loads speak of it.

import { branchOf } from "../../spec/branches/branches.ts";
import { overridden } from "../../spec/branches/documented.ts";
import { cite } from "../../spec/sources.ts";
import type { KvmClose, KvmCreateVm, KvmRun, KvmSetFirmwareIpa } from "../../spec/types/action.ts";
import { negative } from "../../spec/types/errno.ts";
import type { Hyp } from "../../spec/types/hyp.ts";
import { returned } from "../../spec/types/outcome.ts";
import type { Transition } from "../transition.ts";

/** Bit 31 of the type asks for a protected VM; bits 0 to 7 are the size of the IPA space. */
export const KVM_VM_TYPE_ARM_PROTECTED = 0x8000_0000;
const KVM_VM_TYPE_MASK = 0x8000_00ff;

const isProtected = (type: number): boolean => (type & KVM_VM_TYPE_ARM_PROTECTED) !== 0;

/**
 * KVM_CREATE_VM(type): the answer is 0; the file descriptor is the number that the action names.
 */
export const kvmCreateVm: Transition<KvmCreateVm> = {
  name: "KVM_CREATE_VM",
  source: [
    cite("android14-6.1", "kvm_arch_init_vm, arch/arm64/kvm/arm.c; pkvm_init_host_vm, pkvm.c"),
    cite("measured", "create; mod-missing: creation succeeds after a failed load"),
  ],
  guards: [
    // No KVM, no /dev/kvm.
    {
      clause: "VM-1",
      permits: (hyp) => hyp.boot.mode !== "none",
      refusal: () => returned(negative("EBADF")),
    },
    {
      clause: "VM-2",
      permits: (_, { type }) => (type & ~KVM_VM_TYPE_MASK) === 0,
      refusal: () => returned(negative("EINVAL")),
    },
    {
      clause: "VM-3",
      permits: (hyp, { type }) =>
        !isProtected(type) || (hyp.boot.mode === "protected" && branchOf(hyp.config).protectedVms),
      refusal: () => returned(negative("EINVAL")),
    },
    // The page's promise; no measured kernel keeps it. CHOICE: the page names no errno; -EPERM.
    {
      clause: "DOC-10",
      permits: (hyp, { type }) => !isProtected(type) || !refusesProtectedVms(hyp),
      refusal: () => returned(negative("EPERM")),
    },
  ],
  effect: (hyp, { vm, type }) => {
    hyp.vms.set(vm, {
      isProtected: isProtected(type),
      firmwareIpa: undefined,
      started: false,
      startedFromFirmware: false,
    });
    return returned(0);
  },
};

/** Whether the documented system is insecure: an early module failed to load. */
export const refusesProtectedVms = (hyp: Pick<Hyp, "config" | "boot">): boolean =>
  overridden(hyp.config, "no protected VM after a failed load") &&
  hyp.boot.loadFailure !== undefined;

/** KVM_ENABLE_CAP(KVM_CAP_ARM_PROTECTED_VM, SET_FW_IPA). */
export const kvmSetFirmwareIpa: Transition<KvmSetFirmwareIpa> = {
  name: "KVM_SET_FW_IPA",
  source: [
    cite("android14-6.1", "pkvm_vm_ioctl_set_fw_ipa, arch/arm64/kvm/pkvm.c"),
    cite("measured", "fw-modok-iommufin, fw-nomod"),
  ],
  guards: [
    {
      clause: "VM-12",
      permits: (hyp, { vm }) => hyp.vms.has(vm),
      refusal: () => returned(negative("EBADF")),
    },
    {
      clause: "VM-6",
      permits: (hyp, { vm }) => hyp.vms.get(vm)?.isProtected === true,
      refusal: () => returned(negative("EINVAL")),
    },
    {
      clause: "VM-7",
      permits: (hyp) => hyp.firmware.advertisedBytes > 0,
      refusal: () => returned(negative("EINVAL")),
    },
    {
      clause: "VM-8",
      permits: (hyp, { vm }) => hyp.vms.get(vm)?.started === false,
      refusal: () => returned(negative("EBUSY")),
    },
  ],
  effect: (hyp, { vm, ipa }) => {
    const state = hyp.vms.get(vm);
    if (state !== undefined) state.firmwareIpa = ipa;
    return returned(0);
  },
};

/** The first KVM_RUN: the VM exists at EL2 from here on. */
export const kvmRun: Transition<KvmRun> = {
  name: "KVM_RUN",
  source: [cite("android14-6.1", "kvm_arch_vcpu_run_pid_change, pkvm_create_hyp_vm")],
  guards: [
    {
      clause: "VM-12",
      permits: (hyp, { vm }) => hyp.vms.has(vm),
      refusal: () => returned(negative("EBADF")),
    },
    {
      clause: "DOC-10",
      permits: (hyp, { vm }) => hyp.vms.get(vm)?.isProtected !== true || !refusesProtectedVms(hyp),
      refusal: () => returned(negative("EPERM")),
    },
  ],
  effect: (hyp, { vm }) => {
    const state = hyp.vms.get(vm);
    if (state !== undefined && !state.started) {
      state.started = true;
      state.startedFromFirmware =
        state.firmwareIpa !== undefined && hyp.firmware.content === "image";
    }
    return returned(0);
  },
};

/** close() of the VM. */
export const kvmClose: Transition<KvmClose> = {
  name: "KVM_CLOSE",
  source: [cite("measured", "mod-ok: close 0; of a VM that was not created EBADF")],
  guards: [
    {
      clause: "VM-12",
      permits: (hyp, { vm }) => hyp.vms.has(vm),
      refusal: () => returned(negative("EBADF")),
    },
  ],
  effect: (hyp, { vm }) => {
    hyp.vms.delete(vm);
    return returned(0);
  },
};
