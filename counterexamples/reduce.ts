// Makes a failing list short: delta debugging, where leaving out one item takes along what it
// enabled.

/** How a list is tried: whether it still fails, and what of it can still happen. */
export interface Trial<T> {
  /** One run of the system. */
  readonly fails: (items: readonly T[]) => boolean;
  /** The items that the model lets happen, in order; asking it costs no run. */
  readonly enabled?: (items: readonly T[]) => readonly T[];
}

/** A list from which no single item can go, and the runs that it took to know. */
export interface Reduced<T> {
  readonly items: readonly T[];
  readonly runs: number;
}

/**
 * Zeller's ddmin on complements: halves first, then quarters, down to single items. After a piece
 * went, the next one is tried at the same place, so that what was kept is not asked about again
 * before the pieces become smaller. Single items go round until none can go.
 * Source: Zeller and Hildebrandt, Simplifying and Isolating Failure-Inducing Input, 2002, section
 * 3.
 */
export function reduce<T>(
  items: readonly T[],
  { fails, enabled = (list) => list }: Trial<T>,
  atLeast = 0,
): Reduced<T> {
  const asked = new Map<string, boolean>();
  const numbers = new Map(items.map((item, n) => [item, n]));
  let current = items;
  /** Takes a shorter list if it still fails. */
  const takes = (candidate: readonly T[]): boolean => {
    const shorter = enabled(candidate);
    if (shorter.length >= current.length || shorter.length < atLeast) return false;
    const key = shorter.map((item) => numbers.get(item)).join();
    const answer = asked.get(key) ?? fails(shorter);
    asked.set(key, answer);
    if (answer) current = shorter;
    return answer;
  };
  takes(items);
  for (let size = Math.ceil(current.length / 2); size > 0; size = nextSize(size)) {
    let went = false;
    for (let end = current.length; end > 0; ) {
      const from = Math.max(0, end - size);
      if (takes(current.toSpliced(from, end - from))) went = true;
      end = Math.min(from, current.length);
    }
    if (size === 1 && went) size = 2;
  }
  return { items: current, runs: asked.size };
}

const nextSize = (size: number): number => (size === 1 ? 0 : Math.ceil(size / 2));
