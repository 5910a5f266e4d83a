// __kvm_vcpu_run: which vCPU may run, and what of the host's answer reaches it.

import { vmsOf } from "../../spec/branches/branches.ts";
import { affinityOf, PSCI, RET, SMCCC } from "../../spec/guest-calls.ts";
import { cite } from "../../spec/sources.ts";
import { negative } from "../../spec/types/errno.ts";
import type { Hyp } from "../../spec/types/hyp.ts";
import type { HypVcpu, HypVm, VcpuExit } from "../../spec/types/hyp-vm.ts";
import { answered, type GuestEntry } from "../../spec/types/outcome.ts";
import { IFLAG, VCPU } from "../../spec/vm-layout.ts";
import { argument, type Hypercall, type HypercallArgs, wordAt } from "../dispatch/hypercall.ts";
import type { Mutable } from "../transition.ts";
import { physicalOf } from "../vm/donated.ts";
import { loadedOn } from "../vm/loaded.ts";

/** X0 to X14 of a vCPU that enters at the firmware come from the host. */
const FIRMWARE_REGISTERS = 15;

/** A register of the host's copy. */
const hostRegister = (call: HypercallArgs, { hostVcpu }: Pick<HypVcpu, "hostVcpu">, n: number) =>
  wordAt(call, hostVcpu + VCPU.regs + BigInt(8 * n));

/**
 * The first entry of a protected vCPU: at the firmware with the guard on, or where it was told.
 * Source: pkvm_reset_vcpu, hyp/nvhe/pkvm.c (android14-6.1); measured, fw-modok-iommufin.
 */
function start(vm: Mutable<HypVm>, vcpu: Mutable<HypVcpu>, call: HypercallArgs): GuestEntry {
  vcpu.power = "ON";
  delete vcpu.exit;
  if (vm.primaryVcpu !== undefined && vm.vcpus[Number(vm.primaryVcpu)] === vcpu) {
    vm.primaryVcpu = "entered";
    vm.mmioGuard = true;
    const x = Array.from({ length: FIRMWARE_REGISTERS }, (_, n) => hostRegister(call, vcpu, n));
    return { kind: "starts", pc: vm.pvmfwLoadAddr ?? 0n, x };
  }
  const { pc, x0 } = vcpu.reset ?? { pc: 0n, x0: 0n };
  vcpu.reset = undefined;
  return { kind: "starts", pc, x: [x0] };
}

/**
 * What the host's answer to a call does. Source: handle_pvm_entry_hvc64, handle_pvm_entry_psci,
 * hyp/nvhe/hyp-main.c (android14-6.1).
 */
function afterCall(
  vm: Mutable<HypVm>,
  vcpu: Mutable<HypVcpu>,
  { id, x1 }: Extract<VcpuExit, { kind: "hvc" }>,
  call: HypercallArgs,
): GuestEntry {
  switch (id) {
    case SMCCC.MEM_SHARE:
    case SMCCC.MEM_UNSHARE:
    case SMCCC.MEM_RELINQUISH:
      return { kind: "answered", x0: RET.SUCCESS };
    case SMCCC.MMIO_GUARD_MAP:
      // The call is made again, with the pages that the host put into its cache.
      return { kind: "continues" };
    case PSCI.CPU_ON:
    case PSCI.CPU_ON64:
      return { kind: "answered", x0: turnedOn(vm, x1, hostRegister(call, vcpu, 0)) };
    default:
      return { kind: "answered", x0: hostRegister(call, vcpu, 0) };
  }
}

/** A CPU_ON that the host refuses is undone, unless the vCPU runs already. */
function turnedOn(vm: Mutable<HypVm>, affinity: bigint, answer: bigint): bigint {
  const target = vm.vcpus.find((_, index) => affinityOf(index) === affinity);
  if (answer === RET.SUCCESS || target?.power !== "ON_PENDING") return RET.SUCCESS;
  target.power = "OFF";
  target.reset = undefined;
  return RET.INTERNAL_FAILURE;
}

/** Source: handle_pvm_entry_dabt, handle_pvm_entry_iabt, hyp/nvhe/hyp-main.c (android14-6.1). */
function afterAbort(
  exit: Extract<VcpuExit, { far: bigint }>,
  vcpu: HypVcpu,
  call: HypercallArgs,
): GuestEntry {
  const flags = wordAt(call, vcpu.hostVcpu + VCPU.iflags);
  const ec = exit.kind === "data abort" ? "data" : "instruction";
  if ((flags & IFLAG.pendingAbort) !== 0n) return { kind: "aborts", ec, far: exit.far };
  if (exit.kind !== "data abort" || (flags & IFLAG.incrementPc) === 0n) {
    return { kind: "continues" };
  }
  const { mmio, loads } = exit;
  const loaded = mmio && loads !== undefined;
  const value = hostRegister(call, vcpu, 0);
  return { kind: "accessed", loads: loaded ? { register: loads, value } : undefined };
}

function entryOf(
  { config }: Pick<Hyp, "config">,
  vm: Mutable<HypVm>,
  vcpu: Mutable<HypVcpu>,
  call: HypercallArgs,
): GuestEntry {
  if (!vm.isProtected || !vmsOf(config).keepsRegisters) return { kind: "from the host" };
  if (vcpu.power === "ON_PENDING") return start(vm, vcpu, call);
  const { exit } = vcpu;
  if (exit === undefined) return { kind: "continues" };
  delete vcpu.exit;
  switch (exit.kind) {
    case "hvc":
      return afterCall(vm, vcpu, exit, call);
    case "other":
      return { kind: "continues" };
    default:
      return afterAbort(exit, vcpu as HypVcpu, call);
  }
}

/**
 * __kvm_vcpu_run(host_vcpu): the vCPU that is loaded on this CPU, and no other. Where the host has
 * the registers the argument is not looked at.
 */
export const vcpuRun: Hypercall = {
  name: "__kvm_vcpu_run",
  source: [
    cite("android14-6.1", "handle___kvm_vcpu_run, flush_hyp_vcpu, hyp/nvhe/hyp-main.c"),
    cite("measured", "pvm-peek, fw-modok-iommufin; vmbad: -22 with no vCPU loaded"),
  ],
  guards: [
    {
      clause: "GUEST-10",
      permits: (hyp, { cpu }) => loadedOn(hyp, cpu) !== undefined,
      refusal: () => answered(negative("EINVAL")),
    },
    {
      clause: "GUEST-11",
      permits: (hyp, call) => {
        const loaded = loadedOn(hyp, call.cpu);
        if (loaded === undefined || !vmsOf(hyp.config).keepsRegisters) return true;
        return loaded.vcpu.hostVcpu === physicalOf(argument(call, 1));
      },
      refusal: () => answered(negative("EINVAL")),
    },
    {
      clause: "GUEST-12",
      permits: (hyp, { cpu }) => loadedOn(hyp, cpu)?.vcpu.power !== "OFF",
      refusal: () => answered(negative("EINVAL")),
    },
  ],
  effect: (hyp, call) => {
    const loaded = loadedOn(hyp as unknown as Hyp, call.cpu);
    // Only a removed guard gets here without a vCPU: the kernel would follow NULL.
    if (loaded === undefined) return { kind: "hyp-panic", reason: "EL2_ABORT" };
    const vcpu = loaded.vcpu as Mutable<HypVcpu>;
    const entry = entryOf(hyp, loaded.vm as Mutable<HypVm>, vcpu, call);
    return { kind: "runs", entry };
  },
};
