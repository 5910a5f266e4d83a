// The core answers every recorded vector as the two implementations that agreed on it.

import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { readLines, replayFile } from "../../tools/vectors/replay-file.ts";
import { mismatchText } from "../../tools/vectors/report.ts";

/** Lines in each file: a file that shrinks is noticed. */
const sets = {
  dp0: 1996,
  dp1: 1997,
  dp2: 1990,
  mem0: 1853,
  mem1: 1856,
  mem2: 1846,
  mmu3: 2000,
  mmu4: 2000,
  mmu5: 2000,
};

const pathOf = (name: string): string =>
  fileURLToPath(new URL(`${name}.jsonl.gz`, import.meta.url));

describe("recorded vectors", () => {
  it.each(Object.entries(sets))("%s: all %i agree", (name, count) => {
    const path = pathOf(name);
    const { vectors, mismatches } = replayFile(path, readLines(path));
    expect(mismatches.map(mismatchText).join("\n")).toBe("");
    expect(vectors).toBe(count);
  });

  it("disagreements: each class is answered as the text that decides it says", () => {
    const path = pathOf("disagreements");
    const { mismatches, disputes } = replayFile(path, readLines(path));
    expect(mismatches.map(mismatchText).join("\n")).toBe("");
    expect(Object.fromEntries(disputes)).toEqual({
      "should-be-one": { qemu: 0, sail: 148, both: 0, neither: 0 },
      mte: { qemu: 208, sail: 0, both: 0, neither: 0 },
      wnr: { qemu: 0, sail: 20, both: 0, neither: 0 },
      "constrained-unpredictable": { qemu: 0, sail: 62, both: 0, neither: 0 },
      "store-exclusive-alignment": { qemu: 0, sail: 17, both: 0, neither: 0 },
      "outside-window": { qemu: 2, sail: 0, both: 5, neither: 0 },
    });
  });

  it("a wrong answer is noticed", () => {
    const path = pathOf("dp0");
    const line = readLines(path).find((text) => text.includes('"post":{"x":{')) ?? "";
    const damaged = line.replace(/("post":\{"x":\{"\d+":")(.)/, (_, start, digit) =>
      digit === "0" ? `${start}1` : `${start}0`,
    );
    expect(replayFile(path, [line]).mismatches).toHaveLength(0);
    expect(replayFile(path, [damaged]).mismatches).toHaveLength(1);
  });
});
