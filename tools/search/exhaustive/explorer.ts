// A system over packed states: moves, steps and judgements, each worked out once for what it reads.

import { createJudge, type Judgement } from "./judge.ts";
import { addEntry, createMemo, entryFor } from "./memo.ts";
import { createPartTable, idOf, type PartTable, valueIn } from "./parts.ts";
import type { Searched, Stepped } from "./searched.ts";
import { createView, type View } from "./views.ts";

/** One move from all states that agree in what it reads. */
export interface Entry<L> {
  readonly index: number;
  readonly move: number;
  readonly label: L;
  /** The parts that it reads; what the rules read beyond them decides more judgements. */
  readonly reads: number;
  /** The parts that it changes, and their numbers after it. */
  readonly changed: readonly number[];
  readonly ids: readonly number[];
  /** The only judgement, where the rules read nothing else. */
  judged: Judgement | undefined;
  /** Transitions that were this one. */
  hits: number;
}

/** What a search works with; rows are packed states. */
export interface Explorer<S extends object, A, L> {
  readonly searched: Searched<S, A, L>;
  readonly tables: readonly PartTable[];
  readonly moves: readonly A[];
  readonly idOfMove: (move: A) => number;
  readonly entries: readonly Entry<L>[];
  readonly judgements: readonly Judgement[];
  readonly rowOf: (state: S) => Uint32Array;
  readonly stateOf: (row: Uint32Array) => S;
  /** The sum of the hashes of the parts: a step changes it by what it changes. */
  readonly hashOf: (row: Uint32Array) => number;
  /** What one of the movers can do. */
  readonly movesOf: (mover: number, row: Uint32Array) => readonly number[];
  readonly stepOf: (row: Uint32Array, move: number) => Entry<L>;
  /** The judgement of a step, and whether it is given for the first time. */
  readonly judge: (row: Uint32Array, entry: Entry<L>) => Judgement;
  /** What breaks the rules on a state; asked once for each state, as the answers are counted. */
  readonly offences: (row: Uint32Array) => readonly Offence[];
  /** States on which each rule said something. */
  readonly stateRuleHits: () => ReadonlyMap<string, number>;
}

export interface Offence {
  readonly rule: string;
  readonly sentences: readonly string[];
}

const NONE: readonly Offence[] = [];

/** The hash of one part's value. */
export const partHash = ({ hashes }: PartTable, id: number): number => hashes[id] as number;

/** What the parts of an explorer share: the system, its tables, and what looks at a row. */
interface Base<S extends object, A, L> {
  readonly searched: Searched<S, A, L>;
  readonly tables: readonly PartTable[];
  readonly view: View<S>;
}

/** Moves by number, and the lists of them that each mover has. */
function createMoves<S extends object, A, L>({ searched, view }: Base<S, A, L>) {
  const moves: A[] = [];
  const ids = new Map<string, number>();
  const lists: (readonly number[])[] = [];
  const memo = createMemo();

  function idOfMove(move: A): number {
    const key = searched.keyOf(move);
    const known = ids.get(key);
    if (known !== undefined) return known;
    ids.set(key, moves.length);
    return moves.push(move) - 1;
  }

  return {
    moves,
    idOfMove,
    movesOf: (mover: number, row: Uint32Array): readonly number[] => {
      const known = entryFor(memo, mover, row);
      if (known >= 0) return lists[known] as readonly number[];
      view.at(row);
      const list = searched.movers[mover]?.(view.state([])).map(idOfMove) ?? [];
      addEntry(memo, mover, view.mask(), row);
      lists.push(list);
      return list;
    },
  };
}

/** The parts that are really other ones after a step. */
function packed<S extends object, L>(
  tables: readonly PartTable[],
  { changed: parts, label }: Stepped<S, L>,
  row: Uint32Array,
) {
  const changed: number[] = [];
  const ids: number[] = [];
  for (const [part, table] of tables.entries()) {
    if (!Object.hasOwn(parts, table.key)) continue;
    const id = idOf(table, valueIn(table, parts));
    if (id === row[part]) continue;
    changed.push(part);
    ids.push(id);
  }
  return { label, changed, ids };
}

