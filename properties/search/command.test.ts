// `search`, `shrink` and `replay` of walks as commands: exit codes, files, a search carried on.

import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, describe, expect, it } from "vitest";
import { formatWalk, parseWalk } from "../../counterexamples/walk.ts";
import { initVm } from "../support/vm-hypercalls.ts";

const CLI = fileURLToPath(new URL("../../tools/cli/pkvm-spec.ts", import.meta.url));
const FOLDER = mkdtempSync(join(tmpdir(), "pkvm-spec-search-"));
afterAll(() => rmSync(FOLDER, { recursive: true }));

/** A guard without which a page is shared twice. */
const OMIT = ["--omit", "__pkvm_host_share_hyp/OWN-3"];
const SMALL = ["--bound", "cpus=1,pages=1,vms=0,calls=0,ops=0"];

function run(...args: readonly string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [CLI, ...args], {
    cwd: FOLDER,
    encoding: "utf8",
  });
  return { status, stdout, stderr };
}

describe("search", () => {
  it("holds: 0, with what was exercised and what never was", () => {
    const { status, stdout } = run("search", ...SMALL);
    expect(status).toBe(0);
    expect(stdout).toMatch(/states [\d,]+ \(all\) {3}depth \d+/);
    expect(stdout).toMatch(/rules \d+\/\d+ {3}guards \d+\/\d+/);
    expect(stdout).toContain("never rule: ");
    for (const line of stdout.split("\n")) expect(line.length).toBeLessThanOrEqual(100);
  });

  it("is broken: 1, in under 25 lines of 80 columns, and the walk is stored", () => {
    const { status, stdout } = run("search", ...SMALL, ...OMIT, "--first", "--out", "found");
    expect(status).toBe(1);
    const report = stdout.slice(stdout.indexOf("FAIL"), stdout.indexOf("replay")).split("\n");
    expect(report.length).toBeLessThan(25);
    for (const line of report) expect(line.length).toBeLessThanOrEqual(80);
    expect(stdout).toContain("none shorter exists");
    expect(stdout).toContain("any page for page 0x50000");
    expect(readdirSync(join(FOLDER, "found"))).toEqual(["own-3-android14-6.1-walk.json"]);
  });

  it.each([
    [["--bound", "cpus=9"], /cpus=9: a number from 1 to 4/],
    [["--bound", "cats=1"], /cats: known are/],
    [["--bound", "modules=2,pages=1"], /page of its own/],
    [["--branch", "android99"], /--branch android99/],
    [["--omit", "x/LIFE-1"], /no guard has that name/],
    [["--resume", "nowhere"], /nowhere: no such file/],
  ])("cannot be asked: %j is 2 and one line", (args, message) => {
    const { status, stderr } = run("search", ...args);
    expect(status).toBe(2);
    expect(stderr.trim()).toMatch(message);
    expect(stderr.trim()).not.toContain("\n");
  });

  it("says the same as JSON", () => {
    const { status, stdout } = run("search", ...SMALL, "--json");
    expect(status).toBe(0);
    const json = JSON.parse(stdout) as {
      states: number;
      levels: number[];
      coverage: { rules: Record<string, number>; never: { rules: string[] } };
    };
    expect(json.levels.reduce((a, b) => a + b)).toBe(json.states);
    expect(json.coverage.rules["LIFE-1"]).toBeGreaterThan(0);
    expect(json.coverage.never.rules).not.toContain("LIFE-1");
  });

  it("on two threads has the same states, steps, rules and findings", () => {
    const [one, two] = [[], ["--workers", "2"]].map((more) => run("search", ...SMALL, ...more));
    const numbers = /states ([\d,]+) \(all\) {3}depth (\d+) {3}steps ([\d,]+)/;
    const rules = /rules \d+\/\d+ {3}guards \d+\/\d+ {3}transitions \d+\/\d+ {3}error codes \d+/;
    const known = (text = "") =>
      text
        .split("\n")
        .filter((line) => line.startsWith("known "))
        .sort();
    expect(two?.stdout.match(numbers)?.slice(1)).toEqual(one?.stdout.match(numbers)?.slice(1));
    expect(two?.stdout.match(rules)?.[0]).toBe(one?.stdout.match(rules)?.[0]);
    expect(known(two?.stdout).map((line) => line.slice(0, 18))).toEqual(
      known(one?.stdout).map((line) => line.slice(0, 18)),
    );
    expect(run("search", "--workers", "9").status).toBe(2);
  });

  it("on two threads goes with all but files of its own", () => {
    const threads = ["--workers", "2"];
    const [one, two] = [[], threads].map((more) => {
      const { stdout } = run("search", ...SMALL, "--json", "--risk", ...more);
      return JSON.parse(stdout) as { levels: number[]; risk: object; coverage: { rules: object } };
    });
    expect(two?.levels).toEqual(one?.levels);
    expect(two?.risk).toEqual(one?.risk);
    expect(two?.coverage.rules).toEqual(one?.coverage.rules);
    const first = run("search", ...SMALL, ...OMIT, "--first", "--out", "first", ...threads);
    expect(first.status).toBe(1);
    expect(first.stdout).toContain("up to the first violation");
    const { status, stderr } = run("search", ...threads, "--checkpoint", "kept");
    expect(status).toBe(2);
    expect(stderr.trim()).toMatch(/^[^\n]*--workers does not go with --checkpoint[^\n]*$/);
  });

  it("carried on from a file ends as one that was not stopped", () => {
    const kept = join(FOLDER, "kept");
    const whole = JSON.parse(run("search", ...SMALL, "--json").stdout) as { states: number };
    const stopped = run("search", `${SMALL[0]}`, `${SMALL[1]},depth=9`, "--checkpoint", kept);
    expect(stopped.status).toBe(0);
    expect(stopped.stdout).toContain("up to the depth asked for");
    const rest = JSON.parse(run("search", "--resume", kept, "--json").stdout);
    expect({ ...rest, seconds: 0, coverage: 0 }).toMatchObject({
      states: whole.states,
      ended: "all states",
    });
    writeFileSync(kept, "nothing");
    expect(run("search", "--resume", kept).status).toBe(2);
  });
});

