// The words that are checked: random ones, and those which the decode table itself suggests.

import type { Encoding, Field } from "../../cpu/bits/encoding.ts";
import { entries } from "../../cpu/isa/entries.ts";

/** Random words from a seed: xorshift of 32 bits, every word but 0 once in its period. */
export function* randomWords(seed: number, count: number): Generator<number> {
  let state = seed >>> 0 || 1;
  for (let i = 0; i < count; i++) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    state >>>= 0;
    yield state;
  }
}

const range = (count: number): readonly number[] => Array.from({ length: count }, (_, i) => i);

/** Values of six bits about the powers of two, where shifts and masks change what they mean. */
const sixBits = [0, 1, 2, 7, 15, 16, 30, 31, 32, 33, 47, 48, 55, 56, 59, 60, 61, 62, 63];

/** Boundary values of a field: all of a narrow one, the ends and the middle of a wide one. */
function boundaries({ width }: Field): readonly number[] {
  if (width <= 3) return range(2 ** width);
  if (width === 4) return range(16);
  if (width === 5) return [0, 1, 30, 31];
  if (width === 6) return sixBits;
  const top = 2 ** width;
  return [0, 1, top / 2 - 1, top / 2, top - 2, top - 1];
}

/** The fields of an encoding, and its should-be bits, some of them wrong, as one more field. */
function fieldsOf(encoding: Encoding): readonly { low: number; values: readonly number[] }[] {
  const named = encoding.fields.map((field) => ({ low: field.low, values: boundaries(field) }));
  const { shouldMask: mask, shouldValue: value } = encoding;
  if (mask === 0) return named;
  const wrong = [value, value ^ mask, value ^ (mask & -mask)];
  return [...named, { low: 0, values: [...new Set(wrong.map((bits) => bits >>> 0))] }];
}

/** All words of an encoding whose fields have boundary values. */
export function* wordsOf(encoding: Encoding): Generator<number> {
  const fields = fieldsOf(encoding);
  const chosen = fields.map(() => 0);
  for (;;) {
    let word = encoding.value;
    fields.forEach(({ low, values }, i) => {
      word |= (values[chosen[i] ?? 0] ?? 0) << low;
    });
    yield word >>> 0;
    let at = 0;
    while (at < fields.length) {
      const next = (chosen[at] ?? 0) + 1;
      if (next < (fields[at]?.values.length ?? 0)) {
        chosen[at] = next;
        break;
      }
      chosen[at++] = 0;
    }
    if (at === fields.length) return;
  }
}

/** Words of an encoding with one fixed bit turned over: where the neighbours of an entry begin. */
function* neighboursOf(encoding: Encoding): Generator<number> {
  const ones = encoding.fields.reduce(
    (word, { low, width }) => word | ((2 ** width - 1) << low),
    0,
  );
  for (let bit = 0; bit < 32; bit++) {
    if (((encoding.mask >>> bit) & 1) === 0) continue;
    for (const fill of [0, ones, 0x1555_5555 & ones])
      yield ((encoding.value | encoding.shouldValue | fill) ^ (1 << bit)) >>> 0;
  }
}

/** Everything that the decode table suggests, in its order. */
export function* directedWords(): Generator<number> {
  for (const { encoding, name } of entries) {
    // These cover a quarter of all words, without a structure that we know.
    if (["FP/SIMD", "SVE", "SME"].includes(name)) continue;
    yield* wordsOf(encoding);
    yield* neighboursOf(encoding);
  }
}
