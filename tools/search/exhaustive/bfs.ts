// Breadth-first search: every state within a bound, and a shortest way to each broken rule.

import { type Explorer, partHash } from "./explorer.ts";
import type { PartTable } from "./parts.ts";
import {
  addState,
  bytesOf,
  createStateSet,
  hashAt,
  readState,
  type StateSet,
} from "./state-set.ts";
import { type Canonical, canonicalIn } from "./symmetry.ts";

/** Where a search ends although there is more. */
export interface Bound {
  /** Steps from a first state. */
  readonly depth?: number;
  readonly states?: number;
  /** Bytes of the packed states. */
  readonly bytes?: number;
}

/** A rule that is broken, at the end of a shortest way. */
export interface Found {
  readonly rule: string;
  readonly sentence: string;
  /** The state before the last step, and the move from it; a first state has no move. */
  readonly state: number;
  readonly move: number;
  /** Steps on the way, the last one included. */
  readonly depth: number;
}

/** Why a search ended. */
export type Ended = "all states" | "depth" | "states" | "memory" | "interrupted" | "found";

/** A search: it can be carried on where it stopped. */
export interface Search<S extends object, A, L> {
  readonly explorer: Explorer<S, A, L>;
  readonly set: StateSet;
  /** Nothing where every state stands for itself. */
  readonly canonical: Canonical | undefined;
  /** The next state to look at. */
  head: number;
  /** Index of the first state of each level. */
  readonly levels: number[];
  transitions: number;
  /** By rule: the first time that it was broken. */
  readonly found: Map<string, Found>;
  ended: Ended | undefined;
}

/** How a search is watched and stopped. */
export interface Watch {
  /** Asked every few thousand states; true stops it. */
  readonly pause?: () => boolean;
  /** Whether the search may end with this one. */
  readonly enough?: (found: Found) => boolean;
}

/** A search at its beginning. */
export function startSearch<S extends object, A, L>(
  explorer: Explorer<S, A, L>,
  useSymmetry = true,
): Search<S, A, L> {
  const isSymmetric = useSymmetry && explorer.searched.renamings.length > 0;
  const canonical = isSymmetric ? canonicalIn(explorer) : undefined;
  const set = createStateSet(explorer.tables.length);
  const search: Search<S, A, L> = {
    explorer,
    set,
    canonical,
    head: 0,
    levels: [0],
    transitions: 0,
    found: new Map(),
    ended: undefined,
  };
  for (const initial of explorer.searched.initial) {
    const row = explorer.rowOf(initial);
    canonical?.(row);
    const index = addState(set, row, explorer.hashOf(row), -1, -1);
    if (index >= 0) noteOffences(search, row, { state: index, move: -1, depth: 0 });
  }
  search.levels.push(set.size);
  return search;
}

type Place = Pick<Found, "state" | "move" | "depth">;

function note<S extends object, A, L>(
  { found }: Search<S, A, L>,
  rule: string,
  sentence: string,
  place: Place,
): void {
  if (!found.has(rule)) found.set(rule, { rule, sentence, ...place });
}

function noteOffences<S extends object, A, L>(
  search: Search<S, A, L>,
  row: Uint32Array,
  place: Place,
): void {
  for (const { rule, sentences } of search.explorer.offences(row)) {
    note(search, rule, sentences[0] ?? rule, place);
  }
}

/** States between two looks at the watch. */
const BETWEEN_PAUSES = 2048;

/** Goes on until the bound, a stop, or the end. */
export function carryOn<S extends object, A, L>(
  search: Search<S, A, L>,
  bound: Bound = {},
  watch: Watch = {},
): Ended {
  const { set, levels } = search;
  const maxDepth = bound.depth ?? Number.POSITIVE_INFINITY;
  const row = new Uint32Array(set.width);
  const next = new Uint32Array(set.width);
  let known = search.found.size;
  search.ended = undefined;
  while (search.head < set.size) {
    // The last level closes when the search comes to its end.
    if (search.head === levels.at(-1)) levels.push(set.size);
    const depth = levels.length - 2;
    if (depth >= maxDepth) return end(search, "depth");
    if (search.head % BETWEEN_PAUSES === 0) {
      if (bound.bytes !== undefined && bytesOf(set) > bound.bytes) return end(search, "memory");
      if (watch.pause?.() === true) return end(search, "interrupted");
    }
    if (bound.states !== undefined && set.size >= bound.states) return end(search, "states");
    readState(set, search.head, row);
    expand(search, row, next, depth + 1);
    search.head += 1;
    if (search.found.size > known && watch.enough !== undefined) {
      const fresh = [...search.found.values()].slice(known);
      if (fresh.some(watch.enough)) return end(search, "found");
      known = search.found.size;
    }
  }
  return end(search, "all states");
}

function end<S extends object, A, L>(search: Search<S, A, L>, ended: Ended): Ended {
  search.ended = ended;
  return ended;
}

/** All steps from one state. */
function expand<S extends object, A, L>(
  search: Search<S, A, L>,
  row: Uint32Array,
  next: Uint32Array,
  depth: number,
): void {
  const { explorer } = search;
  for (let mover = 0; mover < explorer.searched.movers.length; mover += 1) {
    const moves = explorer.movesOf(mover, row);
    for (let n = 0; n < moves.length; n += 1) {
      take(search, row, moves[n] as number, next, depth);
    }
  }
}

/** One step: it is judged, and the state that it leads to is judged if it is new. */
function take<S extends object, A, L>(
  search: Search<S, A, L>,
  row: Uint32Array,
  move: number,
  next: Uint32Array,
  depth: number,
): void {
  const { explorer, set, head } = search;
  const entry = explorer.stepOf(row, move);
  entry.hits += 1;
  search.transitions += 1;
  const judgement = entry.judged ?? explorer.judge(row, entry);
  judgement.hits += 1;
  if (judgement.hits === 1) {
    for (const { rule, sentence } of judgement.judged.broken) {
      note(search, rule, sentence, { state: head, move, depth });
    }
  }
  const { changed, ids } = entry;
  if (changed.length === 0) return;
  for (let part = 0; part < row.length; part += 1) next[part] = row[part] as number;
  let hash = hashAt(set, head);
  for (let n = 0; n < changed.length; n += 1) {
    const part = changed[n] as number;
    const id = ids[n] as number;
    const table = explorer.tables[part] as PartTable;
    hash = (hash + partHash(table, id) - partHash(table, row[part] as number)) | 0;
    next[part] = id;
  }
  if (search.canonical?.(next)) hash = explorer.hashOf(next);
  const index = addState(set, next, hash, head, move);
  if (index >= 0) noteOffences(search, next, { state: head, move, depth });
}

/** How many states each level has. */
export const levelSizes = ({
  levels,
  set,
}: {
  readonly levels: readonly number[];
  readonly set: StateSet;
}): readonly number[] =>
  levels.map((from, n) => (levels[n + 1] ?? set.size) - from).filter((count) => count > 0);
