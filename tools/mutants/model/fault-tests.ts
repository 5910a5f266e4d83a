// Which tests may notice a fault of the model that no rule notices, and whether one does.

import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Mutant } from "../cpu/candidates.ts";
import type { Verdict } from "../cpu/judge.ts";

const project = join(import.meta.dirname, "../../..");
/** Processor time of one run of the tests. */
const LIMIT_SECONDS = 180;

/** Tests beside a folder of the model; the longest name that fits counts. */
const NEAR: readonly (readonly [string, readonly string[]])[] = [
  ["model/elf", ["properties/model/elf"]],
  ["model/kernel/exported", ["properties/model/exported"]],
  ["model/kernel", ["properties/model/kernel", "properties/model/failing-loads.test.ts"]],
  ["model/machine", ["properties/model/machine"]],
  ["model/pgtable", ["properties/model/pgtable", "properties/model/machine"]],
  ["model", ["properties/model/dispatch", "properties/model/ops", "properties/spec"]],
];

/** What every file may be noticed by: recorded traces, stored counterexamples, the commands. */
const FAR = ["properties/conformance", "counterexamples", "properties/cli"];

const near = (file: string): readonly string[] =>
  NEAR.find(([folder]) => file.startsWith(`${folder}/`) || folder === "model")?.[1] ?? [];

/** Runs vitest; the first failing test, "" when all pass. */
function firstFailure(env: NodeJS.ProcessEnv, paths: readonly string[]): Promise<string> {
  const vitest = join(project, "node_modules/vitest/vitest.mjs");
  const config = join(import.meta.dirname, "vitest.config.ts");
  const args = [vitest, "run", "--config", config, "--bail=1", "--reporter=dot", ...paths];
  const limited = `ulimit -t ${LIMIT_SECONDS}; exec "$@"`;
  return new Promise((resolve, reject) => {
    const child = spawn("sh", ["-c", limited, "sh", process.execPath, ...args], {
      cwd: project,
      env,
      stdio: ["ignore", "pipe", "pipe"],
    });
    let output = "";
    const read = (text: string) => {
      output += text;
    };
    child.stdout.setEncoding("utf8").on("data", read);
    child.stderr.setEncoding("utf8").on("data", read);
    child.on("error", reject);
    child.on("close", (code, signal) => {
      if (code === 0) return resolve("");
      const failed = /FAIL\s+(.+)/.exec(output)?.[1];
      resolve(failed ?? (signal === null ? "the tests end with an error" : "the tests do not end"));
    });
  });
}

/** Tries the tests near the file, then those that see everything. */
export async function noticedByTests({ file, text }: Mutant): Promise<Verdict> {
  const folder = mkdtempSync(join(tmpdir(), "pkvm-spec-fault-"));
  const MUTANT_TEXT = join(folder, "text.ts");
  writeFileSync(MUTANT_TEXT, text);
  const env = { ...process.env, MUTANT_FILE: file, MUTANT_TEXT, CI: "1", NO_COLOR: "1" };
  try {
    for (const paths of [near(file), FAR]) {
      const by = await firstFailure(env, paths);
      if (by !== "") return { kind: "killed", by };
    }
    return { kind: "survived" };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
