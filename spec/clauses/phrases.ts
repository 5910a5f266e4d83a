// The phrases of the clauses: what was answered, what was called, what stayed as it was.

import { isDeepStrictEqual } from "node:util";
import type { Step } from "../clause.ts";
import type { Action, ActionKind } from "../types/action.ts";
import { type Errno, errnoName, negative } from "../types/errno.ts";
import type { Hyp } from "../types/hyp.ts";
import {
  type Outcome,
  SMCCC_RET_NOT_SUPPORTED,
  SMCCC_RET_SUCCESS,
  signed,
} from "../types/outcome.ts";

/** True, or a sentence that says what is wrong. */
export type Verdict = true | string;

/** True if the condition is; otherwise the sentence. */
export const ensure = (condition: boolean, otherwise: string): Verdict => condition || otherwise;

/** True if every verdict is; otherwise the first that is not. */
export const all = (...verdicts: readonly Verdict[]): Verdict =>
  verdicts.find((verdict) => verdict !== true) ?? true;

/** What was answered, as a person reads it. */
export function spell(outcome: Outcome): string {
  switch (outcome.kind) {
    case "returned":
      return `returned ${errnoName(Number(signed(outcome.value)))}`;
    case "hcall":
      return outcome.x1 === undefined
        ? `x0 = ${signed(outcome.x0)}, x1 untouched`
        : `x0 = ${signed(outcome.x0)}, x1 = ${errnoName(Number(signed(outcome.x1)))}`;
    case "enters":
      return `entered EL2 at 0x${outcome.address.toString(16)}`;
    case "registers":
      return `x0.. = ${outcome.x.map(signed).join(" ")}`;
    case "off":
      return `no return from ${outcome.what}`;
    case "runs":
      return `entered a guest: ${outcome.entry.kind}`;
    case "guest":
      return `answered its guest x0 = ${signed(outcome.x[0] ?? 0n)}`;
    case "exits":
      return `left for the host, ESR 0x${outcome.esr.toString(16)}`;
    case "user":
      return `left for user space with system event ${outcome.event.type}`;
    case "hyp-panic":
    case "host-panic":
      return `${outcome.kind} ${outcome.reason}`;
    case "hang":
      return `hang in ${outcome.where}`;
    case "unmodelled":
      return `unmodelled ${outcome.what}`;
  }
}

/** The number that a function returned, or that a known hypercall answered in x1. */
export function answer(outcome: Outcome): bigint | undefined {
  if (outcome.kind === "returned") return signed(outcome.value);
  if (outcome.kind !== "hcall" || outcome.x0 !== SMCCC_RET_SUCCESS) return undefined;
  return outcome.x1 === undefined ? undefined : signed(outcome.x1);
}

/** Whether the answer is 0. */
export const succeeded = (outcome: Outcome): boolean => answer(outcome) === 0n;

/** The answer is this number. */
export const answers = (outcome: Outcome, value: bigint | number): Verdict =>
  ensure(
    answer(outcome) === BigInt(value),
    `the answer is not ${errnoName(Number(value))}: ${spell(outcome)}`,
  );

/** Whether a hypercall was not known: x0 is SMCCC_RET_NOT_SUPPORTED. */
export const isUnknown = (outcome: Outcome): boolean =>
  outcome.kind === "hcall" && outcome.x0 === SMCCC_RET_NOT_SUPPORTED;

/** The hypercall was not known, and only x0 says so. */
export const unknown = (outcome: Outcome): Verdict =>
  ensure(
    isUnknown(outcome) && outcome.kind === "hcall" && outcome.x1 === undefined,
    `the id was not answered NOT_SUPPORTED with x1 untouched: ${spell(outcome)}`,
  );

/** EL2 panicked for this reason. */
export const panics = (outcome: Outcome, reason: string): Verdict =>
  ensure(
    outcome.kind === "hyp-panic" && outcome.reason === reason,
    `no panic ${reason}: ${spell(outcome)}`,
  );

