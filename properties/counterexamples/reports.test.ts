// Every stored counterexample as a person reads it: under 25 lines of 80 columns, with its rule,
// its last step and its replay; a replay of a model that has moved says where, and why.

import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { readStored } from "../../counterexamples/stored.ts";
import { readStoredWalks } from "../../counterexamples/stored-walks.ts";
import { replayWalk, type StoredWalk } from "../../counterexamples/walk.ts";
import { CLAUSES, INVARIANTS } from "../../spec/registry.ts";
import { foundLines } from "../../tools/report/found-lines.ts";
import { replayEndLines } from "../../tools/report/replay-lines.ts";
import { rulePlace } from "../../tools/report/rule-place.ts";
import { walkLines } from "../../tools/report/walk-lines.ts";

const FOLDER = fileURLToPath(new URL("../../counterexamples/", import.meta.url));
const STORED = readStored(FOLDER);
const WALKS = readStoredWalks(FOLDER);

function expectShape(lines: readonly string[], ...words: readonly string[]): void {
  const text = lines.join("\n");
  expect(lines.length, text).toBeLessThan(25);
  expect(lines.filter((line) => line.length > 80)).toEqual([]);
  expect(text).not.toMatch(/undefined|\[object|\bNaN\b/);
  const plain = text.replaceAll(/\s+/g, " ");
  for (const word of words) expect(plain).toContain(word);
}

describe("the report of a stored counterexample", () => {
  it.each(STORED)("$file", ({ file, counterexample: it }) => {
    const lines = foundLines(it, `counterexamples/${file}`, "FOUND");
    expectShape(lines, it.clause, "replay npx pkvm-spec replay", file, `${rulePlace(it.clause)}`);
    expect(lines.join("\n")).toContain(`>${String(it.steps.length).padStart(4)}  `);
  });

  it.each(WALKS)("$file", ({ file, walk }) => {
    const lines = walkLines(walk, replayWalk(walk).steps, `counterexamples/${file}`);
    const place = `${rulePlace(walk.clause)}`;
    expectShape(lines, walk.clause, "replay npx pkvm-spec replay", file, place, "none shorter");
    expect(lines.join("\n")).toContain(` >${String(walk.steps.length).padStart(3)}  `);
  });
});

it("every rule has a place in the sources", () => {
  for (const { id } of [...CLAUSES, ...INVARIANTS]) {
    expect(rulePlace(id)).toMatch(/^spec\/(clauses|invariants)\/[a-z0-9-]+\.ts:\d+$/);
  }
});

/** How a replay of a walk ends, in one line. */
function ended(walk: StoredWalk): string {
  const { steps, violation, divergence } = replayWalk(walk);
  const { clause, verdict } = walk;
  const stored = walk.steps.length;
  const lines = replayEndLines({ clause, verdict, stored, violation, divergence, steps });
  for (const line of lines) expect(line.length).toBeLessThanOrEqual(80);
  return lines.join(" ").replaceAll(/\s+/g, " ");
}

const walkOf = (rule: string): StoredWalk => {
  const found = WALKS.find(({ walk }) => walk.clause === rule);
  if (found === undefined) throw new Error(`no walk of ${rule} is stored`);
  return found.walk;
};

describe("a replay", () => {
  it("of the model as it is finds all steps as stored", () => {
    const walk = walkOf("DOC-13");
    expect(ended(walk)).toBe(
      `finding: DOC-13 is broken at step ${walk.steps.length}; ` +
        `all ${walk.steps.length} steps are as stored`,
    );
  });

  it("of a model that answers otherwise says which step, what it was and what does it", () => {
    const walk = walkOf("DOC-13");
    const steps = walk.steps.with(3, "load_module a -> -ENOEXEC");
    expect(ended({ ...walk, steps })).toBe(
      `finding: DOC-13 is still broken at step ${walk.steps.length}; from step 4 on the way ` +
        "there is not as stored was load_module a -> -ENOEXEC now load_module a -> 0 " +
        "why load_module does it, and refuses nothing",
    );
  });

  it("of a model without a guard says which step is let in now", () => {
    const walk = walkOf("LIFE-53");
    const at = walk.steps.findIndex((line) => line.endsWith("-EINVAL"));
    const text = ended({ ...walk, omit: ["__pkvm_prot_finalize/LIFE-18"] });
    expect(text).toContain(`from step ${at + 1} on the way there is not as stored`);
    expect(text).toContain("why __pkvm_prot_finalize does it, and refuses nothing");
  });

  it("of a model with a new refusal says by which clause", () => {
    const walk = walkOf("INV-37");
    // A page of EL2's own.
    const actions = walk.actions.map((action) =>
      action.kind === "hvc" && action.x[1] === 0x50000n
        ? { ...action, x: action.x.with(1, 0x7f400n) }
        : action,
    );
    expect(ended({ ...walk, actions })).toMatch(
      /INV-37 is no longer broken; .* why __pkvm_map_module_page refuses it by LOAD-20: /,
    );
  });

  it("of a way that ends early says that it does", () => {
    const walk = walkOf("DOC-13");
    expect(ended({ ...walk, actions: walk.actions.slice(0, 5) })).toContain(
      "now no step: the way ends before it why the run ends before it",
    );
  });
});
