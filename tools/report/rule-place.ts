// Where a rule stands in the sources, so that a report can point at it.

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { RuleId } from "../../spec/findings.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const FOLDERS = ["spec/clauses", "spec/invariants"];

let known: ReadonlyMap<string, string> | undefined;

/** The place of every id, read once. */
function places(): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  for (const folder of FOLDERS) {
    // What was packed has no sources of this kind; then nothing is pointed at.
    const files = readdirSync(join(ROOT, folder)).filter((file) => /(?<!\.d)\.ts$/.test(file));
    for (const file of files) {
      const lines = readFileSync(join(ROOT, folder, file), "utf8").split("\n");
      for (const [n, line] of lines.entries()) {
        const id = /^\s*(?:id: |refusal\()?"([A-Z]+-\d+)",/.exec(line)?.[1];
        if (id !== undefined) found.set(id, `${folder}/${file}:${n + 1}`);
      }
    }
  }
  return found;
}

/** `spec/clauses/vm.ts:88`; nothing where the sources are not there. */
export function rulePlace(rule: RuleId): string | undefined {
  known ??= places();
  return known.get(rule);
}
