// What every report of a counterexample looks like: shorter than a terminal, and no wider.

import { expect } from "vitest";
import type { Counterexample } from "../../counterexamples/counterexample.ts";
import { foundLines } from "../../tools/report/found-lines.ts";

const LINES = 25;
const COLUMNS = 80;

/** Holds the reports of what was found in a module against the size of a terminal. */
export function expectShortReports(found: readonly Counterexample[]): void {
  for (const it of found) {
    const lines = foundLines(it, `out/counterexamples/${it.name}.json`, "FAIL");
    const text = lines.join("\n");
    expect(lines.length, text).toBeLessThan(LINES);
    expect(lines.filter((line) => line.length > COLUMNS)).toEqual([]);
    expect(text).toContain(it.clause);
    expect(text).toContain(it.steps.at(-1)?.slice(0, 40));
    expect(text).not.toContain("undefined");
    if (it.at?.file !== undefined) expect(text).toContain(`${it.at.file}:${it.at.line}`);
  }
}
