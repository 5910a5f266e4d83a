// `npm run vectors -- FILE…`: replays recorded single-instruction vectors on the core.

import { statSync } from "node:fs";
import { basename } from "node:path";
import { parseArgs } from "node:util";
import { isRecording, replayRecording } from "./recorder/replay-file.ts";
import { readLines, replayFile } from "./vectors/replay-file.ts";
import { replayText } from "./vectors/report.ts";

function progress(file: string, total: number): (done: number) => void {
  if (!process.stderr.isTTY) return () => {};
  return (done) => {
    if (done % 500 === 0 || done === total)
      process.stderr.write(`\r${basename(file)} ${done}/${total}${done === total ? "\n" : ""}`);
  };
}

/** The lines of a file of vectors; throws where there is none. */
function linesOf(file: string): readonly string[] {
  if (statSync(file).isCharacterDevice()) throw new Error("a device, not a file");
  const lines = readLines(file);
  if (lines.length < (isRecording(lines[0] ?? "") ? 2 : 1)) throw new Error("no vectors in it");
  return lines;
}

/** Replays one file; gives the number of mismatches. */
function replayOne(file: string): number {
  const lines = linesOf(file);
  if (isRecording(lines[0]!)) {
    const { text, mismatches } = replayRecording(file, lines, progress(file, lines.length - 1));
    console.log(text);
    return mismatches;
  }
  const replayed = replayFile(file, lines, progress(file, lines.length));
  console.log(replayText(replayed));
  return replayed.mismatches.length;
}

function main(): number {
  const { positionals } = parseArgs({ allowPositionals: true });
  if (positionals.length === 0) throw new Error("no file of vectors is named");
  let mismatches = 0;
  for (const file of positionals) {
    try {
      mismatches += replayOne(file);
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      throw new Error(why.startsWith(file) ? why : `${file}: ${why}`);
    }
  }
  return mismatches === 0 ? 0 : 1;
}

try {
  process.exitCode = main();
} catch (error) {
  console.error(`vectors: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 2;
}
