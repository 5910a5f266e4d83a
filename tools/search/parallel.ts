// A search on several threads: each owns a share of the states, and all expand one level at a time.

import { Worker } from "node:worker_threads";
import { type Coverage, createCoverage } from "../../counterexamples/coverage.ts";
import type { SearchDone } from "../report/search-lines.ts";
import type { SearchOrder } from "./checkpoint.ts";
import type { Bound, Ended } from "./exhaustive/bfs.ts";
import { idOf } from "./exhaustive/parts.ts";
import { movesAlong } from "./exhaustive/path.ts";
import { startWorld } from "./find-violation.ts";
import type { Move } from "./world/world.ts";

/** Rows that one worker found for another. */
export interface Packet {
  readonly from: number;
  readonly rows: Uint32Array;
  /** Where each was reached from: an index times the number of workers, plus the worker. */
  readonly parents: Int32Array;
  /** Part, number and value of what the other was not told of yet. */
  readonly values: readonly (readonly [number, number, unknown])[];
}

/** A broken rule: in the step out of a state of the worker's, or on the way out of `parent`. */
export interface WorkerFound {
  readonly rule: string;
  readonly sentence: string;
  readonly state: number;
  readonly parent?: number;
}

export type Question =
  | { readonly kind: "begin" }
  | { readonly kind: "expand" }
  | { readonly kind: "take"; readonly packets: readonly Packet[] }
  | { readonly kind: "state"; readonly index: number }
  | { readonly kind: "coverage" };

export type Answer =
  | {
      readonly kind: "expanded";
      readonly packets: readonly Packet[];
      readonly found: readonly WorkerFound[];
      readonly transitions: number;
    }
  | {
      readonly kind: "taken";
      readonly fresh: number;
      readonly states: number;
      /** Memory that the states take. */
      readonly bytes: number;
      readonly found: readonly WorkerFound[];
    }
  | { readonly kind: "state"; readonly values: readonly unknown[]; readonly parent: number }
  | { readonly kind: "coverage"; readonly coverage: Coverage };

type AnswerOf<K extends Answer["kind"]> = Extract<Answer, { kind: K }>;

/** What a parallel search came to. */
export interface ParallelSearch extends SearchDone {
  /** By rule: a shortest way to its first break. */
  readonly ways: ReadonlyMap<string, readonly Move[]>;
}

interface Pool {
  readonly ask: <K extends Answer["kind"]>(
    questions: readonly (Question | undefined)[],
    kind: K,
  ) => Promise<readonly AnswerOf<K>[]>;
  readonly end: () => Promise<unknown>;
}

function createPool(order: SearchOrder, count: number): Pool {
  const workers = Array.from(
    { length: count },
    (_, self) =>
      new Worker(new URL("./parallel-worker.ts", import.meta.url), {
        workerData: { order, self, count },
      }),
  );
  const askOne = (worker: Worker, question: Question): Promise<Answer> =>
    new Promise((resolve, reject) => {
      worker.once("error", reject);
      worker.once("message", (answer: Answer) => {
        worker.off("error", reject);
        resolve(answer);
      });
      worker.postMessage(question);
    });
  return {
    ask: async (questions, kind) => {
      const asked = questions.flatMap((question, n) =>
        question === undefined ? [] : [askOne(workers[n] as Worker, question)],
      );
      const answers = await Promise.all(asked);
      if (answers.some((answer) => answer.kind !== kind)) throw new Error(`no answer ${kind}`);
      return answers as unknown as readonly AnswerOf<typeof kind>[];
    },
    end: () => Promise.all(workers.map((worker) => worker.terminate())),
  };
}

/** Where the last step to a broken rule begins: a state by its worker and index. */
interface Broken {
  readonly rule: string;
  readonly worker: number;
  readonly index: number;
}

/** How a parallel search is watched and stopped. */
export interface ParallelWatch {
  /** Asked once a level, with a line that says how far it is; true stops it. */
  readonly pause: (text: string) => boolean;
  /** Whether the search may end with this rule broken. */
  readonly enough: (rule: string) => boolean;
}

/** How far a search is. */
interface Progress {
  states: number;
  bytes: number;
  transitions: number;
  readonly levels: number[];
  readonly broken: Map<string, Broken>;
}

/** Why the search ends before the next level, if it does. */
function endOf(
  { states, bytes, transitions, levels, broken }: Progress,
  bound: Bound,
  { pause, enough }: ParallelWatch,
): Ended | undefined {
  const depth = levels.length - 1;
  if (levels.at(-1) === 0) return "all states";
  if ([...broken.keys()].some(enough)) return "found";
  if (bound.depth !== undefined && depth >= bound.depth) return "depth";
  if (bound.states !== undefined && states >= bound.states) return "states";
  if (bound.bytes !== undefined && bytes > bound.bytes) return "memory";
  const text = `${states} states, depth ${depth}, ${transitions} transitions`;
  return pause(text) ? "interrupted" : undefined;
}

