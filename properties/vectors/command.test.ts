// `npm run vectors`: exit codes, and one clear line for what cannot be read.

import { spawnSync } from "node:child_process";
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { readLines } from "../../tools/vectors/replay-file.ts";

const command = fileURLToPath(new URL("../../tools/vectors.ts", import.meta.url));
const dp0 = fileURLToPath(new URL("dp0.jsonl.gz", import.meta.url));
const recorded = fileURLToPath(new URL("recorded/cortex-a76.jsonl.gz", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "vectors-"));

function run(...files: readonly string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [command, ...files], {
    encoding: "utf8",
  });
  return { status, stdout, stderr };
}

function file(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

const lines = readLines(dp0).slice(0, 20);
const [header = ""] = readLines(recorded);

/** A vector whose configuration names a file of tables that is not there. */
const registers = "sctlr_el1 tcr_el1 ttbr0_el1 ttbr1_el1 mair_el1 vtcr_el2 vttbr_el2 hcr_el2";
const config = {
  ...Object.fromEntries(registers.split(" ").map((name) => [name, "1"])),
  tables: { file: "nothing", base: "1", size: 1 },
};
const withoutTables = JSON.stringify({ ...JSON.parse(lines[0]!), config });

describe("npm run vectors", () => {
  it("exits with 0 where all agree", () => {
    const { status, stdout } = run(file("good.jsonl", lines.join("\n")));
    expect([status, stdout]).toEqual([0, "good.jsonl: 20 vectors, 0 mismatches\n"]);
  });

  it("exits with 1 and shows what differs where one does not", () => {
    const wrong = lines.map((line) => line.replace('"post":{"pc":"0', '"post":{"pc":"1'));
    const { status, stdout } = run(file("wrong.jsonl", wrong.join("\n")));
    expect(status).toBe(1);
    expect(stdout).toMatch(/^dp0 0 EL0t 14577eb1 b 0x515dfac4$/m);
    expect(stdout).toMatch(/^ {4}pc +pre 50000000 +expected 1000000[0-9]*515dfac4 +got 515dfac4$/m);
  });

  it.each([
    ["no file", []],
    ["a file that is not there", [join(folder, "nothing")]],
    ["no JSON", [file("text.jsonl", "hello\n")]],
    ["JSON that is no vector", [file("other.jsonl", '{"set":"dp0"}\n')]],
    ["a damaged archive", [file("damaged.jsonl.gz", "hello")]],
    ["a file without vectors", [file("empty.jsonl", "")]],
    ["a device that never ends", ["/dev/zero"]],
    ["a recording with a header alone", [file("header.jsonl", header)]],
    ["a recording whose header is cut", [file("cut.jsonl", header.slice(0, 1000))]],
    ["a recording with a line that is cut", [file("line.jsonl", `${header}\n{"entry":"ADR`)]],
    ["a recording with a line of another kind", [file("kind.jsonl", `${header}\n${lines[0]}`)]],
    ["tables that are not there", [file("tables.jsonl", withoutTables)]],
  ])("%s: one line, exit 2", (_name, files) => {
    const { status, stdout, stderr } = run(...files);
    expect([status, stdout]).toEqual([2, ""]);
    expect(stderr).toMatch(/^vectors: [^\n]+\n$/);
  });
});
