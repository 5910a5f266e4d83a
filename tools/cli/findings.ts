// `findings`: the known defects of real branches, and the searches that find them again.

import { mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Command } from "commander";
import { readStored } from "../../counterexamples/stored.ts";
import { readStoredWalks, WALKS_FOLDER } from "../../counterexamples/stored-walks.ts";
import { formatWalk } from "../../counterexamples/walk.ts";
import { DEFECTS } from "../../spec/defects.ts";
import { evidenceOn, findingsTable, placesOf, type StoredName } from "../report/findings-table.ts";
import { wrapped } from "../report/found-lines.ts";
import { defectRulesOn, findOnBranch, SEARCHED_BRANCHES } from "../search/defect-search.ts";
import { storedWalk } from "../search/stored-walk.ts";
import { firmwareBytes } from "../search/world/world.ts";
import { EXIT, exiting } from "./exit.ts";

const FOLDER = fileURLToPath(new URL("../../counterexamples", import.meta.url));
const TABLE = "FINDINGS.md";

const print = (...lines: readonly string[]): void => {
  process.stdout.write(`${lines.join("\n")}\n`);
};

/** Everything that is stored, by what it shows. */
export const storedNames = (folder: string): readonly StoredName[] => [
  ...readStored(folder).map(({ file, counterexample: { clause, scenario } }) => ({
    file,
    rule: clause,
    system: scenario.system,
  })),
  ...readStoredWalks(folder).map(({ file, walk: { clause, system } }) => ({
    file,
    rule: clause,
    system,
  })),
];

/** The table for a terminal. */
function list(): void {
  const stored = storedNames(FOLDER);
  for (const defect of DEFECTS) {
    print(...wrapped(`${defect.id.padEnd(5)}`, defect.what));
    for (const { branch, rule, finding, file } of placesOf(defect, stored)) {
      const how = evidenceOn(finding, branch).split(":")[0];
      print(`     ${branch.padEnd(15)} ${rule.padEnd(9)} ${`${how}`.padEnd(9)} ${file ?? "-"}`);
    }
    if (defect.why !== undefined) print(...wrapped("     not modelled: ", defect.why));
  }
  print("", `npx pkvm-spec replay counterexamples/FILE; the table is counterexamples/${TABLE}`);
}

/** Searches every branch from a clean start and stores the shortest way to each rule. */
function search(): number {
  const walks = join(FOLDER, WALKS_FOLDER);
  mkdirSync(walks, { recursive: true });
  const written = new Set<string>();
  let missing = 0;
  for (const branch of SEARCHED_BRANCHES) {
    print(branch);
    const found = findOnBranch(branch, ({ world, ended, states, transitions }) => {
      print(...wrapped("  ", `${world.name}: ${states} states (${ended}), ${transitions} steps`));
    });
    for (const rule of defectRulesOn(branch)) {
      const way = found.get(rule);
      const walk = way && storedWalk({ ...way, firmwareBytes });
      if (walk === undefined) {
        missing += 1;
        print(`  ${rule.padEnd(8)} is not found`);
        continue;
      }
      print(`  ${rule.padEnd(8)} ${walk.sentence}`.slice(0, 80));
      written.add(`${walk.name}.json`);
      writeFileSync(join(walks, `${walk.name}.json`), formatWalk(walk));
    }
  }
  for (const file of readdirSync(walks)) if (!written.has(file)) rmSync(join(walks, file));
  writeFileSync(join(FOLDER, TABLE), findingsTable(DEFECTS, storedNames(FOLDER)));
  print("", `counterexamples/${TABLE}: written`);
  return missing === 0 ? EXIT.holds : EXIT.violation;
}

/** Declares `findings`. */
export function registerFindings(program: Command): void {
  program
    .command("findings")
    .description("list the known defects of real branches; --search finds them again")
    .option("--search", "search every branch from a clean start, and store the ways")
    .action(
      exiting((flags: { readonly search?: boolean }) => {
        if (flags.search === true) return search();
        list();
        return EXIT.holds;
      }),
    );
}
