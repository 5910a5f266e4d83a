// PSCI of a protected guest: what EL2 answers itself, and what it leaves to the host.

import {
  AFFINITY,
  AFFINITY_BITS,
  affinityMask,
  affinityOf,
  functionOf,
  PSCI,
  RET,
  SMCCC,
} from "../../spec/guest-calls.ts";
import { cite } from "../../spec/sources.ts";
import type { GuestHvc } from "../../spec/types/guest-action.ts";
import type { Hyp } from "../../spec/types/hyp.ts";
import type { HypVcpu, HypVm } from "../../spec/types/hyp-vm.ts";
import type { Guard, Mutable } from "../transition.ts";
import { loadedOn } from "../vm/loaded.ts";
import { argument, type GuestCall, running, toGuest, toHost } from "./answers.ts";

const SOURCE = (name: string) => cite("android14-6.1", `${name}, hyp/nvhe/pkvm.c`);

/** An argument of a call with 32-bit arguments. Source: kvm_psci_narrow_to_32bit. */
const narrowed = (call: GuestHvc, n: number): bigint =>
  (functionOf(call.x) & 0x4000_0000) === 0
    ? BigInt.asUintN(32, argument(call, n))
    : argument(call, n);

const vmOn = (hyp: Hyp, { cpu }: GuestHvc): HypVm | undefined => loadedOn(hyp, cpu)?.vm;

/** Source: kvm_psci_valid_affinity, kvm/arm_psci.h. */
const isAffinity = (affinity: bigint): boolean => (affinity & ~AFFINITY_BITS) === 0n;

/** The vCPU that CPU_ON names. Source: pkvm_mpidr_to_hyp_vcpu. */
const targetOf = (vm: HypVm | undefined, call: GuestHvc): HypVcpu | undefined =>
  vm?.vcpus.find((_, index) => affinityOf(index) === narrowed(call, 1));

const valid: Guard<GuestHvc> = {
  clause: "GUEST-44",
  permits: (_, call) => isAffinity(narrowed(call, 1)),
  refusal: () => toGuest(RET.INVALID_PARAMETERS),
};

/**
 * Another vCPU of the guest shall start; the host is told which. What is no affinity is no vCPU's.
 */
export const cpuOn: GuestCall = {
  name: "pvm_psci_vcpu_on",
  source: [SOURCE("pvm_psci_vcpu_on, kvm_psci_valid_affinity, pkvm_mpidr_to_hyp_vcpu")],
  guards: [
    {
      clause: "GUEST-41",
      permits: (hyp, call) => targetOf(vmOn(hyp, call), call) !== undefined,
      refusal: () => toGuest(RET.INVALID_PARAMETERS),
    },
    {
      clause: "GUEST-42",
      permits: (hyp, call) => targetOf(vmOn(hyp, call), call)?.power !== "ON_PENDING",
      refusal: () => toGuest(RET.ON_PENDING),
    },
    {
      clause: "GUEST-43",
      permits: (hyp, call) => targetOf(vmOn(hyp, call), call)?.power !== "ON",
      refusal: () => toGuest(RET.ALREADY_ON),
    },
  ],
  effect: (hyp, call) => {
    const { vm } = running(hyp, call.cpu);
    const target = targetOf(vm as HypVm, call) as Mutable<HypVcpu> | undefined;
    if (target !== undefined) {
      target.power = "ON_PENDING";
      target.reset = { pc: narrowed(call, 2), x0: narrowed(call, 3) };
    }
    return toHost(call, 2);
  },
};

/** Source: pvm_psci_vcpu_off: the host takes the vCPU off its CPU. */
export const cpuOff: GuestCall = {
  name: "pvm_psci_vcpu_off",
  source: [SOURCE("pvm_psci_vcpu_off")],
  guards: [],
  effect: (hyp, call) => {
    running(hyp, call.cpu).vcpu.power = "OFF";
    return toHost(call, 1);
  },
};

