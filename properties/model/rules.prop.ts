// Every rule on the machine: it applies, it holds, and what it guards against is tried.

import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { GUARDS } from "../../model/transitions.ts";
import { CLAUSES, INVARIANTS } from "../../spec/registry.ts";
import { clausesTable } from "../../tools/report/clauses-table.ts";
import { always } from "../support/always.ts";
import { explored } from "../support/explore.ts";
import { sometimes } from "../support/sometimes.ts";

describe("always", () => {
  for (const rule of [...CLAUSES, ...INVARIANTS]) always(rule, explored);
});

describe("sometimes", () => {
  for (const clause of new Set(GUARDS.map((guard) => guard.clause))) sometimes(clause, explored);
});

describe("the exploration", () => {
  test("is broken nowhere where nobody expects it", () => {
    expect(explored().surprises).toEqual([]);
  });

  test("is what the table of clauses tells: `npm run trace` writes it", () => {
    const table = readFileSync(new URL("../../spec/CLAUSES.md", import.meta.url), "utf8");
    expect(table).toBe(clausesTable(explored().coverage));
  });
});
