// Our verdict on many words beside LLVM's and objdump's: what differs, and what of it is explained.

import { type Difference, differsFromLlvm, differsFromObjdump, generalEntry } from "./agreement.ts";
import type { KnownClass } from "./explained.ts";
import { ourVerdict, type ToolVerdict, UNALLOCATED } from "./verdict.ts";

/** What the tools say of one word. */
export interface ToolVerdicts {
  readonly word: number;
  /** LLVM with the features of our processor; and with everything it knows, if it was asked. */
  readonly llvmBase: ToolVerdict;
  readonly llvmAll: ToolVerdict;
  readonly objdump: ToolVerdict;
}

/** A class of differences that no row explains. */
export interface Unexplained {
  readonly difference: Difference;
  count: number;
  /** The first few words of it. */
  readonly words: number[];
}

const EXAMPLES = 4;

export interface Findings {
  words: number;
  /** Words by what they are: an entry, UNALLOCATED, a space. */
  readonly verdicts: Map<string, number>;
  /** How often each known class was met. */
  readonly met: Map<KnownClass, number>;
  readonly unexplained: Map<string, Unexplained>;
  /** The one entry of each of LLVM's opcodes, with the first word that had both. */
  readonly opcodes: Map<string, { readonly entry: string; readonly word: number }>;
}

export const newFindings = (): Findings => ({
  words: 0,
  verdicts: new Map(),
  met: new Map(),
  unexplained: new Map(),
  opcodes: new Map(),
});

/** Takes one word into the findings. */
export function checkWord(
  findings: Findings,
  known: readonly KnownClass[],
  verdicts: ToolVerdicts,
): void {
  const { word, llvmBase, llvmAll, objdump } = verdicts;
  const ours = ourVerdict(word);
  findings.words++;
  findings.verdicts.set(ours, (findings.verdicts.get(ours) ?? 0) + 1);
  const differences = [
    differsFromLlvm(ours, llvmBase, llvmAll),
    differsFromObjdump(ours, objdump),
    sharesOpcode(findings, ours, llvmBase, word),
  ];
  for (const difference of differences)
    if (difference !== undefined) explain(findings, known, difference, word);
}

/**
 * Two of our entries must not have one opcode of LLVM's: it has one for each form and addressing
 * mode, which mnemonics do not tell apart.
 */
function sharesOpcode(
  findings: Findings,
  ours: string,
  { opcode }: ToolVerdict,
  word: number,
): Difference | undefined {
  if (opcode === undefined || ours === UNALLOCATED) return undefined;
  const entry = generalEntry(ours);
  const first = findings.opcodes.get(opcode);
  if (first === undefined) findings.opcodes.set(opcode, { entry, word });
  if (first === undefined || first.entry === entry) return undefined;
  return { tool: "llvm-mc", ours, theirs: `${opcode}, which is also ${first.entry}` };
}

function explain(
  findings: Findings,
  known: readonly KnownClass[],
  difference: Difference,
  word: number,
): void {
  const found = known.find(({ covers }) => covers(difference, word));
  if (found !== undefined) {
    findings.met.set(found, (findings.met.get(found) ?? 0) + 1);
    return;
  }
  const key = `${difference.tool}|${difference.ours}|${difference.theirs}`;
  const unexplained = findings.unexplained.get(key) ?? { difference, count: 0, words: [] };
  findings.unexplained.set(key, unexplained);
  unexplained.count++;
  if (unexplained.words.length < EXAMPLES) unexplained.words.push(word);
}
