// VMs of mainline 7.3: a handle is reserved, the VM is made for it, its vCPUs by their number.

import { clause, type StepClause } from "../clause.ts";
import { cite, type Source } from "../sources.ts";
import type { Errno } from "../types/errno.ts";
import { HANDLE_OFFSET, type HypVm, KVM_MAX_PVMS } from "../types/hyp-vm.ts";
import { eventsOf } from "../types/outcome.ts";
import { HYP_PAGE } from "../types/page.ts";
import { hypVcpuBytes, KVM, SIZE, VCPU } from "../vm-layout.ts";
import { argument, calls } from "./hypercall.ts";
import { takenAndEmptied } from "./memory-order.ts";
import {
  all,
  answers,
  changesNothing,
  changesOnly,
  ensure,
  equal,
  refuses,
  type Verdict,
} from "./phrases.ts";
import { hostVcpu, kvmOf, vcpuPages, vcpusAsked, vmBytes, vmPages, wipes } from "./vm-init.ts";
import { showsNothing } from "./vm-load.ts";
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

const RESERVE = "__pkvm_reserve_vm";
const UNRESERVE = "__pkvm_unreserve_vm";
const INIT_VM = "__pkvm_init_vm";
const INIT_VCPU = "__pkvm_init_vcpu";
const read = (at: string): Source => cite("mainline", `${at}, hyp/nvhe/pkvm.c`);
const measured = cite("measured", "pvm: 7.3.4, KVM makes a VM and its vCPU with it");

/** The handle that is due: the lowest that no VM has and nobody reserved. */
const dueHandle = ({ pre }: HvcStep): number | undefined =>
  Array.from({ length: KVM_MAX_PVMS }, (_, n) => HANDLE_OFFSET + n).find(
    (handle) => !pre.vmTable.has(handle) && !pre.reservedHandles.has(handle),
  );

const isReserved = ({ pre }: HvcStep, handle: number): boolean => pre.reservedHandles.has(handle);

/** What is reserved is what was, and this changed. */
const reservedBecome = (step: HvcStep, change: (handles: Set<number>) => void): Verdict => {
  const handles = new Set(step.pre.reservedHandles);
  change(handles);
  return ensure(equal(step.post.reservedHandles, handles), "other handles are reserved");
};

const ownHandle = (step: HvcStep): number => Number(low32(word(step, kvmOf(step) + KVM.handle)));
const rootPages = (step: HvcStep) => offer(step, 3, SIZE.pgd, vmPages(step));
const isPaired: Check = (step) => leadsTo(argument(step, 3)) % SIZE.pgd === 0n;

/** The checks of __pkvm_init_vm, in its order. */
const VM_CHECKS: readonly Check[] = [
  (step) => isSharedMemory(step.pre, kvmOf(step), SIZE.kvm),
  (step) => vcpusAsked(step) > 0n,
  (step) => ownHandle(step) >= HANDLE_OFFSET,
  (step) => vmPages(step) !== undefined,
  (step) => rootPages(step) !== undefined,
  isPaired,
  (step) => isReserved(step, ownHandle(step)),
];

/** What a new VM is, by the host's struct kvm. */
function newVm(step: HvcStep): HypVm | undefined {
  const [memory, root] = [vmPages(step)?.[0], rootPages(step)?.[0]];
  if (memory === undefined || root === undefined) return undefined;
  const none = { pages: new Map(), guarded: new Set<number>(), pool: [] };
  return {
    isProtected: word(step, kvmOf(step) + KVM.enabled) % 256n !== 0n,
    hostKvm: kvmOf(step),
    memory,
    lastRan: undefined,
    createdVcpus: Number(vcpusAsked(step)),
    vcpus: [],
    pvmfwLoadAddr: undefined,
    primaryVcpu: undefined,
    mmioGuard: false,
    isDying: false,
    stage2: { ...none, root, level2: new Map(), level3: new Map() },
  };
}

const wipesBoth = (step: HvcStep, errno: Errno): Verdict =>
  wipes(step, errno, [vmPages(step), vmBytes(step)], [rootPages(step), SIZE.pgd]);

