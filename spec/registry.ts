// Every rule there is, once: clauses about steps, invariants about states, and their lookups.

import type { ClauseId, Invariant, Step, StepClause } from "./clause.ts";
import { ABI } from "./clauses/abi.ts";
import { REGISTERS, TRAPS } from "./clauses/callbacks.ts";
import { DEPRIVILEGE } from "./clauses/deprivilege.ts";
import { DEVICES } from "./clauses/devices.ts";
import { DISPATCH } from "./clauses/dispatch.ts";
import { DOCUMENTED } from "./clauses/documented.ts";
import { GUEST_MEMORY_CALLS } from "./clauses/guest-calls.ts";
import { GUEST_HOST_CALLS } from "./clauses/guest-host-calls.ts";
import { GUEST_IOCTLS } from "./clauses/guest-ioctls.ts";
import { GUEST_PSCI } from "./clauses/guest-psci.ts";
import { GUEST_RUN } from "./clauses/guest-run.ts";
import { HOST_FAULTS } from "./clauses/host-faults.ts";
import { HYP_MAP } from "./clauses/hyp-map.ts";
import {
  DISPATCH_INTENT,
  IMPORTS_INTENT,
  LIFECYCLE_INTENT,
  LOADING_INTENT,
  OPS_INTENT,
  PROTECTION_INTENT,
  SMC_INTENT,
} from "./clauses/intent.ts";
import { KVM_HYPERCALLS } from "./clauses/kvm-hypercalls.ts";
import { LATER_LOADING } from "./clauses/later-loading.ts";
import { LIFECYCLE } from "./clauses/lifecycle.ts";
import { LOADING } from "./clauses/loading.ts";
import { MAPPING } from "./clauses/mapping.ts";
import { MODULE_BEHAVIOUR } from "./clauses/module-behaviour.ts";
import { MODULE_CODE } from "./clauses/module-code.ts";
import { MODULE_PANICS } from "./clauses/module-panics.ts";
import { OWNERSHIP } from "./clauses/ownership.ts";
import { PROTECTION } from "./clauses/protection.ts";
import { PSCI_CLAUSES } from "./clauses/psci.ts";
import { REGISTRATION } from "./clauses/registration.ts";
import { SEVERAL_HANDLERS } from "./clauses/several-handlers.ts";
import { SMC } from "./clauses/smc.ts";
import { UNCONFIGURED } from "./clauses/unconfigured.ts";
import { UNLOAD } from "./clauses/unload.ts";
import { VM } from "./clauses/vm.ts";
import { VM_DONATE } from "./clauses/vm-donate.ts";
import { VM_INIT } from "./clauses/vm-init.ts";
import { VM_INTENT } from "./clauses/vm-intent.ts";
import { VM_LOAD } from "./clauses/vm-load.ts";
import { VM_MAP } from "./clauses/vm-map.ts";
import { VM_RESERVED } from "./clauses/vm-reserved.ts";
import { VM_TEARDOWN } from "./clauses/vm-teardown.ts";
import { DISPATCH_INVARIANTS } from "./invariants/dispatch.ts";
import { GUEST_INVARIANTS } from "./invariants/guests.ts";
import { INTENT_INVARIANTS } from "./invariants/intent.ts";
import { LIFECYCLE_INVARIANTS } from "./invariants/lifecycle.ts";
import { MEMORY_INVARIANTS } from "./invariants/memory.ts";
import { MODULE_INVARIANTS } from "./invariants/modules.ts";
import { OWNERSHIP_INVARIANTS } from "./invariants/ownership.ts";
import type { ActionKind } from "./types/action.ts";
import type { Hyp } from "./types/hyp.ts";

/** Rules in the order of their numbers, from however many files. */
function byNumber<Rule extends { readonly id: string }>(rules: readonly Rule[]): readonly Rule[] {
  const numberOf = ({ id }: Rule): number => Number(id.split("-")[1]);
  return rules.toSorted((a, b) => numberOf(a) - numberOf(b));
}

