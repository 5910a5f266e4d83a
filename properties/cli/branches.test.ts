// `branches`: every fact of a table is told, in lines that a terminal holds, with its evidence.

import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { BRANCH_NAMES } from "../../spec/branches/branch.ts";
import { BRANCHES } from "../../spec/branches/branches.ts";
import { evidenceOf, FACTS } from "../../spec/branches/facts.ts";
import { branchDiff, branchList } from "../../tools/report/branch-lines.ts";

const CLI = fileURLToPath(new URL("../../tools/cli/pkvm-spec.ts", import.meta.url));

/** Runs the command; its exit code and what it says on each stream. */
function branches(...args: readonly string[]): { code: number; out: string; err: string } {
  try {
    const out = execFileSync(process.execPath, [CLI, "branches", ...args], {
      encoding: "utf8",
      stdio: "pipe",
    });
    return { code: 0, out, err: "" };
  } catch (thrown) {
    const { status, stdout, stderr } = thrown as { status: number; stdout: string; stderr: string };
    return { code: status, out: stdout, err: stderr };
  }
}

test("the facts are the fields of a table, each once", () => {
  const told = ["name", "evidence", "source", "hcallsEvidence", "hcalls", "ops"];
  const keys = [...told, ...FACTS.map(({ key }) => key)];
  for (const name of BRANCH_NAMES) expect(Object.keys(BRANCHES[name]).sort()).toEqual(keys.sort());
});

test("nothing of a branch that was never run is measured", () => {
  for (const name of ["android15-6.6", "android16-6.12", "android17-6.18"] as const) {
    for (const { key } of FACTS) expect(evidenceOf(BRANCHES[name], key)).not.toBe("measured");
  }
});

describe.each(BRANCH_NAMES)("%s", (name) => {
  test("beside every other one: lines under 80 columns, and what differs is told", () => {
    for (const other of BRANCH_NAMES) {
      const lines = branchDiff(BRANCHES[name], BRANCHES[other]);
      expect(lines.filter((line) => line.length > 79)).toEqual([]);
      const said = new Set(lines.map((line) => line.split(":")[0]));
      for (const { key } of FACTS) {
        const [a, b] = [BRANCHES[name][key], BRANCHES[other][key]];
        if (typeof a !== "object" && a !== b) expect(said).toContain(key);
        if (typeof a !== "object" && a === b) expect(said).not.toContain(key);
      }
    }
  });

  test("beside itself: nothing", () => {
    expect(branchDiff(BRANCHES[name], BRANCHES[name])).toHaveLength(1);
  });
});

test("the list has a row for each branch", () => {
  const lines = branchList();
  expect(lines.filter((line) => line.length > 79)).toEqual([]);
  for (const name of BRANCH_NAMES) {
    expect(lines.filter((line) => line.startsWith(`${name} `))).toHaveLength(1);
  }
});

describe("the command", () => {
  test("prints a difference with both values, their evidence and the source", () => {
    const { code, out } = branches("--diff", "android14-6.1", "android17-6.18");
    expect(code).toBe(0);
    expect(out).toContain(
      [
        "finaliseTwice: the second finalisation of a CPU",
        "  android14-6.1   EPERM [measured]",
        "  android17-6.18  EINVAL [read]",
        "  source: __pkvm_prot_finalize, hyp/nvhe/mem_protect.c",
      ].join("\n"),
    );
    expect(out).toContain("__pkvm_prot_finalize (17 to 21)");
    expect(out).toContain("op host_stage2_mod_prot: its arguments");
  });

  test.each([
    [["--diff", "android14-6.1", "nosuch"], /^--diff nosuch: known are /],
    [["--diff", "android14-6.1"], /^--diff wants two branches/],
    [["--diff", "android14-6.1", "mainline-6.1", "mainline-7.3"], /^--diff wants two branches/],
    [["--difference"], /unknown option/],
  ])("%j is one line and exit code 2", (args, expected) => {
    const { code, out, err } = branches(...args);
    expect([code, out]).toEqual([2, ""]);
    expect(err).toMatch(expected);
    expect(err.trim().split("\n")).toHaveLength(1);
  });
});
