// A run's log as lines for people: what happened, what it answered, and the registers of every HVC.

import { actionLine, outcomeLine } from "../../counterexamples/step-line.ts";
import { exitText } from "../../model/kernel/kvm/run.ts";
import type { HvcRecord, LogEvent, Run } from "../../model/log.ts";
import type { ModelStep } from "../../model/step.ts";

const hex = (value: bigint): string => value.toString(16);

/** What the line of a step begins with: its number and how deep it is nested. */
const margin = (number: number | undefined, depth: number): string =>
  `${number === undefined ? "" : number}`.padStart(4).concat("  ", "  ".repeat(depth));

/** One step: what was done, what it answered, and which clause refused it. */
function stepLine(step: ModelStep, number: number, depth: number): string {
  const { action, pre, outcome, refusedBy } = step;
  const refused = refusedBy === undefined ? "" : `   refused by ${refusedBy}`;
  return `${margin(number, depth)}${actionLine(action, pre)} -> ${outcomeLine(outcome)}${refused}`;
}

const CALLERS: Readonly<Record<HvcRecord["by"], string>> = {
  module: "the module's EL1 code",
  kernel: "the kernel",
  host: "the host",
};

/** x0 to x7 in two groups of four; a register that changed is marked. */
function registers(of: readonly bigint[], before: readonly bigint[] | undefined): string[] {
  const cells = of.slice(0, 8).map((value, n) => {
    const mark = before !== undefined && before[n] !== value ? "*" : " ";
    return `x${n}${mark}${hex(value)}`.padEnd(20);
  });
  return [cells.slice(0, 4).join("").trimEnd(), cells.slice(4).join("").trimEnd()];
}

/** The registers before and after one HVC, as far as they say something. */
function hvcLines({ smc, cpu, imm, before, after, by }: HvcRecord): string[] {
  const indent = "        ";
  const first = `${indent}${smc ? "smc" : "hvc"} #${imm} on cpu${cpu} by ${CALLERS[by]}`;
  const [low, high] = registers(before, undefined);
  const lines = [first, `${indent}before  ${low}`];
  const argumentsAbove = before
    .slice(4, 8)
    .some((value) => value !== 0n && value >> 16n !== 0xa0an);
  const changedAbove = after?.slice(4, 8).some((value, n) => value !== before[n + 4]) === true;
  if (argumentsAbove || changedAbove) lines.push(`${indent}        ${high}`);
  if (after === undefined) return [...lines, `${indent}after   it did not return`];
  const [lowAfter, highAfter] = registers(after, before);
  lines.push(`${indent}after   ${lowAfter}`);
  if (changedAbove) lines.push(`${indent}        ${highAfter}`);
  return lines;
}

/** Lines of one event; `number` is the number of the step, if it is one. */
function eventLines(event: LogEvent, number: number): string[] {
  switch (event.kind) {
    case "step":
      return [stepLine(event.step, number, event.depth)];
    case "console":
      return [`${margin(undefined, 1)}console: ${event.text}`];
    case "serial":
      return [`${margin(undefined, 1)}serial: ${JSON.stringify(event.text)}`];
    case "modprobe":
      return [`${margin(undefined, 1)}modprobe ${event.argv.join(" ")}`];
    case "modprobe-exit":
      return [`${margin(undefined, 1)}modprobe of ${event.name} exits with ${event.status}`];
    case "hvc":
      return hvcLines(event);
    case "access": {
      const { cpu, address, store, value } = event;
      const what = `cpu${cpu} ${store ? "writes" : "reads"} 0x${address.toString(16)}`;
      const answer = value === undefined ? "abort" : `0x${value.toString(16)}`;
      return [`${margin(undefined, 1)}${what}: ${answer}`];
    }
    case "insn": {
      const { cpu, word, before, after } = event;
      const what = `cpu${cpu} executes 0x${word.toString(16).padStart(8, "0")}`;
      const changed = after?.flatMap((x, n) => (x === before[n] ? [] : [`x${n}=${hex(x)}`]));
      const answer = changed === undefined ? "it did not come to its end" : changed.join(" ");
      return [`${margin(undefined, 1)}${what}: ${answer}`.trimEnd()];
    }
    case "userspace":
      return ["", `${margin(undefined, 0)}user space runs`];
    case "answer":
      return [`${margin(undefined, 1)}${event.of} ${event.name}: ${event.value}`];
    case "kvm-exit":
      return [
        `${margin(undefined, 0)}KVM_RUN of vm${event.vm} vcpu${event.vcpu} ends: ` +
          exitText(event.exit),
      ];
    case "user-access": {
      const { vm, offset, store, value } = event;
      const what = `the process ${store ? "writes" : "reads"} 0x${offset.toString(16)} of vm${vm}`;
      const answer = value === undefined ? "signal" : `0x${value.toString(16)}`;
      return [`${margin(undefined, 1)}${what}: ${answer}`];
    }
    case "unmodelled":
      return [`${margin(undefined, 0)}stops here, not modelled: ${event.what}`];
  }
}

/** The whole log; steps are numbered from 1. */
export function logLines({ log }: Pick<Run, "log">): readonly string[] {
  let number = 0;
  return log.flatMap((event) => {
    if (event.kind === "step") number += 1;
    return eventLines(event, number);
  });
}

/** How it ended, in one line. */
export function endLine({ final, unmodelled, instructions }: Run): string {
  const ran = `${instructions} instructions of module code ran`;
  if (unmodelled !== undefined) return `stopped: not modelled: ${unmodelled}; ${ran}`;
  const { end } = final;
  if (end === undefined) return `the system runs; ${ran}`;
  if (end.kind === "off") return `off: ${end.what}; ${ran}`;
  return end.kind === "hang" ? `hangs: ${end.where}; ${ran}` : `${end.kind}: ${end.reason}; ${ran}`;
}
