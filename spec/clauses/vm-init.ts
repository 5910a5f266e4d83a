// How a VM and its vCPUs come to be at EL2, and what a refusal does to the memory that was given.

import { clause, type StepClause } from "../clause.ts";
import { cite, type Source } from "../sources.ts";
import type { Pfn } from "../types/address.ts";
import type { Errno } from "../types/errno.ts";
import { HANDLE_OFFSET, type HypVcpu, type HypVm, KVM_MAX_PVMS } from "../types/hyp-vm.ts";
import { HYP_PAGE } from "../types/page.ts";
import {
  hypVcpuBytes,
  hypVmBytes,
  KVM,
  KVM_ARM_VCPU_POWER_OFF,
  NO_PVMFW,
  SIZE,
  VCPU,
} from "../vm-layout.ts";
import { argument } from "./hypercall.ts";
import { emptiedAndGiven, takenAndEmptied } from "./memory-order.ts";
import {
  all,
  answers,
  changesNothing,
  changesOnly,
  ensure,
  refuses,
  type Verdict,
} from "./phrases.ts";
import {
  type Check,
  failsAt,
  type HvcStep,
  handleArgument,
  isSharedMemory,
  leadsTo,
  low32,
  offer,
  pagesBecome,
  passes,
  pinnedBy,
  tableWith,
  vmNamed,
  word,
} from "./vm-lookup.ts";

const INIT_VM = "__pkvm_init_vm";
const INIT_VCPU = "__pkvm_init_vcpu";
const read = (at: string): Source => cite("android14-6.1", `${at}, hyp/nvhe/pkvm.c`);

export const kvmOf = (step: HvcStep): bigint => leadsTo(argument(step, 1));
export const vcpusAsked = (step: HvcStep): bigint =>
  low32(word(step, kvmOf(step) + KVM.createdVcpus));
export const vmBytes = (step: HvcStep): bigint => hypVmBytes(step.pre, vcpusAsked(step));
const lastRanBytes = ({ pre }: HvcStep): bigint => SIZE.lastRanEntry * BigInt(pre.config.cpuCount);

export const vmPages = (step: HvcStep) => offer(step, 2, vmBytes(step));
const lastRanPages = (step: HvcStep) => offer(step, 4, lastRanBytes(step), vmPages(step));
const rootPages = (step: HvcStep) =>
  offer(step, 3, SIZE.pgd, [...(vmPages(step) ?? []), ...(lastRanPages(step) ?? [])]);

/** The handle that is due: the lowest that is free. */
const dueHandle = ({ pre }: HvcStep): number | undefined =>
  Array.from({ length: KVM_MAX_PVMS }, (_, n) => HANDLE_OFFSET + n).find(
    (handle) => !pre.vmTable.has(handle),
  );

/** The checks of __pkvm_init_vm, in its order. */
const VM_CHECKS: readonly Check[] = [
  (step) => isSharedMemory(step.pre, kvmOf(step), SIZE.kvm),
  (step) => vcpusAsked(step) > 0n,
  (step) => argument(step, 3) % SIZE.pgd === 0n,
  (step) => vmPages(step) !== undefined,
  (step) => lastRanPages(step) !== undefined,
  (step) => rootPages(step) !== undefined,
  (step) => dueHandle(step) !== undefined,
];

/** What a new VM is, by the host's struct kvm. */
function newVm(step: HvcStep): HypVm | undefined {
  const [memory, lastRan, root] = [vmPages(step), lastRanPages(step), rootPages(step)].map(
    (pages) => pages?.[0],
  );
  if (memory === undefined || lastRan === undefined || root === undefined) return undefined;
  const isProtected = word(step, kvmOf(step) + KVM.enabled) % 256n !== 0n;
  const firmware = word(step, kvmOf(step) + KVM.pvmfwLoadAddr);
  return {
    isProtected,
    hostKvm: kvmOf(step),
    memory,
    lastRan,
    createdVcpus: Number(vcpusAsked(step)),
    vcpus: [],
    pvmfwLoadAddr: isProtected && firmware !== NO_PVMFW ? firmware : undefined,
    primaryVcpu: undefined,
    mmioGuard: false,
    isDying: false,
    stage2: {
      root,
      pages: new Map(),
      guarded: new Set(),
      level2: new Map(),
      level3: new Map(),
      pool: [],
    },
  };
}