/** ON if one that matches is on, otherwise ON_PENDING if one is, otherwise OFF. */
export const affinityInfo: GuestCall = {
  name: "pvm_psci_vcpu_affinity_info",
  source: [
    SOURCE("pvm_psci_vcpu_affinity_info"),
    cite("measured", "pvm-peek: 0 for vCPU 0, -2 for vCPU 5"),
  ],
  guards: [
    valid,
    {
      clause: "GUEST-45",
      permits: (_, call) => affinityMask(narrowed(call, 2)) !== 0n,
      refusal: () => toGuest(RET.INVALID_PARAMETERS),
    },
    {
      clause: "GUEST-46",
      permits: (hyp, call) => matching(vmOn(hyp, call), call).length > 0,
      refusal: () => toGuest(RET.INVALID_PARAMETERS),
    },
  ],
  effect: (hyp, call) => {
    const powers = matching(running(hyp, call.cpu).vm as HypVm, call).map(({ power }) => power);
    if (powers.includes("ON")) return toGuest(AFFINITY.ON);
    return toGuest(powers.includes("ON_PENDING") ? AFFINITY.ON_PENDING : AFFINITY.OFF);
  },
};

function matching(vm: HypVm | undefined, call: GuestHvc): readonly HypVcpu[] {
  const mask = affinityMask(narrowed(call, 2));
  const wanted = narrowed(call, 1) & mask;
  return vm?.vcpus.filter((_, index) => (affinityOf(index) & mask) === wanted) ?? [];
}

/** KVM_ARM_PSCI_1_1. Source: kvm/arm_psci.h (android14-6.1); measured, pvm-peek. */
const PSCI_1_1 = 0x1_0001n;

export const psciVersion: GuestCall = {
  name: "pvm_psci_version",
  source: [SOURCE("pvm_psci_version"), cite("measured", "pvm-peek: 0x10001")],
  guards: [],
  effect: () => toGuest(PSCI_1_1),
};

/** What PSCI_FEATURES says yes to. Source: pvm_psci_features, hyp/nvhe/pkvm.c. */
const FEATURES: ReadonlySet<number> = new Set([
  PSCI.VERSION,
  PSCI.CPU_SUSPEND,
  PSCI.CPU_SUSPEND64,
  PSCI.CPU_OFF,
  PSCI.CPU_ON,
  PSCI.CPU_ON64,
  PSCI.AFFINITY_INFO,
  PSCI.AFFINITY_INFO64,
  PSCI.SYSTEM_OFF,
  PSCI.SYSTEM_RESET,
  PSCI.FEATURES,
  PSCI.SYSTEM_RESET2,
  PSCI.SYSTEM_RESET2_64,
  SMCCC.VERSION,
]);

export const psciFeatures: GuestCall = {
  name: "pvm_psci_features",
  source: [SOURCE("pvm_psci_features"), cite("measured", "pvm-peek: 0 for CPU_ON, SYSTEM_OFF")],
  guards: [
    {
      clause: "GUEST-47",
      permits: (_, call) => FEATURES.has(Number(BigInt.asUintN(32, argument(call, 1)))),
      refusal: () => toGuest(RET.NOT_SUPPORTED),
    },
  ],
  effect: () => toGuest(RET.SUCCESS),
};

/** Calls that only the host can do: how many registers it sees. Source: handle_pvm_exit_hvc64. */
const forwarded = (name: string, registers: number): GuestCall => ({
  name,
  source: [SOURCE("pkvm_handle_psci"), cite("measured", "every guest: SYSTEM_OFF ends KVM_RUN")],
  guards: [],
  effect: (_, call) => toHost(call, registers),
});
export const systemOff = forwarded("pvm_psci_system_off", 1);
export const systemReset2 = forwarded("pvm_psci_system_reset2", 3);
export const cpuSuspend = forwarded("pvm_psci_cpu_suspend", 1);
