// Reducing a list: 60 moves of the lifecycle model with a fault that 14 moves are enough for.

import { describe, expect, it } from "vitest";
import { reduce } from "../../counterexamples/reduce.ts";
import {
  type Lifecycle,
  type LifecycleMove,
  lifecycle,
} from "../../tools/bench/search/lifecycle.ts";

const MODEL = lifecycle({ modules: 3, calls: 2, vms: 2 });
const INITIAL = MODEL.initial[0] as Lifecycle;

const after = (state: Lifecycle, move: LifecycleMove): Lifecycle =>
  ({ ...state, ...MODEL.step(state, move).changed }) as Lifecycle;
const movesFrom = (state: Lifecycle): readonly LifecycleMove[] =>
  MODEL.movers.flatMap((mover) => mover(state));
const canMove = (state: Lifecycle, move: LifecycleMove): boolean =>
  movesFrom(state).some((other) => MODEL.keyOf(other) === MODEL.keyOf(move));

/** The planted fault: with a full table the first call reaches who registered the last one. */
const isWrong = (state: Lifecycle, move: LifecycleMove): boolean =>
  move.kind === "call" &&
  move.id === 0 &&
  state["slot5"] !== undefined &&
  state["slot5"] !== state["slot0"];

/** One run of the system. */
function fails(moves: readonly LifecycleMove[]): boolean {
  let state = INITIAL;
  for (const move of moves) {
    if (!canMove(state, move)) return false;
    if (isWrong(state, move)) return true;
    state = after(state, move);
  }
  return false;
}

/** What the model lets happen of a list. */
function enabled(moves: readonly LifecycleMove[]): readonly LifecycleMove[] {
  let state = INITIAL;
  return moves.filter((move) => {
    if (!canMove(state, move)) return false;
    state = after(state, move);
    return true;
  });
}

/** Numbers that are the same on every run. NON-SPEC: xorshift. */
function numbers(seed: number): (below: number) => number {
  let bits = seed;
  return (below) => {
    bits ^= bits << 13;
    bits ^= bits >>> 17;
    bits ^= bits << 5;
    return (bits >>> 0) % below;
  };
}

/** A walk of exactly 60 moves whose last one is wrong. */
function longWalk(next: (below: number) => number): readonly LifecycleMove[] {
  for (;;) {
    const moves: LifecycleMove[] = [];
    let state = INITIAL;
    while (moves.length < 59) {
      const all = movesFrom(state).filter((move) => move.kind !== "fail" && !isWrong(state, move));
      const move = all[next(all.length)];
      if (move === undefined) break;
      moves.push(move);
      state = after(state, move);
    }
    const last: LifecycleMove = { kind: "call", id: 0 };
    if (isWrong(state, last) && canMove(state, last)) return [...moves, last];
  }
}

describe("60 moves with a minimum of 14", () => {
  const next = numbers(7);
  const walks = Array.from({ length: 50 }, () => longWalk(next));

  it("are reduced to 14 within 40 runs, every time", () => {
    const runs = walks.map((walk) => {
      expect(walk).toHaveLength(60);
      expect(fails(walk)).toBe(true);
      const reduced = reduce(walk, { fails, enabled });
      expect(reduced.items).toHaveLength(14);
      expect(fails(reduced.items)).toBe(true);
      return reduced.runs;
    });
    expect(Math.max(...runs)).toBeLessThanOrEqual(40);
  });

  it("count every run", () => {
    let asked = 0;
    const counted = (moves: readonly LifecycleMove[]) => {
      asked += 1;
      return fails(moves);
    };
    const { runs } = reduce(walks[0] as readonly LifecycleMove[], { fails: counted, enabled });
    expect(runs).toBe(asked);
  });
});

describe("a list that needs nothing of the model", () => {
  it("ends where no single item can go", () => {
    const items = Array.from({ length: 60 }, (_, n) => n);
    const needed = [3, 17, 18, 40, 59];
    const has = (list: readonly number[]) => needed.every((n) => list.includes(n));
    expect(reduce(items, { fails: has }).items).toEqual(needed);
    expect(reduce(items, { fails: () => true }).items).toEqual([]);
    expect(reduce(items, { fails: () => true }, 2).items).toHaveLength(2);
    expect(reduce(items, { fails: () => false }).items).toEqual(items);
  });
});