/** It is refused, nothing changed, and what had been taken comes back empty. */
export const wipes = (
  step: HvcStep,
  errno: Errno,
  ...taken: readonly (readonly [readonly Pfn[] | undefined, bigint])[]
): Verdict =>
  all(
    refuses(step, errno),
    ...taken.flatMap(([pages = [], bytes]) => [
      takenAndEmptied(step, pages, bytes),
      emptiedAndGiven(step, pages, bytes),
    ]),
  );

export const hostVcpu = (step: HvcStep): bigint => leadsTo(argument(step, 2));
export const vcpuPages = (step: HvcStep) => offer(step, 3, hypVcpuBytes(step.pre));
const isOff = (step: HvcStep): boolean =>
  (word(step, hostVcpu(step) + VCPU.features) & KVM_ARM_VCPU_POWER_OFF) !== 0n;

/** Whether a vCPU is the one that starts in the firmware. */
const startsFirmware = (step: HvcStep): boolean =>
  vmNamed(step)?.pvmfwLoadAddr !== undefined && !isOff(step);

/** The checks of __pkvm_init_vcpu, in its order. */
const VCPU_CHECKS: readonly Check[] = [
  (step) => vcpuPages(step) !== undefined,
  (step) => vmNamed(step) !== undefined,
  (step) => (vmNamed(step)?.vcpus.length ?? 0) < (vmNamed(step)?.createdVcpus ?? 0),
  (step) => isSharedMemory(step.pre, hostVcpu(step), SIZE.vcpu),
  (step) =>
    low32(word(step, hostVcpu(step) + VCPU.vcpuIdx)) === BigInt(vmNamed(step)?.vcpus.length ?? -1),
  (step) => !startsFirmware(step) || vmNamed(step)?.primaryVcpu === undefined,
];

/** What a new vCPU is, by the host's struct kvm_vcpu. */
function newVcpu(step: HvcStep, memory: Pfn, { isProtected }: HypVm): HypVcpu {
  const common = { hostVcpu: hostVcpu(step), memory, memcache: [] };
  if (!isProtected) return { ...common, power: "ON", reset: undefined };
  if (isOff(step)) return { ...common, power: "OFF", reset: undefined };
  const entry = {
    pc: word(step, hostVcpu(step) + VCPU.pc),
    x0: word(step, hostVcpu(step) + VCPU.regs),
  };
  const reset = startsFirmware(step) ? undefined : entry;
  return { ...common, power: "ON_PENDING", reset };
}

const wipesVcpu = (step: HvcStep, errno: Errno): Verdict =>
  wipes(step, errno, [vcpuPages(step), hypVcpuBytes(step.pre)]);

