// What user space tells KVM of a VM before it runs, and what KVM keeps of the pages of a guest.

import { clause, type Step, type StepClause } from "../clause.ts";
import { cite, type Source } from "../sources.ts";
import type {
  KvmArmVcpuInit,
  KvmCreateVcpu,
  KvmRun,
  KvmSetOneReg,
  KvmSetUserMemoryRegion,
} from "../types/guest-action.ts";
import type { HostVcpu } from "../types/vm.ts";
import { onlyVm } from "./guest-view.ts";
import { all, answers, changesNothing, changesOnly, ensure, refuses } from "./phrases.ts";

const kernel = (at: string): Source => cite("android14-6.1", at);
const runs = cite("measured", "pvm-peek, npvm, fw-nomod: 0");

type OfVcpu = Step<KvmArmVcpuInit | KvmSetOneReg | KvmRun | KvmCreateVcpu>;

const vm = ({ pre, action }: OfVcpu | Step<KvmSetUserMemoryRegion>) => pre.vms.get(action.vm);
const vcpu = (step: OfVcpu): HostVcpu | undefined => vm(step)?.vcpus.get(step.action.vcpu);

/** Source: VGIC_V3_MAX_CPUS, kvm/arm_vgic.h (android14-6.1). */
const VCPUS_MAX = 512;
const isNumber = ({ action }: Step<KvmCreateVcpu>): boolean =>
  action.vcpu >= 0 && action.vcpu < VCPUS_MAX;

/** KVM_ARM_VCPU_POWER_OFF to KVM_ARM_VCPU_PTRAUTH_GENERIC: seven bits. Source: uapi/asm/kvm.h. */
const FEATURES = 0x7f;
const POWER_OFF = 1;

const isPlain = ({ action }: Step<KvmSetUserMemoryRegion>): boolean =>
  action.gpa % 4096n === 0n && action.bytes % 4096n === 0n && action.bytes > 0n;
const isFree = (step: Step<KvmSetUserMemoryRegion>): boolean =>
  vm(step)?.slots.every(
    ({ gpa, bytes }) =>
      gpa + bytes <= step.action.gpa || step.action.gpa + step.action.bytes <= gpa,
  ) === true;
const fits = ({ action }: Step<KvmSetUserMemoryRegion>): boolean =>
  action.gpa + action.bytes <= 1n << 40n;

/** The documented system refuses before anything runs. */
const isPromised = ({ pre }: Pick<Step, "pre">): boolean =>
  pre.config.documented && pre.boot.loadFailure !== undefined;

/** Numbers of capabilities. Source: uapi/linux/kvm.h; KVM_CAP_ARM_PROTECTED_VM, android14-6.1. */
const ANSWERS = new Map([
  [0, 1],
  [0xffba_dab1, 0],
]);

