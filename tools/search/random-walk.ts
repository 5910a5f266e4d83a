// Random walks through a small world: enabled moves with weights, now and then an odd one.

import type { Explorer } from "./exhaustive/explorer.ts";
import { pathToState } from "./exhaustive/path.ts";
import { readState } from "./exhaustive/state-set.ts";
import type { WorldSearch } from "./find-violation.ts";
import { oddCalls, oddOps } from "./world/odd-actions.ts";
import type { Label } from "./world/searched-world.ts";
import type { Move, World, WorldState } from "./world/world.ts";

export type WorldExplorer = Explorer<WorldState, Move, Label>;

/** A whole number below a bound, as a generator of a test gives it. */
export type Below = (bound: number) => number;

/** Where walks begin, and what they are made of. */
export interface WalkPlan {
  readonly world: World;
  readonly explorer: WorldExplorer;
  /** Ways to states that a search saw; a walk begins with one of them, or with nothing. */
  readonly prefixes: readonly (readonly number[])[];
  /** One move in so many is an odd one; 0 for none. */
  readonly oddOneIn: number;
}

/** What a move is about: moves of one class differ in their arguments only. */
function classOf({ action, choice }: Move): string {
  if (action === undefined) return choice;
  if (action.kind === "op") return action.op;
  return action.kind === "hvc" ? `hvc ${action.x[0]}` : `${action.kind} ${choice}`;
}

/** The row after a move. */
export function rowAfter(explorer: WorldExplorer, row: Uint32Array, move: number): Uint32Array {
  const { changed, ids } = explorer.stepOf(row, move);
  const next = Uint32Array.from(row);
  for (const [n, part] of changed.entries()) next[part] = ids[n] as number;
  return next;
}

/** Every move that the programs of the world allow. */
export const enabledMoves = (explorer: WorldExplorer, row: Uint32Array): readonly number[] =>
  explorer.searched.movers.flatMap((_, mover) => explorer.movesOf(mover, row));

/** Odd moves: a host calls with odd arguments, or EL2 code does. */
function oddMoves({ world, explorer }: WalkPlan, row: Uint32Array): readonly Move[] {
  const state = explorer.stateOf(row);
  if (state.end !== undefined) return [];
  return Array.from({ length: world.size.cpus }, (_, cpu) => cpu).flatMap((cpu) => {
    const at = state[`cpu${cpu}`];
    const inCode = at?.at === "handler" || (at?.at === "module" && at.step === "code");
    const actions = inCode ? oddOps(world, cpu) : at?.at === "host" ? oddCalls(world, cpu) : [];
    return actions.map((action): Move => ({ cpu, choice: "", action }));
  });
}

/** Whether a move can be made there: a move of the programs, or an odd one. */
export function canMove(plan: WalkPlan, row: Uint32Array, move: number): boolean {
  const { explorer } = plan;
  if (enabledMoves(explorer, row).includes(move)) return true;
  return oddMoves(plan, row).some((odd) => explorer.idOfMove(odd) === move);
}

/** Swarm testing: each walk leaves out about a third of the classes, unless nothing is left. */
const KEEP_OF_THREE = 2;

/**
 * One walk of at most `length` moves: a class first, all alike, then one of its moves, so that
 * calls with many arguments do not drown the others.
 * Source of leaving classes out: Groce and others, Swarm Testing, 2012.
 */
export function randomWalk(plan: WalkPlan, length: number, below: Below): readonly number[] {
  const { explorer, prefixes, oddOneIn } = plan;
  const kept = new Map<string, boolean>();
  const isKept = (name: string): boolean => {
    const known = kept.get(name) ?? below(3) < KEEP_OF_THREE;
    kept.set(name, known);
    return known;
  };
  const prefix = prefixes.length === 0 ? [] : (prefixes[below(prefixes.length)] ?? []);
  const walk: number[] = [...prefix];
  let row = explorer.rowOf(explorer.searched.initial[0] as WorldState);
  for (const move of prefix) row = rowAfter(explorer, row, move);
  while (walk.length < prefix.length + length) {
    const move = pick(plan, row, isKept, below, oddOneIn);
    if (move === undefined) break;
    walk.push(move);
    row = rowAfter(explorer, row, move);
  }
  return walk;
}

/** The next move of a walk; nothing where the system has ended. */
function pick(
  plan: WalkPlan,
  row: Uint32Array,
  isKept: (name: string) => boolean,
  below: Below,
  oddOneIn: number,
): number | undefined {
  const { explorer } = plan;
  if (oddOneIn > 0 && below(oddOneIn) === 0) {
    const odd = oddMoves(plan, row);
    const chosen = odd[odd.length === 0 ? 0 : below(odd.length)];
    if (chosen !== undefined) return explorer.idOfMove(chosen);
  }
  const enabled = enabledMoves(explorer, row);
  if (enabled.length === 0) return undefined;
  const byClass = new Map<string, number[]>();
  for (const move of enabled) {
    const name = classOf(explorer.moves[move] as Move);
    const list = byClass.get(name) ?? [];
    byClass.set(name, list);
    list.push(move);
  }
  const classes = [...byClass.keys()];
  const preferred = classes.filter(isKept);
  const from = preferred.length > 0 ? preferred : classes;
  const list = byClass.get(from[below(from.length)] ?? "") ?? enabled;
  return list[below(list.length)];
}

/** Ways to some states of a search, spread evenly over what it saw. */
export function prefixesOf(search: WorldSearch, count: number): readonly (readonly number[])[] {
  const { set } = search;
  const row = new Uint32Array(set.width);
  const stride = Math.max(1, Math.floor(set.size / count));
  const prefixes: (readonly number[])[] = [];
  for (let index = 0; index < set.size && prefixes.length < count; index += stride) {
    readState(set, index, row);
    if (search.explorer.stateOf(row).end !== undefined) continue;
    prefixes.push(pathToState(search, index).moves);
  }
  return prefixes;
}
