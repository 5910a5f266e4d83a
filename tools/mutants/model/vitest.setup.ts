// Before each file of tests: MUTANT_FILE is loaded as MUTANT_TEXT; or, where REACH names a folder,
// what the file of tests runs is written there.

import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, expect } from "vitest";
import { type Ran, startCoverage } from "./coverage.ts";
import { readAs } from "./one-file-wrong.ts";

const project = join(import.meta.dirname, "../../..");
const { MUTANT_FILE, MUTANT_TEXT, REACH } = process.env;

/** Kept by the thread from one file of tests to the next. */
const kept = globalThis as typeof globalThis & { faultIsIn?: boolean; takeRan?: () => Ran };

if (MUTANT_FILE !== undefined && MUTANT_TEXT !== undefined && kept.faultIsIn !== true) {
  kept.faultIsIn = true;
  readAs(join(project, MUTANT_FILE), readFileSync(MUTANT_TEXT, "utf8"));
}

if (REACH !== undefined) {
  kept.takeRan ??= startCoverage();
  const start = process.cpuUsage();
  afterAll(() => {
    const { user, system } = process.cpuUsage(start);
    const test = (expect.getState().testPath ?? "").slice(project.length + 1);
    const record = { test, seconds: (user + system) / 1e6, ran: kept.takeRan?.() };
    writeFileSync(join(REACH, `${test.replaceAll("/", "+")}.json`), JSON.stringify(record));
  });
}
