// The second way to apply a transition: its effect changes plain copies, without immer.

import type { Hyp } from "../spec/types/hyp.ts";
import type { Change, Mutable } from "./transition.ts";

type Part = keyof Hyp;

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

/** The parts that an effect changed, and what it answered. */
export interface Changed<T> {
  readonly parts: Partial<Hyp>;
  readonly answer: T;
}

/**
 * Runs an effect on a draft that copies a part of the state when it is first touched. What is
 * copied and comes out the same has not changed.
 */
export function changedBy<T>(pre: Hyp, effect: (draft: Mutable<Hyp>) => T): Changed<T> {
  const copies = new Map<Part, unknown>();
  // The target is nobody's state: a proxy of a frozen one must show what is in it.
  const draft = new Proxy({} as Hyp, {
    get: (_, part: Part) => {
      if (!copies.has(part)) copies.set(part, copied(pre[part]));
      return copies.get(part);
    },
    set: (_, part: Part, value) => {
      copies.set(part, value);
      return true;
    },
  });
  const answer = effect(draft as Mutable<Hyp>);
  const parts: Partial<Record<Part, unknown>> = {};
  for (const [part, copy] of copies) if (!same(pre[part], copy)) parts[part] = copy;
  return { parts: parts as Partial<Hyp>, answer };
}

/** One effect by plain copies; parts that did not change are those of the state before. */
export const plainly: Change = (pre, effect) => {
  const { parts, answer } = changedBy(pre, effect);
  return { post: Object.keys(parts).length === 0 ? pre : { ...pre, ...parts }, outcome: answer };
};
