// The shapes of a rule: a clause about one step, an invariant about one state.

import type { BranchName } from "./branches/branch.ts";
import type { Source } from "./sources.ts";
import type { Action, ActionKind, ActionOf } from "./types/action.ts";
import type { Hyp } from "./types/hyp.ts";
import type { Outcome } from "./types/outcome.ts";

/** One thing that happened: the state before, what was done, what it answered, the state after. */
export interface Step<A extends Action = Action> {
  readonly pre: Hyp;
  readonly action: A;
  readonly outcome: Outcome;
  readonly post: Hyp;
}

export type Area =
  | "LIFE"
  | "LOAD"
  | "REG"
  | "DISP"
  | "OWN"
  | "VM"
  | "GUEST"
  | "SMC"
  | "ABI"
  | "DOC"
  | "MOD";
export type ClauseId = `${Area}-${number}`;

/** Whether the Android page promises it, or the kernel was seen (or read) to do it. */
export type ClauseKind = "documented" | "kernel";

/** A relation that every step of the named kind must satisfy where it applies. */
export interface StepClause<K extends ActionKind = ActionKind> {
  readonly id: ClauseId;
  readonly kind: ClauseKind;
  /** One sentence in the present tense. */
  readonly statement: string;
  readonly source: readonly Source[];
  /** The actions that it speaks of. */
  readonly on: readonly K[];
  /** The branches that it speaks of; every branch where nothing is said. */
  readonly branches?: readonly BranchName[];
  readonly applies: (step: Step<ActionOf<K>>) => boolean;
  /** True, or a sentence that says what is wrong. */
  readonly holds: (step: Step<ActionOf<K>>) => true | string;
}

/** A predicate on one state; it returns what breaks it. */
export interface Invariant {
  readonly id: `INV-${number}`;
  readonly kind: ClauseKind;
  readonly statement: string;
  readonly source: readonly Source[];
  /** The branches that it speaks of; every branch where nothing is said. */
  readonly branches?: readonly BranchName[];
  /** Whether the state is one that it says something about (otherwise it holds vacuously). */
  readonly applies: (hyp: Hyp) => boolean;
  /** One sentence for each offender; none when it holds. */
  readonly violations: (hyp: Hyp) => readonly string[];
}

/** Keeps the kinds of a clause together while it is written; the registry knows one type. */
export function clause<K extends ActionKind>(definition: StepClause<K>): StepClause {
  return definition as unknown as StepClause;
}
