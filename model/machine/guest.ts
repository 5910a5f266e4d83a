// The world switch: a vCPU runs on a core at EL1 under its own stage 2 until it leaves for EL2.

import { type Gates, run } from "../../cpu/core.ts";
import type { Core } from "../../cpu/state.ts";
import type { SysregName } from "../../cpu/sysregs/names.ts";
import { affinityOf } from "../../spec/guest-calls.ts";
import { addressOf } from "../../spec/types/address.ts";
import { type HypVm, vmidOf } from "../../spec/types/hyp-vm.ts";
import { EL1_STATE, type GuestContext, loadContext, saveContext } from "./guest-context.ts";
import { ipaOf } from "./kernel.ts";
import { HYP_ENTER_HOST, HYP_VECTORS } from "./layout.ts";
import type { Machine } from "./machine.ts";

/** Why the guest is no longer running. */
export type GuestRan =
  /** A synchronous exception was taken to EL2. */
  | {
      readonly kind: "exit";
      readonly esr: bigint;
      readonly far: bigint;
      readonly ipa: bigint;
      readonly context: GuestContext;
      readonly instructions: number;
    }
  | { readonly kind: "budget"; readonly where: string; readonly instructions: number }
  | { readonly kind: "unmodelled"; readonly what: string };

/** Which vCPU runs. */
export interface RunningVcpu {
  readonly handle: number;
  readonly index: number;
  readonly vm: HypVm;
}

const bits = (...numbers: readonly number[]): bigint =>
  numbers.reduce((value, bit) => value | (1n << BigInt(bit)), 0n);

/**
 * VM, SWIO, PTW, FMO, IMO, AMO, FB, BSU_IS, TWI, TWE, TSC, TIDCP, TACR, TSW, RW, TLOR.
 * Source: HCR_GUEST_FLAGS, asm/kvm_arm.h (linux 6.1).
 */
const HCR_GUEST = bits(0, 1, 2, 3, 4, 5, 9, 10, 13, 14, 19, 20, 21, 22, 31, 35);
/**
 * TID3 and TID1 of a protected guest. Source: pkvm_vcpu_reset_hcr, hyp/nvhe/pkvm.c (android14-6.1).
 * CHOICE: TVM stays clear, which pKVM sets until the guest turns its caches on.
 */
const HCR_PROTECTED = bits(18, 16);

/** What EL2 needs back when the guest has left: its own view of the host that called it. */
const EL2_STATE = [
  "HCR_EL2",
  "VTTBR_EL2",
  "VMPIDR_EL2",
  "ELR_EL2",
  "SPSR_EL2",
  "ESR_EL2",
  "FAR_EL2",
  "HPFAR_EL2",
] as const satisfies readonly SysregName[];

const VMID_SHIFT = 48n;
/** MPIDR_EL1 bit 31 is one. */
const MPIDR_RES1 = 1n << 31n;

/** Offset of a synchronous exception from a lower level in AArch64. Source: DDI0487 D1.3. */
const LOWER_SYNCHRONOUS = 0x400n;

/** The host's registers, which the guest must not change. */
function keepHost(core: Core): () => void {
  const { sysreg } = core;
  const names = [...EL1_STATE, ...EL2_STATE];
  const values = names.map((name) => sysreg[name]);
  const x = core.x.slice();
  const sp = core.sp.slice();
  const pc = core.pc;
  const pstate = { ...core.pstate };
  return () => {
    names.forEach((name, n) => {
      sysreg[name] = values[n]!;
    });
    core.x.set(x);
    core.sp.set(sp);
    core.pc = pc;
    Object.assign(core.pstate, pstate);
  };
}

function setControls(core: Core, { handle, index, vm }: RunningVcpu): void {
  const { sysreg } = core;
  sysreg.HCR_EL2 = HCR_GUEST | (vm.isProtected ? HCR_PROTECTED : 0n);
  sysreg.VTTBR_EL2 = addressOf(vm.stage2.root) | (BigInt(vmidOf(handle)) << VMID_SHIFT);
  sysreg.VMPIDR_EL2 = MPIDR_RES1 | affinityOf(index);
}

/** Called before each instruction of the guest. */
export type GuestTrace = (pc: bigint, word: number) => void;

/**
 * Enters a vCPU by a real ERET and runs it until it leaves. The core is at EL2 before and after.
 * Source: __guest_enter, __guest_exit, hyp/entry.S; __activate_traps, __load_guest_stage2.
 */
export function runGuest(
  machine: Machine,
  cpu: number,
  vcpu: RunningVcpu,
  context: GuestContext,
  budget: number,
  trace?: GuestTrace,
): GuestRan {
  const core = machine.cores[cpu]!;
  const giveBack = keepHost(core);
  setControls(core, vcpu);
  loadContext(core, context);
  core.pc = HYP_ENTER_HOST;
  const before = core.retired;
  // No address of EL1 is the model's while a guest runs.
  const gates: Gates = { el1: new Set(), el2: machine.gates.stops.el2 };
  const traced =
    trace === undefined ? {} : { trace: (at: Core, word: number) => trace(at.pc, word) };
  const stop = run(core, { budget, gates, ...traced });
  // The ERET is EL2's.
  const instructions = core.retired - before - 1;
  const where = `a guest at 0x${core.pc.toString(16)}`;
  const left = saveContext(core);
  const { ESR_EL2: esr, FAR_EL2: far, HPFAR_EL2: hpfar } = core.sysreg;
  const entered = core.pc - HYP_VECTORS;
  giveBack();
  if (stop.kind === "budget") return { kind: "budget", where, instructions };
  if (stop.kind === "unmodelled") return { kind: "unmodelled", what: `${stop.what} in ${where}` };
  if (stop.kind !== "gate" || entered !== LOWER_SYNCHRONOUS) {
    return { kind: "unmodelled", what: `${stop.kind} in ${where}` };
  }
  return { kind: "exit", esr, far, ipa: ipaOf(hpfar), context: left, instructions };
}
