// `npm run trace`: writes the table of clauses, with how often each applied in the seeded
// exploration. `npm run trace -- isa`: writes and prints the table of instructions.

import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { Command } from "commander";
import { explored } from "../properties/support/explore.ts";
import { CLAUSES, INVARIANTS } from "../spec/registry.ts";
import { EXIT, exiting, quiet, runMain, UsageError } from "./cli/exit.ts";
import { clausesTable } from "./report/clauses-table.ts";
import { ISA_TABLE, isaTableText, writeIsaTable } from "./trace-isa.ts";

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

/** The table of instructions, written and printed. */
function traceIsa(): number {
  const changed = writeIsaTable();
  process.stdout.write(`${isaTableText()}\n${ISA_TABLE}: ${changed ? "written" : "unchanged"}\n`);
  return EXIT.holds;
}

const command = quiet(new Command("trace"))
  .description("Writes the table of clauses, or of instructions.")
  .argument("[table]", "clauses or isa", "clauses")
  .action(
    exiting((table: string) => {
      if (table === "isa") return traceIsa();
      if (table === "clauses") return trace();
      throw new UsageError(`trace ${table}: clauses or isa is wanted`);
    }),
  );
await runMain(command, process.argv);
