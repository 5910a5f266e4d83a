// The operation of a word: decoded and generated once, then kept, by word and by page.

import { type Effect, UNDEFINED } from "../bits/effects.ts";
import type { Features } from "../cpu-model.ts";
import { decode, indexFor } from "../isa/decode.ts";
import { PAGE_BYTES, type Page } from "../memory.ts";
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
    operation =
      entry === undefined
        ? undefinedOperation
        : generate(entry.effects(word).filter((effect) => hasEffect(features, effect)));
    operations.set(word, operation);
  }
  return operation;
}

/** PSTATE.BTYPE stays zero where there is no FEAT_BTI. Source: DDI0487 D8.4.3. */
function hasEffect(features: Features, effect: Effect): boolean {
  return features.BTI || effect.effect !== "setPSTATE" || effect.field !== "BTYPE";
}

/** What is known of the instructions in a page, while its bytes are of this generation. */
export interface DecodedPage {
  readonly generation: number;
  readonly features: Features;
  readonly operations: (Operation | undefined)[];
}

/** The operations of a page that have been decoded so far; kept with the page. */
export function decodedPage(page: Page, features: Features): DecodedPage {
  const known = page.decoded as DecodedPage | undefined;
  if (known?.generation === page.generation && known.features === features) return known;
  const operations = new Array<Operation | undefined>(PAGE_BYTES / 4).fill(undefined);
  const decoded = { generation: page.generation, features, operations };
  page.decoded = decoded;
  return decoded;
}

/** Decodes the word at an offset of a page, and keeps its operation. */
export function decodeAt(page: Page, decoded: DecodedPage, offset: number): Operation {
  const operation = operationOf(decoded.features, page.view.getUint32(offset, true));
  decoded.operations[offset >> 2] = operation;
  return operation;
}
