// `npm run vectors -- FILE…`: replays recorded single-instruction vectors on the core.

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

function main(): number {
  const { positionals } = parseArgs({ allowPositionals: true });
  if (positionals.length === 0) throw new Error("no file of vectors is named");
  let mismatches = 0;
  for (const file of positionals) {
    const lines = readLines(file);
    if (isRecording(lines[0] ?? "")) {
      const recording = replayRecording(file, lines, progress(file, lines.length - 1));
      console.log(recording.text);
      mismatches += recording.mismatches;
      continue;
    }
    const replayed = replayFile(file, lines, progress(file, lines.length));
    console.log(replayText(replayed));
    mismatches += replayed.mismatches.length;
  }
  return mismatches === 0 ? 0 : 1;
}

try {
  process.exitCode = main();
} catch (error) {
  console.error(`vectors: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 2;
}