export const VM_INIT: readonly StepClause[] = [
  clause({
    id: "VM-15",
    kind: "kernel",
    statement: "The host's struct kvm must be shared with the hypervisor, which pins it.",
    source: [read("__pkvm_init_vm: hyp_pin_shared_mem"), cite("measured", "life-p, vmbad: -1")],
    on: ["hvc"],
    applies: failsAt(INIT_VM, VM_CHECKS, 0),
    holds: (step) => refuses(step, "EPERM"),
  }),
  clause({
    id: "VM-16",
    kind: "kernel",
    statement: "A VM without vCPUs is not made.",
    source: [read("__pkvm_init_vm"), cite("measured", "life-p: -22")],
    on: ["hvc"],
    applies: failsAt(INIT_VM, VM_CHECKS, 1),
    holds: (step) => refuses(step, "EINVAL"),
  }),
  clause({
    id: "VM-17",
    kind: "kernel",
    statement: "A root that is not aligned to its size is refused with 0, the value of success.",
    source: [
      read("__pkvm_init_vm: leaves before an errno is set"),
      cite("measured", "life-p: 0, and no VM is there"),
    ],
    branches: ["android14-6.1"],
    on: ["hvc"],
    applies: failsAt(INIT_VM, VM_CHECKS, 2),
    holds: (step) => all(answers(step.outcome, 0), changesNothing(step)),
  }),
  clause({
    id: "VM-18",
    kind: "kernel",
    statement: "Memory for a VM that is not the host's alone, or not whole pages, is not taken.",
    source: [
      read("map_donated_memory"),
      cite("measured", "life-p: -12 for an odd address, a page of EL2's, a shared page"),
    ],
    branches: ["android14-6.1"],
    on: ["hvc"],
    applies: failsAt(INIT_VM, VM_CHECKS, 3),
    holds: (step) => refuses(step, "ENOMEM"),
  }),
  clause({
    id: "VM-19",
    kind: "kernel",
    statement: "Where the memory for last_ran cannot be taken, that of the VM comes back wiped.",
    source: [
      read("__pkvm_init_vm, unmap_donated_memory"),
      cite("measured", "life-p: -12 when it is one of the VM's pages"),
    ],
    branches: ["android14-6.1"],
    on: ["hvc"],
    applies: failsAt(INIT_VM, VM_CHECKS, 4),
    holds: (step) => wipes(step, "ENOMEM", [vmPages(step), vmBytes(step)]),
  }),
  clause({
    id: "VM-20",
    kind: "kernel",
    statement: "Where the root cannot be taken, the memory of VM and last_ran comes back wiped.",
    source: [read("__pkvm_init_vm, unmap_donated_memory")],
    branches: ["android14-6.1"],
    on: ["hvc"],
    applies: failsAt(INIT_VM, VM_CHECKS, 5),
    holds: (step) =>
      wipes(
        step,
        "ENOMEM",
        [vmPages(step), vmBytes(step)],
        [lastRanPages(step), lastRanBytes(step)],
      ),
  }),
  clause({
    id: "VM-21",
    kind: "kernel",
    statement: "There are 255 VMs at most; one more is refused, and all its memory wiped.",
    source: [read("find_free_vm_table_entry, KVM_MAX_PVMS")],
    branches: ["android14-6.1"],
    on: ["hvc"],
    applies: failsAt(INIT_VM, VM_CHECKS, 6),
    holds: (step) =>
      wipes(
        step,
        "ENOMEM",
        [vmPages(step), vmBytes(step)],
        [lastRanPages(step), lastRanBytes(step)],
        [rootPages(step), SIZE.pgd],
      ),
  }),
  clause({
    id: "VM-22",
    kind: "kernel",
    statement: "A new VM gets the lowest handle that is free, and EL2 its memory, emptied.",
    source: [
      read("__pkvm_init_vm, insert_vm_table_entry"),
      cite("measured", "life-p: 0x1000, and again after the teardown; random-life-201"),
    ],
    branches: ["android14-6.1"],
    on: ["hvc"],
    applies: passes(INIT_VM, VM_CHECKS),
    holds: (step) => {
      const [handle, vm] = [dueHandle(step), newVm(step)];
      if (handle === undefined || vm === undefined) return "there is no memory";
      const memory = vmPages(step) ?? [];
      const lastRan = lastRanPages(step) ?? [];
      const root = rootPages(step) ?? [];
      const own = [...memory, ...lastRan, ...root].map((page) => [page, HYP_PAGE] as const);
      return all(
        answers(step.outcome, handle),
        tableWith(step, handle, vm),
        pagesBecome(step, new Map([...own, ...pinnedBy(step.pre, vm.hostKvm, SIZE.kvm, 1)])),
        takenAndEmptied(step, memory, vmBytes(step)),
        takenAndEmptied(step, lastRan, lastRanBytes(step)),
        takenAndEmptied(step, root, SIZE.pgd),
        changesOnly(step, "vmTable", "pages"),
      );
    },
  }),
  clause({
    id: "VM-23",
    kind: "kernel",
    statement: "Memory for a vCPU that is not the host's alone, or not whole pages, is not taken.",
    source: [read("__pkvm_init_vcpu, map_donated_memory"), cite("measured", "life-p: -12")],
    on: ["hvc"],
    applies: failsAt(INIT_VCPU, VCPU_CHECKS, 0),
    holds: (step) => refuses(step, "ENOMEM"),
  }),
  clause({
    id: "VM-24",
    kind: "kernel",
    statement: "A vCPU of a VM that is not there is refused, and the memory given for it wiped.",
    source: [
      read("__pkvm_init_vcpu, unmap_donated_memory"),
      cite("measured", "life-p, vmbad: -2; the pages come back zeroed"),
    ],
    on: ["hvc"],
    applies: failsAt(INIT_VCPU, VCPU_CHECKS, 1),
    holds: (step) => wipesVcpu(step, "ENOENT"),
  }),
  clause({
    id: "VM-25",
    kind: "kernel",
    statement: "A VM gets no more vCPUs than its struct kvm said, and the memory is wiped.",
    source: [read("__pkvm_init_vcpu: created_vcpus")],
    branches: ["android14-6.1"],
    on: ["hvc"],
    applies: failsAt(INIT_VCPU, VCPU_CHECKS, 2),
    holds: (step) => wipesVcpu(step, "EINVAL"),
  }),
  clause({
    id: "VM-26",
    kind: "kernel",
    statement: "The host's whole struct kvm_vcpu must be shared with the hypervisor.",
    source: [
      read("init_pkvm_hyp_vcpu: hyp_pin_shared_mem"),
      cite("measured", "life-p: -16 until all three pages are shared"),
    ],
    branches: ["android14-6.1"],
    on: ["hvc"],
    applies: failsAt(INIT_VCPU, VCPU_CHECKS, 3),
    holds: (step) => wipesVcpu(step, "EBUSY"),
  }),
  clause({
    id: "VM-27",
    kind: "kernel",
    statement: "The vCPUs of a VM are made in the order of their index.",
    source: [read("init_pkvm_hyp_vcpu: vcpu_idx"), cite("measured", "life-p: -22")],
    branches: ["android14-6.1"],
    on: ["hvc"],
    applies: failsAt(INIT_VCPU, VCPU_CHECKS, 4),
    holds: (step) => wipesVcpu(step, "EINVAL"),
  }),
  clause({
    id: "VM-28",
    kind: "kernel",
    statement: "Only one vCPU of a protected VM with a firmware starts powered on.",
    source: [read("pkvm_vcpu_init_psci: primary_vcpu"), cite("measured", "life-p: -22")],
    branches: ["android14-6.1"],
    on: ["hvc"],
    applies: failsAt(INIT_VCPU, VCPU_CHECKS, 5),
    holds: (step) => wipesVcpu(step, "EINVAL"),
  }),
  clause({
    id: "VM-29",
    kind: "kernel",
    statement: "A new vCPU is the next of its VM, dying or not, and its power follows the host's.",
    source: [
      read("__pkvm_init_vcpu, init_pkvm_hyp_vcpu, pkvm_vcpu_init_psci"),
      cite("measured", "life-p, life-map-p, random-life-201: 0"),
    ],
    branches: ["android14-6.1"],
    on: ["hvc"],
    applies: passes(INIT_VCPU, VCPU_CHECKS),
    holds: (step) => {
      const [vm, pages = []] = [vmNamed(step), vcpuPages(step)];
      const memory = pages[0];
      if (vm === undefined || memory === undefined) return "there is no memory";
      const made: HypVm = {
        ...vm,
        vcpus: [...vm.vcpus, newVcpu(step, memory, vm)],
        primaryVcpu: startsFirmware(step) ? vm.vcpus.length : vm.primaryVcpu,
      };
      const own = pages.map((page) => [page, HYP_PAGE] as const);
      return all(
        answers(step.outcome, 0),
        tableWith(step, handleArgument(step), made),
        pagesBecome(step, new Map([...own, ...pinnedBy(step.pre, hostVcpu(step), SIZE.vcpu, 1)])),
        takenAndEmptied(step, pages, hypVcpuBytes(step.pre)),
        ensure(pages.length === 3, "it did not take three pages"),
        changesOnly(step, "vmTable", "pages"),
      );
    },
  }),
];