export const GUEST_IOCTLS: readonly StepClause[] = [
  clause({
    id: "GUEST-1",
    kind: "kernel",
    statement: "A call on a vCPU that was not made is refused.",
    source: [kernel("KVM_CREATE_VCPU makes the descriptor that the others need, kvm_main.c")],
    on: ["KVM_ARM_VCPU_INIT", "KVM_SET_ONE_REG", "KVM_RUN"],
    applies: (step) => vm(step) !== undefined && vcpu(step) === undefined,
    holds: (step) => refuses(step, "EBADF"),
  }),
  clause({
    id: "GUEST-2",
    kind: "kernel",
    statement: "A vCPU that was not initialised has no registers and does not run.",
    source: [kernel("kvm_vcpu_initialized in kvm_arch_vcpu_ioctl and _run_pid_change, arm.c")],
    on: ["KVM_SET_ONE_REG", "KVM_RUN"],
    applies: (step) => vcpu(step) !== undefined && vcpu(step)?.features === undefined,
    holds: (step) => refuses(step, "ENOEXEC"),
  }),
  clause({
    id: "GUEST-3",
    kind: "kernel",
    statement: "A vCPU with a number beyond the last is refused.",
    source: [kernel("kvm_vm_ioctl_create_vcpu, virt/kvm/kvm_main.c: KVM_MAX_VCPU_IDS")],
    on: ["KVM_CREATE_VCPU"],
    applies: (step) => vm(step) !== undefined && !isNumber(step),
    holds: (step) => refuses(step, "EINVAL"),
  }),
  clause({
    id: "GUEST-4",
    kind: "kernel",
    statement: "A number is given to one vCPU.",
    source: [kernel("kvm_vm_ioctl_create_vcpu, virt/kvm/kvm_main.c: kvm_get_vcpu_by_id")],
    on: ["KVM_CREATE_VCPU"],
    applies: (step) => isNumber(step) && vcpu(step) !== undefined,
    holds: (step) => refuses(step, "EEXIST"),
  }),
  clause({
    id: "GUEST-5",
    kind: "kernel",
    statement: "Features that do not exist are refused.",
    source: [kernel("kvm_vcpu_set_target, arch/arm64/kvm/arm.c: KVM_VCPU_MAX_FEATURES")],
    on: ["KVM_ARM_VCPU_INIT"],
    applies: (step) => vcpu(step) !== undefined && (step.action.features & ~FEATURES) !== 0,
    holds: (step) => refuses(step, "ENOENT"),
  }),
  clause({
    id: "GUEST-6",
    kind: "kernel",
    statement: "A vCPU keeps the features that it was initialised with.",
    source: [kernel("kvm_vcpu_set_target, arch/arm64/kvm/arm.c: a second target")],
    on: ["KVM_ARM_VCPU_INIT"],
    applies: (step) => {
      const before = vcpu(step)?.features;
      const { features } = step.action;
      return before !== undefined && before !== features && (features & ~FEATURES) === 0;
    },
    holds: (step) => refuses(step, "EINVAL"),
  }),
  clause({
    id: "GUEST-7",
    kind: "kernel",
    statement: "Memory of a guest is whole pages, and some.",
    source: [kernel("__kvm_set_memory_region, virt/kvm/kvm_main.c")],
    on: ["KVM_SET_USER_MEMORY_REGION"],
    applies: (step) => vm(step) !== undefined && !isPlain(step),
    holds: (step) => refuses(step, "EINVAL"),
  }),
  clause({
    id: "GUEST-8",
    kind: "kernel",
    statement: "Memory of a guest does not overlap other memory of it.",
    source: [kernel("kvm_check_memslot_overlap, virt/kvm/kvm_main.c")],
    on: ["KVM_SET_USER_MEMORY_REGION"],
    applies: (step) => vm(step) !== undefined && isPlain(step) && !isFree(step),
    holds: (step) => refuses(step, "EEXIST"),
  }),
  clause({
    id: "GUEST-9",
    kind: "kernel",
    statement: "Memory of a guest lies in its 40 bits of addresses.",
    source: [
      kernel("kvm_arch_prepare_memory_region, arch/arm64/kvm/mmu.c"),
      cite("measured", "life-map-p: the address space ends at gfn 0x10000000"),
    ],
    on: ["KVM_SET_USER_MEMORY_REGION"],
    applies: (step) => isPlain(step) && isFree(step) && !fits(step),
    holds: (step) => refuses(step, "EFAULT"),
  }),
  clause({
    id: "GUEST-13",
    kind: "kernel",
    statement: "A page that EL2 did not take for the guest is not kept for it.",
    source: [kernel("pkvm_mem_abort, arch/arm64/kvm/mmu.c: unpin after an error")],
    on: ["pkvm_mem_abort"],
    applies: ({ action }) => action.value !== 0,
    holds: (step) => all(answers(step.outcome, step.action.value), changesNothing(step)),
  }),
  clause({
    id: "GUEST-14",
    kind: "kernel",
    statement: "Where a page is kept already a second one is not, and the kernel warns.",
    source: [kernel("pkvm_mem_abort: WARN_ON(insert_ppage), arch/arm64/kvm/mmu.c")],
    on: ["pkvm_mem_abort"],
    applies: ({ pre, action }) =>
      action.value === 0 && pre.vms.get(action.vm)?.pinned.has(action.gfn) === true,
    holds: (step) => refuses(step, "EEXIST"),
  }),
  clause({
    id: "GUEST-15",
    kind: "kernel",
    statement: "A page that is given back by another address than its own is not found.",
    source: [
      kernel("pkvm_host_reclaim_page, find_ppage, arch/arm64/kvm/pkvm.c"),
      cite("measured", "machines: WARNING in pkvm_host_reclaim_page, RECLAIM_MISMATCH"),
    ],
    on: ["pkvm_host_reclaim_page"],
    applies: ({ pre, action }) =>
      action.ipa % 4096n !== 0n ||
      pre.vms.get(action.vm)?.pinned.has(Number(action.ipa / 4096n)) !== true,
    holds: (step) => refuses(step, "ENOENT"),
  }),
  clause({
    id: "GUEST-16",
    kind: "kernel",
    statement: "What user space tells of a VM is kept, and nothing else changes.",
    source: [kernel("kvm_vm_ioctl, kvm_arch_vcpu_ioctl"), runs],
    on: ["KVM_CREATE_VCPU", "KVM_ARM_VCPU_INIT", "KVM_SET_USER_MEMORY_REGION"],
    applies: (step) => {
      const { action } = step;
      switch (action.kind) {
        case "KVM_CREATE_VCPU": {
          const asked = { ...step, action };
          return vm(asked) !== undefined && isNumber(asked) && vcpu(asked) === undefined;
        }
        case "KVM_ARM_VCPU_INIT": {
          const made = vcpu({ ...step, action });
          const before = made?.features ?? action.features;
          const known = (action.features & ~FEATURES) === 0;
          return made !== undefined && known && before === action.features;
        }
        default: {
          const asked = { ...step, action };
          return vm(asked) !== undefined && isPlain(asked) && isFree(asked) && fits(asked);
        }
      }
    },
    holds: (step) => {
      const { action, pre } = step;
      const before = pre.vms.get(action.vm);
      const vcpus = new Map(before?.vcpus);
      const slots = [...(before?.slots ?? [])];
      if (action.kind === "KVM_CREATE_VCPU") {
        vcpus.set(action.vcpu, { features: undefined, stopped: false });
      } else if (action.kind === "KVM_ARM_VCPU_INIT") {
        const { features } = action;
        vcpus.set(action.vcpu, { features, stopped: (features & POWER_OFF) !== 0 });
      } else slots.push({ gpa: action.gpa, bytes: action.bytes });
      return all(
        answers(step.outcome, 0),
        onlyVm(step, { vcpus, slots }),
        changesOnly(step, "vms"),
      );
    },
  }),
  clause({
    id: "GUEST-17",
    kind: "kernel",
    statement: "KVM has an interrupt controller, and keeps quiet about protected VMs.",
    source: [cite("measured", "create: 1 for capability 0; fw-nomod: 0 for 0xffbadab1")],
    on: ["KVM_CHECK_EXTENSION"],
    applies: ({ pre, action }) => pre.boot.mode !== "none" && ANSWERS.has(action.capability),
    holds: (step) =>
      all(answers(step.outcome, ANSWERS.get(step.action.capability) ?? -1), changesNothing(step)),
  }),
  clause({
    id: "GUEST-18",
    kind: "kernel",
    statement: "A vCPU that is initialised takes registers and may run.",
    source: [kernel("kvm_arch_vcpu_run_pid_change, arch/arm64/kvm/arm.c; set_core_reg"), runs],
    on: ["KVM_SET_ONE_REG", "KVM_RUN"],
    applies: (step) => vcpu(step)?.features !== undefined && !isPromised(step),
    holds: (step) => all(answers(step.outcome, 0), changesNothing(step)),
  }),
  clause({
    id: "GUEST-19",
    kind: "kernel",
    statement: "The host keeps a page for the guest from the fault to its return.",
    source: [kernel("insert_ppage, mmu.c; pkvm_host_reclaim_page, pkvm.c")],
    on: ["pkvm_mem_abort", "pkvm_host_reclaim_page"],
    applies: ({ outcome }) => outcome.kind === "returned" && outcome.value === 0n,
    holds: (step) => {
      const { action, pre } = step;
      const pinned = new Map(pre.vms.get(action.vm)?.pinned);
      if (action.kind === "pkvm_mem_abort") pinned.set(action.gfn, action.page);
      else pinned.delete(Number(action.ipa / 4096n));
      const changed = ensure(
        pinned.size !== pre.vms.get(action.vm)?.pinned.size,
        "there is a page already, or none",
      );
      return all(changed, onlyVm(step, { pinned }), changesOnly(step, "vms"));
    },
  }),
  clause({
    id: "GUEST-29",
    kind: "kernel",
    statement: "A page that the guest has given back is one that the host keeps for it.",
    source: [
      kernel("pkvm_host_reclaim_page: WARN_ON(!ppage), arch/arm64/kvm/pkvm.c"),
      cite("measured", "machines: RECLAIM_MISMATCH"),
    ],
    on: ["pkvm_host_reclaim_page"],
    applies: ({ pre, action }) =>
      pre.vms.get(action.vm)?.pinned.has(Number(action.ipa / 4096n)) === true,
    holds: ({ outcome }) => answers(outcome, 0),
  }),
];
