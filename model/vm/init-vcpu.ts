// __pkvm_init_vcpu: the host gives the memory of a vCPU; a refusal wipes it.

import type { ClauseId } from "../../spec/clause.ts";
import { cite } from "../../spec/sources.ts";
import { type Errno, negative } from "../../spec/types/errno.ts";
import type { Hyp } from "../../spec/types/hyp.ts";
import type { HypVcpu, HypVm } from "../../spec/types/hyp-vm.ts";
import { after, answered } from "../../spec/types/outcome.ts";
import { hypVcpuBytes, KVM_ARM_VCPU_POWER_OFF, SIZE, VCPU } from "../../spec/vm-layout.ts";
import { argument, type Hypercall, type HypercallArgs, wordAt } from "../dispatch/hypercall.ts";
import type { Guard } from "../transition.ts";
import {
  canPin,
  canTake,
  type Offer,
  offered,
  physicalOf,
  pin,
  returns,
  take,
  takes,
} from "./donated.ts";
import { handleOf, vmOf } from "./loaded.ts";

const hostVcpu = (call: HypercallArgs): bigint => physicalOf(argument(call, 2));

const vcpuMemory = (hyp: Pick<Hyp, "config">, call: HypercallArgs): Offer => ({
  pointer: argument(call, 3),
  bytes: hypVcpuBytes(hyp),
});

const target = (hyp: Pick<Hyp, "vmTable">, call: HypercallArgs): HypVm | undefined =>
  vmOf(hyp, handleOf(argument(call, 1)));

/** A check after the memory was taken: where it fails the memory comes back, wiped. */
const wiping = (
  clause: ClauseId,
  errno: Errno,
  permits: (hyp: Hyp, call: HypercallArgs) => boolean,
): Guard<HypercallArgs> => ({
  clause,
  permits,
  refusal: (hyp, call) => {
    const offer = vcpuMemory(hyp, call);
    return after([...takes(offer), ...returns(offer)], answered(negative(errno)));
  },
});

/** What is asked of a VM; one that is not there was refused before. */
const ofVm =
  (permits: (vm: HypVm, call: HypercallArgs) => boolean) =>
  (hyp: Hyp, call: HypercallArgs): boolean => {
    const vm = target(hyp, call);
    return vm === undefined || permits(vm, call);
  };

const isOff = (call: HypercallArgs): boolean =>
  (wordAt(call, hostVcpu(call) + VCPU.features) & KVM_ARM_VCPU_POWER_OFF) !== 0n;

/** Whether the vCPU is to enter at the firmware. Source: pkvm_vcpu_init_psci (android14-6.1). */
const entersFirmware = ({ isProtected, pvmfwLoadAddr }: HypVm, call: HypercallArgs): boolean =>
  isProtected && !isOff(call) && pvmfwLoadAddr !== undefined;

/** Power and start of a new vCPU. Source: pkvm_vcpu_init_psci, hyp/nvhe/pkvm.c (android14-6.1). */
function powered(vm: HypVm, call: HypercallArgs): Pick<HypVcpu, "power" | "reset"> {
  if (!vm.isProtected) return { power: "ON", reset: undefined };
  if (isOff(call)) return { power: "OFF", reset: undefined };
  if (entersFirmware(vm, call)) return { power: "ON_PENDING", reset: undefined };
  const pc = wordAt(call, hostVcpu(call) + VCPU.pc);
  const x0 = wordAt(call, hostVcpu(call) + VCPU.regs);
  return { power: "ON_PENDING", reset: { pc, x0 } };
}

/** __pkvm_init_vcpu(handle, host_vcpu, memory). A dying VM gets one as well. */
export const initVcpu: Hypercall = {
  name: "__pkvm_init_vcpu",
  source: [
    cite("android14-6.1", "__pkvm_init_vcpu, init_pkvm_hyp_vcpu, hyp/nvhe/pkvm.c"),
    cite("measured", "life-p, vmbad, random-life-201"),
  ],
  guards: [
    {
      clause: "VM-23",
      permits: (hyp, call) => canTake(hyp, vcpuMemory(hyp, call)),
      refusal: () => answered(negative("ENOMEM")),
    },
    wiping("VM-24", "ENOENT", (hyp, call) => target(hyp, call) !== undefined),
    wiping(
      "VM-25",
      "EINVAL",
      ofVm(({ vcpus, createdVcpus }) => vcpus.length < createdVcpus),
    ),
    wiping("VM-26", "EBUSY", (hyp, call) => canPin(hyp, hostVcpu(call), SIZE.vcpu)),
    wiping(
      "VM-27",
      "EINVAL",
      ofVm(
        ({ vcpus }, call) =>
          BigInt.asUintN(32, wordAt(call, hostVcpu(call) + VCPU.vcpuIdx)) === BigInt(vcpus.length),
      ),
    ),
    wiping(
      "VM-28",
      "EINVAL",
      ofVm((vm, call) => vm.primaryVcpu === undefined || !entersFirmware(vm, call)),
    ),
  ],
  effect: (hyp, call) => {
    const vm = hyp.vmTable.get(handleOf(argument(call, 1)));
    const offer = vcpuMemory(hyp, call);
    const memory = offered(offer)[0];
    // Only a removed guard gets here without a VM: the kernel would follow NULL.
    if (vm === undefined || memory === undefined) {
      return { kind: "hyp-panic", reason: "EL2_ABORT" };
    }
    take(hyp, offer);
    pin(hyp, hostVcpu(call), SIZE.vcpu, 1);
    if (entersFirmware(vm as HypVm, call)) vm.primaryVcpu = vm.vcpus.length;
    const state = powered(vm as HypVm, call);
    vm.vcpus.push({ hostVcpu: hostVcpu(call), memory, memcache: [], ...state });
    return after(takes(offer), answered(0));
  },
};
