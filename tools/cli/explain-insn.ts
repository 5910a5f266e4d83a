// `explain-insn WORD`: mounts the explanation of instruction words.

import type { Command } from "commander";
import { explainLines, explainWord, explanationText, parseWord } from "../explain-insn.ts";
import { EXIT, exiting, UsageError } from "./exit.ts";

/** What is wrong with a word is the user's to mend. */
function word(text: string): number {
  try {
    return parseWord(text);
  } catch (thrown) {
    throw new UsageError(thrown instanceof Error ? thrown.message : String(thrown));
  }
}

/** Declares `explain-insn`. */
export function registerExplainInsn(program: Command): void {
  program
    .command("explain-insn [word...]")
    .description("name, fields and pseudocode of instruction words (hex)")
    .option("--stdin", "read one hex word a line; write word, entry and text with tabs")
    .action(
      exiting(async (words: readonly string[], { stdin }: { readonly stdin?: boolean }) => {
        if (stdin === true) {
          await explainLines(process.stdin, (text) => process.stdout.write(text)).catch(
            (thrown: Error) => {
              throw new UsageError(thrown.message);
            },
          );
          return EXIT.holds;
        }
        if (words.length === 0) throw new UsageError("explain-insn: no word is given");
        for (const text of words)
          process.stdout.write(`${explanationText(explainWord(word(text)))}\n`);
        return EXIT.holds;
      }),
    );
}
