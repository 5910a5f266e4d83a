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
type Answer = readonly string[] | undefined;

/** A rule that reads more than the step does: it is asked again where that is something else. */
interface OpenRule {
  /** Its place among the rules on the step. */
  readonly at: number;
  readonly subject: number;
}

/** The rules on one step, with the answers that never change. */
interface RulesOnStep<S, A, L> {
  readonly rules: readonly StepRule<S, A, L>[];
  readonly answers: Answer[];
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

/** Judgements of steps, each put together once for what the rules read beyond the step. */
export function createJudge<S extends object, A, L>(
  { rulesOn, hidden }: Searched<S, A, L>,
  tables: readonly PartTable[],
  moves: readonly A[],
) {
  const view = createView<S>(tables);
  const { judgements, numberOf } = createInterned();
  /** By entry: its rules; by open rule and what it read: its answer. */
  const onEntry: RulesOnStep<S, A, L>[] = [];
  const ofRule = createMemo();
  const answers: Answer[] = [];
  let subjects = 0;
  /** By entry and what its open rules read: the judgement. */
  const whole = createMemo();
  const numbers: number[] = [];
  const visible = tables.map(({ name }) => !hidden.includes(name));

  /** Asks one rule about a step from a row; what it reads beyond the step is in the result. */
  function ask(row: Uint32Array, entry: Entry<L>, rule: StepRule<S, A, L>) {
    const { changed, ids, label, move, reads } = entry;
    view.at(row);
    const own = changed.filter((part) => visible[part]);
    const values: unknown[] = [];
    for (const [n, part] of changed.entries()) {
      values[part] = (tables[part] as PartTable).values[ids[n] as number];
    }
    const pre = view.state(own);
    const post = own.length === 0 ? pre : view.after(own, values);
    const answer = rule.sentences(pre, moves[move] as A, label, post);
    return { answer, beyond: view.mask() & ~reads };
  }

  function remember(row: Uint32Array, subject: number, mask: number, answer: Answer): void {
    addEntry(ofRule, subject, mask, row);
    answers.push(answer);
  }

  /** The rules on a step that is judged for the first time: the closed ones never again. */
  function open(row: Uint32Array, entry: Entry<L>): { on: RulesOnStep<S, A, L>; mask: number } {
    const rules = rulesOn(moves[entry.move] as A, entry.label);
    const closed: Answer[] = [];
    const opened: OpenRule[] = [];
    let mask = 0;
    for (const [at, rule] of rules.entries()) {
      const { answer, beyond } = ask(row, entry, rule);
      closed.push(answer);
      if (beyond === 0) continue;
      const subject = subjects;
      subjects += 1;
      opened.push({ at, subject });
      remember(row, subject, beyond, answer);
      mask |= beyond;
    }
    const on = { rules, answers: closed, open: opened };
    onEntry[entry.index] = on;
    return { on, mask };
  }

  /** Answers of the open rules, asked anew only where what they read is new. */
  function again(row: Uint32Array, entry: Entry<L>, on: RulesOnStep<S, A, L>): number {
    let mask = 0;
    for (const { at, subject } of on.open) {
      const known = entryFor(ofRule, subject, row);
      if (known >= 0) {
        on.answers[at] = answers[known];
        mask |= maskOf(known);
        continue;
      }
      const { answer, beyond } = ask(row, entry, on.rules[at] as StepRule<S, A, L>);
      remember(row, subject, beyond, answer);
      on.answers[at] = answer;
      mask |= beyond;
    }
    return mask;
  }

  /** What the answer of an open rule depends on. */
  const maskOf = (known: number): number => ofRule.masks[known] as number;

  function judgedOf({ rules, answers: said }: RulesOnStep<S, A, L>): Judged {
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

  return {
    judgements,
    judge: (row: Uint32Array, entry: Entry<L>): Judgement => {
      if (entry.judged !== undefined) return entry.judged;
      const known = entryFor(whole, entry.index, row);
      if (known >= 0) return judgements[numbers[known] as number] as Judgement;
      const before = onEntry[entry.index];
      const { on, mask } =
        before === undefined ? open(row, entry) : { on: before, mask: again(row, entry, before) };
      const number = numberOf(judgedOf(on));
      const judgement = judgements[number] as Judgement;
      if (mask === 0) entry.judged = judgement;
      else {
        addEntry(whole, entry.index, mask, row);
        numbers.push(number);
      }
      return judgement;
    },
  };
}
