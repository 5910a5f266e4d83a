// What the host's KVM does when a guest leaves: calls, faults, devices.

import { vmsOf } from "../../../spec/branches/branches.ts";
import { isOfEl2, RET, SMCCC } from "../../../spec/guest-calls.ts";
import { addressOf, type Pfn } from "../../../spec/types/address.ts";
import { negative } from "../../../spec/types/errno.ts";
import { IFLAG, VCPU } from "../../../spec/vm-layout.ts";
import { over, perform, returnedValue, type System } from "../../machine/system.ts";
import { isPsci } from "../../vm/host-calls.ts";
import { hypercall } from "../hypercall.ts";
import { type HostVcpuFiles, hostX, raise, setHostX, userFrame, wordOf } from "./host-kvm.ts";
import { topUp } from "./hyp-vm.ts";
import { PROCESS_CPU, resetHostCopy, warn } from "./ioctls.ts";

/** How one exit was handled. Source: handle_exit: 1 runs again, 0 is user space's, negative. */
export type Handled =
  | { readonly kind: "again" }
  | { readonly kind: "mmio" }
  | { readonly kind: "system event"; readonly type: number; readonly data: readonly bigint[] }
  | { readonly kind: "errno"; readonly value: number }
  | undefined;

const AGAIN: Handled = { kind: "again" };
const errno = (value: number): Handled => ({ kind: "errno", value });

/** The vCPU that left. */
export interface Left {
  readonly system: System;
  readonly vm: number;
  readonly vcpu: number;
  readonly files: HostVcpuFiles;
}

const first = ({ files }: Left): Pfn => files.first;
const isProtected = ({ system, vm }: Left): boolean => system.hyp.vms.get(vm)?.isProtected === true;

/** Fields of ESR_EL2. Source: DDI0487 D24.2.40, ISS of an HVC and of an abort. */
const EC_HVC64 = 0x16n;
const EC_IABT = 0x20n;
const EC_DABT = 0x24n;
const bit = (n: number): bigint => 1n << BigInt(n);
const ISV = bit(24);
const SSE = bit(21);
const SF = bit(15);
const S1PTW = bit(7);
const WNR = bit(6);
const STATUS_KIND = 0x3cn;
const TRANSLATION = 0x04n;
const ACCESS_FLAG = 0x08n;
const PERMISSION = 0x0cn;

/** Source: handle_exit, arch/arm64/kvm/handle_exit.c. */
export function handleExit(left: Left): Handled {
  const esr = wordOf(left.system.machine, first(left), VCPU.esr);
  switch (esr >> 26n) {
    case EC_HVC64:
      return handleHvc(left);
    case EC_IABT:
    case EC_DABT:
      return handleAbort(left, esr);
    default:
      throw new Error(`EL2 let an exit with ESR 0x${esr.toString(16)} through`);
  }
}

/** Source: kvm_smccc_call_handler, arch/arm64/kvm/hypercalls.c; kvm_psci_call, psci.c. */
function handleHvc(left: Left): Handled {
  const { system, vm, vcpu } = left;
  const { machine } = system;
  const x = [0, 1, 2, 3].map((n) => hostX(machine, first(left), n));
  const kind = isPsci(x) ? "kvm_psci_call" : "kvm_smccc_call_handler";
  const { outcome } = perform(system, { kind, vm, vcpu, x });
  if (over(system)) return undefined;
  if (outcome.kind === "user") return { kind: "system event", ...outcome.event };
  if (outcome.kind !== "guest") throw new Error(`${kind} answered ${outcome.kind}`);
  if (isProtected(left)) onBehalfOfProtected(left, x);
  wakes(left, x, outcome.x[0] ?? 0n);
  outcome.x.forEach((value, n) => {
    setHostX(machine, first(left), n, value);
  });
  return over(system) ? undefined : AGAIN;
}

/** What EL2 has done and the host's own account must follow. */
function onBehalfOfProtected(left: Left, x: readonly bigint[]): void {
  const { system, vm } = left;
  const id = Number(BigInt.asUintN(32, x[0] ?? 0n));
  if (!isOfEl2(vmsOf(system.hyp.config), id)) return;
  if (id === SMCCC.MMIO_GUARD_MAP) topUp(system, first(left));
  if (id !== SMCCC.MEM_RELINQUISH) return;
  const done = perform(system, { kind: "pkvm_host_reclaim_page", vm, ipa: x[1] ?? 0n });
  if (returnedValue(done) !== 0) warn(system, "pkvm_host_reclaim_page");
}

/** CPU_ON of a vCPU that waits: its registers are reset. Source: kvm_psci_vcpu_on. */
function wakes(left: Left, x: readonly bigint[], answer: bigint): void {
  const id = Number(BigInt.asUintN(32, x[0] ?? 0n));
  if ((id & ~0x4000_0000) >>> 0 !== 0x8400_0003 || answer !== RET.SUCCESS) return;
  const target = left.system.kvm.vms.get(left.vm)?.vcpus.get(Number((x[1] ?? 0n) & 0xffn));
  if (target !== undefined) resetHostCopy(left.system, target.first, x[2] ?? 0n, x[3] ?? 0n);
}