const sumOf = <T>(items: readonly T[], of: (item: T) => number): number =>
  items.reduce((sum, item) => sum + of(item), 0);

/** Searches a world on `count` threads. */
export async function searchInParallel(
  order: SearchOrder,
  bound: Bound,
  count: number,
  watch: ParallelWatch,
): Promise<ParallelSearch> {
  const pool = createPool(order, count);
  const everyone = (question: Question): readonly Question[] =>
    Array.from({ length: count }, () => question);
  const progress: Progress = {
    states: 0,
    bytes: 0,
    transitions: 0,
    levels: [],
    broken: new Map(),
  };
  const { levels, broken } = progress;
  const noteAll = (worker: number, found: readonly WorkerFound[]): void => {
    for (const { rule, state, parent } of found) {
      if (broken.has(rule)) continue;
      const place = parent === undefined ? { worker, index: state } : placeOf(parent, count);
      broken.set(rule, { rule, ...place });
    }
  };
  const take = async (questions: readonly Question[]): Promise<void> => {
    const taken = await pool.ask(questions, "taken");
    for (const [worker, { found }] of taken.entries()) noteAll(worker, found);
    progress.states = sumOf(taken, ({ states }) => states);
    progress.bytes = sumOf(taken, ({ bytes }) => bytes);
    levels.push(sumOf(taken, ({ fresh }) => fresh));
  };
  try {
    await take(everyone({ kind: "begin" }));
    let ended = endOf(progress, bound, watch);
    while (ended === undefined) {
      const expanded = await pool.ask(everyone({ kind: "expand" }), "expanded");
      for (const [worker, { found }] of expanded.entries()) noteAll(worker, found);
      progress.transitions = sumOf(expanded, ({ transitions }) => transitions);
      const packets = (to: number): readonly Packet[] =>
        expanded.flatMap((answer, from) => (from === to ? [] : [answer.packets[to] as Packet]));
      await take(expanded.map((_, to): Question => ({ kind: "take", packets: packets(to) })));
      ended = endOf(progress, bound, watch);
    }
    const ways = await waysTo(pool, order, [...broken.values()], count);
    const coverages = await pool.ask(everyone({ kind: "coverage" }), "coverage");
    const coverage = coverages.map((answer) => answer.coverage).reduce(merged, createCoverage());
    const { states, transitions } = progress;
    const sizes = levels.filter((size) => size > 0);
    return { ended, states, transitions, levels: sizes, coverage, ways };
  } finally {
    await pool.end();
  }
}

const placeOf = (encoded: number, count: number) => ({
  worker: encoded % count,
  index: Math.floor(encoded / count),
});

/** The ways to what is broken, put together from the workers' states. */
async function waysTo(
  pool: Pool,
  order: SearchOrder,
  broken: readonly Broken[],
  count: number,
): Promise<ReadonlyMap<string, readonly Move[]>> {
  const options = order.omit.length === 0 ? {} : { omit: new Set(order.omit) };
  const search = startWorld(order.system, order.size, options, order.useSymmetry);
  const { tables } = search.explorer;
  const ways = new Map<string, readonly Move[]>();
  for (const { rule, worker, index } of broken) {
    const chain: Uint32Array[] = [];
    for (let at = index * count + worker; at >= 0; ) {
      const place = placeOf(at, count);
      const questions = Array.from({ length: count }, (_, n): Question | undefined =>
        n === place.worker ? { kind: "state", index: place.index } : undefined,
      );
      const [state] = await pool.ask(questions, "state");
      if (state === undefined) throw new Error("a worker forgot a state");
      chain.unshift(Uint32Array.from(tables, (table, part) => idOf(table, state.values[part])));
      at = state.parent;
    }
    ways.set(rule, movesAlong(search, chain, rule));
  }
  return ways;
}

/** Two coverages in one. */
function merged(a: Coverage, b: Coverage): Coverage {
  const sum = (left: ReadonlyMap<string, number>, right: ReadonlyMap<string, number>) => {
    const both = new Map(left);
    for (const [key, times] of right) both.set(key, (both.get(key) ?? 0) + times);
    return both;
  };
  const maps = Object.entries(a).map(([key, value]) => {
    const other = b[key as keyof Coverage];
    if (value instanceof Map) return [key, sum(value, other as ReadonlyMap<string, number>)];
    return [key, (value as number) + (other as number)];
  });
  return Object.fromEntries(maps) as Coverage;
}
