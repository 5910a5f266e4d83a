// The classes of disagreement that are known, each with its reason: disagreements.json.

import { readFileSync } from "node:fs";
import { z } from "zod";
import type { Difference, Tool } from "./agreement.ts";

const row = z.strictObject({
  tool: z.enum(["llvm-mc", "objdump", "both"]),
  /** Our verdict, or several. */
  ours: z.union([z.string(), z.array(z.string())]),
  /** The tool's mnemonic, as a regular expression for the whole of it; or `undefined`. */
  theirs: z.string(),
  /** The words, most significant bit first: 0, 1, or x for either; spaces are for the reader. */
  words: z.optional(z.string()),
  reason: z.string(),
  /** How often it was met in the words that `words` of the file names. */
  count: z.number(),
});

const file = z.strictObject({
  /** The versions whose verdicts these are. */
  versions: z.strictObject({ "llvm-mc": z.string(), objdump: z.string() }),
  /** The words in which `count` counts. */
  words: z.strictObject({ seed: z.number(), random: z.number(), directed: z.number() }),
  disagreements: z.array(row),
});

export type Disagreements = z.infer<typeof file>;

/** A known class: its row in the file, and which differences belong to it. */
export interface KnownClass {
  readonly row: Disagreements["disagreements"][number];
  readonly covers: (difference: Difference, word: number) => boolean;
}

export const disagreementsPath = new URL("disagreements.json", import.meta.url);

export function readDisagreements(): Disagreements {
  return file.parse(JSON.parse(readFileSync(disagreementsPath, "utf8")));
}

/** The 32 characters of a pattern as a mask and a value. */
function parsePattern(pattern: string): { mask: number; value: number } {
  const bits = pattern.replaceAll(" ", "");
  if (!/^[01x]{32}$/.test(bits)) throw new Error(`not a pattern of 32 bits: ${pattern}`);
  const mask = Number.parseInt(bits.replace(/[01]/g, "1").replaceAll("x", "0"), 2);
  return { mask, value: Number.parseInt(bits.replaceAll("x", "0"), 2) };
}

export function knownClasses({ disagreements }: Disagreements): readonly KnownClass[] {
  return disagreements.map((entry) => {
    const tools: readonly Tool[] = entry.tool === "both" ? ["llvm-mc", "objdump"] : [entry.tool];
    const ours = [entry.ours].flat();
    const theirs = new RegExp(`^(?:${entry.theirs})$`);
    const { mask, value } = parsePattern(entry.words ?? "x".repeat(32));
    const covers = (difference: Difference, word: number): boolean =>
      tools.includes(difference.tool) &&
      ours.includes(difference.ours) &&
      theirs.test(difference.theirs) &&
      (word & mask) >>> 0 === value;
    return { row: entry, covers };
  });
}
