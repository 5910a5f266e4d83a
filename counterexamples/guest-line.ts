// A step of a guest, or of the host's KVM for one, as one line.

import { match } from "ts-pattern";
import { PSCI, SMCCC } from "../spec/guest-calls.ts";
import { errnoName } from "../spec/types/errno.ts";
import type { GuestAction } from "../spec/types/guest-action.ts";
import type { GuestEntry } from "../spec/types/outcome.ts";

const hex = (value: bigint | number): string => `0x${value.toString(16)}`;

const NAMES: ReadonlyMap<number, string> = new Map([
  ...Object.entries(SMCCC).map(([name, id]) => [id, name] as const),
  ...Object.entries(PSCI).map(([name, id]) => [id, `PSCI_${name}`] as const),
]);

/** A call of a guest: its name and its arguments up to the last that is not 0. */
function call(x: readonly bigint[]): string {
  const id = Number(BigInt.asUintN(32, x[0] ?? 0n));
  const args = x.slice(1, 4);
  while (args.length > 0 && args.at(-1) === 0n) args.pop();
  return `${NAMES.get(id) ?? hex(id)}(${args.map(hex).join(", ")})`;
}

/** What happened, in a few words. */
export function guestActionLine(action: GuestAction): string {
  return match(action)
    .with({ kind: "KVM_CHECK_EXTENSION" }, (a) => `${a.kind} ${hex(a.capability)}`)
    .with({ kind: "KVM_CREATE_VM" }, (a) => `${a.kind} vm${a.vm} type ${hex(a.type)}`)
    .with({ kind: "KVM_SET_FW_IPA" }, (a) => `${a.kind} vm${a.vm} ${hex(a.ipa)}`)
    .with(
      { kind: "KVM_CREATE_VCPU" },
      { kind: "KVM_RUN" },
      ({ kind, vm, vcpu }) => `${kind} vm${vm} vcpu${vcpu}`,
    )
    .with(
      { kind: "KVM_ARM_VCPU_INIT" },
      (a) => `${a.kind} vm${a.vm} vcpu${a.vcpu} features ${a.features}`,
    )
    .with(
      { kind: "KVM_SET_USER_MEMORY_REGION" },
      (a) => `${a.kind} vm${a.vm} ${hex(a.bytes)} bytes at ${hex(a.gpa)}`,
    )
    .with(
      { kind: "KVM_SET_ONE_REG" },
      (a) => `${a.kind} vm${a.vm} vcpu${a.vcpu} ${a.register} = ${hex(a.value)}`,
    )
    .with({ kind: "pkvm_create_hyp_vm" }, (a) => `${a.kind} vm${a.vm}: ${number(a.value)}`)
    .with(
      { kind: "pkvm_mem_abort" },
      (a) => `${a.kind} vm${a.vm} gfn ${hex(a.gfn)} page ${hex(a.page)}: ${number(a.value)}`,
    )
    .with({ kind: "pkvm_host_reclaim_page" }, (a) => `${a.kind} vm${a.vm} ${hex(a.ipa)}`)
    .with(
      { kind: "kvm_psci_call" },
      { kind: "kvm_smccc_call_handler" },
      ({ kind, vm, vcpu, x }) => `${kind} vm${vm} vcpu${vcpu} ${call(x)}`,
    )
    .with({ kind: "KVM_CLOSE" }, (a) => `${a.kind} vm${a.vm}`)
    .with({ kind: "guest_hvc" }, ({ cpu, x }) => `cpu${cpu} guest HVC ${call(x)}`)
    .with(
      { kind: "guest_abort" },
      ({ cpu, esr, far, ipa }) =>
        `cpu${cpu} guest abort ESR ${hex(esr)} FAR ${hex(far)} at ${hex(ipa)}`,
    )
    .with({ kind: "guest_budget_spent" }, ({ cpu, where }) => `cpu${cpu} stays with ${where}`)
    .exhaustive();
}

const number = (value: number): string => (value < 0 ? errnoName(value) : hex(value));

/** What becomes of a vCPU when it is entered. */
export function entryLine(entry: GuestEntry): string {
  return match(entry)
    .with({ kind: "continues" }, () => "goes on")
    .with({ kind: "starts" }, ({ pc }) => `starts at ${hex(pc)}`)
    .with({ kind: "answered" }, ({ x0 }) => `finds x0 = ${hex(x0)}`)
    .with({ kind: "accessed" }, ({ loads }) =>
      loads === undefined ? "goes past its store" : `loads ${hex(loads.value)}`,
    )
    .with({ kind: "aborts" }, ({ ec, far }) => `takes a ${ec} abort, FAR ${hex(far)}`)
    .with({ kind: "from the host" }, () => "has the registers that the host gives it")
    .exhaustive();
}
