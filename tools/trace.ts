// `npm run trace`: writes the table of clauses, with how often each applied in the seeded
// exploration.

import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { Command } from "commander";
import { explored } from "../properties/support/explore.ts";
import { CLAUSES, INVARIANTS } from "../spec/registry.ts";
import { EXIT, exiting, quiet, runMain } from "./cli/exit.ts";
import { clausesTable } from "./report/clauses-table.ts";

const FILE = "spec/CLAUSES.md";
const PATH = fileURLToPath(new URL(`../${FILE}`, import.meta.url));

function previous(): string | undefined {
  try {
    return readFileSync(PATH, "utf8");
  } catch {
    return undefined;
  }
}

function trace(): number {
  const { coverage } = explored();
  const table = clausesTable(coverage);
  const changed = table !== previous();
  if (changed) writeFileSync(PATH, table);
  const never = [...CLAUSES, ...INVARIANTS].filter(({ id }) => !coverage.applied.has(id));
  process.stdout.write(
    `${FILE}: ${CLAUSES.length} clauses, ${INVARIANTS.length} invariants, ` +
      `${changed ? "written" : "unchanged"}\n` +
      (never.length === 0 ? "" : `never applied: ${never.map(({ id }) => id).join(" ")}\n`),
  );
  return never.length === 0 ? EXIT.holds : EXIT.violation;
}

const command = quiet(new Command("trace")).description("Writes the table of clauses.");
await runMain(command.action(exiting(trace)), process.argv);
