// `shrink FILE.json`: a stored counterexample made as short and plain as it can be.

import { writeFileSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import type { Command } from "commander";
import { formatCounterexample, parseCounterexample } from "../../counterexamples/counterexample.ts";
import { optionsOf } from "../../counterexamples/replay.ts";
import { BUDGET, runChecked } from "../../counterexamples/run-checked.ts";
import { readModules } from "../../counterexamples/stored.ts";
import { formatWalk, isWalkText, parseWalk } from "../../counterexamples/walk.ts";
import { findViolation } from "../search/find-violation.ts";
import { counterexampleOf } from "../search/found.ts";
import { reducedWalk, storedWalk } from "../search/stored-walk.ts";
import { EXIT, exiting, UsageError } from "./exit.ts";
import { readInput } from "./read-input.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));

/** The file's new text, and what was done in a line. */
interface Shorter {
  readonly text: string;
  readonly line: string;
}

const lineOf = (from: number, to: number, runs: number, free: readonly string[]): string =>
  `${from} actions -> ${to} in ${runs} runs${free.length === 0 ? "" : `; ${free.join(", ")}`}`;

/** States that are searched for a shorter way at most. */
const STATES_MAX = 300_000;

/**
 * A walk is made short twice: by leaving out what is not needed, as far as the programs of a small
 * world allow it, and by a search of all ways that are not longer, the shorter ones first.
 */
function shorterWalk(path: string, content: string): Shorter {
  const parsed = parseWalk(content);
  if (!parsed.ok) throw new UsageError(`${path}: ${parsed.error}`);
  const { walk } = parsed;
  const { system, clause: rule, found, actions: before, firmwareBytes } = walk;
  const options = walk.omit === undefined ? {} : { omit: new Set(walk.omit) };
  const way = { system, firmwareBytes, rule, by: found.by, from: before.length, ...options };
  const { items: actions, runs: reducing } = reducedWalk({ ...way, actions: before, shortest: "" });
  const bound = { depth: 2 * actions.length, states: STATES_MAX };
  const size = { cpus: system.cpuCount };
  const isExpected = (other: string) => other !== rule;
  const { violation, states } = findViolation(system, { size, bound, isExpected, ...options });
  const isShorter = violation !== undefined && violation.actions.length <= actions.length;
  const shrunk = storedWalk({
    ...way,
    actions: isShorter ? violation.actions : actions,
    shortest: isShorter ? `none shorter exists in the small world (${states} states)` : "",
  });
  if (shrunk === undefined) throw new UsageError(`${path}: ${rule} is no longer broken`);
  const { free } = shrunk.found;
  const runs = shrunk.found.runs + reducing + 1;
  return {
    text: formatWalk({ ...shrunk, name: walk.name, found: { ...shrunk.found, runs } }),
    line: lineOf(before.length, shrunk.actions.length, runs, free),
  };
}

function shorterScenario(path: string, content: string): Shorter {
  const parsed = parseCounterexample(content);
  if (!parsed.ok) throw new UsageError(`${path}: ${parsed.error}`);
  const { counterexample } = parsed;
  const { scenario, clause } = counterexample;
  const here = readModules(scenario, resolve(dirname(path)));
  const modules = "missing" in here ? readModules(scenario, ROOT) : here;
  if ("missing" in modules) {
    throw new UsageError(`${path}: there is no module file ${modules.missing}`);
  }
  const { budget = BUDGET, ...options } = optionsOf(counterexample);
  const { violations } = runChecked(scenario, modules.files, { budget, ...options });
  const violation = violations.find(({ rule }) => rule === clause);
  const shrunk =
    violation === undefined
      ? undefined
      : counterexampleOf(
          { scenario, violation, site: "" },
          modules.files,
          { budget, ...options },
          counterexample.found.by,
        );
  if (shrunk === undefined) throw new UsageError(`${path}: ${clause} is no longer broken`);
  const { runs, free = [] } = shrunk.found;
  const text = formatCounterexample({ ...shrunk, name: counterexample.name });
  return {
    text,
    line: lineOf(scenario.actions.length, shrunk.scenario.actions.length, runs, free),
  };
}

/** Declares `shrink`. */
export function registerShrink(program: Command): void {
  program
    .command("shrink <file.json>")
    .description("make a stored counterexample as short and plain as it can be, in place")
    .option("--out <file>", "write there instead")
    .action(
      exiting((path: string, { out = path }: { readonly out?: string }) => {
        const content = readInput(path).toString("utf8");
        const shorter = isWalkText(content)
          ? shorterWalk(path, content)
          : shorterScenario(path, content);
        writeFileSync(out, shorter.text);
        process.stdout.write(`${out}: ${shorter.line}\n`);
        return EXIT.holds;
      }),
    );
}
