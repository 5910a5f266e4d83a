// An arbitrary of walks through a small world: enabled moves, shrunk by leaving some out.

import fc from "fast-check";
import { canMove, randomWalk, rowAfter, type WalkPlan } from "../../tools/search/random-walk.ts";
import type { Move, WorldState } from "../../tools/search/world/world.ts";

/** Where the shrinking of a walk is: the size of the piece that goes next, and where it ends. */
interface Place {
  readonly size: number;
  readonly end: number;
  /** Whether something went since single moves were tried. */
  readonly went: boolean;
}

/** The moves of a walk that can still be made when some are left out. */
export function enabledOf(plan: WalkPlan, moves: readonly Move[]): readonly Move[] {
  const { explorer } = plan;
  let row = explorer.rowOf(explorer.searched.initial[0] as WorldState);
  return moves.filter((move) => {
    const id = explorer.idOfMove(move);
    if (!canMove(plan, row, id)) return false;
    row = rowAfter(explorer, row, id);
    return true;
  });
}

/** Shorter walks, large pieces first and from the end; one from a file is shrunk like any other. */
function* shorter(plan: WalkPlan, moves: readonly Move[], place: Place | undefined) {
  const { length } = moves;
  let size = place?.size ?? Math.ceil(length / 2);
  let end = place?.end ?? length;
  let again = place?.went ?? false;
  while (size > 0) {
    for (; end > 0; end = Math.max(0, end - size)) {
      const from = Math.max(0, end - size);
      const kept = enabledOf(plan, moves.toSpliced(from, end - from));
      if (kept.length >= length) continue;
      const next: Place = { size, end: Math.min(from, kept.length), went: true };
      yield new fc.Value(kept, next);
    }
    end = length;
    if (size > 1) size = Math.ceil(size / 2);
    else if (again) again = false;
    else size = 0;
  }
}

/**
 * fast-check's own way to add a generator is to extend its class; there is nothing else in it.
 */
class Walks extends fc.Arbitrary<readonly Move[]> {
  readonly plan: WalkPlan;
  readonly length: number;

  constructor(plan: WalkPlan, length: number) {
    super();
    this.plan = plan;
    this.length = length;
  }

  generate(random: fc.Random): fc.Value<readonly Move[]> {
    const below = (bound: number): number => random.nextInt(0, bound - 1);
    const walk = randomWalk(this.plan, random.nextInt(1, this.length), below);
    return new fc.Value(
      walk.map((move) => this.plan.explorer.moves[move] as Move),
      undefined,
    );
  }

  canShrinkWithoutContext(value: unknown): value is readonly Move[] {
    return Array.isArray(value) && value.every((move) => typeof move === "object");
  }

  shrink(value: readonly Move[], context: unknown): fc.Stream<fc.Value<readonly Move[]>> {
    return new fc.Stream(shorter(this.plan, value, context as Place | undefined));
  }
}

/** Walks of at most `length` moves after their beginning. */
export const walks = (plan: WalkPlan, length: number): fc.Arbitrary<readonly Move[]> =>
  new Walks(plan, length);
