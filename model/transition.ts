// What a transition is: guards in the kernel's order, then an effect that cannot be refused.

import { enableMapSet, produce } from "immer";
import type { ClauseId } from "../spec/clause.ts";
import type { Source } from "../spec/sources.ts";
import type { End, Hyp } from "../spec/types/hyp.ts";
import { after, eventsOf, type Outcome, type PanicReason } from "../spec/types/outcome.ts";

enableMapSet();

type Atom = string | number | bigint | boolean | symbol | undefined | null;

/**
 * A readonly type as immer's draft of it. Branded bigints stay what they are, which immer's own
 * Draft breaks.
 */
export type Mutable<T> = T extends Atom
  ? T
  : T extends ReadonlyMap<infer K, infer V>
    ? Map<K, Mutable<V>>
    : T extends ReadonlySet<infer V>
      ? Set<V>
      : T extends readonly (infer E)[]
        ? Mutable<E>[]
        : { -readonly [P in keyof T]: Mutable<T[P]> };

/**
 * One check: the clause that it keeps, what it demands, and the answer when the demand is not met.
 */
export interface Guard<A> {
  readonly clause: ClauseId;
  readonly permits: (hyp: Hyp, action: A) => boolean;
  readonly refusal: (hyp: Hyp, action: A) => Outcome;
}

/** One thing that the system can do. */
export interface Transition<A> {
  /**
   * The kernel's name of it; of a hypercall the name in its table. `NAME@BRANCH` is what a branch
   * does otherwise than android14-6.1; `handle_NAME` is a hypercall before the function of its own
   * name, where that is a transition too.
   */
  readonly name: string;
  readonly source: readonly Source[];
  readonly guards: readonly Guard<A>[];
  /** Changes the draft and says what is answered. */
  readonly effect: (hyp: Mutable<Hyp>, action: A) => Outcome;
  /**
   * What the same function goes on with after its effect: further checks that come too late to undo
   * what was done. The answer is then theirs, and what happened to memory is told in one row.
   */
  readonly next?: (post: Hyp, action: A, outcome: Outcome) => Transition<A> | undefined;
}

/**
 * `NAME/CLAUSE`: one guard of one transition; naming it in `omit` removes it, to show that it
 * matters.
 */
export type GuardKey = `${string}/${ClauseId}`;

/** How an effect is let change a state: the state after is a new one, or the same if unchanged. */
export type Change = (
  pre: Hyp,
  effect: (draft: Mutable<Hyp>) => Outcome,
) => { readonly post: Hyp; readonly outcome: Outcome };

/** What `apply` needs besides state and action. */
export interface ApplyOptions {
  readonly omit?: ReadonlySet<string>;
  /** Immer where nothing is said; a search copies plainly. */
  readonly change?: Change;
}

/** The state after, the answer, and the guard that refused, if one did. */
export interface Applied {
  readonly post: Hyp;
  readonly outcome: Outcome;
  readonly refusedBy: ClauseId | undefined;
  readonly transition: string;
  /** Transitions whose effects came before the one that answered. */
  readonly through?: readonly string[];
}

/**
 * The syndrome of a failed check at EL2: BRK with the immediate of BUG and WARN.
 * Source: BUG_BRK_IMM 0x800, asm/brk-imm.h; measured, "HYP panic: ESR" 0xf2000800.
 */
const BUG_ESR = 0xf200_0800n;

/** What EL2 dies of by itself is a check of its own, but for an access that has no mapping. */
const syndromeOf = (reason: PanicReason): bigint | undefined =>
  reason === "EL2_ABORT" ? undefined : BUG_ESR;

/** How an outcome ends the system, if it does. */
function endOf(outcome: Outcome): End | undefined {
  switch (outcome.kind) {
    case "hyp-panic":
      return { kind: "hyp-panic", reason: outcome.reason, esr: syndromeOf(outcome.reason) };
    case "host-panic":
      return { kind: "host-panic", reason: outcome.reason };
    case "hang":
      return { kind: "hang", where: outcome.where };
    default:
      return undefined;
  }
}

/** One draft of immer's: what the effect leaves alone is shared with the state before. */
export const withImmer: Change = (pre, effect) => {
  let outcome: Outcome | undefined;
  const post = produce(pre, (draft) => {
    outcome = effect(draft as Mutable<Hyp>);
  });
  return { post, outcome: outcome as unknown as Outcome };
};

/** Runs one transition: the first guard that does not permit answers; otherwise the effect does. */
export function apply<A>(
  transition: Transition<A>,
  pre: Hyp,
  action: A,
  options: ApplyOptions = {},
): Applied {
  for (const guard of transition.guards) {
    const key: GuardKey = `${transition.name}/${guard.clause}`;
    if (options.omit?.has(key)) continue;
    if (!guard.permits(pre, action)) {
      const outcome = guard.refusal(pre, action);
      return {
        post: withEnd(pre, outcome),
        outcome,
        refusedBy: guard.clause,
        transition: transition.name,
      };
    }
  }
  const change = options.change ?? withImmer;
  const { post, outcome } = change(pre, (draft) => transition.effect(draft, action));
  if (outcome === undefined) throw new Error(`${transition.name}: the effect answered nothing`);
  const next = transition.next?.(post, action, outcome);
  if (next !== undefined) {
    const rest = apply(next, post, action, options);
    return {
      ...rest,
      outcome: after(eventsOf(outcome), rest.outcome),
      through: [transition.name, ...(rest.through ?? [])],
    };
  }
  return {
    post: withEnd(post, outcome),
    outcome,
    refusedBy: undefined,
    transition: transition.name,
  };
}

/** The state with its end marked, when the outcome is one that nothing follows. */
function withEnd(hyp: Hyp, outcome: Outcome): Hyp {
  const end = endOf(outcome);
  return end === undefined || hyp.end !== undefined ? hyp : { ...hyp, end };
}
