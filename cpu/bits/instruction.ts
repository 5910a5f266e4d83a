// An instruction: its name, its source, its encoding, and what it does, written once as data.

import type { Features } from "../cpu-model.ts";
import { type Effect, type Execution, flatten } from "./effects.ts";
import { type Encoding, extractFields, type Fields, parseEncoding } from "./encoding.ts";

/** One decode entry. */
export interface Instruction {
  /** Arm's name, and which form of it: `LDP, post-index`. */
  readonly name: string;
  readonly source: string;
  readonly encoding: Encoding;
  /** The architecture feature that brings it; undefined for Armv8.0. */
  readonly feature: keyof Features | undefined;
  /** Name of the entry that this one takes words from, having more fixed bits. */
  readonly within: string | undefined;
  /** What of it is not modelled. */
  readonly missing: string | undefined;
  /** What a word of this encoding does. */
  readonly effects: (word: number) => readonly Effect[];
}

/** The shape in which an instruction is written. */
export interface InstructionText<E extends string> {
  readonly name: string;
  readonly source: string;
  readonly encoding: E;
  readonly feature?: keyof Features;
  readonly within?: string;
  readonly missing?: string;
  readonly execute: (fields: Fields<E>) => Execution;
}

/** Makes a decode entry; the fields that `execute` may use are those of the diagram. */
export function instruction<const E extends string>(text: InstructionText<E>): Instruction {
  const encoding = parseEncoding(text.encoding);
  return {
    name: text.name,
    source: text.source,
    encoding,
    feature: text.feature,
    within: text.within,
    missing: text.missing,
    effects: (word) => flatten(text.execute(extractFields(encoding, word) as Fields<E>)),
  };
}
