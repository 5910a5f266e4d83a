// `run FILE.ko`: one boot, step by step, with the registers of every HVC.

import { existsSync } from "node:fs";
import type { Command } from "commander";
import { runChecked } from "../../counterexamples/run-checked.ts";
import { HOST_SMCCC_BASE } from "../../model/dispatch/decode.ts";
import { guestLife, type HostAction } from "../../model/scenario.ts";
import { KVM_VM_TYPE_ARM_PROTECTED } from "../../model/vm/kvm.ts";
import { branchOf, firstDynamicId } from "../../spec/branches/branches.ts";
import { findingOf } from "../../spec/findings.ts";
import { endLine, logLines } from "../report/log-lines.ts";
import { EXIT, exiting, UsageError } from "./exit.ts";
import { readInput } from "./read-input.ts";
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

/** A guest that runs after the boot. */
interface Guest {
  readonly image: Uint8Array;
  readonly isProtected: boolean;
}

/** Under which name the guest's image is known; no module has it. */
const GUEST = "guest image";

/** A VM is made, runs until it turns itself off, and is closed. */
const lifeOf = ({ isProtected }: Guest): readonly HostAction[] => [
  ...guestLife(0, isProtected ? KVM_VM_TYPE_ARM_PROTECTED : 0, GUEST),
  { kind: "KVM_CLOSE", vm: 0 },
];

/** Runs one boot, twice: the first counts what is registered, the second also calls it. */
export function runText(subject: Subject, guest?: Guest): { text: string; exitCode: number } {
  const { system, boot, stubs, el2Only, budget } = subject;
  const files = new Map(subject.files);
  if (guest !== undefined) files.set(GUEST, guest.image);
  const options = { budget, stubs, el2Only };
  const quiet = runChecked({ system, boot, actions: [] }, files, options);
  const registered = quiet.run.final.dispatch.dynamicHcalls.length;
  const calls = callsOf(subject, Math.min(registered, CALLS_MAX));
  const actions = [...calls, ...(guest === undefined ? [] : lifeOf(guest))];
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

interface GuestFlags {
  readonly guest?: string;
  readonly unprotected?: boolean;
}

function guestOf({ guest, unprotected }: GuestFlags): Guest | undefined {
  if (guest === undefined) {
    if (unprotected === true) throw new UsageError("--unprotected goes with --guest");
    return undefined;
  }
  if (!existsSync(guest)) throw new UsageError(`--guest ${guest}: no such file`);
  return { image: readInput(guest), isProtected: unprotected !== true };
}

/** Declares `run`. */
export function registerRun(program: Command): void {
  subjectOptions(
    program
      .command("run <file.ko>")
      .description("boot one module, step by step, with the registers of every HVC")
      .option("--guest <image>", "then run a flat image as a protected VM, linked at 0x80000000")
      .option("--unprotected", "the VM of --guest is not protected"),
  ).action(
    exiting((path: string, flags: SubjectFlags & GuestFlags) => {
      const { text, exitCode } = runText(subjectOf(path, flags), guestOf(flags));
      process.stdout.write(`${text}\n`);
      return exitCode;
    }),
  );
}