describe("a stored walk", () => {
  const path = join(FOLDER, "found", "own-3-android14-6.1-walk.json");

  it("is read as it was written, and what does not fit is one line", () => {
    const text = readFileSync(path, "utf8");
    const parsed = parseWalk(text);
    if (!parsed.ok) throw new Error(parsed.error);
    expect(formatWalk(parsed.walk)).toBe(text);
    const bad = text.replace('"parse_early_param"', '"reboot"');
    expect(parseWalk(bad)).toMatchObject({ ok: false });
    expect(parseWalk("{")).toMatchObject({ ok: false });
  });

  it("keeps what EL2 finds in memory of the host", () => {
    const parsed = parseWalk(readFileSync(path, "utf8"));
    if (!parsed.ok) throw new Error(parsed.error);
    const walk = { ...parsed.walk, actions: [...parsed.walk.actions, initVm()] };
    expect(parseWalk(formatWalk(walk))).toEqual({ ok: true, walk });
    const bad = formatWalk(walk).replace(/"words": \[\s*\[\s*"0x/, "$&g");
    expect(parseWalk(bad)).toMatchObject({ ok: false });
  });

  it("says which guard it is without, and is not the model's own", () => {
    const { status, stdout } = run("replay", path);
    expect(status).toBe(1);
    expect(stdout).toContain("without __pkvm_host_share_hyp/OWN-3; with all guards it is not");
    expect(stdout).toContain("OWN-3 is broken at step 8; all 8 steps are as stored");
    const gone = join(FOLDER, "gone.json");
    writeFileSync(gone, readFileSync(path, "utf8").replaceAll("hyp/OWN-3", "hyp/OWN-99"));
    expect(run("replay", gone)).toMatchObject({ status: 2 });
  });

  it("says where it diverges once the model has the guard again", () => {
    const json = JSON.parse(readFileSync(path, "utf8"));
    const file = join(FOLDER, "with-guard.json");
    writeFileSync(file, JSON.stringify({ ...json, omit: undefined }));
    const { status, stdout } = run("replay", file);
    expect(status).toBe(0);
    expect(stdout).toContain("OWN-3 is no longer broken; from step 8 on");
    expect(stdout).toContain("why  __pkvm_host_share_hyp refuses it by OWN-3");
  });

  it("is made short by a search, and the page and the CPU are said to be free", () => {
    run("search", ...SMALL, "--json");
    const { stdout } = run("search", "--bound", "cpus=2,pages=1,vms=0,depth=6", "--json");
    const { walks } = JSON.parse(stdout) as { walks: { clause: string; actions: object[] }[] };
    const found = walks.find(({ clause }) => clause === "INV-7");
    if (found === undefined) throw new Error("INV-7 was not found");
    // The same with steps that do nothing for it.
    const share = { kind: "hvc", cpu: 1, imm: 0, x: ["0xc6000000"] };
    const longer = [...found.actions.slice(0, -1), share, share, ...found.actions.slice(-1)];
    const file = join(FOLDER, "long.json");
    writeFileSync(file, JSON.stringify({ ...found, actions: longer }));
    const shrunk = run("shrink", file);
    expect(shrunk.stderr).toBe("");
    expect(shrunk.stdout).toMatch(
      new RegExp(`${longer.length} actions -> ${found.actions.length} `),
    );
  });
});