const askedIndex = (step: HvcStep): bigint => low32(word(step, hostVcpu(step) + VCPU.vcpuIdx));

/** The checks of __pkvm_init_vcpu, in its order. */
const VCPU_CHECKS: readonly Check[] = [
  (step) => vcpuPages(step) !== undefined,
  (step) => vmNamed(step) !== undefined,
  (step) => isSharedMemory(step.pre, hostVcpu(step), SIZE.vcpu),
  (step) => askedIndex(step) < BigInt(vmNamed(step)?.createdVcpus ?? 0),
  (step) => vmNamed(step)?.vcpus[Number(askedIndex(step))] === undefined,
];

const wipesVcpu = (step: HvcStep, errno: Errno): Verdict =>
  wipes(step, errno, [vcpuPages(step), hypVcpuBytes(step.pre)]);

/** A rule about one hypercall of mainline 7.3. */
const rule = (
  id: `VM-${number}`,
  statement: string,
  source: readonly Source[],
  applies: Check,
  holds: (step: HvcStep) => Verdict,
): StepClause =>
  clause({
    id,
    kind: "kernel",
    statement,
    source,
    branches: ["mainline-7.3"],
    on: ["hvc"],
    applies,
    holds,
  });

const RESERVATIONS: readonly StepClause[] = [
  rule(
    "VM-90",
    "There are 255 handles at most, reserved or a VM's; one more is refused.",
    [read("find_free_vm_table_entry, KVM_MAX_PVMS")],
    (step) => calls(RESERVE)(step) && dueHandle(step) === undefined,
    (step) => refuses(step, "ENOMEM"),
  ),
  rule(
    "VM-91",
    "A reservation gives the lowest handle that no VM has and nobody reserved.",
    [read("__pkvm_reserve_vm, allocate_vm_table_entry"), measured],
    (step) => calls(RESERVE)(step) && dueHandle(step) !== undefined,
    (step) =>
      all(
        answers(step.outcome, dueHandle(step) ?? 0),
        reservedBecome(step, (handles) => handles.add(dueHandle(step) ?? 0)),
        changesOnly(step, "reservedHandles"),
      ),
  ),
  rule(
    "VM-92",
    "A handle that is not reserved is not given back, and nothing says so.",
    [read("__pkvm_unreserve_vm: the entry is RESERVED_ENTRY")],
    (step) => calls(UNRESERVE)(step) && !isReserved(step, handleArgument(step)),
    (step) => all(showsNothing(step), changesNothing(step)),
  ),
  rule(
    "VM-93",
    "A handle that is reserved is free once it is given back.",
    [read("__pkvm_unreserve_vm"), cite("measured", "create: 7.3.4, VMs that never run")],
    (step) => calls(UNRESERVE)(step) && isReserved(step, handleArgument(step)),
    (step) =>
      all(
        showsNothing(step),
        reservedBecome(step, (handles) => handles.delete(handleArgument(step))),
        changesOnly(step, "reservedHandles"),
      ),
  ),
];

