// Whether a fault is noticed: by a vector, by a test, or because something does not end.

import { spawn } from "node:child_process";
import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import type { Mutant } from "./candidates.ts";
import { type Sandbox, write } from "./sandbox.ts";
import { type Stage, stages } from "./suites.ts";

export type Verdict =
  | { readonly kind: "refused"; readonly by: string }
  | { readonly kind: "killed"; readonly by: string }
  | { readonly kind: "survived" };

/** Processor time of one process; a thousand times what an instruction budget ever needs. */
const LIMIT_SECONDS = 90;

interface Ended {
  readonly code: number | undefined;
  readonly output: string;
}

/** Runs node within the sandbox; `code` is undefined when the limit ended it. */
function runNode({ root }: Sandbox, args: readonly string[]): Promise<Ended> {
  const limited = `ulimit -t ${LIMIT_SECONDS}; exec "$@"`;
  return new Promise((resolve, reject) => {
    const child = spawn("sh", ["-c", limited, "sh", process.execPath, ...args], {
      cwd: root,
      env: { ...process.env, CI: "1", NODE_NO_WARNINGS: "1" },
      stdio: ["ignore", "pipe", "ignore"],
    });
    let output = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      output += text;
    });
    child.on("error", reject);
    child.on("close", (code, signal) =>
      resolve({ code: signal === null ? (code ?? 1) : undefined, output }),
    );
  });
}

const killed = (by: string): Verdict => ({ kind: "killed", by });
const survived: Verdict = { kind: "survived" };
const endless = killed(`does not end within ${LIMIT_SECONDS} s of processor time`);

/** Loads the core and replays sets of vectors, of some entries only where a file is named. */
export async function replay(
  sandbox: Sandbox,
  sets: readonly string[],
  entriesOf?: string,
): Promise<Verdict> {
  const only = entriesOf === undefined ? [] : ["--entries-of", entriesOf];
  const args = ["tools/mutants/cpu/replay-until-mismatch.ts", ...only, ...sets];
  const { code, output } = await runNode(sandbox, args);
  if (code === undefined) return endless;
  const [, kind, text = ""] = /^(loaded no|mismatch|agreed) ?(.*)$/m.exec(output) ?? [];
  if (kind === "agreed") return survived;
  if (kind === "loaded no") return { kind: "refused", by: text };
  return killed(kind === "mismatch" ? text : `the process ends with ${code}`);
}

const testReport = z.object({
  success: z.boolean(),
  testResults: z.array(
    z.object({
      name: z.string(),
      status: z.string(),
      message: z.string(),
      assertionResults: z.array(z.object({ fullName: z.string(), status: z.string() })),
    }),
  ),
});

export type TestReport = z.infer<typeof testReport>;

/** Runs test files; `bail` stops at the first failure. Undefined when they do not end. */
export async function runTests(
  sandbox: Sandbox,
  paths: readonly string[],
  { bail, without }: { bail: boolean; without: readonly string[] },
): Promise<TestReport | undefined> {
  const report = join(sandbox.root, "report.json");
  rmSync(report, { force: true });
  const { code } = await runNode(sandbox, [
    "node_modules/vitest/vitest.mjs",
    ...["run", ...paths, "--passWithNoTests", "--reporter=json", `--outputFile=${report}`],
    ...(bail ? ["--bail=1"] : []),
    ...without.flatMap((path) => ["--exclude", path]),
  ]);
  if (code === undefined) return undefined;
  return testReport.parse(JSON.parse(readFileSync(report, "utf8")));
}

/** The test files that fail, and the first test of each that does. */
export function failures({ root }: Sandbox, { testResults }: TestReport) {
  return testResults
    .filter(({ status }) => status === "failed")
    .map(({ name, message, assertionResults }) => {
      const file = name.slice(root.length + 1);
      const test = assertionResults.find(({ status }) => status === "failed");
      return { file, text: test?.fullName ?? message.split("\n")[0] ?? "" };
    });
}

async function runStage(
  sandbox: Sandbox,
  stage: Stage,
  without: readonly string[],
): Promise<Verdict> {
  if (stage.kind === "vectors") return await replay(sandbox, stage.sets, stage.entriesOf);
  const report = await runTests(sandbox, stage.paths, { bail: true, without });
  if (report === undefined) return endless;
  const [failure] = failures(sandbox, report);
  if (failure !== undefined) return killed(`${failure.file}: ${failure.text}`);
  const ran = report.testResults.length > 0;
  return report.success || !ran ? survived : killed("the tests end with an error");
}

/** Why a fault is none that a person could have made: it does not compile. */
async function refusal(sandbox: Sandbox): Promise<Verdict | undefined> {
  const types = await runNode(sandbox, [
    ...["node_modules/typescript/bin/tsc", "--noEmit", "-p", "tsconfig.cpu.json"],
  ]);
  if (types.code === 0) return undefined;
  return { kind: "refused", by: types.output.split("\n")[0] ?? "types" };
}

/** What is known about a fault before it is tried. */
export interface Before {
  /** Test files that fail without any fault. */
  readonly without: readonly string[];
  /** What killed it the last time: asked before all others. */
  readonly killer?: Stage | undefined;
  /** It has been tried before, and so compiles. */
  readonly compiles?: boolean;
}

/** Tries a fault. The file is right again after. */
export async function judge(
  sandbox: Sandbox,
  mutant: Mutant,
  original: string,
  { without, killer, compiles = false }: Before,
): Promise<Verdict> {
  write(sandbox, mutant.file, mutant.text);
  try {
    const refused = compiles ? undefined : await refusal(sandbox);
    if (refused !== undefined) return refused;
    const likely = killer === undefined ? [] : [killer];
    for (const stage of [...likely, ...stages(sandbox.root, mutant.file)]) {
      const verdict = await runStage(sandbox, stage, without);
      if (verdict.kind !== "survived") return verdict;
    }
    return survived;
  } finally {
    write(sandbox, mutant.file, original);
  }
}
