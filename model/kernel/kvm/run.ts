// KVM_RUN, and the loop in which the recording's driver calls it.

import { ERRNO, errnoName } from "../../../spec/types/errno.ts";
import { kernelLinear } from "../../machine/layout.ts";
import { over, perform, returnedValue, type System, stop } from "../../machine/system.ts";
import { hypercall } from "../hypercall.ts";
import { finishMmio, type Handled, handleExit, type Left, vcpuAddress } from "./exits.ts";
import { createHypVcpu, createHypVm } from "./hyp-vm.ts";
import { PROCESS_CPU } from "./ioctls.ts";

/** How one KVM_RUN returned. Source: KVM_EXIT_*, uapi/linux/kvm.h. */
export type KvmExit =
  | { readonly kind: "errno"; readonly errno: number }
  | {
      readonly kind: "mmio";
      readonly address: bigint;
      readonly write: boolean;
      readonly bytes: number;
      readonly data: bigint;
    }
  | { readonly kind: "system event"; readonly type: number; readonly data: readonly bigint[] }
  | { readonly kind: "internal error" };

/** KVM_EXIT_MMIO, KVM_EXIT_INTERNAL_ERROR, KVM_EXIT_SYSTEM_EVENT. Source: uapi/linux/kvm.h. */
export const KVM_EXIT = { mmio: 6, "internal error": 17, "system event": 24, errno: 0 } as const;

/** What __kvm_vcpu_run answers to an exit that the host must handle. */
const ARM_EXCEPTION_TRAP = 2n;

/** KVM_RUN once; undefined when the system ended. Source: kvm_arch_vcpu_ioctl_run, arm.c. */
function kvmRun(system: System, vm: number, vcpu: number): KvmExit | undefined {
  const refused = returnedValue(perform(system, { kind: "KVM_RUN", vm, vcpu }));
  if (over(system)) return undefined;
  if (refused !== 0) return { kind: "errno", errno: -refused };
  const files = system.kvm.vms.get(vm)?.vcpus.get(vcpu);
  if (files === undefined || system.hyp.boot.mode !== "protected") {
    stop(system, "a guest of a KVM that is not protected");
    return undefined;
  }
  if (system.hyp.vms.get(vm)?.handle === undefined) {
    const value = createHypVm(system, vm);
    if (value === undefined || over(system)) return undefined;
    if (value !== 0) return { kind: "errno", errno: value < 0 ? -value : ERRNO.EINVAL };
  }
  const handle = system.hyp.vms.get(vm)?.handle ?? 0;
  const made = createHypVcpu(system, files, handle);
  if (made === undefined || over(system)) return undefined;
  if (made !== 0) return { kind: "errno", errno: -made };
  return runLoaded({ system, vm, vcpu, files });
}

function runLoaded(left: Left): KvmExit | undefined {
  const { system, vm, vcpu } = left;
  const state = system.hyp.vms.get(vm);
  const index = [...(system.kvm.vms.get(vm)?.vcpus.keys() ?? [])].indexOf(vcpu);
  const load = [BigInt(state?.handle ?? 0), BigInt(index), 0n];
  finishMmio(left);
  if (hypercall(system, PROCESS_CPU, "__pkvm_vcpu_load", load) === undefined) return undefined;
  const exit = untilUserSpace(left);
  if (exit === undefined) return undefined;
  if (hypercall(system, PROCESS_CPU, "__pkvm_vcpu_put", []) === undefined) return undefined;
  return exit;
}

/** NON-SPEC: what one entry of a guest counts of the budget. */
const ENTRY_COST = 50;

const spent = ({ system }: Left, where: string): void => {
  perform(system, { kind: "guest_budget_spent", cpu: PROCESS_CPU, where });
};

/** Enters the guest until an exit is user space's. */
function untilUserSpace(left: Left): KvmExit | undefined {
  const { system, vm, vcpu, files } = left;
  const argument = kernelLinear(system.machine.branch, vcpuAddress(left));
  for (let entries = 0; ; entries++) {
    if (entries > system.options.budget / ENTRY_COST) {
      spent(left, `KVM_RUN of vCPU ${vcpu}: it leaves again and again`);
      return undefined;
    }
    // A vCPU that is off waits for another to wake it, and nothing else runs.
    if (system.hyp.vms.get(vm)?.vcpus.get(vcpu)?.stopped === true) {
      spent(left, `KVM_RUN of vCPU ${vcpu}, which is off`);
      return undefined;
    }
    const answer = hypercall(system, PROCESS_CPU, "__kvm_vcpu_run", [argument]);
    if (answer === undefined) return undefined;
    if (answer.x1 !== ARM_EXCEPTION_TRAP) return { kind: "internal error" };
    const handled: Handled = handleExit(left);
    if (handled === undefined || over(system)) return undefined;
    switch (handled.kind) {
      case "again":
        continue;
      case "errno":
        return { kind: "errno", errno: -handled.value };
      case "system event":
        return handled;
      case "mmio": {
        const { address, write, bytes } = files.mmio!;
        return { kind: "mmio", address, write, bytes, data: files.data };
      }
    }
  }
}

/** What the driver answers to every load of a device. Source: measured, behaviour of the driver. */
const READ_ANSWER = 0x5a5a_5a5a_5a5a_5a5an;

/** The driver's loop: again after each access to a device, at most so often. */
export function runGuest(system: System, vm: number, vcpu: number, times: number): void {
  for (let n = 0; n < times; n++) {
    const exit = kvmRun(system, vm, vcpu);
    if (exit === undefined) return;
    system.log.push({ kind: "kvm-exit", vm, vcpu, exit });
    if (exit.kind !== "mmio") break;
    const files = system.kvm.vms.get(vm)?.vcpus.get(vcpu);
    if (!exit.write && files !== undefined) files.data = READ_ANSWER;
  }
  system.log.push({ kind: "answer", of: "ioctl", name: "run_guest", value: 0 });
}

/** An exit in words. */
export function exitText(exit: KvmExit): string {
  switch (exit.kind) {
    case "errno":
      return `fails with ${errnoName(-exit.errno)}`;
    case "mmio": {
      const { address, write, bytes, data } = exit;
      const what = write ? `a store of 0x${data.toString(16)}` : "a load";
      return `${what}, ${bytes} bytes at 0x${address.toString(16)}`;
    }
    case "system event":
      return `system event ${exit.type}, data ${exit.data.map((word) => `0x${word.toString(16)}`)}`;
    case "internal error":
      return "internal error";
  }
}
