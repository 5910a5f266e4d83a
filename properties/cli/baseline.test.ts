// `check --baseline`: known findings pass, new ones fail, and entries that nothing needs are named.

import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const MAILBOX = "examples/host-pointer-deref/host_pointer_deref.ko";
const PAGE = "examples/page/pkvm_module.ko";
let folder = "";

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "pkvm-spec-"));
});
afterAll(() => {
  rmSync(folder, { recursive: true });
});

function check(module: string, ...more: readonly string[]) {
  const main = join(ROOT, "tools/cli/pkvm-spec.ts");
  const few = [
    "--runs",
    "1",
    "--calls",
    "300",
    "--build",
    "production",
    "--out",
    join(folder, "out"),
  ];
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [main, "check", module, ...few, ...more],
    { cwd: ROOT, encoding: "utf8", timeout: 120_000 },
  );
  return { status, stdout, stderr };
}

test("what --write-baseline accepts, --baseline lets pass, for that module and rule only", () => {
  const path = join(folder, "known.json");
  expect(check(MAILBOX, "--write-baseline", path).status).toBe(0);
  const written = JSON.parse(readFileSync(path, "utf8"));
  expect(written.format).toBe(1);
  const rules = written.accepted.map((it: { rule: string }) => it.rule);
  expect(rules).toContain("MOD-1");

  const again = check(MAILBOX, "--baseline", path);
  expect(again.stdout).toMatch(/accepted \d+ known findings: .*MOD-1/);
  expect(again.stdout).not.toContain("stale");
  expect(again.status).toBe(0);

  const without = { ...written, accepted: [] };
  writeFileSync(join(folder, "none.json"), JSON.stringify(without));
  expect(check(MAILBOX, "--baseline", join(folder, "none.json")).status).toBe(1);

  const elsewhere = written.accepted.map((it: object) => ({ ...it, function: "another" }));
  writeFileSync(join(folder, "moved.json"), JSON.stringify({ format: 1, accepted: elsewhere }));
  const moved = check(MAILBOX, "--baseline", join(folder, "moved.json"));
  expect(moved.stdout).toContain("stale    MOD-1 in another of host_pointer_deref");
  expect(moved.status).toBe(1);
});

test("an entry that nothing needs is stale, and is no failure", () => {
  const path = join(folder, "stale.json");
  const entry = { rule: "MOD-2", system: "android14-6.1", reason: "it was so" };
  writeFileSync(path, JSON.stringify({ format: 1, accepted: [entry] }));
  const { status, stdout } = check(PAGE, "--baseline", path);
  expect(stdout).toContain("stale    MOD-2: not found any more");
  expect(status).toBe(0);
});

test.each([
  ["no file", "nosuch.json", undefined, /no such file/],
  ["no JSON", "a.json", "{", /not JSON/],
  ["another format", "b.json", '{"format": 2, "accepted": []}', /format 1/],
  ["a rule that is none", "c.json", '{"format": 1, "accepted": [{"rule": "x"}]}', /accepted\.0/],
  ["a field too many", "d.json", '{"format": 1, "accepted": [], "x": 1}', /x/],
])("%s is one line and exit code 2", (_, name, text, expected) => {
  const path = join(folder, name);
  if (text !== undefined) writeFileSync(path, text);
  const { status, stderr } = check(PAGE, "--baseline", path);
  expect(stderr.trim().split("\n")).toHaveLength(1);
  expect(stderr).toMatch(expected);
  expect(status).toBe(2);
});