/** Steps, each made once for what it reads. */
function createSteps<S extends object, A, L>(
  { searched, tables, view }: Base<S, A, L>,
  moves: readonly A[],
) {
  const entries: Entry<L>[] = [];
  const memo = createMemo();
  return {
    entries,
    stepOf: (row: Uint32Array, move: number): Entry<L> => {
      const known = entryFor(memo, move, row);
      if (known >= 0) return entries[known] as Entry<L>;
      view.at(row);
      const stepped = searched.step(view.state([]), moves[move] as A);
      const [index, reads] = [entries.length, view.mask()];
      addEntry(memo, move, reads, row);
      const parts = packed(tables, stepped, row);
      const entry = { index, move, reads, ...parts, judged: undefined, hits: 0 };
      entries.push(entry);
      return entry;
    },
  };
}

/** Makes the tables of a system; everything that is worked out is kept. */
export function createExplorer<S extends object, A, L>(
  searched: Searched<S, A, L>,
): Explorer<S, A, L> {
  const tables = searched.parts.map((part) => createPartTable(part));
  if (tables.length > 31) throw new Error("a state has at most 31 parts");
  const base = { searched, tables, view: createView<S>(tables) };
  const { moves, movesOf, idOfMove } = createMoves(base);
  const { entries, stepOf } = createSteps(base, moves);
  const { judgements, judge } = createJudge(searched, tables, moves);
  const { offences, hits } = createStateRules(searched, tables);
  return {
    searched,
    tables,
    moves,
    idOfMove,
    entries,
    judgements,
    rowOf: (value) => Uint32Array.from(tables, (table) => idOf(table, valueIn(table, value))),
    stateOf: (row) => {
      const state: Record<string, unknown> = {};
      for (const [part, { key, field, values }] of tables.entries()) {
        const value = values[row[part] as number];
        if (field === undefined) state[key] = value;
        else state[key] = { ...(state[key] as object | undefined), [field]: value };
      }
      return state as S;
    },
    hashOf: (row) => {
      let hash = 0;
      for (let part = 0; part < tables.length; part += 1) {
        hash = (hash + partHash(tables[part] as PartTable, row[part] as number)) | 0;
      }
      return hash;
    },
    movesOf,
    stepOf,
    judge,
    offences,
    stateRuleHits: hits,
  };
}

/** The rules on states, each asked once for what it reads. */
function createStateRules<S extends object, A, L>(
  { rules }: Searched<S, A, L>,
  tables: readonly PartTable[],
) {
  const view = createView<S>(tables);
  const memo = createMemo();
  const answers: (readonly string[] | undefined)[] = [];
  const hits = rules.map(() => 0);
  const all = tables.map((_, part) => part);

  function ask(rule: number, row: Uint32Array): readonly string[] | undefined {
    const known = entryFor(memo, rule, row);
    if (known >= 0) return answers[known];
    view.at(row);
    const offences = rules[rule]?.offences(view.state(all));
    addEntry(memo, rule, view.mask(), row);
    answers.push(offences);
    return offences;
  }

  return {
    hits: () => new Map(rules.map(({ id }, rule) => [id, hits[rule] as number])),
    offences: (row: Uint32Array): readonly Offence[] => {
      let found: Offence[] | undefined;
      for (let rule = 0; rule < rules.length; rule += 1) {
        const sentences = ask(rule, row);
        if (sentences === undefined) continue;
        hits[rule] = (hits[rule] as number) + 1;
        if (sentences.length === 0) continue;
        found ??= [];
        found.push({ rule: (rules[rule] as { id: string }).id, sentences });
      }
      return found ?? NONE;
    },
  };
}
