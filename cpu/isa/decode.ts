// Decoding: which entry a word belongs to.

import { matches } from "../bits/encoding.ts";
import type { Instruction } from "../bits/instruction.ts";
import type { Features } from "../cpu-model.ts";
import { entries } from "./entries.ts";

/** Entries by bits 31 to 21 of a word; in each bucket those with more fixed bits come first. */
export type DecodeIndex = readonly (readonly Instruction[])[];

const BUCKET_LOW = 21;
const BUCKET_COUNT = 2 ** (32 - BUCKET_LOW);
const BUCKET_MASK = ((BUCKET_COUNT - 1) << BUCKET_LOW) >>> 0;

function fixedBits(entry: Instruction): number {
  let bits = entry.encoding.mask;
  let count = 0;
  for (; bits !== 0; bits &= bits - 1) count++;
  return count;
}

/** The index over some entries. */
export function makeIndex(from: readonly Instruction[]): DecodeIndex {
  const sorted = [...from].sort((a, b) => fixedBits(b) - fixedBits(a));
  return Array.from({ length: BUCKET_COUNT }, (_, bucket) => {
    const high = (bucket << BUCKET_LOW) >>> 0;
    return sorted.filter(({ encoding }) => {
      const mask = (encoding.mask & BUCKET_MASK) >>> 0;
      return (high & mask) >>> 0 === (encoding.value & mask) >>> 0;
    });
  });
}

const indexes = new WeakMap<Features, DecodeIndex>();

/** The index over the entries that a processor with these features has. */
export function indexFor(features: Features): DecodeIndex {
  let index = indexes.get(features);
  if (index === undefined) {
    index = makeIndex(entries.filter(({ feature }) => feature === undefined || features[feature]));
    indexes.set(features, index);
  }
  return index;
}

/** The entry of a word: the first that matches, or none, where the word is unallocated. */
export function decode(index: DecodeIndex, word: number): Instruction | undefined {
  return index[word >>> BUCKET_LOW]?.find((entry) => matches(entry.encoding, word));
}
