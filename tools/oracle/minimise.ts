// Makes a list that fails as short as it can be: parts are left out as long as it still fails.

/**
 * Leaves out halves, quarters, and so on down to single items, as long as what is left fails.
 * At most `budget` tries. Source: Zeller and Hildebrandt, ddmin (2002), complements only.
 */
export async function minimise<T>(
  items: readonly T[],
  fails: (items: readonly T[]) => Promise<boolean>,
  budget: number,
): Promise<readonly T[]> {
  let kept = items;
  let tries = 0;
  let size = Math.ceil(items.length / 2);
  while (size >= 1 && kept.length > 1) {
    let shorter = false;
    for (let from = 0; from < kept.length && tries < budget; ) {
      const rest = kept.toSpliced(from, size);
      tries++;
      if (rest.length > 0 && (await fails(rest))) {
        kept = rest;
        shorter = true;
      } else {
        from += size;
      }
    }
    if (tries >= budget) return kept;
    if (size === 1 && !shorter) return kept;
    size = size === 1 ? 1 : Math.ceil(size / 2);
  }
  return kept;
}
