// What can be searched exhaustively: a system whose states are records of parts.

/** What one step did: the parts that it changed, and what is worth remembering of it. */
export interface Stepped<S, L> {
  readonly changed: Partial<S>;
  /** The answer, and whatever rules are to be judged by. */
  readonly label: L;
}

/** What the rules say of one step: those that applied, and those that it broke. */
export interface Judged {
  readonly applied: readonly string[];
  readonly broken: readonly BrokenRule[];
}

export interface BrokenRule {
  readonly rule: string;
  readonly sentence: string;
}

/** A relation between a state, a move, what it did, and the state after. */
export interface StepRule<S, A, L> {
  readonly id: string;
  /** What breaks it; undefined where it says nothing. */
  readonly sentences: (pre: S, move: A, label: L, post: S) => readonly string[] | undefined;
}

/** A predicate on states. */
export interface StateRule<S> {
  readonly id: string;
  /** What breaks it; undefined where it says nothing. */
  readonly offences: (state: S) => readonly string[] | undefined;
}

/**
 * A way to exchange names that mean nothing (which module, which page). The renamings of a system
 * are a group without its identity.
 */
export interface Renaming {
  /** The part that a part gets its value from. */
  readonly from: (part: string) => string;
  /** That value with other names. */
  readonly renamed: (part: string, value: unknown) => unknown;
}

/**
 * A system: its functions are pure and read a state only through its parts, by which their results
 * are remembered.
 */
export interface Searched<S extends object, A, L> {
  /** Keys of the state; `key.field` for each field of a record that is split. */
  readonly parts: readonly string[];
  /** Parts that say where the programs are, and that no rule sees. */
  readonly hidden: readonly string[];
  readonly initial: readonly S[];
  /** Who moves (a CPU, user space): what each can do next. */
  readonly movers: readonly ((state: S) => readonly A[])[];
  /** The same text for the same move. */
  readonly keyOf: (move: A) => string;
  readonly step: (state: S, move: A) => Stepped<S, L>;
  /** The rules that can speak of a step. */
  readonly rulesOn: (move: A, label: L) => readonly StepRule<S, A, L>[];
  readonly rules: readonly StateRule<S>[];
  readonly renamings: readonly Renaming[];
}
