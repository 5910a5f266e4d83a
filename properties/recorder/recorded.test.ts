// Our core gives QEMU's answer for every recorded vector, but for what is explained.

import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { entries } from "../../cpu/isa/entries.ts";
import {
  isRecording,
  mismatchText,
  readRecordingLines,
  replayLines,
} from "../../tools/recorder/replay-file.ts";

const FOLDER = new URL("../vectors/recorded/", import.meta.url);

/** Lines without the header, and how many of each entry there are at least. */
const FILES = { "neoverse-n2": [19_950, 50], "cortex-a76": [3_170, 10] } as const;

const linesOf = (name: string): readonly string[] =>
  readRecordingLines(fileURLToPath(new URL(`${name}.jsonl.gz`, FOLDER)));

/** WFI has another oracle: under software step QEMU skips it. FEAT_FGT is no entry's feature. */
const UNRECORDED = ["WFI"];

describe("recorded in QEMU", () => {
  it.each(Object.entries(FILES))("%s: every vector agrees", (name, [count, least]) => {
    const lines = linesOf(name);
    expect(isRecording(lines[0]!)).toBe(true);
    const { vectors, mismatches, entries: counts } = replayLines(lines);
    expect(mismatches.map(mismatchText).join("\n")).toBe("");
    expect(vectors).toBe(count);
    expect(Math.min(...counts.values())).toBeGreaterThanOrEqual(least);
    if (name === "neoverse-n2") {
      const missing = entries.filter((entry) => !counts.has(entry.name)).map((entry) => entry.name);
      expect(missing).toEqual(UNRECORDED);
    }
  });

  it("a wrong answer is noticed", () => {
    const [header, ...lines] = linesOf("neoverse-n2");
    const line = lines.find((text) => /^\{"entry":"ADD \(immediate\)".*"post":\{"x":/.test(text))!;
    const damaged = line.replace(/("post":\{"x":\{"\d+":")(.)/, (_, start, digit) =>
      digit === "1" ? `${start}2` : `${start}1`,
    );
    expect(replayLines([header!, line]).mismatches).toHaveLength(0);
    expect(replayLines([header!, damaged]).mismatches).toHaveLength(1);
  });
});
