// The commands as a user types them: what holds is 0, what is broken 1, what cannot be asked 2 and
// one line.

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

/** Runs a command of ours to its end. */
const command = (script: string, args: readonly string[]): Promise<Ended> =>
  new Promise((resolve) => {
    // Every child reads the same sources: compiled once, they start in a third of the time.
    const env = { ...process.env, NODE_COMPILE_CACHE: join(folder, "compiled") };
    const options = { cwd: ROOT, env, timeout: 60_000 };
    execFile(process.execPath, [join(ROOT, script), ...args], options, (error, stdout, stderr) => {
      const status = error === null ? 0 : Number(error.code ?? -1);
      resolve({ status, stdout, stderr });
    });
  });
const spec = (...args: readonly string[]) => command("tools/cli/pkvm-spec.ts", args);
const conformance = (...args: readonly string[]) => command("tools/conformance.ts", args);

describe("pkvm-spec", () => {
  test("run: the page's module boots and answers, step by step", async () => {
    const { status, stdout, stderr } = await spec("run", PAGE);
    expect([status, stderr]).toEqual([0, ""]);
    expect(stdout).toContain("__pkvm_load_el2_module");
    expect(stdout).toContain("__pkvm_register_hcall");
    expect(stdout).toContain("no rule was broken");
  });

  test("run: a stub and the EL2 half alone are marked", async () => {
    const stubbed = await spec("run", PAGE, "--stub", "clk_get=0");
    expect(stubbed.stdout).toContain("partial");
    const alone = await spec("run", PAGE, "--el2-only");
    expect([alone.status, alone.stderr]).toEqual([0, ""]);
    expect(alone.stdout).toContain("partial");
  });

  test("replay: a stored counterexample is broken as it was stored", async () => {
    const { status, stdout } = await spec("replay", "counterexamples/doc-10-android14-6.1.json");
    expect(status).toBe(1);
    expect(stdout).toMatch(/DOC-10 is broken at step \d+/);
  });

  test("--help lists the commands", async () => {
    const { status, stdout } = await spec("--help");
    expect(status).toBe(0);
    for (const name of ["run", "check", "replay"]) expect(stdout).toContain(name);
  });
});

describe("conformance", () => {
  test("a trace that matches is 0, with its row in the table", async () => {
    const { status, stdout } = await conformance(`${TRACES}/mod-ok.jsonl`);
    expect(status).toBe(0);
    expect(stdout).toMatch(/production\/mod-ok +37 +2 +29 +6 +0\n/);
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

const LONG = "a,".repeat(10_000);
const ELF_HEADER = Uint8Array.from([
  0x7f,
  0x45,
  0x4c,
  0x46,
  2,
  1,
  1,
  ...new Array<number>(57).fill(0),
]);

const WRONG: readonly Wrong[] = [
  ["no command", () => spec(), /no command/],
  ["an unknown command", () => spec("boot"), /unknown command 'boot'/],
  ["no file", () => spec("run"), /missing required argument/],
  ["a file that is not there", () => spec("run", "nosuch.ko"), /nosuch\.ko: no such file/],
  ["a folder", () => spec("run", "examples"), /folder/],
  ["an empty file", () => spec("run", file("empty.ko", "")), /0 bytes/],
  ["a text", () => spec("run", "package.json"), /ELF magic/],
  ["an ELF header and nothing", () => spec("run", file("header.ko", ELF_HEADER)), /header\.ko: /],
  ["a program of this machine", () => spec("run", "/bin/sh"), /: The file is /],
  ["a truncated module", () => spec("run", "examples/corrupted-elf/truncated.ko"), /truncated/],
  ["a section too large", () => spec("run", "examples/corrupted-elf/corrupted_elf.ko"), /outside/],
  ["an unknown branch", () => spec("run", PAGE, "--branch", "android13"), /--branch android13/],
  ["an unknown build", () => spec("run", PAGE, "--build", "debug"), /--build debug/],
  ["a stub of no value", () => spec("run", PAGE, "--stub", "clk_get"), /NAME=VALUE/],
  ["10,000 names", () => spec("run", PAGE, "--cmdline", LONG), /20000 bytes; arm64 keeps 2047/],
  ["the same module twice", () => spec("run", PAGE, "--with", PAGE), /pkvm_module/],
  ["check: no such file", () => spec("check", "nosuch.ko"), /nosuch\.ko: no such file/],
  ["replay: no JSON", () => spec("replay", file("x.json", "{")), /x\.json: not JSON/],
  ["replay: other JSON", () => spec("replay", "package.json"), /package\.json: format: /],
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
