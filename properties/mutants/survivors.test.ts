// The table of faults put into the core: enough of them, in every file, nearly all noticed, and a
// reason for each of the others.

import { globSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { candidates } from "../../tools/mutants/cpu/candidates.ts";
import { readSurvivors } from "../../tools/mutants/cpu/survivors.ts";
import { aliveLine, fates } from "../../tools/mutants/cpu/table.ts";
import { readSource } from "../../tools/mutants/cpu/tokens.ts";

const table = readFileSync("cpu/MUTANTS.md", "utf8");
const known = fates(table);
const alive = [...known].filter(([, by]) => by === undefined).map(([key]) => key);
const survivors = readSurvivors();
/** Of the committed table. */
const SEED = "1";

describe("cpu/MUTANTS.md", () => {
  it("has at least 200 faults, of which at least 98 % are killed", () => {
    expect(known.size).toBeGreaterThanOrEqual(200);
    expect((known.size - alive.length) / known.size).toBeGreaterThanOrEqual(0.98);
  });

  it("has faults of every file of the core in which there is anything to change", () => {
    const tried = new Set([...known.keys()].map((key) => key.split(" ")[0]));
    const files = globSync("cpu/**/*.ts").filter(
      (file) => candidates(readSource(file, readFileSync(file, "utf8")), SEED).length > 0,
    );
    expect(files.filter((file) => !tried.has(file))).toEqual([]);
  });

  it("and survivors.json agree about what is alive, and why", () => {
    expect(survivors.filter((survivor) => !table.includes(aliveLine(survivor)))).toEqual([]);
    expect(alive).toHaveLength(survivors.length);
    expect(table).not.toContain("no reason yet");
  });

  it.each(survivors)("$file still has the line: $before", ({ file, before }) => {
    const lines = readFileSync(file, "utf8").split("\n");
    expect(lines.map((line) => line.trim())).toContain(before);
  });
});