type Part = {
  [K in keyof Hyp]: K | (Hyp[K] extends ReadonlyMap<unknown, unknown> ? never : SubPart<K>);
}[keyof Hyp];
type SubPart<K extends keyof Hyp> = K extends "boot" | "firmware" | "el2" | "dispatch"
  ? `${K}.${keyof Hyp[K] & string}`
  : never;

/** The parts of the state that two states do not share, one level deep. */
export function changedParts(pre: Hyp, post: Hyp): readonly string[] {
  const changed: string[] = [];
  for (const part of Object.keys(pre) as (keyof Hyp)[]) {
    if (pre[part] === post[part] || isDeepStrictEqual(pre[part], post[part])) continue;
    if (part === "boot" || part === "firmware" || part === "el2" || part === "dispatch") {
      const [before, after] = [pre[part], post[part]] as [object, object];
      for (const [key, value] of Object.entries(before)) {
        const now = (after as Record<string, unknown>)[key];
        if (!isDeepStrictEqual(value, now)) changed.push(`${part}.${key}`);
      }
    } else changed.push(part);
  }
  return changed;
}

/** Nothing changed but the parts named (a part names its sub-parts with it). */
export function changesOnly({ pre, post }: Step<Action>, ...parts: readonly Part[]): Verdict {
  const allowed: readonly string[] = parts;
  const others = changedParts(pre, post).filter(
    (part) => !allowed.includes(part) && !allowed.includes(part.split(".")[0] ?? part),
  );
  return ensure(others.length === 0, `it also changed ${others.join(", ")}`);
}

/** Nothing changed at all. */
export const changesNothing = (step: Step<Action>): Verdict => changesOnly(step);

/** It was refused with this errno, and nothing changed. */
export const refuses = (step: Step<Action>, errno: Errno): Verdict =>
  all(answers(step.outcome, negative(errno)), changesNothing(step));

/** Two values are the same, all the way down. */
export const equal = (a: unknown, b: unknown): boolean => isDeepStrictEqual(a, b);

const KINDS: Readonly<Record<ActionKind, true>> = {
  parse_early_param: true,
  kvm_arm_init: true,
  pkvm_request_early_module: true,
  modprobe_exit: true,
  pkvm_load_early_modules: true,
  pkvm_firmware_rmem_clear: true,
  pkvm_drop_host_privileges: true,
  load_module: true,
  module_init_returned: true,
  __pkvm_load_el2_module: true,
  el2_module_reserved: true,
  pkvm_reloc_imported_symbols: true,
  el2_module_loaded: true,
  delete_module: true,
  pkvm_iommu_finalize: true,
  hvc: true,
  el2_init_returned: true,
  handler_returned: true,
  op: true,
  el2_access: true,
  call_repeated: true,
  secrets_varied: true,
  op_failed: true,
  el2_exception: true,
  host_oops: true,
  host_panic: true,
  budget_spent: true,
  host_mem_abort: true,
  smc: true,
  host_smc_handler_returned: true,
  psci_notified: true,
  psci_cpu_entry: true,
  host_perm_fault: true,
  host_perm_fault_handler_returned: true,
  illegal_abort: true,
  host_inject_abort: true,
  host_trap: true,
  default_trap_handler_returned: true,
  KVM_CHECK_EXTENSION: true,
  KVM_CREATE_VM: true,
  KVM_SET_FW_IPA: true,
  KVM_CREATE_VCPU: true,
  KVM_ARM_VCPU_INIT: true,
  KVM_SET_USER_MEMORY_REGION: true,
  KVM_SET_ONE_REG: true,
  KVM_RUN: true,
  pkvm_create_hyp_vm: true,
  pkvm_mem_abort: true,
  pkvm_host_reclaim_page: true,
  kvm_psci_call: true,
  kvm_smccc_call_handler: true,
  KVM_CLOSE: true,
  guest_hvc: true,
  guest_abort: true,
  guest_budget_spent: true,
};

/** Every kind of action: what a clause is on that says what never changes. */
export const EVERY_ACTION = Object.keys(KINDS) as readonly ActionKind[];
