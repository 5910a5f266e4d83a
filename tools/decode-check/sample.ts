// A sample of words with the verdicts of the tools, for tests that run without them.

import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { entries } from "../../cpu/isa/entries.ts";
import type { ToolVerdicts } from "./check.ts";
import type { Disagreements } from "./explained.ts";
import { spaces, type ToolVerdict } from "./verdict.ts";
import { randomWords, wordsOf } from "./words.ts";

export const samplePath = fileURLToPath(
  new URL("../../properties/cpu/decode/sample.tsv", import.meta.url),
);

/** Words of each entry, spread evenly over those with boundary values. */
const WORDS_OF_ENTRY = 20;
const RANDOM_WORDS = 4000;
const SEED = 20;

/** The words of the sample. */
export function* sampleWords(): Generator<number> {
  for (const { name, encoding } of entries) {
    if (spaces.includes(name)) continue;
    const words = [...wordsOf(encoding)];
    const step = Math.max(1, words.length / WORDS_OF_ENTRY);
    for (let i = 0; i < words.length; i += step) yield words[Math.floor(i)] ?? 0;
  }
  yield* randomWords(SEED, RANDOM_WORDS);
}

const columns = ["word", "llvm-mc", "its opcode", "llvm-mc of all features", "objdump"];

const cell = (text: string | undefined): string => text ?? "-";

/** Asks the tools about the words of the sample, and writes what they say. */
export function recordSample(
  versions: Disagreements["versions"],
  ask: (words: Iterable<number>) => readonly ToolVerdicts[],
): void {
  const lines = ask(sampleWords()).map(({ word, llvmBase, llvmAll, objdump }) =>
    [
      word.toString(16).padStart(8, "0"),
      cell(llvmBase.mnemonic),
      cell(llvmBase.opcode),
      cell(llvmAll.mnemonic),
      cell(objdump.mnemonic),
    ].join("\t"),
  );
  const recorders = `llvm-mc ${versions["llvm-mc"]}, objdump ${versions.objdump}`;
  const head = `# ${recorders}; by decode-check --record`;
  writeFileSync(samplePath, `${[head, columns.join("\t"), ...lines].join("\n")}\n`);
}

/** The committed sample. */
export function readSample(): readonly ToolVerdicts[] {
  const [, , ...lines] = readFileSync(samplePath, "utf8").trimEnd().split("\n");
  return lines.map((line) => {
    const [word = "", ...cells] = line.split("\t");
    const [base, opcode, all, dumped] = cells.map((text) => (text === "-" ? undefined : text));
    const llvmBase: ToolVerdict = { mnemonic: base, opcode };
    return {
      word: Number.parseInt(word, 16),
      llvmBase,
      llvmAll: { mnemonic: all },
      objdump: { mnemonic: dumped },
    };
  });
}
