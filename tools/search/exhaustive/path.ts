// The way to what a search found: its moves from a first state, on states as they are.

import type { Found, Search } from "./bfs.ts";
import { moveAt, parentAt, readState } from "./state-set.ts";

/** Indices of the states on the way to one, the first state first. */
function chainTo<S extends object, A, L>({ set }: Search<S, A, L>, index: number): number[] {
  const chain: number[] = [];
  for (let at = index; at >= 0; at = parentAt(set, at)) chain.push(at);
  return chain.reverse();
}

/** The row after a move, itself and as the one that stands for it. */
function after<S extends object, A, L>(
  { explorer, canonical }: Search<S, A, L>,
  row: Uint32Array,
  move: number,
): { readonly next: Uint32Array; readonly standsFor: Uint32Array } {
  const { changed, ids } = explorer.stepOf(row, move);
  const next = Uint32Array.from(row);
  for (const [n, part] of changed.entries()) next[part] = ids[n] as number;
  const standsFor = Uint32Array.from(next);
  canonical?.(standsFor);
  return { next, standsFor };
}

const isSame = (a: Uint32Array, b: Uint32Array): boolean => a.every((id, n) => id === b[n]);

function movesFrom<S extends object, A, L>(
  { explorer }: Search<S, A, L>,
  row: Uint32Array,
): readonly number[] {
  return explorer.searched.movers.flatMap((_, mover) => explorer.movesOf(mover, row));
}

/** The first row that stands for the root of a way. */
function rootRow<S extends object, A, L>(search: Search<S, A, L>, root: number): Uint32Array {
  const { explorer, set, canonical } = search;
  const wanted = new Uint32Array(set.width);
  readState(set, root, wanted);
  for (const initial of explorer.searched.initial) {
    const row = explorer.rowOf(initial);
    const standsFor = Uint32Array.from(row);
    canonical?.(standsFor);
    if (isSame(standsFor, wanted)) return row;
  }
  throw new Error("the way does not begin at a first state");
}

/**
 * Moves to a state. Where one state stands for several, each move is looked for again: the one that
 * leads from the state as it is to one for which the next of the chain stands.
 */
export function pathToState<S extends object, A, L>(
  search: Search<S, A, L>,
  index: number,
): { readonly moves: readonly number[]; readonly row: Uint32Array } {
  const { set } = search;
  const [root = 0, ...rest] = chainTo(search, index);
  let row = rootRow(search, root);
  const moves: number[] = [];
  const wanted = new Uint32Array(set.width);
  for (const at of rest) {
    readState(set, at, wanted);
    const candidates = [moveAt(set, at), ...movesFrom(search, row)];
    const move = candidates.find(
      (one) =>
        movesFrom(search, row).includes(one) && isSame(after(search, row, one).standsFor, wanted),
    );
    if (move === undefined) throw new Error("the renamings of the system are no symmetry of it");
    moves.push(move);
    row = after(search, row, move).next;
  }
  return { moves, row };
}

/** Moves of a shortest way on which a rule is broken by the last one. */
export function pathTo<S extends object, A, L>(
  search: Search<S, A, L>,
  found: Found,
): readonly A[] {
  const { explorer } = search;
  const { moves, row } = pathToState(search, found.state);
  const named = (numbers: readonly number[]): A[] => numbers.map((n) => explorer.moves[n] as A);
  if (found.move < 0) return named(moves);
  const breaks = (move: number): boolean => {
    const entry = explorer.stepOf(row, move);
    const { broken } = explorer.judge(row, entry).judged;
    if (broken.some(({ rule }) => rule === found.rule)) return true;
    const { next } = after(search, row, move);
    return explorer.offences(next, -1).some(({ rule }) => rule === found.rule);
  };
  const last = [found.move, ...movesFrom(search, row)].find(
    (move) => movesFrom(search, row).includes(move) && breaks(move),
  );
  if (last === undefined) throw new Error("the rules of the system are not symmetric");
  return named([...moves, last]);
}
