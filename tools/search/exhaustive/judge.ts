// What the rules say of packed steps: each rule is asked once for what it reads, and remembered.

import type { Entry } from "./explorer.ts";
import { addEntry, createMemo, entryFor } from "./memo.ts";
import type { PartTable } from "./parts.ts";
import type { BrokenRule, Judged, Searched, StepRule } from "./searched.ts";
import { createView } from "./views.ts";

/** One judgement, and for how many transitions it was given. */
export interface Judgement {
  readonly judged: Judged;
  hits: number;
}

/** What one rule says: nothing, or the sentences that are wrong. */
type Said = readonly string[] | undefined;

/** What a rule says of a step, and the parts that it depends on beyond those of the step. */
interface Answer {
  readonly said: Said;
  readonly beyond: number;
}

/** A rule that reads more than the step does: it is asked again where that is something else. */
interface OpenRule {
  /** Its place among the rules on the step. */
  readonly at: number;
  readonly subject: number;
}

/** The rules on one step, and what each said last; only the open ones can say something else. */
interface RulesOnStep<S, A, L> {
  readonly rules: readonly StepRule<S, A, L>[];
  readonly said: Said[];
  readonly open: readonly OpenRule[];
}

/** Judgements that say the same are one. */
function createInterned() {
  const judgements: Judgement[] = [];
  const known = new Map<string, number>();
  return {
    judgements,
    numberOf(judged: Judged): number {
      const key = JSON.stringify(judged);
      const before = known.get(key);
      if (before !== undefined) return before;
      known.set(key, judgements.length);
      return judgements.push({ judged, hits: 0 }) - 1;
    },
  };
}

/** Asks rules about a step from a row, one after the other. */
function createAsk<S extends object, A, L>(
  hidden: readonly string[],
  tables: readonly PartTable[],
  moves: readonly A[],
) {
  const view = createView<S>(tables);
  const visible = tables.map(({ name }) => !hidden.includes(name));
  return (row: Uint32Array, entry: Entry<L>): ((rule: StepRule<S, A, L>) => Answer) => {
    const { changed, ids, label, move, reads } = entry;
    const own = changed.filter((part) => visible[part]);
    const values: unknown[] = [];
    for (const [n, part] of changed.entries()) {
      values[part] = (tables[part] as PartTable).values[ids[n] as number];
    }
    view.at(row);
    // Each rule gets states of its own: it may remember by identity what it saw of one.
    return (rule) => {
      view.forget();
      const pre = view.state(own);
      const post = own.length === 0 ? pre : view.after(own, values);
      const said = rule.sentences(pre, moves[move] as A, label, post);
      return { said, beyond: view.mask() & ~reads };
    };
  };
}

/** All that is said of a step. */
function judgedOf<S, A, L>({ rules, said }: RulesOnStep<S, A, L>): Judged {
  const applied: string[] = [];
  const broken: BrokenRule[] = [];
  for (const [at, { id }] of rules.entries()) {
    const sentences = said[at];
    if (sentences === undefined) continue;
    applied.push(id);
    for (const sentence of sentences) broken.push({ rule: id, sentence });
  }
  return { applied, broken };
}

/** The rules on steps, each asked again only where what it reads is new. */
function createRules<S extends object, A, L>(
  { rulesOn, hidden }: Searched<S, A, L>,
  tables: readonly PartTable[],
  moves: readonly A[],
) {
  const ask = createAsk<S, A, L>(hidden, tables, moves);
  const onEntry: RulesOnStep<S, A, L>[] = [];
  /** By open rule and what it read beyond the step. */
  const memo = createMemo();
  const answers: Answer[] = [];
  let subjects = 0;

  function remember(row: Uint32Array, subject: number, answer: Answer): void {
    addEntry(memo, subject, answer.beyond, row);
    answers.push(answer);
  }

  function first(row: Uint32Array, entry: Entry<L>): number {
    const rules = rulesOn(moves[entry.move] as A, entry.label);
    const about = ask(row, entry);
    const said: Said[] = [];
    const open: OpenRule[] = [];
    let mask = 0;
    for (const [at, rule] of rules.entries()) {
      const answer = about(rule);
      said.push(answer.said);
      if (answer.beyond === 0) continue;
      const subject = subjects;
      subjects += 1;
      open.push({ at, subject });
      remember(row, subject, answer);
      mask |= answer.beyond;
    }
    onEntry[entry.index] = { rules, said, open };
    return mask;
  }

  function again(row: Uint32Array, entry: Entry<L>, { rules, said, open }: (typeof onEntry)[0]) {
    let about: ReturnType<typeof ask> | undefined;
    let mask = 0;
    for (const { at, subject } of open) {
      const known = entryFor(memo, subject, row);
      let answer = known < 0 ? undefined : answers[known];
      if (answer === undefined) {
        about ??= ask(row, entry);
        answer = about(rules[at] as StepRule<S, A, L>);
        remember(row, subject, answer);
      }
      said[at] = answer.said;
      mask |= answer.beyond;
    }
    return mask;
  }

  /** What is said of a step from a row, and the parts that it depends on beyond the step's. */
  return (
    row: Uint32Array,
    entry: Entry<L>,
  ): { readonly judged: Judged; readonly mask: number } => {
    const known = onEntry[entry.index];
    const mask = known === undefined ? first(row, entry) : again(row, entry, known);
    return { judged: judgedOf(onEntry[entry.index] as RulesOnStep<S, A, L>), mask };
  };
}

/** Judgements of steps, each put together once for what the rules read beyond the step. */
export function createJudge<S extends object, A, L>(
  searched: Searched<S, A, L>,
  tables: readonly PartTable[],
  moves: readonly A[],
) {
  const ask = createRules(searched, tables, moves);
  const { judgements, numberOf } = createInterned();
  const memo = createMemo();
  const numbers: number[] = [];
  return {
    judgements,
    judge: (row: Uint32Array, entry: Entry<L>): Judgement => {
      if (entry.judged !== undefined) return entry.judged;
      const known = entryFor(memo, entry.index, row);
      if (known >= 0) return judgements[numbers[known] as number] as Judgement;
      const { judged, mask } = ask(row, entry);
      const number = numberOf(judged);
      const judgement = judgements[number] as Judgement;
      if (mask === 0) entry.judged = judgement;
      else {
        addEntry(memo, entry.index, mask, row);
        numbers.push(number);
      }
      return judgement;
    },
  };
}
