// Every stored counterexample is replayed: its rule is still broken, in the same way.

import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { replay, replayLine } from "./replay.ts";
import { verdictOf } from "./run-checked.ts";
import { readModules, readme, readStored } from "./stored.ts";
import { readStoredWalks, WALKS_FOLDER } from "./stored-walks.ts";
import { replayWalk } from "./walk.ts";

const HERE = fileURLToPath(new URL(".", import.meta.url));
const ROOT = fileURLToPath(new URL("..", import.meta.url));
const STORED = readStored(HERE);
const WALKS = readStoredWalks(HERE);

describe("counterexamples", () => {
  it("are there", () => {
    expect(STORED.length).toBeGreaterThan(0);
  });

  it("are named as their files are", () => {
    expect(STORED.map(({ counterexample }) => `${counterexample.name}.json`)).toEqual(
      readdirSync(HERE)
        .filter((file) => file.endsWith(".json"))
        .sort(),
    );
  });

  it("have a table that is not stale", () => {
    expect(readFileSync(`${HERE}README.md`, "utf8")).toBe(readme(STORED));
  });

  it.each(STORED)("$file", ({ counterexample }) => {
    const read = readModules(counterexample.scenario, ROOT);
    if ("missing" in read) throw new Error(`${read.missing} is not there`);
    const replayed = replay(counterexample, read.files);
    expect(replayLine(counterexample, replayed)).toBe(
      `${counterexample.clause} is broken at step ${counterexample.steps.length}: ` +
        counterexample.sentence,
    );
    const { clause, scenario } = counterexample;
    expect(verdictOf(clause, scenario.system)).toBe(counterexample.verdict);
  });
});

describe("walks of small worlds", () => {
  it("are there, and are named as their files are", () => {
    expect(WALKS.length).toBeGreaterThan(0);
    for (const { file, walk } of WALKS) expect(file).toBe(`${WALKS_FOLDER}/${walk.name}.json`);
  });

  it.each(WALKS)("$file", ({ walk }) => {
    const { steps, violation, divergence } = replayWalk(walk);
    expect(divergence).toBeUndefined();
    expect(violation?.sentence).toBe(walk.sentence);
    expect(violation?.step).toBe(steps.length - 1);
    expect(verdictOf(walk.clause, walk.system)).toBe(walk.verdict);
  });
});
