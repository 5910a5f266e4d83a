// Virtual machines as user space makes them, as far as a failed load has a say in it.

import { branchOf } from "../branches/branches.ts";
import { clause, type Step, type StepClause } from "../clause.ts";
import { cite } from "../sources.ts";
import type { CreateHypVm, KvmCreateVm, KvmSetFirmwareIpa } from "../types/guest-action.ts";
import { NEW_VM, type VmState } from "../types/vm.ts";
import { all, answer, answers, changesOnly, ensure, equal, refuses } from "./phrases.ts";

/**
 * Bit 31 of the type: a protected VM. Source: KVM_VM_TYPE_ARM_PROTECTED, include/uapi/linux/kvm.h.
 */
const PROTECTED = 0x8000_0000;
/** Bits 0 to 7 of the type: the size of the IPA space. Source: KVM_VM_TYPE_ARM_IPA_SIZE_MASK. */
const IPA_SIZE = 0xff;

export const asksProtected = (type: number): boolean => (type & PROTECTED) !== 0;

const hasKvm = ({ pre }: Pick<Step, "pre">): boolean => pre.boot.mode !== "none";

const isKnownType = ({ action }: Step<KvmCreateVm>): boolean =>
  (action.type & ~(PROTECTED | IPA_SIZE)) === 0;

const isOffered = ({ pre, action }: Step<KvmCreateVm>): boolean =>
  !asksProtected(action.type) ||
  (pre.boot.mode === "protected" && branchOf(pre.config).protectedVms);

/** Whether the kernel has nothing against it. */
const isCreatable = (step: Step<KvmCreateVm>): boolean =>
  hasKvm(step) && isKnownType(step) && isOffered(step);

/** Whether the page has something against it: a protected VM after a failed load. */
const isInsecure = ({ pre, action }: Step<KvmCreateVm>): boolean =>
  pre.boot.loadFailure !== undefined && asksProtected(action.type);

const vmOf = ({ pre, action }: Step<KvmSetFirmwareIpa | CreateHypVm>): VmState | undefined =>
  pre.vms.get(action.vm);

/** Whether the VM may get a firmware at all. */
const takesFirmware = (step: Step<KvmSetFirmwareIpa>): boolean =>
  vmOf(step)?.isProtected === true && step.pre.firmware.advertisedBytes > 0;