/** All clauses, in the order of their ids. */
export const CLAUSES: readonly StepClause[] = [
  ...byNumber([...LIFECYCLE, ...DEPRIVILEGE, ...UNLOAD, ...LIFECYCLE_INTENT]),
  ...byNumber([...LOADING, ...MAPPING, ...LATER_LOADING, ...LOADING_INTENT, ...IMPORTS_INTENT]),
  ...REGISTRATION,
  ...SEVERAL_HANDLERS,
  ...byNumber([...DISPATCH, ...KVM_HYPERCALLS, ...TRAPS, ...DISPATCH_INTENT]),
  ...byNumber([
    ...OWNERSHIP,
    ...HYP_MAP,
    ...PROTECTION,
    ...DEVICES,
    ...HOST_FAULTS,
    ...PROTECTION_INTENT,
  ]),
  ...byNumber([
    ...VM,
    ...VM_INIT,
    ...VM_LOAD,
    ...VM_TEARDOWN,
    ...VM_MAP,
    ...UNCONFIGURED,
    ...VM_RESERVED,
    ...VM_DONATE,
    ...VM_INTENT,
  ]),
  ...byNumber([
    ...GUEST_IOCTLS,
    ...GUEST_RUN,
    ...GUEST_MEMORY_CALLS,
    ...GUEST_PSCI,
    ...GUEST_HOST_CALLS,
  ]),
  ...byNumber([...PSCI_CLAUSES, ...SMC, ...SMC_INTENT]),
  ...byNumber([...ABI, ...REGISTERS, ...OPS_INTENT]),
  ...DOCUMENTED,
  ...MODULE_CODE,
  ...MODULE_BEHAVIOUR,
  ...MODULE_PANICS,
];

/** All invariants, in the order of their ids. */
export const INVARIANTS: readonly Invariant[] = [
  ...LIFECYCLE_INVARIANTS,
  ...MEMORY_INVARIANTS,
  ...DISPATCH_INVARIANTS,
  ...OWNERSHIP_INVARIANTS,
  ...MODULE_INVARIANTS,
  ...GUEST_INVARIANTS,
  ...INTENT_INVARIANTS,
];

const CLAUSES_BY_ID = new Map(CLAUSES.map((rule) => [rule.id, rule]));
const INVARIANTS_BY_ID = new Map(INVARIANTS.map((rule) => [rule.id, rule]));

/** The clause of an id. */
export const clauseOf = (id: ClauseId): StepClause | undefined => CLAUSES_BY_ID.get(id);

/** The invariant of an id. */
export const invariantOf = (id: Invariant["id"]): Invariant | undefined => INVARIANTS_BY_ID.get(id);

const CLAUSES_ON = new Map<ActionKind, readonly StepClause[]>();

/** The clauses that speak of a kind of action. */
export function clausesOn(kind: ActionKind): readonly StepClause[] {
  const found = CLAUSES_ON.get(kind) ?? CLAUSES.filter(({ on }) => on.includes(kind));
  CLAUSES_ON.set(kind, found);
  return found;
}

/** Whether a rule says anything about the branch of a system. */
export const speaksOf = (
  { branches }: StepClause | Invariant,
  { config }: Pick<Hyp, "config">,
): boolean => branches === undefined || branches.includes(config.branch);

/** What one rule says of one step or state; `wrong` is empty if it holds. */
export interface Judgement<Rule> {
  readonly rule: Rule;
  readonly wrong: readonly string[];
}

/**
 * Every clause that applies to a step, and what it says. A step that the model does not know is
 * judged by none: the run has stopped with its name, and nothing is claimed about it.
 */
export function judgeStep(
  step: Step,
  clauses: readonly StepClause[] = clausesOn(step.action.kind),
): readonly Judgement<StepClause>[] {
  if (step.outcome.kind === "unmodelled") return [];
  return clauses
    .filter((rule) => speaksOf(rule, step.pre) && rule.applies(step))
    .map((rule) => {
      const verdict = rule.holds(step);
      return { rule, wrong: verdict === true ? [] : [verdict] };
    });
}

/** Every invariant that applies to a state, and what it says. */
export const judgeState = (hyp: Hyp): readonly Judgement<Invariant>[] =>
  INVARIANTS.filter((rule) => speaksOf(rule, hyp) && rule.applies(hyp)).map((rule) => ({
    rule,
    wrong: rule.violations(hyp),
  }));
