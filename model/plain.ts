// The second way to apply a transition: its effect changes plain copies, without immer.

import type { Hyp } from "../spec/types/hyp.ts";
import type { Change, Mutable } from "./transition.ts";

/** A copy all the way down of what states are made of: atoms, lists, maps, sets and records. */
export function copied<T>(value: T): T {
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.map(copied) as T;
  if (value instanceof Map) {
    const copy = new Map();
    for (const [key, item] of value) copy.set(key, copied(item));
    return copy as T;
  }
  if (value instanceof Set) return new Set(value) as T;
  const copy: Record<string, unknown> = {};
  for (const [key, item] of Object.entries(value)) copy[key] = copied(item);
  return copy as T;
}

/** Whether two values are the same all the way down; the order of a map's keys does not matter. */
export function same(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return false;
  if (Array.isArray(a)) {
    return Array.isArray(b) && a.length === b.length && a.every((item, n) => same(item, b[n]));
  }
  if (a instanceof Map) {
    if (!(b instanceof Map) || a.size !== b.size) return false;
    for (const [key, item] of a) if (!b.has(key) || !same(item, b.get(key))) return false;
    return true;
  }
  if (a instanceof Set) {
    return b instanceof Set && a.size === b.size && [...a].every((item) => b.has(item));
  }
  const [left, right] = [a as Record<string, unknown>, b as Record<string, unknown>];
  const keys = Object.keys(left);
  return (
    keys.length === Object.keys(right).length &&
    keys.every((key) => Object.hasOwn(right, key) && same(left[key], right[key]))
  );
}

/** What an effect changed, and what it answered. */
export interface Changed<T> {
  /** Parts that are other ones as a whole. */
  readonly parts: Partial<Hyp>;
  /** Of parts that are records: the fields that are others. */
  readonly fields: ReadonlyMap<keyof Hyp, object>;
  readonly answer: T;
}

type Copies = Map<PropertyKey, unknown>;

const isRecord = (value: unknown): value is object =>
  typeof value === "object" &&
  value !== null &&
  !Array.isArray(value) &&
  !(value instanceof Map || value instanceof Set);

/**
 * A draft of a record: a field is copied when it is first touched, and what is not touched is not
 * read either. The target is nobody's: a proxy of a frozen record must show what is in it.
 */
function draftOf(record: object, copies: Copies): object {
  const fieldOf = (field: PropertyKey): unknown => {
    if (!copies.has(field)) copies.set(field, copied((record as never)[field]));
    return copies.get(field);
  };
  return new Proxy(
    {},
    {
      get: (_, field) => fieldOf(field),
      set: (_, field, value) => {
        copies.set(field, value);
        return true;
      },
      has: (_, field) => field in record,
      ownKeys: () => Reflect.ownKeys(record),
      getOwnPropertyDescriptor: (_, field) =>
        field in record
          ? { value: fieldOf(field), writable: true, enumerable: true, configurable: true }
          : undefined,
      deleteProperty: (_, field) => {
        throw new Error(`plain: ${String(field)} of a record cannot be deleted`);
      },
    },
  );
}

/** What was touched and came out as something else. */
const othersIn = (record: object, copies: Copies): object =>
  Object.fromEntries([...copies].filter(([key, copy]) => !same((record as never)[key], copy)));

/**
 * Runs an effect on a draft that copies a part of the state when it is first touched, and of a part
 * that is a record the fields. What is copied and comes out the same has not changed.
 */
export function changedBy<T>(pre: Hyp, effect: (draft: Mutable<Hyp>) => T): Changed<T> {
  const copies: Copies = new Map();
  const drafts = new Map<unknown, { readonly key: PropertyKey; readonly copies: Copies }>();
  const draft = new Proxy({} as Hyp, {
    get: (_, key: keyof Hyp) => {
      if (copies.has(key)) return copies.get(key);
      const part = pre[key];
      const ofFields: Copies = new Map();
      const opened = isRecord(part) ? draftOf(part, ofFields) : copied(part);
      if (isRecord(part)) drafts.set(opened, { key, copies: ofFields });
      copies.set(key, opened);
      return opened;
    },
    set: (_, key: keyof Hyp, value) => {
      copies.set(key, value);
      return true;
    },
  });
  const answer = effect(draft as Mutable<Hyp>);
  const parts: Partial<Record<keyof Hyp, unknown>> = {};
  const fields = new Map<keyof Hyp, object>();
  for (const [key, copy] of copies as Map<keyof Hyp, unknown>) {
    const opened = drafts.get(copy);
    if (opened === undefined) {
      if (!same(pre[key], copy)) parts[key] = copy;
      continue;
    }
    const others = othersIn(pre[key] as object, opened.copies);
    if (Object.keys(others).length > 0) fields.set(key, others);
  }
  return { parts: parts as Partial<Hyp>, fields, answer };
}

/** One effect by plain copies; parts that did not change are those of the state before. */
export const plainly: Change = (pre, effect) => {
  const { parts, fields, answer } = changedBy(pre, effect);
  const records = [...fields].map(([key, others]) => [key, { ...(pre[key] as object), ...others }]);
  const changed = { ...parts, ...Object.fromEntries(records) };
  return {
    post: Object.keys(changed).length === 0 ? pre : { ...pre, ...changed },
    outcome: answer,
  };
};
