// Which faults compile: the checker sees one fault of every file at a time, in a copy.

import { execFile } from "node:child_process";
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { candidates, type Mutant } from "../cpu/candidates.ts";
import type { Source } from "../cpu/tokens.ts";
import { hashOf, KEPT } from "./kept.ts";
import { modelOperators } from "./operators.ts";

const project = join(import.meta.dirname, "../../..");

/** What a fault leaves unused is no reason to refuse it. */
const CONFIG = {
  extends: "./tsconfig.json",
  compilerOptions: { noUnusedLocals: false, noUnusedParameters: false },
  include: ["model"],
};

/** The files in which the checker finds an error. */
function filesWithErrors(root: string): Promise<ReadonlySet<string>> {
  const tsc = join(project, "node_modules/typescript/bin/tsc");
  const args = [tsc, "--noEmit", "--pretty", "false", "-p", "tsconfig.faults.json"];
  return new Promise((resolve) => {
    execFile(process.execPath, args, { cwd: root, maxBuffer: 1 << 26 }, (_error, stdout) => {
      const files = stdout.split("\n").flatMap((line) => /^(model\/[^(]+)\(/.exec(line)?.[1] ?? []);
      resolve(new Set(files));
    });
  });
}

/** Lines of a file for each fault in it. */
const LINES_PER_FAULT = 75;
const FEWEST = 1;

/** How many faults of a file are tried: by its length, and at least one. */
export function faultQuota({ text, tokens }: Source): number {
  if (tokens.length === 0) return 0;
  const lines = text.split("\n").filter((line) => /\S/.test(line)).length;
  return Math.max(FEWEST, Math.round(lines / LINES_PER_FAULT));
}

/** Whether faults compile, by their hash: kept, since the checker takes seconds for each round. */
const COMPILES = join(KEPT, "compiles.json");

const readCompiles = (): Map<string, boolean> =>
  new Map(existsSync(COMPILES) ? JSON.parse(readFileSync(COMPILES, "utf8")) : []);

function keepCompiles(compiles: ReadonlyMap<string, boolean>): void {
  mkdirSync(KEPT, { recursive: true });
  writeFileSync(COMPILES, JSON.stringify([...compiles]));
}

/** A file and the faults of it that are still to be looked at. */
interface Waiting {
  readonly source: Source;
  readonly queue: Mutant[];
  readonly wanted: number;
  readonly taken: Mutant[];
}

/** A fault on its way to the checker. */
interface Asked {
  readonly one: Waiting;
  readonly mutant: Mutant;
}

/**
 * Which of some faults compile, one of each file. A file that does not even parse hides what is
 * wrong elsewhere, so the checker is asked again without those that are known to be wrong.
 */
async function ask(
  root: string,
  asked: readonly Asked[],
  compiles: Map<string, boolean>,
): Promise<void> {
  const restore = ({ one, mutant }: Asked) =>
    writeFileSync(join(root, mutant.file), one.source.text);
  for (const { mutant } of asked) writeFileSync(join(root, mutant.file), mutant.text);
  let left = asked;
  while (left.length > 0) {
    const wrong = await filesWithErrors(root);
    const refused = left.filter(({ mutant }) => wrong.has(mutant.file));
    for (const { mutant } of refused) compiles.set(hashOf(mutant), false);
    refused.forEach(restore);
    left = left.filter((one) => !refused.includes(one));
    if (refused.length === 0) break;
  }
  for (const { mutant } of left) compiles.set(hashOf(mutant), true);
  left.forEach(restore);
}

/**
 * The first faults of each file that compile, as many as its quota. A fault that breaks another
 * file's types only is taken: it is one that a person could commit in two files.
 */
export async function faultsThatCompile(
  sources: readonly Source[],
  seed: string,
): Promise<readonly Mutant[]> {
  const root = mkdtempSync(join(tmpdir(), "pkvm-spec-types-"));
  const files: readonly Waiting[] = sources.map((source) => ({
    source,
    queue: [...candidates(source, seed, modelOperators)],
    wanted: faultQuota(source),
    taken: [],
  }));
  const compiles = readCompiles();
  try {
    for (const path of ["model", "spec", "cpu", "kdir", "tsconfig.json", "package.json"])
      cpSync(join(project, path), join(root, path), { recursive: true });
    symlinkSync(join(project, "node_modules"), join(root, "node_modules"));
    writeFileSync(join(root, "tsconfig.faults.json"), JSON.stringify(CONFIG));
    for (;;) {
      const open = files.filter(
        ({ queue, wanted, taken }) => taken.length < wanted && queue.length,
      );
      if (open.length === 0) return files.flatMap(({ taken }) => taken);
      const round = open.map((one) => ({ one, mutant: one.queue.shift()! }));
      const asked = round.filter(({ mutant }) => !compiles.has(hashOf(mutant)));
      await ask(root, asked, compiles);
      keepCompiles(compiles);
      for (const { one, mutant } of round) if (compiles.get(hashOf(mutant))) one.taken.push(mutant);
    }
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
}
