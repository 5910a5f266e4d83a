// A packed state as the record that the specification reads, and what was read of it.

import type { PartTable } from "./parts.ts";

/** Reads of one packed state at a time. */
export interface View<S> {
  /** The state; the parts named are its own keys, which is all that a comparison walks over. */
  readonly state: (own: readonly number[]) => S;
  /** The state after a step that changed these parts; `values` is by part. */
  readonly after: (changed: readonly number[], values: readonly unknown[]) => S;
  /** Looks at another row, or at another step from it, from now on; forgets what was read. */
  readonly at: (row: Uint32Array) => void;
  /** Forgets what was read, and looks at the same step from the same row. */
  readonly forget: () => void;
  /** What was read of the row since then: a bit for each part. */
  readonly mask: () => number;
}

type Get = (part: number) => unknown;

/** Accessors that read parts of the row, by the names that they have there. */
const accessors = (get: Get, named: Iterable<readonly [string, number]>): PropertyDescriptorMap =>
  Object.fromEntries(
    [...named].map(([name, part]) => [
      name,
      { get: () => get(part), enumerable: true } as PropertyDescriptor,
    ]),
  );

/** What each key holds: one part, or a part for each field. */
function partsByKey(tables: readonly PartTable[]) {
  const whole = new Map<string, number>();
  const split = new Map<string, [string, number][]>();
  for (const [part, { key, field }] of tables.entries()) {
    if (field === undefined) whole.set(key, part);
    else split.set(key, [...(split.get(key) ?? []), [field, part]]);
  }
  return { whole, split };
}

/** How a state shows its keys. */
function createShown({ whole, split }: ReturnType<typeof partsByKey>) {
  /** What a key holds: the value of its part, or a record whose fields are read one by one. */
  function heldBy(key: string, get: Get, made: Map<string, object>): unknown {
    const fields = split.get(key);
    if (fields === undefined) return get(whole.get(key) as number);
    let record = made.get(key);
    if (record === undefined) {
      record = Object.defineProperties({}, accessors(get, fields));
      made.set(key, record);
    }
    return record;
  }
  return (get: Get, made: Map<string, object>, keys: Iterable<string>): PropertyDescriptorMap =>
    Object.fromEntries(
      [...keys].map((key) => [
        key,
        { get: () => heldBy(key, get, made), enumerable: true } as PropertyDescriptor,
      ]),
    );
}

/**
 * Views over the rows of a search. Only parts that a step changed are keys of what rules are given:
 * all others are the same before and after, so that a comparison need not read them.
 */
export function createView<S extends object>(tables: readonly PartTable[]): View<S> {
  let current = new Uint32Array(tables.length);
  let mask = 0;
  let values: readonly unknown[] = [];
  let changed: readonly number[] = [];
  /** Records of split parts before a step: one for each row, as a value has one identity. */
  const records = new Map<string, object>();
  const keys = partsByKey(tables);
  const shownKeys = createShown(keys);

  const read: Get = (part) => {
    mask |= 1 << part;
    return (tables[part] as PartTable).values[current[part] as number];
  };
  const readAfter: Get = (part) => (changed.includes(part) ? values[part] : read(part));

  const recordsAfter = new Map<string, object>();
  const prototype = Object.defineProperties(
    {},
    shownKeys(read, records, [...keys.whole.keys(), ...keys.split.keys()]),
  );
  const before = new Map<string, PropertyDescriptorMap>();
  const after = new Map<string, PropertyDescriptorMap>();

  /** A new object for each look: rules may remember by identity what they saw of a state. */
  function shown(
    known: Map<string, PropertyDescriptorMap>,
    get: Get,
    made: Map<string, object>,
    own: readonly number[],
  ): S {
    if (own.length === 0) return Object.create(prototype) as S;
    const name = own.join();
    const names = new Set(own.map((part) => (tables[part] as PartTable).key));
    const descriptors = known.get(name) ?? shownKeys(get, made, names);
    known.set(name, descriptors);
    return Object.create(prototype, descriptors) as S;
  }

  return {
    at: (row) => {
      current = row as Uint32Array<ArrayBuffer>;
      mask = 0;
      records.clear();
      recordsAfter.clear();
    },
    forget: () => {
      mask = 0;
    },
    mask: () => mask,
    state: (own) => shown(before, read, records, own),
    after: (own, changedTo) => {
      changed = own;
      values = changedTo;
      return shown(after, readAfter, recordsAfter, own);
    },
  };
}
