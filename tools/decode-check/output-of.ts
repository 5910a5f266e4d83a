// Runs a disassembler over a file of words; what it prints goes through files, being large.

import { spawnSync } from "node:child_process";
import { closeSync, openSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

export interface Output {
  readonly stdout: string;
  readonly stderr: string;
}

/** What a command prints about these words, which it gets as its last argument, a file. */
export function outputOf(
  folder: string,
  command: string,
  args: readonly string[],
  words: string | Uint8Array,
): Output {
  const [input, out, error] = ["words", "stdout", "stderr"].map((name) => join(folder, name));
  if (input === undefined || out === undefined || error === undefined) throw new Error("no path");
  writeFileSync(input, words);
  const outputs = [openSync(out, "w"), openSync(error, "w")];
  spawnSync(command, [...args, input], { stdio: ["ignore", ...outputs] });
  for (const output of outputs) closeSync(output);
  const printed = { stdout: readFileSync(out, "utf8"), stderr: readFileSync(error, "utf8") };
  for (const path of [input, out, error]) rmSync(path);
  return printed;
}
