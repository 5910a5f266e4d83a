// Guests in a small world: a vCPU runs, calls, touches what it has not, and leaves for the host.

import { PSCI, SMCCC } from "../../../spec/guest-calls.ts";
import type { Action } from "../../../spec/types/action.ts";
import { pfn } from "../../../spec/types/address.ts";
import type { GuestAction } from "../../../spec/types/guest-action.ts";
import type { Outcome } from "../../../spec/types/outcome.ts";
import { IFLAG, VCPU } from "../../../spec/vm-layout.ts";
import { type At, HOST } from "./at.ts";
import { hcall } from "./calls.ts";
import { framesOf, GFN, kva, pa, withWords } from "./vm-moves.ts";
import type { Move, World } from "./world.ts";

const IPA = pa(GFN);
/** A page of a device that no guest memory is at. Source: measured, pvm-mmioram. */
const DEVICE = 0x900_0000n;
/** A store and a load of 8 bytes with a syndrome, and a fetch. Source: DDI0487 D24.2.40. */
const ABORTS = [0x9380_0046n, 0x93c3_8006n, 0x8200_0006n] as const;

/** __kvm_vcpu_run of the VM's vCPU: with nothing, past the instruction, with an abort for it. */
export function runGuest({ system }: World, cpu: number, vm: number): readonly Action[] {
  const { vcpu } = framesOf(vm);
  const call = hcall(system, cpu, "__kvm_vcpu_run", kva(vcpu));
  const flag = (value: bigint) => withWords(call, [[pa(vcpu) + VCPU.iflags, value]]);
  return [call, flag(IFLAG.incrementPc), flag(IFLAG.pendingAbort)];
}

/** What a guest does: its calls with one good page, one that it has not, and a bad address. */
export function guestMoves(cpu: number): readonly Move[] {
  const call = (...given: readonly (number | bigint)[]): GuestAction => ({
    kind: "guest_hvc",
    cpu,
    x: Array.from({ length: 18 }, (_, n) => BigInt(given[n] ?? 0)),
  });
  const memory = [SMCCC.MEM_SHARE, SMCCC.MEM_UNSHARE, SMCCC.MEM_RELINQUISH];
  const guarded = [SMCCC.MMIO_GUARD_MAP, SMCCC.MMIO_GUARD_UNMAP];
  const actions: readonly GuestAction[] = [
    ...memory.flatMap((id) => [IPA, IPA + 0x1000n, IPA + 1n].map((ipa) => call(id, ipa))),
    call(SMCCC.HYP_MEMINFO),
    call(SMCCC.MMIO_GUARD_INFO),
    call(SMCCC.MMIO_GUARD_ENROLL),
    ...guarded.map((id) => call(id, DEVICE)),
    call(PSCI.VERSION),
    call(PSCI.CPU_ON64, 0, IPA, 7),
    call(PSCI.CPU_ON64, 9, IPA, 7),
    call(PSCI.AFFINITY_INFO64, 0),
    call(PSCI.SYSTEM_OFF),
    call(PSCI.CPU_OFF),
    call(SMCCC.TRNG_VERSION),
    ...ABORTS.flatMap((esr) =>
      [IPA + 0x1000n, DEVICE].map(
        (ipa): GuestAction => ({ kind: "guest_abort", cpu, esr, far: ipa, ipa, stored: 0x77n }),
      ),
    ),
  ];
  return actions.map((action) => ({ cpu, choice: "", action }));
}

/** What KVM does for a guest at EL1: its memory, its first run, its calls that EL2 left to it. */
export function kvmActions({ size }: World, vm: number): readonly GuestAction[] {
  if (!size.guests) return [];
  const vcpu = 0;
  const hostCall = (
    kind: "kvm_psci_call" | "kvm_smccc_call_handler",
    ...given: readonly (number | bigint)[]
  ): GuestAction => ({
    kind,
    vm,
    vcpu,
    x: Array.from({ length: 4 }, (_, n) => BigInt(given[n] ?? 0)),
  });
  const gfn = Number(GFN);
  return [
    { kind: "KVM_CHECK_EXTENSION", capability: 0xffba_dab1 },
    { kind: "KVM_SET_USER_MEMORY_REGION", vm, gpa: IPA, bytes: 0x1000n },
    { kind: "KVM_SET_USER_MEMORY_REGION", vm, gpa: IPA + 8n, bytes: 0x1000n },
    { kind: "KVM_SET_ONE_REG", vm, vcpu, register: "pc", value: IPA },
    { kind: "pkvm_create_hyp_vm", vm, value: -12 },
    { kind: "pkvm_create_hyp_vm", vm, value: 0x1000 + vm },
    { kind: "pkvm_mem_abort", vm, gfn, page: pfn(0x5_0030), value: 0 },
    { kind: "pkvm_mem_abort", vm, gfn, page: pfn(0x5_0030), value: -1 },
    { kind: "pkvm_host_reclaim_page", vm, ipa: IPA },
    hostCall("kvm_psci_call", PSCI.VERSION),
    hostCall("kvm_psci_call", PSCI.CPU_OFF),
    hostCall("kvm_psci_call", PSCI.SYSTEM_OFF),
    hostCall("kvm_smccc_call_handler", SMCCC.VERSION),
  ];
}

/** Where the CPU is after something about a guest; nothing where the action is none of these. */
export function afterGuest(action: Action, outcome: Outcome): At | undefined {
  if (outcome.kind === "runs") return { at: "guest" };
  if (action.kind !== "guest_hvc" && action.kind !== "guest_abort") return undefined;
  return outcome.kind === "guest" ? { at: "guest" } : HOST;
}
