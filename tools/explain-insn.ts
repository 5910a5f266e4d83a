// `explain-insn WORD`: the entry, fields and pseudocode of an instruction word; `--stdin` reads
// many.

import { createInterface } from "node:readline";
import { parseArgs } from "node:util";
import { extractFields } from "../cpu/bits/encoding.ts";
import { pseudocode } from "../cpu/bits/pseudocode.ts";
import { max } from "../cpu/cpu-model.ts";
import { decode, indexFor } from "../cpu/isa/decode.ts";
import { openDisassembler } from "./disassembler.ts";

/** What is known about a word. */
export interface Explanation {
  readonly word: number;
  /** The name of its entry; UNALLOCATED where it has none, or one that gives these fields none. */
  readonly entry: string;
  readonly source: string | undefined;
  readonly diagram: string | undefined;
  readonly fields: Readonly<Record<string, number>>;
  readonly pseudocode: readonly string[];
  /** Capstone's text. */
  readonly assembly: string | undefined;
}

const disassemble = await openDisassembler();
const index = indexFor(max.features);

/** Explains a word as the `max` processor has it. */
export function explainWord(word: number): Explanation {
  const found = decode(index, word);
  const effects = found?.effects(word) ?? [];
  const unallocated = effects.some((e) => e.effect === "UNDEFINED" && !e.allocated);
  const allocated = found !== undefined && !unallocated;
  return {
    word,
    entry: allocated ? found.name : "UNALLOCATED",
    source: found?.source,
    diagram: found?.encoding.diagram,
    fields: found === undefined ? {} : extractFields(found.encoding, word),
    pseudocode: found === undefined ? ["UNDEFINED;"] : pseudocode(effects),
    assembly: disassemble(word),
  };
}

const hex = (word: number): string => word.toString(16).padStart(8, "0");

/** The explanation for a person. */
export function explanationText(explanation: Explanation): string {
  const { word, entry, source, diagram, fields, assembly } = explanation;
  const values = Object.entries(fields).map(([name, value]) => `${name} = ${value}`);
  return [
    `${hex(word)}  ${entry}`,
    ...(source === undefined ? [] : [`source    ${source}`]),
    ...(diagram === undefined ? [] : [`encoding  ${diagram}`]),
    ...(values.length === 0 ? [] : [`fields    ${values.join(", ")}`]),
    `capstone  ${assembly ?? "(unknown)"}`,
    "",
    ...explanation.pseudocode.map((line) => `  ${line}`),
  ].join("\n");
}

/** The explanation on one line: word, entry, Capstone's text. */
export function explanationLine({ word, entry, assembly }: Explanation): string {
  return `${hex(word)}\t${entry}\t${assembly ?? ""}`;
}

/** Reads a word of one to eight hex digits, with or without 0x. */
export function parseWord(text: string): number {
  const digits = /^(?:0x)?([0-9a-f]{1,8})$/i.exec(text.trim())?.[1];
  if (digits === undefined) throw new Error(`"${text.trim()}" is not a word of hex digits`);
  return Number.parseInt(digits, 16);
}

/** One line for each line that is read. */
export async function explainLines(
  input: NodeJS.ReadableStream,
  write: (text: string) => void,
): Promise<void> {
  let lines: string[] = [];
  for await (const line of createInterface({ input })) {
    if (line.trim() === "") continue;
    lines.push(explanationLine(explainWord(parseWord(line))));
    if (lines.length === 1000) {
      write(`${lines.join("\n")}\n`);
      lines = [];
    }
  }
  if (lines.length > 0) write(`${lines.join("\n")}\n`);
}

async function main(): Promise<void> {
  const options = { stdin: { type: "boolean" } } as const;
  const { positionals, values } = parseArgs({ allowPositionals: true, options });
  if (values.stdin === true)
    return explainLines(process.stdin, (text) => process.stdout.write(text));
  if (positionals.length === 0) throw new Error("no word is given");
  for (const word of positionals) console.log(explanationText(explainWord(parseWord(word))));
}

if (import.meta.main) {
  main().catch((error: unknown) => {
    console.error(`explain-insn: ${error instanceof Error ? error.message : String(error)}`);
    process.exitCode = 2;
  });
}
