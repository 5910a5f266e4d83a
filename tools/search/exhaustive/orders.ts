// Every order of a few things.

/** All orders of a list, the one that it has first. */
export function orders<T>(items: readonly T[]): readonly (readonly T[])[] {
  if (items.length === 0) return [[]];
  return items.flatMap((item, n) =>
    orders(items.toSpliced(n, 1)).map((rest) => [item, ...rest] as const),
  );
}
