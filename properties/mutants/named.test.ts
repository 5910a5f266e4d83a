// The named faults fit the model as it is: each place is there once, and each number once.

import { describe, expect, it } from "vitest";
import { findingOf } from "../../spec/findings.ts";
import { clauseOf, invariantOf } from "../../spec/registry.ts";
import { go } from "../../tools/mutants/model/hunt.ts";
import { changedText } from "../../tools/mutants/model/mutate-model.ts";
import { INEXPRESSIBLE, NAMED, REAL } from "../../tools/mutants/model/named.ts";
import { huntAll } from "../../tools/mutants/model/workers.ts";

describe("named faults", () => {
  it.each(NAMED)("$id has its place", (mutant) => {
    expect(changedText(mutant)).toContain(mutant.change.to);
  });

  it.each(NAMED)("$id is spoken of by rules that exist", ({ spokenOfBy }) => {
    expect(spokenOfBy.length).toBeGreaterThan(0);
    for (const id of spokenOfBy) {
      const rule = id.startsWith("INV-") ? invariantOf(id as "INV-1") : clauseOf(id as "DOC-1");
      expect(rule?.id).toBe(id);
    }
  });

  it("have one number each", () => {
    const ids = [...NAMED, ...REAL, ...INEXPRESSIBLE].map(({ id }) => id);
    expect(new Set(ids).size).toBe(65);
    expect(ids).toHaveLength(65);
  });
});

describe("faults that a real branch has", () => {
  it.each(REAL)("$id is a finding", ({ rule, branch }) => {
    const config = { branch, build: "production", documented: false, cpuCount: 2 } as const;
    expect(findingOf(rule, config)?.rule).toBe(rule);
  });
});

describe("a hunt", () => {
  it("finds what a missing guard breaks, and nothing where none is missing", async () => {
    const mutant = NAMED.find(({ id }) => id === "M36");
    if (mutant === undefined) throw new Error("M36 is gone");
    const { spokenOfBy, change } = mutant;
    const one = { file: change.file, text: changedText(mutant), spokenOfBy };
    const [found] = await huntAll([one], 1, () => undefined);
    expect(found).toMatchObject({ kind: "killed", by: "OWN-3" });
    // The boot is two steps, then the page is shared and shared again.
    if (found?.kind === "killed") expect(found.steps).toHaveLength(4);
    if (found?.kind === "killed") expect(go(found.witness).violations).toEqual([]);
  });
});
