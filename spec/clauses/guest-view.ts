// What the clauses about guests look up: who runs on a CPU, what it has, what was answered.

import { vmsOf } from "../branches/branches.ts";
import type { Step } from "../clause.ts";
import { isOfEl2 } from "../guest-calls.ts";
import { type Errno, negative } from "../types/errno.ts";
import type { GuestAbort, GuestHvc } from "../types/guest-action.ts";
import type { Hyp } from "../types/hyp.ts";
import type { GuestPage, HypVcpu, HypVm } from "../types/hyp-vm.ts";
import type { Outcome } from "../types/outcome.ts";
import type { VmState } from "../types/vm.ts";
import { all, answers, changesNothing, ensure, equal, spell, type Verdict } from "./phrases.ts";

export type CallStep = Step<GuestHvc>;

/** The VM and the vCPU that a CPU has loaded. */
export interface Running {
  readonly handle: number;
  readonly index: number;
  readonly vm: HypVm;
  readonly vcpu: HypVcpu;
}

export function runningOn(hyp: Hyp, cpu: number): Running | undefined {
  const { handle, vcpu: index } = hyp.loaded[cpu] ?? {};
  if (handle === undefined || index === undefined) return undefined;
  const vm = hyp.vmTable.get(handle);
  const vcpu = vm?.vcpus[index];
  return vm === undefined || vcpu === undefined ? undefined : { handle, index, vm, vcpu };
}

/** Who makes the call, before it. */
export const caller = ({ pre, action }: Step<GuestHvc | GuestAbort>): Running | undefined =>
  runningOn(pre, action.cpu);

/** The same vCPU after it. */
export const callerAfter = ({ post, action }: Step<GuestHvc | GuestAbort>): Running | undefined =>
  runningOn(post, action.cpu);

export const isProtectedCaller = (step: Step<GuestHvc | GuestAbort>): boolean =>
  caller(step)?.vm.isProtected === true;

/** Register xn of the call. */
export const reg = ({ action }: CallStep, n: number): bigint => action.x[n] ?? 0n;

/** The id is 32 bits of x0. */
export const idOf = (step: CallStep): number => Number(BigInt.asUintN(32, reg(step, 0)));

/** Whether a protected guest makes one of these calls. */
export const makes =
  (...ids: readonly number[]) =>
  (step: CallStep): boolean =>
    isProtectedCaller(step) && looksAt(step) && ids.includes(idOf(step));

/** Whether EL2 looks at the call at all. */
export const looksAt = (step: CallStep): boolean => isOfEl2(vmsOf(step.pre.config), idOf(step));

/** Whether x1 lies in the 40 bits of a guest's addresses. */
export const reaches = (step: CallStep): boolean => reg(step, 1) < 1n << 40n;

/** What the guest has at x1. */
export const pageAtX1 = (step: CallStep): GuestPage | undefined =>
  reaches(step) ? caller(step)?.vm.stage2.pages.get(Number(reg(step, 1) >> 12n)) : undefined;

/** EL2 answered the guest these four registers. */
export const tells = (outcome: Outcome, ...x: readonly bigint[]): Verdict =>
  ensure(
    outcome.kind === "guest" &&
      equal(
        outcome.x,
        [0, 1, 2, 3].map((n) => BigInt.asUintN(64, x[n] ?? 0n)),
      ),
    `the guest is not told ${x[0]}: ${spell(outcome)}`,
  );

/** EL2 answered the guest, and nothing else happened. */
export const onlyTells = (step: CallStep, ...x: readonly bigint[]): Verdict =>
  all(tells(step.outcome, ...x), changesNothing(step));

/** The guest leaves, and the host sees so many of its registers and no other. */
export const shows = ({ action, outcome }: CallStep, registers: number): Verdict =>
  ensure(
    outcome.kind === "exits" && equal(outcome.x, action.x.slice(0, registers)),
    `the host does not see ${registers} registers: ${spell(outcome)}`,
  );

/** The VM of user space that an action names. */
export const vmOf = ({
  pre,
  action,
}: Step<never> | { readonly pre: Hyp; readonly action: { readonly vm: number } }):
  | VmState
  | undefined => pre.vms.get((action as { readonly vm: number }).vm);

/** Nothing but one VM of user space changed, and it changed into this. */
export function onlyVm(
  { pre, post, action }: { pre: Hyp; post: Hyp; action: { readonly vm: number } },
  change: Partial<VmState>,
): Verdict {
  const before = pre.vms.get(action.vm);
  const wanted = new Map(pre.vms);
  if (before !== undefined) wanted.set(action.vm, { ...before, ...change });
  return ensure(equal(post.vms, wanted), "the VM is not as it becomes");
}

/** It was refused with a number, whatever else may have been done. */
export const errno = (outcome: Outcome, name: Errno): Verdict => answers(outcome, negative(name));