/** The guest takes an external abort at its next entry. Source: kvm_inject_dabt, inject_fault.c. */
function inject(left: Left): Handled {
  raise(left.system.machine, first(left), IFLAG.pendingAbort);
  return AGAIN;
}

/** Source: kvm_handle_guest_abort, arch/arm64/kvm/mmu.c. */
function handleAbort(left: Left, esr: bigint): Handled {
  const { system, vm } = left;
  const status = esr & STATUS_KIND;
  if (status !== TRANSLATION && status !== ACCESS_FLAG && status !== PERMISSION) {
    return errno(negative("EFAULT"));
  }
  const ipa = wordOf(system.machine, first(left), VCPU.hpfar) << 8n;
  // Beyond the 40 bits of the guest's addresses.
  if (ipa >> 40n !== 0n) return inject(left);
  const memory = system.kvm.memory
    .get(vm)
    ?.find(({ gpa, bytes }) => ipa >= gpa && ipa < gpa + bytes);
  if (memory !== undefined) return memAbort(left, ipa, memory);
  if (esr >> 26n === EC_IABT || (esr & S1PTW) !== 0n) return inject(left);
  return ioMemAbort(left, esr, ipa);
}

/** The hypercall that maps a page for a guest. Source: pkvm_pgtable_stage2_map (mainline 7.3). */
function mapsBy(left: Left): string {
  if (!vmsOf(left.system.hyp.config).reservesHandles) return "__pkvm_host_map_guest";
  return isProtected(left) ? "__pkvm_host_donate_guest" : "__pkvm_host_share_guest";
}

/** A page of the process becomes the guest's. Source: pkvm_mem_abort, arch/arm64/kvm/mmu.c. */
function memAbort(
  left: Left,
  ipa: bigint,
  memory: NonNullable<Parameters<typeof userFrame>[1]>,
): Handled {
  const { system, vm } = left;
  if (!topUp(system, first(left))) return errno(negative("ENOMEM"));
  const page = userFrame(system.machine, memory, Number((ipa - memory.gpa) >> 12n));
  if (page === undefined) return errno(negative("EFAULT"));
  const gfn = Number(ipa >> 12n);
  const args = [BigInt(page), BigInt(gfn)];
  const answer = hypercall(system, PROCESS_CPU, mapsBy(left), args);
  if (answer === undefined) return undefined;
  const value = Number(answer.x1);
  const kept = returnedValue(perform(system, { kind: "pkvm_mem_abort", vm, gfn, page, value }));
  if (value === 0 && kept !== 0) warn(system, "pkvm_mem_abort");
  return value === 0 || value === negative("EAGAIN") ? AGAIN : errno(value);
}

/** No memory is there: user space emulates it. Source: io_mem_abort, arch/arm64/kvm/mmio.c. */
function ioMemAbort(left: Left, esr: bigint, ipa: bigint): Handled {
  const { system, files } = left;
  const { machine } = system;
  if ((esr & ISV) === 0n) {
    return isProtected(left) ? inject(left) : errno(negative("ENOSYS"));
  }
  const far = wordOf(machine, first(left), VCPU.far);
  const bytes = 1 << Number((esr >> 22n) & 3n);
  const register = Number((esr >> 16n) & 0x1fn);
  const write = (esr & WNR) !== 0n;
  files.mmio = {
    address: ipa | (far & 0xfffn),
    write,
    bytes,
    register,
    signExtends: (esr & SSE) !== 0n,
    is64: (esr & SF) !== 0n,
  };
  if (write) {
    const mask = (1n << BigInt(8 * bytes)) - 1n;
    files.data = (files.data & ~mask) | (hostX(machine, first(left), register) & mask);
  }
  return { kind: "mmio" };
}

/** The access is over: a load gets what user space left. Source: kvm_handle_mmio_return, mmio.c. */
export function finishMmio({ system, files }: Left): void {
  const { mmio } = files;
  if (mmio === undefined) return;
  files.mmio = undefined;
  if (!mmio.write) {
    const bits = 8 * mmio.bytes;
    const read = BigInt.asUintN(bits, files.data);
    const wide = mmio.signExtends ? BigInt.asIntN(bits, read) : read;
    setHostX(system.machine, files.first, mmio.register, BigInt.asUintN(mmio.is64 ? 64 : 32, wide));
  }
  raise(system.machine, files.first, IFLAG.incrementPc);
}

/** The kernel's address of a vCPU's structure, as physical memory. */
export const vcpuAddress = ({ files }: Left): bigint => addressOf(files.first);
