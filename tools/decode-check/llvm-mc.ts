// llvm-mc as a decoder: many words through one process, an opcode, a mnemonic or nothing for each.

import { spawnSync } from "node:child_process";
import { outputOf } from "./output-of.ts";
import { movesNothing, type ToolVerdict } from "./verdict.ts";

/** The features of our `max` processor, in LLVM's names; without floating point. */
const base = "+v8.5a,+ssbs,+mte,-fp-armv8,-neon";

export interface LlvmMc {
  readonly version: string;
  /** What the decoder of Armv8.5-A without floating point says of each word. */
  readonly base: (words: Uint32Array) => readonly ToolVerdict[];
  /** The same with everything that this LLVM knows, newer versions of the architecture included. */
  readonly all: (words: Uint32Array) => readonly ToolVerdict[];
}

const commands = ["llvm-mc-19", "llvm-mc"];

/** The newest llvm-mc that is here, or nothing. Scratch files go to the folder. */
export function findLlvmMc(folder: string): LlvmMc | undefined {
  for (const command of commands) {
    const { status, stdout } = spawnSync(command, ["--version"], { encoding: "utf8" });
    const version = /LLVM version ([\d.]+)/.exec(stdout ?? "")?.[1];
    if (status !== 0 || version === undefined) continue;
    const decode = (features: string) => (words: Uint32Array) =>
      disassemble(folder, command, features, words);
    return { version, base: decode(base), all: decode("+all") };
  }
  return undefined;
}

/** One line of bytes a word, so that a warning names its word by its line. */
function byteLines(words: Uint32Array): string {
  const bytes = new Uint8Array(words.buffer, words.byteOffset, words.byteLength);
  const lines: string[] = [];
  for (let i = 0; i < bytes.length; i += 4)
    lines.push(`${bytes[i]},${bytes[i + 1]},${bytes[i + 2]},${bytes[i + 3]}\n`);
  return lines.join("");
}

function disassemble(
  folder: string,
  command: string,
  features: string,
  words: Uint32Array,
): readonly ToolVerdict[] {
  const how = ["--disassemble", "-triple=aarch64", `-mattr=${features}`];
  const args = [...how, "--show-inst", "-M", "no-aliases"];
  const { stdout, stderr } = outputOf(folder, command, args, byteLines(words));
  return parseOutput(words.length, stdout, stderr);
}

/** Puts the instructions, which come in order, in place around the words that have none. */
export function parseOutput(count: number, stdout: string, stderr: string): ToolVerdict[] {
  const invalid = new Uint8Array(count);
  const suspicious = new Uint8Array(count);
  const warning = /:(\d+):\d+: warning: (invalid|potentially undefined) instruction encoding/g;
  for (const [, line, what] of stderr.matchAll(warning))
    (what === "invalid" ? invalid : suspicious)[Number(line) - 1] = 1;
  const found = [...stdout.matchAll(/^\s*(\S+).*<MCInst #\d+ (\w+)/gm)];
  let next = 0;
  const verdicts = Array.from({ length: count }, (_, i): ToolVerdict => {
    if (invalid[i] === 1) return { mnemonic: undefined };
    const [text = "", mnemonic, opcode] = found[next++] ?? [];
    if (movesNothing(text)) return { mnemonic: undefined };
    return { mnemonic, opcode, suspicious: suspicious[i] === 1 };
  });
  if (next !== found.length) throw new Error("llvm-mc: instructions and warnings do not add up");
  return verdicts;
}
