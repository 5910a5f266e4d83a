// The decoder beside two others: a committed sample of words, with what llvm-mc and objdump said.

import { describe, expect, it } from "vitest";
import { entries } from "../../../cpu/isa/entries.ts";
import { isMnemonicOf } from "../../../tools/decode-check/agreement.ts";
import { checkWord, newFindings, type ToolVerdicts } from "../../../tools/decode-check/check.ts";
import { knownClasses, readDisagreements } from "../../../tools/decode-check/explained.ts";
import { readSample, sampleWords } from "../../../tools/decode-check/sample.ts";
import { spaces, UNALLOCATED } from "../../../tools/decode-check/verdict.ts";

const sample = readSample();
const known = knownClasses(readDisagreements());

function check(verdicts: readonly ToolVerdicts[]) {
  const findings = newFindings();
  for (const one of verdicts) checkWord(findings, known, one);
  return findings;
}

/** What is unexplained when the sample's line of this word is replaced. */
function unexplainedAfter(word: number, change: (one: ToolVerdicts) => ToolVerdicts): string[] {
  const changed = sample.map((one) => (one.word === word ? change(one) : one));
  return [...check(changed).unexplained.values()].map(
    ({ difference: { tool, ours, theirs } }) => `${tool}: ${ours} - ${theirs}`,
  );
}

describe("decode", () => {
  it("differs from llvm-mc and objdump nowhere but for a recorded reason", () => {
    expect([...check(sample).unexplained.values()]).toEqual([]);
  });

  it("the sample is of the words that the decode table suggests today", () => {
    expect(sample.map(({ word }) => word)).toEqual([...sampleWords()]);
  });

  it("every entry, every space and UNALLOCATED are in the sample", () => {
    const { verdicts } = check(sample);
    // A feature that `max` lacks takes its entries with it.
    const names = [...entries.map(({ name }) => name), UNALLOCATED];
    expect(names.filter((name) => (verdicts.get(name) ?? 0) === 0)).toEqual([]);
    for (const space of spaces) expect(verdicts.get(space)).toBeGreaterThan(20);
  });
});

describe("a difference is noticed", () => {
  const find = (name: string): number => {
    const found = sample.find(
      ({ llvmBase, objdump }) => llvmBase.mnemonic === name && objdump.mnemonic === name,
    );
    if (found === undefined) throw new Error(`no ${name} in the sample`);
    return found.word;
  };

  it("another instruction", () => {
    const word = find("add");
    const other = (one: ToolVerdicts) => ({ ...one, objdump: { mnemonic: "sub" } });
    expect(unexplainedAfter(word, other)).toEqual(["objdump: ADD (immediate) - sub"]);
  });

  it("no instruction", () => {
    const none = { mnemonic: undefined };
    const nothing = ({ word }: ToolVerdicts) => ({
      word,
      llvmBase: none,
      llvmAll: none,
      objdump: none,
    });
    expect(unexplainedAfter(find("udiv"), nothing)).toEqual([
      "llvm-mc: UDIV - undefined",
      "objdump: UDIV - undefined",
    ]);
  });

  it("an instruction where we have none", () => {
    const word = sample.find(
      ({ llvmAll, objdump }) => llvmAll.mnemonic === undefined && objdump.mnemonic === undefined,
    )?.word;
    const some = (one: ToolVerdicts) => ({ ...one, objdump: { mnemonic: "add" } });
    expect(unexplainedAfter(word ?? 0, some)).toEqual(["objdump: UNALLOCATED - add"]);
  });

  it("an addressing mode, which LLVM's opcodes tell apart", () => {
    const word = sample.find(({ llvmBase }) => llvmBase.opcode === "LDRXpre")?.word;
    const other = (one: ToolVerdicts) => ({
      ...one,
      llvmBase: { mnemonic: "ldr", opcode: "LDRXpost" },
    });
    expect(unexplainedAfter(word ?? 0, other)).toEqual([
      "llvm-mc: LDR (immediate), pre-index - LDRXpost, which is also LDR (immediate), post-index",
    ]);
  });

  it("a known class covers its own words only", () => {
    const difference = { tool: "both", ours: UNALLOCATED, theirs: "msr" } as const;
    const covered = (word: number): boolean =>
      known.some(({ covers }) => covers({ ...difference, tool: "objdump" }, word));
    // MSR ALLINT, #0 and MSR SPSel, #0.
    expect([covered(0xd501_401f), covered(0xd500_40bf)]).toEqual([true, false]);
  });
});

describe("mnemonics", () => {
  it.each([
    ["LDP, post-index", "ldp", true],
    ["LDP, post-index", "ldpsw", false],
    ["STXR, STLXR", "stlxr", true],
    ["LDADDB", "ldaddalb", true],
    ["LDADDB", "ldaddal", false],
    ["STADDB", "ldaddlb", true],
    ["CASP", "caspal", true],
    ["CAS", "casp", false],
    ["B.cond", "b.eq", true],
    ["B.cond", "b", false],
    ["B", "b", true],
    ["WFI", "hint", true],
    ["REV (32-bit)", "rev", true],
    ["REV (32-bit)", "rev32", false],
  ] as const)("%s, %s: %s", (entry, mnemonic, expected) => {
    expect(isMnemonicOf(entry, mnemonic)).toBe(expected);
  });
});
