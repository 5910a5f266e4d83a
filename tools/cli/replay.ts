// `replay FILE.json`: a stored counterexample again, step by step.

import { dirname, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import type { Command } from "commander";
import { parseCounterexample } from "../../counterexamples/counterexample.ts";
import { replay } from "../../counterexamples/replay.ts";
import { readModules } from "../../counterexamples/stored.ts";
import { isWalkText, parseWalk, replayWalk } from "../../counterexamples/walk.ts";
import { GUARDS } from "../../model/transitions.ts";
import { endLine, logLines } from "../report/log-lines.ts";
import { replayEndLines } from "../report/replay-lines.ts";
import { walkLines } from "../report/walk-lines.ts";
import { EXIT, exiting, UsageError } from "./exit.ts";
import { readInput } from "./read-input.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));

/** A walk of the abstract model, step by step. */
function replayWalkText(path: string, text: string): { text: string; exitCode: number } {
  const parsed = parseWalk(text);
  if (!parsed.ok) throw new UsageError(`${path}: ${parsed.error}`);
  const { walk } = parsed;
  const { omit = [] } = walk;
  const gone = omit.find((key) => !GUARDS.some((guard) => guard.key === key));
  if (gone !== undefined) throw new UsageError(`${path}: the model has no guard ${gone}`);
  const { steps, violation, divergence, isTheModels } = replayWalk(walk);
  const { clause, verdict } = walk;
  const stored = walk.steps.length;
  const end = replayEndLines({ clause, verdict, stored, violation, divergence, steps });
  const without =
    omit.length === 0
      ? []
      : [`without ${omit.join(", ")}; with all guards it is ${isTheModels ? "" : "not "}broken`];
  return {
    text: [...walkLines(walk, steps, path), "", ...without, ...end].join("\n"),
    exitCode: violation === undefined ? EXIT.holds : EXIT.violation,
  };
}

/** Replays a file; 1 when the rule is broken, as was stored. */
export function replayText(path: string): { text: string; exitCode: number } {
  const content = readInput(path).toString("utf8");
  if (isWalkText(content)) return replayWalkText(path, content);
  const parsed = parseCounterexample(content);
  if (!parsed.ok) throw new UsageError(`${path}: ${parsed.error}`);
  const { counterexample } = parsed;
  // Module files are named from the project's root, or from where the file lies.
  const here = readModules(counterexample.scenario, resolve(dirname(path)));
  const modules = "missing" in here ? readModules(counterexample.scenario, ROOT) : here;
  if ("missing" in modules) {
    throw new UsageError(`${path}: there is no module file ${modules.missing}`);
  }
  const replayed = replay(counterexample, modules.files);
  const { system, boot } = counterexample.scenario;
  const lines = [
    `${counterexample.name}: ${counterexample.sentence}`,
    `system   ${system.documented ? "documented" : system.branch}, ${system.build}`,
    `cmdline  ${boot.commandLine}`,
    ...boot.faults.map(({ call, nth, errno }) => `fault    call ${nth} of ${call}: -${errno}`),
    "",
    ...logLines(replayed.checked.run),
    "",
    endLine(replayed.checked.run),
    ...replayEndLines({
      clause: counterexample.clause,
      verdict: counterexample.verdict,
      stored: counterexample.steps.length,
      violation: replayed.violation,
      divergence: replayed.divergence,
      steps: replayed.checked.steps,
      unmodelled: replayed.checked.run.unmodelled,
    }),
  ];
  const broken = replayed.violation !== undefined;
  return { text: lines.join("\n"), exitCode: broken ? EXIT.violation : EXIT.holds };
}

/** Declares `replay`. */
export function registerReplay(program: Command): void {
  program
    .command("replay <file.json>")
    .description("replay a stored counterexample, step by step; 1 when the rule is still broken")
    .action(
      exiting((path: string) => {
        const { text, exitCode } = replayText(path);
        process.stdout.write(`${text}\n`);
        return exitCode;
      }),
    );
}
