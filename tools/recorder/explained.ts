// Differences from QEMU that are known, each with a reason: where it deviates, or the text leaves
// it open.

import { readFileSync } from "node:fs";
import { z } from "zod";
import { type Difference, describe } from "./compare.ts";
import type { Replayed } from "./replay.ts";
import { type RecordedVector, stackOf, type Vector } from "./vector.ts";

const hexMask = z.string().regex(/^[0-9a-f]+$/);

const maskedWord = z.string().regex(/^[0-9a-f]{8}=[0-9a-f]{8}$/);

/** One explanation; what it leaves out matches everything. */
const explanationShape = z.strictObject({
  reason: z.string(),
  /** The text that decides, or why nothing does. */
  source: z.string(),
  /** A pattern for the name of the processor. */
  processor: z.string().optional(),
  /** A pattern for the name of the entry. */
  entry: z.string().optional(),
  /** `mask=value` of the first word. */
  word: maskedWord.optional(),
  configuration: z.string().optional(),
  /** At least one of these bits of PSTATE was set before. */
  pstate: hexMask.optional(),
  /** Registers of which at least one of these bits was set before, by name. */
  registers: z.record(z.string(), hexMask).optional(),
  /** The stack pointer in use, or the PC, was no multiple of 16 or of 4. */
  misaligned: z.enum(["sp", "pc"]).optional(),
  /** A pattern for what QEMU did: `completed`, or `EL1+200 EC 25`. */
  recorded: z.string().optional(),
  /** The same for our core. */
  ours: z.string().optional(),
  /** `mask=value` of the syndromes. */
  recordedEsr: maskedWord.optional(),
  oursEsr: maskedWord.optional(),
  /** What differs, and in which bits; everything may, where this is absent. */
  differs: z.record(z.string(), z.union([hexMask, z.literal("any")])).optional(),
});

export type Explanation = z.infer<typeof explanationShape>;

/** All of them. */
export function readExplanations(): readonly Explanation[] {
  const text = readFileSync(new URL("explained.json", import.meta.url), "utf8");
  return z.array(explanationShape).parse(JSON.parse(text));
}

const matches = (pattern: string | undefined, text: string): boolean =>
  pattern === undefined || new RegExp(pattern).test(text);

function matchesMasked(pattern: string | undefined, word: number | undefined): boolean {
  if (pattern === undefined) return true;
  const [mask, value] = pattern.split("=").map((digits) => Number.parseInt(digits, 16));
  return word !== undefined && (word & mask!) >>> 0 === value;
}

/** Whether the state before is one that an explanation is about. */
function concerns({ pstate, registers = {}, misaligned }: Explanation, vector: Vector): boolean {
  const [stack, alignment] = [vector.sp[stackOf(vector)], { sp: 15n, pc: 3n }];
  const address = misaligned === "pc" ? vector.pc : stack;
  return (
    (pstate === undefined || (vector.pstate & Number.parseInt(pstate, 16)) !== 0) &&
    (misaligned === undefined || (address & alignment[misaligned]) !== 0n) &&
    Object.entries(registers).every(
      ([name, bits]) => ((vector.settings.get(name) ?? 0n) & BigInt(`0x${bits}`)) !== 0n,
    )
  );
}

const isHex = (text: string): boolean => /^[0-9a-f]+$/.test(text);

/** Whether a difference lies within what an explanation covers. */
function covers({ differs }: Explanation, { what, recorded, ours }: Difference): boolean {
  if (differs === undefined) return true;
  const mask = differs[what];
  if (mask === undefined || mask === "any") return mask === "any";
  if (!isHex(recorded) || !isHex(ours)) return false;
  return ((BigInt(`0x${recorded}`) ^ BigInt(`0x${ours}`)) & ~BigInt(`0x${mask}`)) === 0n;
}

function describeReplayed(replayed: Replayed): string {
  return "stop" in replayed ? `stop ${replayed.stop.kind}` : describe(replayed.outcome);
}

function esrOf(replayed: Replayed): number | undefined {
  return "stop" in replayed ? undefined : replayed.outcome.exception?.esr;
}

/** The explanation for the differences of one vector, if there is one for all of them. */
export function explanationOf(
  explanations: readonly Explanation[],
  processor: string,
  { vector, outcome }: RecordedVector,
  replayed: Replayed,
  differences: readonly Difference[],
): Explanation | undefined {
  return explanations.find(
    (one) =>
      matches(one.processor, processor) &&
      matches(one.entry, vector.entry) &&
      matches(one.configuration, vector.configuration) &&
      matches(one.recorded, describe(outcome)) &&
      matches(one.ours, describeReplayed(replayed)) &&
      matchesMasked(one.word, vector.words[0]) &&
      matchesMasked(one.recordedEsr, outcome.exception?.esr) &&
      matchesMasked(one.oursEsr, esrOf(replayed)) &&
      concerns(one, vector) &&
      differences.every((difference) => covers(one, difference)),
  );
}
