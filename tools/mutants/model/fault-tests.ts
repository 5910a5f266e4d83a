// Whether a test notices a fault of the model that nothing else does.

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Mutant } from "../cpu/candidates.ts";
import type { Verdict } from "../cpu/judge.ts";
import { runVitest, type TestReach, testsFor } from "./reach.ts";

/** Processor time of one run of some tests; many times what they take. */
const LIMIT_SECONDS = 900;
/** Files of tests in one run: the first ones, which are about little else, by themselves. */
const FIRST = 4;

/** Tests of minutes, asked last about the few files that only they are about. */
const SLOW: readonly (readonly [file: string, test: string])[] = [
  ["model/plain.ts", "properties/search/world.test.ts"],
  ...["failing-op", "fork-system", "interleave", "memory-events", "secrets", "watch"].map(
    (name) => [`model/machine/${name}.ts`, "properties/check-modules/examples.test.ts"] as const,
  ),
];

/** Runs tests; the first that fails, "" when all pass. */
async function firstFailure(
  env: Readonly<Record<string, string>>,
  paths: readonly string[],
): Promise<string> {
  const { code, output } = await runVitest(env, paths, LIMIT_SECONDS);
  if (code === 0) return "";
  const failed = /FAIL\s+(.+)/.exec(output)?.[1];
  return failed ?? (code === null ? "the tests do not end" : "the tests end with an error");
}

/** Tries the tests that run what the fault changes. */
export async function noticedByTests(reach: TestReach, mutant: Mutant): Promise<Verdict> {
  const tests = testsFor(reach, mutant);
  const folder = mkdtempSync(join(tmpdir(), "pkvm-spec-fault-"));
  const MUTANT_TEXT = join(folder, "text.ts");
  writeFileSync(MUTANT_TEXT, mutant.text);
  const env = { MUTANT_FILE: mutant.file, MUTANT_TEXT, FAULT_CACHE: join(folder, "cache") };
  try {
    for (const paths of [tests.slice(0, FIRST), tests.slice(FIRST)]) {
      const by = paths.length === 0 ? "" : await firstFailure(env, paths);
      if (by !== "") return { kind: "killed", by };
    }
    const slow = SLOW.flatMap(([file, test]) => (file === mutant.file ? [test] : []));
    if (slow.length === 0) return { kind: "survived" };
    const by = await firstFailure({ ...env, FAULT_SLOW: "1" }, slow);
    return by === "" ? { kind: "survived" } : { kind: "killed", by };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
