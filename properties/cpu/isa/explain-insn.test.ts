// explain-insn: entry, fields, pseudocode and Capstone's text of a word.

import { describe, expect, it } from "vitest";
import {
  explainWord,
  explanationLine,
  explanationText,
  parseWord,
} from "../../../tools/explain-insn.ts";

describe("explain-insn", () => {
  it("shows the entry with its fields", () => {
    expect(explanationText(explainWord(0xb4ff_ffe3)).split("\n")).toEqual([
      "b4ffffe3  CBZ",
      "source    DDI0487 C6.2 CBZ",
      "encoding  sf 011010 0 imm19:19 Rt:5",
      "fields    sf = 1, imm19 = 524287, Rt = 3",
      "capstone  cbz x3, #0xfffffffffffffffc",
      "",
      "  if X[3] == 0 then BranchTo(PC[] - 4, BranchType_DIR);",
    ]);
  });

  it.each([
    [0x0000_0000, "UDF"],
    [0x0001_0000, "UNALLOCATED"],
    // movz w0, lsl #32: the entry matches, the fields are unallocated.
    [0x52c0_0000, "UNALLOCATED"],
    // ldp x2, x2, [x1]: allocated, and undefined by choice.
    [0xa940_0822, "LDP, signed offset"],
    [0x1e60_4020, "FP/SIMD"],
    [0x0420_0000, "SVE"],
    [0xc000_0000, "SME"],
    [0xd503_233f, "PACIASP"],
    [0xd503_2fff, "HINT"],
  ])("%i is %s", (word, entry) => {
    expect(explainWord(word).entry).toBe(entry);
  });

  it("a line has the word, the entry and the text", () => {
    expect(explanationLine(explainWord(0x9100_0420))).toBe(
      "91000420\tADD (immediate)\tadd x0, x1, #1",
    );
    expect(explanationLine(explainWord(0x0001_0000))).toBe("00010000\tUNALLOCATED\t");
  });

  it("words are hex digits", () => {
    expect([parseWord("0x1F"), parseWord(" b4ffffe3 ")]).toEqual([0x1f, 0xb4ff_ffe3]);
    for (const text of ["", "xyz", "123456789", "0x", "-1"])
      expect(() => parseWord(text)).toThrow("is not a word of hex digits");
  });
});
