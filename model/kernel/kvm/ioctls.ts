// KVM's ioctls before a VM runs: what they allocate, write into structures, and share with EL2.

import { branchOf } from "../../../spec/branches/branches.ts";
import { addressOf, type Pfn } from "../../../spec/types/address.ts";
import { errnoName, negative } from "../../../spec/types/errno.ts";
import type {
  KvmArmVcpuInit,
  KvmCreateVcpu,
  KvmCreateVm,
  KvmSetFirmwareIpa,
  KvmSetOneReg,
  KvmSetUserMemoryRegion,
} from "../../../spec/types/guest-action.ts";
import { KVM, NO_PVMFW, pagesFor, SIZE, VCPU } from "../../../spec/vm-layout.ts";
import { RESET_PSTATE } from "../../machine/guest-context.ts";
import { writeKernelBytes } from "../../machine/kernel-memory.ts";
import { kernelLinear } from "../../machine/layout.ts";
import { over, perform, returnedValue, type System } from "../../machine/system.ts";
import { hypercall } from "../hypercall.ts";
import { allocExact, clearPages, freeExact, setHostX, setWordOf, userFrame } from "./host-kvm.ts";

/** The CPU that the process runs on. CHOICE: the traces do not say, and nothing depends on it. */
export const PROCESS_CPU = 0;

const KVM_PAGES = Number(pagesFor(SIZE.kvm));
const VCPU_PAGES = Number(pagesFor(SIZE.vcpu));

const isProtectedMode = ({ hyp }: System): boolean => hyp.boot.mode === "protected";

/** Source: kvm_share_hyp, kvm_unshare_hyp, arch/arm64/kvm/mmu.c: page by page. */
export function shareHyp(
  system: System,
  call: "__pkvm_host_share_hyp" | "__pkvm_host_unshare_hyp",
  first: Pfn,
  count: number,
): number | undefined {
  if (!isProtectedMode(system)) return 0;
  for (let n = 0; n < count; n++) {
    const answer = hypercall(system, PROCESS_CPU, call, [BigInt(first + n)]);
    if (answer === undefined) return undefined;
    if (answer.x1 !== 0n) return Number(answer.x1);
  }
  return 0;
}

/** Why there is no structure: a negative errno. */
interface Refused {
  readonly errno: number;
}

const isRefused = (answer: Pfn | Refused): answer is Refused => typeof answer === "object";

/**
 * Zeroed memory for a structure, shared with EL2; nothing if it all ended. A share that is refused
 * gives its errno to the ioctl. Source: kvm_arch_init_vm, kvm_arch_vcpu_create, arm.c.
 */
function structure(system: System, pages: number): Pfn | Refused | undefined {
  const first = allocExact(system.machine.pages, pages);
  if (first === undefined) return { errno: negative("ENOMEM") };
  clearPages(system.machine, first, pages);
  const shared = shareHyp(system, "__pkvm_host_share_hyp", first, pages);
  if (shared === 0) return first;
  freeExact(system.machine.pages, first, pages);
  return shared === undefined ? undefined : { errno: shared };
}

/** Whether the host reserves a handle for each VM. */
export const reservesHandles = (system: System): boolean =>
  isProtectedMode(system) && branchOf(system.hyp.config).vms?.reservesHandles === true;

/** The handle of a VM to be; 0 where none is reserved. Source: pkvm_init_host_vm (mainline 7.3). */
function reserve(system: System): number | undefined {
  if (!reservesHandles(system)) return 0;
  const answer = hypercall(system, PROCESS_CPU, "__pkvm_reserve_vm", []);
  return answer === undefined ? undefined : Number(answer.x1);
}

/** Source: kvm_arch_init_vm, arch/arm64/kvm/arm.c; pkvm_init_host_vm, pkvm.c. */
export function createVm(system: System, action: KvmCreateVm): number | undefined {
  const value = returnedValue(perform(system, action));
  if (over(system)) return undefined;
  if (value !== 0) return value;
  const kvm = structure(system, KVM_PAGES);
  if (kvm === undefined) return undefined;
  if (isRefused(kvm)) return kvm.errno;
  const { machine, hyp } = system;
  const handle = reserve(system);
  if (handle === undefined) return undefined;
  if (handle < 0) return handle;
  setWordOf(machine, kvm, KVM.handle, BigInt(handle));
  setWordOf(machine, kvm, KVM.pvmfwLoadAddr, NO_PVMFW);
  setWordOf(machine, kvm, KVM.enabled, hyp.vms.get(action.vm)?.isProtected === true ? 1n : 0n);
  system.kvm.vms.set(action.vm, { kvm, vcpus: new Map() });
  return 0;
}

