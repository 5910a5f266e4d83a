// `npm run conformance` as a user types it: 0 what matches, 1 what does not, 2 wrong input.

import { execFile } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, describe, expect, test } from "vitest";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const PAGE = "examples/page/pkvm_module.ko";
const TRACES = "properties/conformance/traces/android14-6.1.145-production";

/** A folder of its own for files that are wrong. */
const folder = mkdtempSync(join(tmpdir(), "pkvm-spec-"));
afterAll(() => rmSync(folder, { recursive: true }));
const file = (name: string, content: string | Uint8Array): string => {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
};

interface Ended {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs the command to its end. */
const conformance = (...args: readonly string[]): Promise<Ended> =>
  new Promise((resolve) => {
    // Every child reads the same sources: compiled once, they start in a third of the time.
    const env = { ...process.env, NODE_COMPILE_CACHE: join(folder, "compiled") };
    const options = { cwd: ROOT, env, timeout: 60_000 };
    execFile(
      process.execPath,
      [join(ROOT, "tools/conformance.ts"), ...args],
      options,
      (error, stdout, stderr) => {
        const status = error === null ? 0 : Number(error.code ?? -1);
        resolve({ status, stdout, stderr });
      },
    );
  });

describe("traces", () => {
  test("a trace that matches is 0, with its row in the table", async () => {
    const { status, stdout } = await conformance(`${TRACES}/mod-ok.jsonl`);
    expect(status).toBe(0);
    expect(stdout).toMatch(/production\/mod-ok +37 +2 +35 +0 +0\n/);
  });

  test("another module under a recorded name does not match: 1, and what differs", async () => {
    const { status, stdout } = await conformance(
      `${TRACES}/mod-ok.jsonl`,
      "--module",
      `ovm=${PAGE}`,
    );
    expect(status).toBe(1);
    expect(stdout).toMatch(
      /mod-ok, line \d+: .*\n {2}model .*\n {2}real .*\n {2}step .*\n {2}rule /,
    );
  });
});

/** What is wrong, the command, and the line that says so. */
type Wrong = readonly [string, () => Promise<Ended>, RegExp];

const WRONG: readonly Wrong[] = [
  ["no trace", () => conformance("nosuch"), /nosuch: no such file or folder/],
  ["a folder without traces", () => conformance("spec"), /no \.jsonl file/],
  ["no path", () => conformance(), /missing required argument/],
  ["a line that is no record", () => conformance(file("a.jsonl", "1\n")), /line 1: not a record/],
  [
    "a module that is not there",
    () => conformance(TRACES, "--module", "ovm=nosuch.ko"),
    /nosuch\.ko: no such file/,
  ],
  ["a module of no name", () => conformance(TRACES, "--module", "x"), /NAME=FILE/],
];

describe("wrong input is one line and exit 2", () => {
  test.concurrent.each(WRONG)("%s", async (_, run, expected) => {
    const { status, stdout, stderr } = await run();
    expect([status, stdout]).toEqual([2, ""]);
    expect(stderr).toMatch(expected);
    expect(stderr.trimEnd()).not.toContain("\n");
    expect(stderr).not.toMatch(/\bat .*:\d+:\d+|Error:|our mistake/);
  });
});
