// `run FILE.ko`: one boot, step by step, with the registers of every HVC.

import type { Command } from "commander";
import { runChecked } from "../../counterexamples/run-checked.ts";
import { HOST_SMCCC_BASE } from "../../model/dispatch/decode.ts";
import type { HostAction } from "../../model/scenario.ts";
import { branchOf, firstDynamicId } from "../../spec/branches/branches.ts";
import { findingOf } from "../../spec/findings.ts";
import { endLine, logLines } from "../report/log-lines.ts";
import { EXIT, exiting } from "./exit.ts";
import { type Subject, type SubjectFlags, subjectOf, subjectOptions } from "./subject.ts";

/** After boot the host calls each registered function once, from the last CPU. */
function callsOf({ system }: Subject, registered: number): readonly HostAction[] {
  const base = HOST_SMCCC_BASE + BigInt(firstDynamicId(branchOf(system)));
  return Array.from({ length: registered }, (_, n) => ({
    kind: "hvc" as const,
    cpu: system.cpuCount - 1,
    imm: 0,
    x: [base + BigInt(n), 0x11n, 0x22n, 0x33n, 0x44n],
  }));
}

/** Functions that one run calls: enough to see each; a full table would fill pages of output. */
const CALLS_MAX = 8;

/** Runs one boot, twice: the first counts what is registered, the second also calls it. */
export function runText(subject: Subject): { text: string; exitCode: number } {
  const { system, boot, files, stubs, el2Only, budget } = subject;
  const options = { budget, stubs, el2Only };
  const quiet = runChecked({ system, boot, actions: [] }, files, options);
  const registered = quiet.run.final.dispatch.dynamicHcalls.length;
  const actions = callsOf(subject, Math.min(registered, CALLS_MAX));
  const { run, violations } = runChecked({ system, boot, actions }, files, options);
  const broken = violations.map(({ rule, step, sentence }) => {
    const known = findingOf(rule, system) === undefined ? "" : " (known of this branch)";
    return `  step ${step + 1}: ${rule}${known}: ${sentence}`;
  });
  const lines = [
    `system   ${system.documented ? "documented" : system.branch}, ${system.build}`,
    `cmdline  ${boot.commandLine}`,
    ...subject.notes.map((note) => `note     ${note}`),
    "",
    ...logLines(run),
    "",
    ...run.stubbed.map((name) => `stubbed: ${name}`),
    broken.length === 0 ? "no rule was broken" : "rules broken:",
    ...broken,
    endLine(run),
  ];
  const unexpected = violations.some(({ rule }) => findingOf(rule, system) === undefined);
  return { text: lines.join("\n"), exitCode: unexpected ? EXIT.violation : EXIT.holds };
}

/** Declares `run`. */
export function registerRun(program: Command): void {
  subjectOptions(
    program
      .command("run <file.ko>")
      .description("boot one module, step by step, with the registers of every HVC"),
  ).action(
    exiting((path: string, flags: SubjectFlags) => {
      const { text, exitCode } = runText(subjectOf(path, flags));
      process.stdout.write(`${text}\n`);
      return exitCode;
    }),
  );
}
