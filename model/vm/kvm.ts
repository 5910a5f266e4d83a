// VMs as user space makes, starts and closes them.

import { branchOf } from "../../spec/branches/branches.ts";
import { overridden } from "../../spec/branches/documented.ts";
import { cite } from "../../spec/sources.ts";
import { negative } from "../../spec/types/errno.ts";
import type {
  CreateHypVm,
  KvmCheckExtension,
  KvmClose,
  KvmCreateVm,
  KvmRun,
  KvmSetFirmwareIpa,
} from "../../spec/types/guest-action.ts";
import type { Hyp } from "../../spec/types/hyp.ts";
import { returned } from "../../spec/types/outcome.ts";
import { NEW_VM } from "../../spec/types/vm.ts";
import type { Guard, Transition } from "../transition.ts";

/** Bit 31 of the type asks for a protected VM; bits 0 to 7 are the size of the IPA space. */
export const KVM_VM_TYPE_ARM_PROTECTED = 0x8000_0000;
const KVM_VM_TYPE_MASK = 0x8000_00ff;

const isProtected = (type: number): boolean => (type & KVM_VM_TYPE_ARM_PROTECTED) !== 0;

/** What /dev/kvm says of capabilities. Source: measured; uapi/linux/kvm.h for the numbers. */
const KVM_CAP_IRQCHIP = 0;
export const KVM_CAP_ARM_PROTECTED_VM = 0xffba_dab1;
const CAPABILITIES: ReadonlyMap<number, number> = new Map([
  [KVM_CAP_IRQCHIP, 1],
  [KVM_CAP_ARM_PROTECTED_VM, 0],
]);

/** KVM_CHECK_EXTENSION on /dev/kvm; capabilities that nobody asked about are not modelled. */
export const kvmCheckExtension: Transition<KvmCheckExtension> = {
  name: "KVM_CHECK_EXTENSION",
  source: [cite("measured", "create: 1 for KVM_CAP_IRQCHIP; fw-nomod: 0 for protected VMs")],
  guards: [
    {
      clause: "VM-1",
      permits: (hyp) => hyp.boot.mode !== "none",
      refusal: () => returned(negative("EBADF")),
    },
  ],
  effect: (_, { capability }) => {
    const value = CAPABILITIES.get(capability);
    return value === undefined
      ? { kind: "unmodelled", what: `KVM_CHECK_EXTENSION ${capability}` }
      : returned(value);
  },
};

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
    const { slots, vcpus, pinned } = NEW_VM;
    hyp.vms.set(vm, {
      ...NEW_VM,
      isProtected: isProtected(type),
      slots: [...slots],
      vcpus: new Map(vcpus as Map<number, never>),
      pinned: new Map(pinned),
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

/** A vCPU that user space has not made, or not told what it is, does not run. */
const hasVcpu: Guard<{ readonly vm: number; readonly vcpu: number }> = {
  clause: "GUEST-1",
  permits: (hyp, { vm, vcpu }) => hyp.vms.get(vm)?.vcpus.has(vcpu) === true,
  refusal: () => returned(negative("EBADF")),
};
const isInitialised: Guard<{ readonly vm: number; readonly vcpu: number }> = {
  clause: "GUEST-2",
  permits: (hyp, { vm, vcpu }) => hyp.vms.get(vm)?.vcpus.get(vcpu)?.features !== undefined,
  refusal: () => returned(negative("ENOEXEC")),
};

/** KVM_RUN before anything runs. */
export const kvmRun: Transition<KvmRun> = {
  name: "KVM_RUN",
  source: [cite("android14-6.1", "kvm_arch_vcpu_run_pid_change, arch/arm64/kvm/arm.c")],
  guards: [
    hasVcpu,
    isInitialised,
    {
      clause: "DOC-10",
      permits: (hyp, { vm }) => hyp.vms.get(vm)?.isProtected !== true || !refusesProtectedVms(hyp),
      refusal: () => returned(negative("EPERM")),
    },
  ],
  effect: () => returned(0),
};

/** The first KVM_RUN: the VM exists at EL2 from here on, unless EL2 would not have it. */
export const createHypVm: Transition<CreateHypVm> = {
  name: "pkvm_create_hyp_vm",
  source: [cite("android14-6.1", "pkvm_create_hyp_vm, arch/arm64/kvm/pkvm.c")],
  guards: [],
  effect: (hyp, { vm, value }) => {
    const state = hyp.vms.get(vm);
    if (state !== undefined && value > 0) {
      state.handle = value;
      state.started = true;
      state.startedFromFirmware =
        state.firmwareIpa !== undefined && hyp.firmware.content === "image";
    }
    return returned(value > 0 ? 0 : value);
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
