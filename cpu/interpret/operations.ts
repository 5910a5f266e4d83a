// The function of a word: decoded and generated once, then kept.

import { UNDEFINED } from "../bits/effects.ts";
import type { Features } from "../cpu-model.ts";
import { decode, indexFor } from "../isa/decode.ts";
import { generate, type Operation } from "./generate.ts";

const kept = new WeakMap<Features, Map<number, Operation>>();

const undefinedOperation = generate([UNDEFINED]);

/** What a word does on a processor with these features. */
export function operationOf(features: Features, word: number): Operation {
  let operations = kept.get(features);
  if (operations === undefined) {
    operations = new Map();
    kept.set(features, operations);
  }
  let operation = operations.get(word);
  if (operation === undefined) {
    const entry = decode(indexFor(features), word);
    operation = entry === undefined ? undefinedOperation : generate(entry.effects(word));
    operations.set(word, operation);
  }
  return operation;
}
