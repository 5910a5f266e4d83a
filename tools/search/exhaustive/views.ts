// A packed state as the record that the specification reads, and what was read of it.

import type { PartTable } from "./parts.ts";

/** Reads of one packed state at a time. */
export interface View<S> {
  /** The state; the parts named are its own keys, which is all that a comparison walks over. */
  readonly state: (own: readonly number[]) => S;
  /** The state after a step that changed these parts; `values` is by part. */
  readonly after: (changed: readonly number[], values: readonly unknown[]) => S;
  /** Looks at another row from now on, and forgets what was read. */
  readonly at: (row: Uint32Array) => void;
  /** What was read of the row since then: a bit for each part. */
  readonly mask: () => number;
}

/**
 * Views over the rows of a search. Only parts that a step changed are keys of what rules are given:
 * all others are the same before and after, so that a comparison need not read them.
 */
export function createView<S extends object>(tables: readonly PartTable[]): View<S> {
  let current = new Uint32Array(tables.length);
  let mask = 0;

  const read = (part: number): unknown => {
    mask |= 1 << part;
    return (tables[part] as PartTable).values[current[part] as number];
  };
  /** An accessor a part; `values` holds what a step changed, by part. */
  const accessors = (get: (part: number) => unknown, parts: readonly number[]) =>
    Object.fromEntries(
      parts.map((part) => [
        (tables[part] as PartTable).name,
        { get: () => get(part), enumerable: true } as PropertyDescriptor,
      ]),
    );
  const everyPart = tables.map((_, part) => part);
  const prototype = Object.defineProperties({}, accessors(read, everyPart)) as object;
  let values: readonly unknown[] = [];
  const value = (part: number): unknown => values[part];
  const before = new Map<string, PropertyDescriptorMap>();
  const after = new Map<string, PropertyDescriptorMap>();

  /** A new object for each look: rules may remember by identity what they saw of a state. */
  function shown(
    made: Map<string, PropertyDescriptorMap>,
    get: (part: number) => unknown,
    own: readonly number[],
  ): S {
    if (own.length === 0) return Object.create(prototype) as S;
    const key = own.join();
    const descriptors = made.get(key) ?? accessors(get, own);
    made.set(key, descriptors);
    return Object.create(prototype, descriptors) as S;
  }

  return {
    at: (row) => {
      current = row as Uint32Array<ArrayBuffer>;
      mask = 0;
    },
    mask: () => mask,
    state: (own) => shown(before, read, own),
    after: (changed, changedTo) => {
      values = changedTo;
      return shown(after, value, changed);
    },
  };
}