/** Source: pkvm_vm_ioctl_set_fw_ipa, arch/arm64/kvm/pkvm.c. */
export function setFirmwareIpa(system: System, action: KvmSetFirmwareIpa): number {
  const value = returnedValue(perform(system, action));
  const files = system.kvm.vms.get(action.vm);
  if (value === 0 && files !== undefined) {
    setWordOf(system.machine, files.kvm, KVM.pvmfwLoadAddr, action.ipa);
  }
  return value;
}

/** Source: kvm_vm_ioctl_create_vcpu, kvm_main.c; kvm_arch_vcpu_create, arm.c. */
export function createVcpu(system: System, action: KvmCreateVcpu): number | undefined {
  const value = returnedValue(perform(system, action));
  const files = system.kvm.vms.get(action.vm);
  if (value !== 0 || files === undefined) return value;
  const first = structure(system, VCPU_PAGES);
  if (first === undefined) return undefined;
  if (isRefused(first)) return first.errno;
  const { machine } = system;
  const index = files.vcpus.size;
  setWordOf(machine, first, VCPU.vcpuIdx, BigInt(index));
  files.vcpus.set(action.vcpu, { first, data: 0n, mmio: undefined, isMade: false });
  setWordOf(machine, files.kvm, KVM.createdVcpus, BigInt(index + 1));
  return 0;
}

/** Source: kvm_arch_vcpu_ioctl_vcpu_init, arm.c; kvm_reset_vcpu, reset.c. */
export function initVcpu(system: System, action: KvmArmVcpuInit): number {
  const value = returnedValue(perform(system, action));
  const vcpu = system.kvm.vms.get(action.vm)?.vcpus.get(action.vcpu);
  if (value === 0 && vcpu !== undefined) {
    setWordOf(system.machine, vcpu.first, VCPU.features, BigInt(action.features));
    resetHostCopy(system, vcpu.first, 0n, 0n);
  }
  return value;
}

/** The host's copy of the registers as a reset leaves it, with where it starts. */
export function resetHostCopy(system: System, vcpu: Pfn, pc: bigint, x0: bigint): void {
  for (let n = 0; n < 31; n++) setHostX(system.machine, vcpu, n, n === 0 ? x0 : 0n);
  setWordOf(system.machine, vcpu, VCPU.pc, pc);
  setWordOf(system.machine, vcpu, VCPU.pstate, RESET_PSTATE);
}

/** KVM_SET_USER_MEMORY_REGION of fresh anonymous memory that begins with an image. */
export function setMemory(
  system: System,
  action: KvmSetUserMemoryRegion,
  image: Uint8Array | undefined,
): number | undefined {
  const { vm, gpa, bytes } = action;
  const memory = { gpa, bytes, frames: new Map<number, Pfn>() };
  const length = Math.min(image?.length ?? 0, Number(bytes));
  for (let done = 0; done < length; done += 4096) {
    const frame = userFrame(system.machine, memory, done / 4096);
    if (frame === undefined) return negative("ENOMEM");
    const piece = image!.subarray(done, Math.min(done + 4096, length));
    writeKernelBytes(system.machine, kernelLinear(system.machine.branch, addressOf(frame)), piece);
  }
  const before = system.kvm.memory.get(vm) ?? [];
  const value = returnedValue(perform(system, action));
  // The process keeps its memory, whatever KVM said.
  system.kvm.memory.set(vm, value === 0 ? [memory, ...before] : before);
  return value;
}

/** Source: set_core_reg, arch/arm64/kvm/guest.c. */
export function setOneReg(system: System, action: KvmSetOneReg): number {
  const value = returnedValue(perform(system, action));
  const vcpu = system.kvm.vms.get(action.vm)?.vcpus.get(action.vcpu);
  if (value === 0 && vcpu !== undefined) {
    if (action.register === "pc") setWordOf(system.machine, vcpu.first, VCPU.pc, action.value);
    else setHostX(system.machine, vcpu.first, action.register, action.value);
  }
  return value;
}

/** What the ioctls hold is given back. Source: kvm_arch_destroy_vm, kvm_arch_vcpu_destroy. */
export function releaseStructures(system: System, vm: number): boolean {
  const files = system.kvm.vms.get(vm);
  if (files === undefined) return true;
  const { pages } = system.machine;
  const structures = [...files.vcpus.values()].map(({ first }) => [first, VCPU_PAGES] as const);
  for (const [first, count] of [...structures, [files.kvm, KVM_PAGES] as const]) {
    const value = shareHyp(system, "__pkvm_host_unshare_hyp", first, count);
    if (value === undefined) return false;
    if (value !== 0) warn(system, `kvm_unshare_hyp: ${errnoName(value)}`);
    freeExact(pages, first, count);
  }
  system.kvm.vms.delete(vm);
  return true;
}

/** A warning of the kernel, as the recorder tells it. */
export function warn(system: System, where: string): void {
  system.log.push({ kind: "console", text: `WARNING in ${where}` });
}