export const VM: readonly StepClause[] = [
  clause({
    id: "VM-1",
    kind: "kernel",
    statement: "Without KVM there is nothing to make a VM with.",
    source: [cite("measured", "mod-kvmoff: there is no /dev/kvm, every call is EBADF")],
    on: ["KVM_CREATE_VM", "KVM_CHECK_EXTENSION"],
    applies: (step) => !hasKvm(step),
    holds: (step) => refuses(step, "EBADF"),
  }),
  clause({
    id: "VM-2",
    kind: "kernel",
    statement: "A type with bits outside the IPA size and bit 31 is refused.",
    source: [
      cite("android14-6.1", "kvm_arch_init_vm, arch/arm64/kvm/arm.c: KVM_VM_TYPE_MASK"),
      cite("measured", "create: 0x40000000 gives EINVAL"),
    ],
    on: ["KVM_CREATE_VM"],
    applies: (step) => hasKvm(step) && !isKnownType(step),
    holds: (step) => refuses(step, "EINVAL"),
  }),
  clause({
    id: "VM-3",
    kind: "kernel",
    statement: "A protected VM is refused where KVM is not protected, or knows none.",
    source: [
      cite("android14-6.1", "kvm_arch_init_vm, arch/arm64/kvm/arm.c"),
      cite("measured", "mod-notprotected: 0x80000000 gives EINVAL, 0 succeeds"),
      cite("measured", "create: the same on Debian 6.1 and 6.12 in protected mode"),
    ],
    on: ["KVM_CREATE_VM"],
    applies: (step) => hasKvm(step) && isKnownType(step) && !isOffered(step),
    holds: (step) => refuses(step, "EINVAL"),
  }),
  clause({
    id: "VM-4",
    kind: "kernel",
    statement:
      "A VM that nothing speaks against is there, protected if asked for, and not started.",
    source: [
      cite("android14-6.1", "kvm_arch_init_vm, arm.c; pkvm_init_host_vm, pkvm.c"),
      cite("measured", "create, mod-ok: types 0 and 0x80000000 succeed"),
    ],
    on: ["KVM_CREATE_VM"],
    applies: (step) => isCreatable(step) && !isInsecure(step),
    holds: (step) => {
      const made: VmState = { ...NEW_VM, isProtected: asksProtected(step.action.type) };
      return all(
        answers(step.outcome, 0),
        ensure(
          equal(step.post.vms, new Map(step.pre.vms).set(step.action.vm, made)),
          "the VMs are not the old ones and this one",
        ),
      );
    },
  }),
  clause({
    id: "VM-5",
    kind: "kernel",
    statement: "The kernels create a protected VM after a failed load all the same.",
    source: [
      cite("android14-6.1", "kvm_arch_init_vm, arch/arm64/kvm/arm.c: looks at no load failure"),
      cite("measured", "mod-missing, mod-failinit, mod-twice: KVM_CREATE_VM(0x80000000) = 0"),
    ],
    on: ["KVM_CREATE_VM"],
    applies: (step) => isCreatable(step) && isInsecure(step) && !step.pre.config.documented,
    holds: (step) =>
      all(
        answers(step.outcome, 0),
        ensure(step.post.vms.get(step.action.vm)?.isProtected === true, "there is no such VM"),
      ),
  }),
  clause({
    id: "VM-6",
    kind: "kernel",
    statement: "Only a protected VM takes a firmware.",
    source: [
      cite("android14-6.1", "pkvm_vm_ioctl_enable_cap, arch/arm64/kvm/pkvm.c"),
      cite("measured", "fw-modok-iommufin: EINVAL for the VM of type 0"),
    ],
    on: ["KVM_SET_FW_IPA"],
    applies: (step) => vmOf(step)?.isProtected === false,
    holds: (step) => refuses(step, "EINVAL"),
  }),
  clause({
    id: "VM-7",
    kind: "kernel",
    statement: "Where no firmware is advertised no VM takes one.",
    source: [
      cite("android14-6.1", "pkvm_vm_ioctl_set_fw_ipa, arch/arm64/kvm/pkvm.c"),
      cite("measured", "fw-missing-after-iommufin, fw-modok, fw-nomod: EINVAL"),
    ],
    on: ["KVM_SET_FW_IPA"],
    applies: (step) => vmOf(step)?.isProtected === true && step.pre.firmware.advertisedBytes === 0,
    holds: (step) => refuses(step, "EINVAL"),
  }),
  clause({
    id: "VM-8",
    kind: "kernel",
    statement: "A VM that has run does not change its firmware.",
    source: [
      cite("android14-6.1", "pkvm_vm_ioctl_set_fw_ipa: the VM has a handle"),
      cite("measured", "fw-modok-iommufin: EBUSY after KVM_RUN"),
    ],
    on: ["KVM_SET_FW_IPA"],
    applies: (step) => takesFirmware(step) && vmOf(step)?.started === true,
    holds: (step) => refuses(step, "EBUSY"),
  }),
  clause({
    id: "VM-9",
    kind: "kernel",
    statement: "A protected VM that has not run takes the address of its firmware.",
    source: [
      cite("android14-6.1", "pkvm_vm_ioctl_set_fw_ipa, arch/arm64/kvm/pkvm.c"),
      cite("measured", "fw-modok-iommufin: 0"),
    ],
    on: ["KVM_SET_FW_IPA"],
    applies: (step) => takesFirmware(step) && vmOf(step)?.started === false,
    holds: (step) =>
      all(
        answers(step.outcome, 0),
        ensure(
          step.post.vms.get(step.action.vm)?.firmwareIpa === step.action.ipa,
          "the address was not kept",
        ),
      ),
  }),
  clause({
    id: "VM-10",
    kind: "kernel",
    statement: "A VM starts when EL2 gives it a handle, which it keeps.",
    source: [
      cite("android14-6.1", "kvm_arch_vcpu_run_pid_change, pkvm_create_hyp_vm"),
      cite("measured", "fw-modok-iommufin, mod-missing: guests run after a failed load too"),
    ],
    on: ["pkvm_create_hyp_vm"],
    applies: (step) => vmOf(step) !== undefined,
    holds: (step) => {
      const { vm, value } = step.action;
      const started = value > 0;
      const now = step.post.vms.get(vm);
      return all(
        answers(step.outcome, started ? 0 : value),
        ensure(
          started ? now?.started === true && now.handle === value : equal(now, vmOf(step)),
          "the VM is not as EL2 answered",
        ),
        changesOnly(step, "vms"),
      );
    },
  }),
  clause({
    id: "VM-11",
    kind: "kernel",
    statement: "A VM starts from the firmware if it has an address for it and the image is there.",
    source: [
      cite("android14-6.1", "pkvm_load_pvmfw_pages, hyp/nvhe/pkvm.c"),
      cite("measured", "fw-modok-iommufin: entry at the firmware's address, MMIO guarded"),
    ],
    on: ["pkvm_create_hyp_vm"],
    applies: (step) => vmOf(step)?.started === false && step.action.value > 0,
    holds: (step) => {
      const fromImage =
        vmOf(step)?.firmwareIpa !== undefined && step.pre.firmware.content === "image";
      const now = step.post.vms.get(step.action.vm)?.startedFromFirmware;
      return ensure(now === fromImage, `startedFromFirmware is ${now}`);
    },
  }),
  clause({
    id: "VM-12",
    kind: "kernel",
    statement: "A call on a VM that is not there is refused.",
    source: [cite("measured", "mod-notprotected: close of a VM that was not created gives EBADF")],
    on: [
      "KVM_SET_FW_IPA",
      "KVM_CREATE_VCPU",
      "KVM_ARM_VCPU_INIT",
      "KVM_SET_USER_MEMORY_REGION",
      "KVM_SET_ONE_REG",
      "KVM_RUN",
      "KVM_CLOSE",
    ],
    applies: ({ pre, action }) => !pre.vms.has(action.vm),
    holds: (step) => refuses(step, "EBADF"),
  }),
  clause({
    id: "VM-13",
    kind: "kernel",
    statement: "Closing a VM forgets it and no other.",
    source: [cite("measured", "mod-ok: close gives 0")],
    on: ["KVM_CLOSE"],
    applies: ({ pre, action }) => pre.vms.has(action.vm),
    holds: (step) => {
      const others = new Map(step.pre.vms);
      others.delete(step.action.vm);
      return all(
        answers(step.outcome, 0),
        ensure(equal(step.post.vms, others), "the other VMs are not as they were"),
      );
    },
  }),
  clause({
    id: "VM-14",
    kind: "kernel",
    statement: "No call on a VM touches a module, the firmware or what EL2 runs for modules.",
    source: [cite("android14-6.1", "virt/kvm/kvm_main.c, arch/arm64/kvm/pkvm.c: no such path")],
    on: [
      "KVM_CREATE_VM",
      "KVM_SET_FW_IPA",
      "KVM_CREATE_VCPU",
      "KVM_ARM_VCPU_INIT",
      "KVM_SET_USER_MEMORY_REGION",
      "KVM_SET_ONE_REG",
      "KVM_RUN",
      "pkvm_create_hyp_vm",
      "pkvm_mem_abort",
      "pkvm_host_reclaim_page",
      "KVM_CLOSE",
    ],
    applies: ({ outcome }) => answer(outcome) !== undefined,
    holds: (step) => changesOnly(step, "vms", "pages"),
  }),
];
