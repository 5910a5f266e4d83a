// Every known defect of a real branch is found again by search, from a clean start and within a
// budget of steps; and where a branch does not have it, the same search does not find it.

import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { runChecked } from "../../counterexamples/run-checked.ts";
import { readModules, readStored } from "../../counterexamples/stored.ts";
import { readStoredWalks } from "../../counterexamples/stored-walks.ts";
import { DEFECTS, type DefectId } from "../../spec/defects.ts";
import { findingOf, type RuleId } from "../../spec/findings.ts";
import { storedNames } from "../../tools/cli/findings.ts";
import { findingsTable, placesOf } from "../../tools/report/findings-table.ts";
import {
  DEFECT_RULES,
  defectRulesOn,
  findOnBranch,
  SEARCHED_BRANCHES,
  systemOn,
} from "../../tools/search/defect-search.ts";
import type { WorldResult } from "../../tools/search/finding-worlds.ts";
import { START_BUDGET, startScenarios } from "../../tools/search/start-scenarios.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const FOLDER = `${ROOT}counterexamples/`;
const STORED = storedNames(FOLDER);

const numbered = (letter: string, last: number): readonly string[] =>
  Array.from({ length: last }, (_, n) => `${letter}${n + 1}`);
/** The lists that the project started from, and what searches added. */
const LISTS: readonly string[] = [
  ...numbered("F", 7),
  ...numbered("O", 20),
  ...["E11", "E13"],
  ...[10, 11, 15, 16, 22, 24, 26, 27, 29].map((n) => `B${n}`),
  ...numbered("S", 1),
];

describe("the table of defects", () => {
  it("has each of the lists once", () => {
    expect(DEFECTS.map(({ id }) => id)).toEqual(LISTS);
  });

  it.each(DEFECTS)("$id breaks a rule on each of its branches, or says why not", (defect) => {
    const places = placesOf(defect, STORED);
    const silent = defect.branches.filter((branch) => !places.some((one) => one.branch === branch));
    if (silent.length > 0 || places.length === 0) expect(defect.why).toBeDefined();
    for (const { file, rule, branch } of places) {
      expect([rule, branch, file === undefined]).toEqual([rule, branch, false]);
    }
  });

  it("is the one that is committed", () => {
    expect(readFileSync(`${FOLDER}FINDINGS.md`, "utf8")).toBe(findingsTable(DEFECTS, STORED));
  });
});

/** Steps of the model that the searches of one branch may take in all. */
const BRANCH_BUDGET = 800_000;

describe.each(SEARCHED_BRANCHES)("a search of small worlds of %s", (branch) => {
  const results: WorldResult[] = [];
  const found = findOnBranch(branch, (result) => results.push(result));

  it("finds the defects that the branch has, and none that it does not have", () => {
    const defects = [...found.keys()].filter(
      (rule) => DEFECT_RULES.has(rule) && findingOf(rule, systemOn(branch)) !== undefined,
    );
    expect(defects.sort()).toEqual(defectRulesOn(branch));
  });

  it("finds nothing that nobody knows", () => {
    const unknown = [...found.keys()].filter((rule) => !findingOf(rule, systemOn(branch)));
    // The kernels without vendor modules have no finding of their own but for defects.
    expect(unknown).toEqual(branch === "mainline-6.1" ? ["INV-7"] : []);
  });

  it("keeps its budget, and comes to the end of its worlds of modules", () => {
    const steps = results.reduce((sum, { transitions }) => sum + transitions, 0);
    expect(steps).toBeLessThan(BRANCH_BUDGET);
    for (const { world, ended } of results) {
      if (world.size.edges !== true)
        expect([world.name, ended]).toEqual([world.name, "all states"]);
    }
  });

  it("finds what is stored, as short", () => {
    const walks = readStoredWalks(FOLDER).filter(({ walk }) => walk.system.branch === branch);
    expect(walks.map(({ walk }) => walk.clause).sort()).toEqual(defectRulesOn(branch));
    for (const { walk } of walks) {
      const actions = found.get(walk.clause)?.actions.length ?? 0;
      expect([walk.clause, walk.actions.length]).toEqual([walk.clause, actions]);
    }
  });
});

describe("what a branch has fixed", () => {
  it.each<[DefectId, RuleId, string]>([
    ["F1", "DOC-13", "android17-6.18"],
    ["F4", "INV-38", "android17-6.18"],
    ["O3", "LOAD-47", "android16-6.12"],
    ["O5", "INV-4", "android16-6.12"],
    ["O7", "ABI-24", "android16-6.12"],
    ["O13", "SMC-32", "android16-6.12"],
    ["O14", "DISP-55", "android15-6.6"],
  ])("%s: no finding is declared of %s on %s, so that finding it fails", (id, rule, branch) => {
    const defect = DEFECTS.find((one) => one.id === id);
    expect(defect?.rules).toContain(rule);
    const name = SEARCHED_BRANCHES.find((one) => one === branch) ?? "android14-6.1";
    expect(findingOf(rule, systemOn(name))).toBeUndefined();
  });
});

/** Steps of the model within which all scenarios of one system come to what is stored. */
const SCENARIO_BUDGET = 60_000;

describe.each([false, true])("the scenarios of npm start, documented: %s", (documented) => {
  it("find again every stored counterexample of the system", () => {
    const system = { ...systemOn("android14-6.1"), documented };
    const wanted = new Set(
      readStored(FOLDER)
        .filter(({ counterexample: { scenario } }) => scenario.system.documented === documented)
        .map(({ counterexample }) => counterexample.clause),
    );
    expect(wanted.size).toBeGreaterThan(0);
    let steps = 0;
    for (const scenario of startScenarios(system)) {
      const read = readModules(scenario, ROOT);
      if ("missing" in read) throw new Error(read.missing);
      const checked = runChecked(scenario, read.files, { budget: START_BUDGET });
      steps += checked.steps.length;
      for (const { rule } of checked.violations) wanted.delete(rule);
      if (wanted.size === 0) break;
    }
    expect([...wanted]).toEqual([]);
    expect(steps).toBeLessThan(SCENARIO_BUDGET);
  });
});
