// The table of seeded faults of the model: every file, every kind of mistake, and a reason for
// each fault that nothing notices.

import { globSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { candidates } from "../../tools/mutants/cpu/candidates.ts";
import { readSurvivors } from "../../tools/mutants/cpu/survivors.ts";
import { aliveLine, fates } from "../../tools/mutants/cpu/table.ts";
import { readSource } from "../../tools/mutants/cpu/tokens.ts";
import { faultQuota } from "../../tools/mutants/model/fault-types.ts";
import { modelOperators } from "../../tools/mutants/model/operators.ts";

const table = readFileSync("model/FAULTS.md", "utf8");
const known = fates(table);
const alive = [...known].filter(([, by]) => by === undefined).map(([key]) => key);
const reasons = new URL("../../tools/mutants/model/survivors.json", import.meta.url);
const survivors = readSurvivors(reasons);
/** Of the committed table. */
const SEED = "1";

describe("model/FAULTS.md", () => {
  it("says in its heading what its rows say", () => {
    const [, tried, killed] = /^Seed 1: (\d+) faults, (\d+) killed/m.exec(table) ?? [];
    expect([Number(tried), Number(killed)]).toEqual([known.size, known.size - alive.length]);
  });

  it("has a row or a line for every file of the model in which there is anything to change", () => {
    const [, ...left] = table.split("## Not tried to the end");
    const untried = [...left.join("").matchAll(/^- (model\/\S+) \|/gm)].map(([, file]) => file);
    const tried = new Set([...[...known.keys()].map((key) => key.split(" ")[0]), ...untried]);
    const files = globSync("model/**/*.ts").filter((file) => {
      const source = readSource(file, readFileSync(file, "utf8"));
      return faultQuota(source) > 0 && candidates(source, SEED, modelOperators).length > 0;
    });
    expect(files.filter((file) => !tried.has(file))).toEqual([]);
  });

  it("has a fault of every kind", () => {
    const kinds = new Set([...known.keys()].map((key) => key.split(" | ")[1]));
    expect(modelOperators.map(({ name }) => name).filter((name) => !kinds.has(name))).toEqual([]);
  });

  it("and survivors.json agree about what is alive, and why", () => {
    expect(survivors.filter((survivor) => !table.includes(aliveLine(survivor)))).toEqual([]);
    expect(alive).toHaveLength(survivors.length);
    expect(table).not.toContain("no reason yet");
  });

  it.each(survivors)("$file still has the text: $before", ({ file, before }) => {
    const text = readFileSync(file, "utf8").replaceAll(/\s+/g, " ");
    expect(text).toContain(before);
  });
});
