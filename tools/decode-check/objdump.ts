// objdump as a decoder: many words through one process, a mnemonic or nothing for each.

import { spawnSync } from "node:child_process";
import { outputOf } from "./output-of.ts";
import { movesNothing, type ToolVerdict } from "./verdict.ts";

const COMMAND = "aarch64-linux-gnu-objdump";

export interface Objdump {
  readonly version: string;
  /** What it says of each word; it has no notion of features, and knows newer ones than v8.5. */
  readonly all: (words: Uint32Array) => readonly ToolVerdict[];
}

/** objdump of the cross binutils, if it is here. Scratch files go to the folder. */
export function findObjdump(folder: string): Objdump | undefined {
  const { status, stdout } = spawnSync(COMMAND, ["--version"], { encoding: "utf8" });
  const version = /([\d.]+)\s*$/m.exec(stdout?.split("\n")[0] ?? "")?.[1];
  if (status !== 0 || version === undefined) return undefined;
  return { version, all: (words) => disassemble(folder, words) };
}

function disassemble(folder: string, words: Uint32Array): readonly ToolVerdict[] {
  const bytes = new Uint8Array(words.buffer, words.byteOffset, words.byteLength);
  const args = ["-D", "-z", "-b", "binary", "-m", "aarch64", "-M", "no-aliases"];
  return parseOutput(words.length, outputOf(folder, COMMAND, args, bytes).stdout);
}

/** One line a word: address, word, mnemonic and operands. */
export function parseOutput(count: number, stdout: string): ToolVerdict[] {
  const found = [...stdout.matchAll(/^\s*[0-9a-f]+:\t[0-9a-f]{8} \t(\S+).*/gm)];
  if (found.length !== count) throw new Error("objdump: a word without a line");
  return found.map(([text, mnemonic]) => {
    const unknown = mnemonic === ".inst" || movesNothing(text);
    return { mnemonic: unknown ? undefined : mnemonic };
  });
}