const BIRTHS: readonly StepClause[] = [
  rule(
    "VM-94",
    "The host's struct kvm carries a handle, and what is below the first is none.",
    [read("__pkvm_init_vm: HANDLE_OFFSET")],
    failsAt(INIT_VM, VM_CHECKS, 2),
    (step) =>
      all(
        refuses(step, "EINVAL"),
        ensure(eventsOf(step.outcome).length === 0, "memory is taken before the handle is seen"),
      ),
  ),
  rule(
    "VM-95",
    "Memory for a VM that is not the host's alone, or not whole pages, is not taken.",
    [read("map_donated_memory")],
    failsAt(INIT_VM, VM_CHECKS, 3),
    (step) => refuses(step, "ENOMEM"),
  ),
  rule(
    "VM-96",
    "Where the root cannot be taken, the memory of the VM comes back wiped.",
    [read("__pkvm_init_vm: err_remove_mappings")],
    failsAt(INIT_VM, VM_CHECKS, 4),
    (step) => wipes(step, "ENOMEM", [vmPages(step), vmBytes(step)]),
  ),
  rule(
    "VM-97",
    "A root that is not aligned to its size is no root, and both come back wiped.",
    [cite("mainline", "kvm_guest_prepare_stage2, guest_s2_zalloc_pages_exact, mem_protect.c")],
    failsAt(INIT_VM, VM_CHECKS, 5),
    (step) => wipesBoth(step, "ENOMEM"),
  ),
  rule(
    "VM-98",
    "A VM is made for a handle that is reserved; otherwise its memory comes back wiped.",
    [read("__insert_vm_table_entry")],
    failsAt(INIT_VM, VM_CHECKS, 6),
    (step) => wipesBoth(step, "EINVAL"),
  ),
  rule(
    "VM-99",
    "A VM takes the place of its reservation, and EL2 its memory, emptied; the answer is 0.",
    [read("__pkvm_init_vm, init_pkvm_hyp_vm"), measured],
    passes(INIT_VM, VM_CHECKS),
    (step) => {
      const vm = newVm(step);
      if (vm === undefined) return "there is no memory";
      const own = [...(vmPages(step) ?? []), ...(rootPages(step) ?? [])];
      const taken = own.map((page) => [page, HYP_PAGE] as const);
      return all(
        answers(step.outcome, 0),
        tableWith(step, ownHandle(step), vm),
        reservedBecome(step, (handles) => handles.delete(ownHandle(step))),
        pagesBecome(step, new Map([...taken, ...pinnedBy(step.pre, vm.hostKvm, SIZE.kvm, 1)])),
        takenAndEmptied(step, vmPages(step) ?? [], vmBytes(step)),
        takenAndEmptied(step, rootPages(step) ?? [], SIZE.pgd),
        changesOnly(step, "vmTable", "reservedHandles", "pages"),
      );
    },
  ),
  rule(
    "VM-100",
    "The host's struct kvm_vcpu must be shared, or the memory for the vCPU comes back wiped.",
    [read("init_pkvm_hyp_vcpu: hyp_pin_shared_mem")],
    failsAt(INIT_VCPU, VCPU_CHECKS, 2),
    (step) => wipesVcpu(step, "EBUSY"),
  ),
  rule(
    "VM-101",
    "A vCPU has a number below those that its VM was made for.",
    [read("__pkvm_init_vcpu: created_vcpus")],
    failsAt(INIT_VCPU, VCPU_CHECKS, 3),
    (step) => wipesVcpu(step, "EINVAL"),
  ),
  rule(
    "VM-102",
    "A vCPU is made once.",
    [read("__pkvm_init_vcpu: vcpus[idx]")],
    failsAt(INIT_VCPU, VCPU_CHECKS, 4),
    (step) => wipesVcpu(step, "EINVAL"),
  ),
  rule(
    "VM-103",
    "A new vCPU has its place and is on: that it starts is the host's business.",
    [read("__pkvm_init_vcpu, init_pkvm_hyp_vcpu"), measured],
    passes(INIT_VCPU, VCPU_CHECKS),
    (step) => {
      const [vm, pages = []] = [vmNamed(step), vcpuPages(step)];
      const memory = pages[0];
      if (vm === undefined || memory === undefined) return "there is no memory";
      const vcpu = { hostVcpu: hostVcpu(step), memory, memcache: [], reset: undefined } as const;
      const own = pages.map((page) => [page, HYP_PAGE] as const);
      return all(
        answers(step.outcome, 0),
        tableWith(step, handleArgument(step), {
          ...vm,
          vcpus: [...vm.vcpus, { ...vcpu, power: "ON" }],
        }),
        pagesBecome(step, new Map([...own, ...pinnedBy(step.pre, hostVcpu(step), SIZE.vcpu, 1)])),
        takenAndEmptied(step, pages, hypVcpuBytes(step.pre)),
        changesOnly(step, "vmTable", "pages"),
      );
    },
  ),
];

export const VM_RESERVED: readonly StepClause[] = [...RESERVATIONS, ...BIRTHS];
