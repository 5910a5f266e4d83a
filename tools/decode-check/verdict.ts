// What a decoder says of a word; our own verdict: one entry, UNALLOCATED, or a space beyond A64's
// base instructions.

import { max } from "../../cpu/cpu-model.ts";
import { decode, indexFor } from "../../cpu/isa/decode.ts";

/** Spaces that the core recognises and does not execute. */
export const spaces: readonly string[] = ["FP/SIMD", "SVE", "SME"];

export const UNALLOCATED = "UNALLOCATED";

const index = indexFor(max.features);

/** The name of a word's entry, or of its space, or UNALLOCATED; on the `max` processor. */
export function ourVerdict(word: number): string {
  const entry = decode(index, word);
  if (entry === undefined) return UNALLOCATED;
  if (spaces.includes(entry.name)) return entry.name;
  // An entry may refuse some values of its fields.
  const effects = entry.effects(word);
  const refused = effects.some((e) => e.effect === "UNDEFINED" && !e.allocated);
  return refused ? UNALLOCATED : entry.name;
}

/** What a disassembler says of a word. */
export interface ToolVerdict {
  /** The instruction's own mnemonic, never an alias; undefined where it knows none. */
  readonly mnemonic: string | undefined;
  /** LLVM's name of the decode entry. */
  readonly opcode?: string | undefined;
  /** It says that bits which should be one or zero are not. */
  readonly suspicious?: boolean;
}

/**
 * Whether this is how a disassembler prints a word of op0 = 0b00 that it does not know: as a move
 * to or from a system register of that op0, of which there are none.
 * Source: DDI0487 C5.1.3: op0 is 0b10 or 0b11 in MRS and MSR (register).
 */
export function movesNothing(text: string): boolean {
  return /\b(?:mrs|msr)\b.*\bs0_\d_c\d/i.test(text);
}
