// What user space tells KVM of a VM before it runs: vCPUs, their features, memory, registers.

import { cite } from "../../spec/sources.ts";
import { type Errno, negative } from "../../spec/types/errno.ts";
import type {
  KvmArmVcpuInit,
  KvmCreateVcpu,
  KvmSetOneReg,
  KvmSetUserMemoryRegion,
} from "../../spec/types/guest-action.ts";
import { returned } from "../../spec/types/outcome.ts";
import type { MemorySlot } from "../../spec/types/vm.ts";
import type { Guard, Transition } from "../transition.ts";

const refusal = (errno: Errno) => () => returned(negative(errno));

const hasVm: Guard<{ readonly vm: number }> = {
  clause: "VM-12",
  permits: (hyp, { vm }) => hyp.vms.has(vm),
  refusal: refusal("EBADF"),
};

const hasVcpu: Guard<{ readonly vm: number; readonly vcpu: number }> = {
  clause: "GUEST-1",
  permits: (hyp, { vm, vcpu }) => hyp.vms.get(vm)?.vcpus.has(vcpu) === true,
  refusal: refusal("EBADF"),
};

/** Source: KVM_MAX_VCPUS = VGIC_V3_MAX_CPUS, asm/kvm_host.h (android14-6.1). */
const KVM_MAX_VCPUS = 512;

export const kvmCreateVcpu: Transition<KvmCreateVcpu> = {
  name: "KVM_CREATE_VCPU",
  source: [
    cite("android14-6.1", "kvm_vm_ioctl_create_vcpu, virt/kvm/kvm_main.c"),
    cite("measured", "pvm-peek: 0, a second one too"),
  ],
  guards: [
    hasVm,
    {
      clause: "GUEST-3",
      permits: (_, { vcpu }) => vcpu >= 0 && vcpu < KVM_MAX_VCPUS,
      refusal: refusal("EINVAL"),
    },
    {
      clause: "GUEST-4",
      permits: (hyp, { vm, vcpu }) => hyp.vms.get(vm)?.vcpus.has(vcpu) === false,
      refusal: refusal("EEXIST"),
    },
  ],
  effect: (hyp, { vm, vcpu }) => {
    hyp.vms.get(vm)?.vcpus.set(vcpu, { features: undefined, stopped: false });
    return returned(0);
  },
};

/** Source: KVM_ARM_VCPU_POWER_OFF, KVM_ARM_VCPU_PSCI_0_2, uapi/asm/kvm.h. */
export const VCPU_POWER_OFF = 1 << 0;
export const VCPU_PSCI_0_2 = 1 << 2;
/** Features that exist. Source: KVM_VCPU_MAX_FEATURES 7, asm/kvm_host.h (android14-6.1). */
const FEATURE_BITS = 0x7f;
const MODELLED = VCPU_POWER_OFF | VCPU_PSCI_0_2;

export const kvmArmVcpuInit: Transition<KvmArmVcpuInit> = {
  name: "KVM_ARM_VCPU_INIT",
  source: [
    cite("android14-6.1", "kvm_vcpu_set_target, kvm_arch_vcpu_ioctl_vcpu_init, arm.c"),
    cite("measured", "pvm-peek: 0 with features 4"),
  ],
  guards: [
    hasVcpu,
    {
      clause: "GUEST-5",
      permits: (_, { features }) => (features & ~FEATURE_BITS) === 0,
      refusal: refusal("ENOENT"),
    },
    {
      clause: "GUEST-6",
      permits: (hyp, { vm, vcpu, features }) => {
        const before = hyp.vms.get(vm)?.vcpus.get(vcpu)?.features;
        return before === undefined || before === features;
      },
      refusal: refusal("EINVAL"),
    },
  ],
  effect: (hyp, { vm, vcpu, features }) => {
    if ((features & ~MODELLED) !== 0) {
      return { kind: "unmodelled", what: `KVM_ARM_VCPU_INIT with features ${features}` };
    }
    const state = hyp.vms.get(vm)?.vcpus.get(vcpu);
    if (state !== undefined) {
      state.features = features;
      state.stopped = (features & VCPU_POWER_OFF) !== 0;
    }
    return returned(0);
  },
};

/** One past the last address of a guest: 40 bits. Source: KVM_PHYS_SHIFT, asm/kvm_arm.h. */
const IPA_END = 1n << 40n;

const overlaps = (a: MemorySlot, b: MemorySlot): boolean =>
  a.gpa < b.gpa + b.bytes && b.gpa < a.gpa + a.bytes;

export const kvmSetUserMemoryRegion: Transition<KvmSetUserMemoryRegion> = {
  name: "KVM_SET_USER_MEMORY_REGION",
  source: [
    cite("android14-6.1", "__kvm_set_memory_region, virt/kvm/kvm_main.c"),
    cite("android14-6.1", "kvm_arch_prepare_memory_region, arch/arm64/kvm/mmu.c"),
    cite("measured", "pvm-peek: 0"),
  ],
  guards: [
    hasVm,
    {
      clause: "GUEST-7",
      permits: (_, { gpa, bytes }) => (gpa | bytes) % 4096n === 0n && bytes > 0n,
      refusal: refusal("EINVAL"),
    },
    {
      clause: "GUEST-8",
      permits: (hyp, slot) =>
        hyp.vms.get(slot.vm)?.slots.some((other) => overlaps(other, slot)) === false,
      refusal: refusal("EEXIST"),
    },
    {
      clause: "GUEST-9",
      permits: (_, { gpa, bytes }) => gpa + bytes <= IPA_END,
      refusal: refusal("EFAULT"),
    },
  ],
  effect: (hyp, { vm, gpa, bytes }) => {
    hyp.vms.get(vm)?.slots.push({ gpa, bytes });
    return returned(0);
  },
};

export const kvmSetOneReg: Transition<KvmSetOneReg> = {
  name: "KVM_SET_ONE_REG",
  source: [
    cite("android14-6.1", "kvm_arch_vcpu_ioctl, arch/arm64/kvm/arm.c; set_core_reg, guest.c"),
    cite("measured", "pvm-peek: 0 for pc"),
  ],
  guards: [
    hasVcpu,
    {
      clause: "GUEST-2",
      permits: (hyp, { vm, vcpu }) => hyp.vms.get(vm)?.vcpus.get(vcpu)?.features !== undefined,
      refusal: refusal("ENOEXEC"),
    },
  ],
  effect: () => returned(0),
};
