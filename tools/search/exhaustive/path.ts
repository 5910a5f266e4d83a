// The way to what a search found: its moves from a first state, on states as they are.

import type { Found, Search } from "./bfs.ts";
import { parentAt, readState } from "./state-set.ts";

/** Rows on the way to a state, the first state first. */
function chainTo<S extends object, A, L>({ set }: Search<S, A, L>, index: number): Uint32Array[] {
  const chain: Uint32Array[] = [];
  for (let at = index; at >= 0; at = parentAt(set, at)) {
    const row = new Uint32Array(set.width);
    readState(set, at, row);
    chain.push(row);
  }
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
function rootRow<S extends object, A, L>(
  { explorer, canonical }: Search<S, A, L>,
  root: Uint32Array,
): Uint32Array {
  for (const initial of explorer.searched.initial) {
    const row = explorer.rowOf(initial);
    const standsFor = Uint32Array.from(row);
    canonical?.(standsFor);
    if (isSame(standsFor, root)) return row;
  }
  throw new Error("the way does not begin at a first state");
}

interface Along {
  readonly moves: readonly number[];
  readonly row: Uint32Array;
}

/**
 * Moves along states that stand for others: each is the one that leads from the state as it is to
 * one for which the next of the chain stands.
 */
function along<S extends object, A, L>(
  search: Search<S, A, L>,
  [root, ...rest]: readonly Uint32Array[],
): Along {
  if (root === undefined) throw new Error("a way has at least one state");
  let row = rootRow(search, root);
  const moves: number[] = [];
  for (const wanted of rest) {
    const from = row;
    const move = movesFrom(search, from).find((one) =>
      isSame(after(search, from, one).standsFor, wanted),
    );
    if (move === undefined) throw new Error("the renamings of the system are no symmetry of it");
    moves.push(move);
    row = after(search, row, move).next;
  }
  return { moves, row };
}

/** Moves to a state. */
export const pathToState = <S extends object, A, L>(
  search: Search<S, A, L>,
  index: number,
): Along => along(search, chainTo(search, index));

/** The move that breaks a rule, from the state as it is. */
function breakingMove<S extends object, A, L>(
  search: Search<S, A, L>,
  row: Uint32Array,
  rule: string,
): number {
  const { explorer } = search;
  const breaks = (move: number): boolean => {
    const { broken } = explorer.judge(row, explorer.stepOf(row, move)).judged;
    if (broken.some((one) => one.rule === rule)) return true;
    const { next } = after(search, row, move);
    return explorer.offences(next).some((one) => one.rule === rule);
  };
  const move = movesFrom(search, row).find(breaks);
  if (move === undefined) throw new Error("the rules of the system are not symmetric");
  return move;
}

/** Moves along a chain of states, and the one after it that breaks the rule. */
export function movesAlong<S extends object, A, L>(
  search: Search<S, A, L>,
  chain: readonly Uint32Array[],
  rule: string,
): readonly A[] {
  const { moves, row } = along(search, chain);
  const { explorer } = search;
  return [...moves, breakingMove(search, row, rule)].map((move) => explorer.moves[move] as A);
}

/** Moves of a shortest way on which a rule is broken by the last one. */
export function pathTo<S extends object, A, L>(
  search: Search<S, A, L>,
  { state, move, rule }: Found,
): readonly A[] {
  const chain = chainTo(search, state);
  if (move >= 0) return movesAlong(search, chain, rule);
  const { explorer } = search;
  return along(search, chain).moves.map((one) => explorer.moves[one] as A);
}
