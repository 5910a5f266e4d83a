// Sequences as a trace file and back: to replay what was recorded, and to keep what was found.

import { readFileSync } from "node:fs";
import { z } from "zod";
import { UsageError } from "../cli/exit.ts";
import { MACHINE } from "./debian-machine.ts";
import { POOL, POOL_PAGES, type Sequence, type Step } from "./script.ts";

const text = z.string();
const cpu = z
  .int()
  .min(0)
  .max(MACHINE.cpus - 1)
  .default(0);

const alloc = z.object({ op: z.literal("alloc"), page: text, npages: z.int().min(1).max(64) });
const call = z.object({
  op: z.enum(["hvc", "smc"]),
  cpu,
  imm: z.int().min(0).max(0xffff).default(0),
  id: text,
  args: z.array(text).max(17),
  out: z.array(text).length(4).optional(),
  changed: z.array(text).optional(),
});
const access = z.object({
  op: z.enum(["host-read", "host-write"]),
  cpu,
  at: text,
  val: text.optional(),
  fault: z.boolean().optional(),
});
const record = z.discriminatedUnion("op", [alloc, call, access]);

/** Pages that a trace allocates, in order. */
export interface Allocated {
  readonly page: string;
  readonly pages: number;
}

/** What a trace asks, with the answer that it recorded. */
export interface RecordedStep {
  readonly line: number;
  readonly step: Step;
  readonly recorded: string;
}

/** A trace as something that can be run. */
export interface Recorded {
  readonly allocated: readonly Allocated[];
  readonly steps: readonly RecordedStep[];
}

/** Lines that say something of the run and ask for nothing. */
const SAYS = ["trace", "console", "phase", "case", "note", "end", "esr"];

function parse(line: string, at: string): z.infer<typeof record> | undefined {
  let json: unknown;
  try {
    json = JSON.parse(line);
  } catch {
    throw new UsageError(`${at}: not JSON`);
  }
  if (typeof json !== "object" || json === null) throw new UsageError(`${at}: not a record`);
  if (!("op" in json) && SAYS.some((key) => key in json)) return undefined;
  const parsed = record.safeParse(json);
  if (parsed.success) return parsed.data;
  throw new UsageError(`${at}: the oracle cannot do this (calls, loads, stores and pages only)`);
}

/** The recorded answer in the words of `answerText`, pages by name. */
function recordedText(one: z.infer<typeof call> | z.infer<typeof access>): string {
  if ("args" in one) {
    if (one.out === undefined) return "did not return";
    return `x0..x3 = ${one.out.join(" ")}, changed ${one.changed?.join(" ") || "nothing"}`;
  }
  if (one.fault === undefined) return "did not return";
  if (one.fault) return "aborted";
  return one.op === "host-read" ? `value ${one.val}` : "stored";
}

/** Reads a trace. */
export function readRecorded(file: string): Recorded {
  const allocated: Allocated[] = [];
  const steps: RecordedStep[] = [];
  readFileSync(file, "utf8")
    .split("\n")
    .forEach((line, index) => {
      const one = line.trim() === "" ? undefined : parse(line, `${file}: line ${index + 1}`);
      if (one === undefined) return;
      if (one.op === "alloc") {
        allocated.push({ page: one.page, pages: one.npages });
        return;
      }
      const step: Step =
        "args" in one
          ? { op: one.op, cpu: one.cpu, imm: one.imm, id: one.id, args: one.args }
          : { op: one.op, cpu: one.cpu, at: one.at, val: one.val ?? "" };
      steps.push({ line: index + 1, step, recorded: recordedText(one) });
    });
  return { allocated, steps };
}

/** A step as a record without its answer. */
export function stepJson(step: Step): Record<string, unknown> {
  if ("at" in step) {
    const { op, cpu, at, val } = step;
    return { op, cpu, at, ...(op === "host-write" ? { val } : {}) };
  }
  const { op, cpu, imm, id, args } = step;
  return { op, cpu, ...(imm === 0 ? {} : { imm }), id, args };
}

/** The records that every trace of the oracle begins with. */
export const traceStart = (trace: string, kernel: string): readonly object[] => [
  {
    ...{ trace, kernel },
    ...{ kernel_args: MACHINE.commandLine, machine: `qemu ${MACHINE.machine}, 1 GiB` },
    ...{ cpu: MACHINE.cpu, cpus: MACHINE.cpus },
    modules: [{ name: "el1", params: "", loaded: "by init after boot" }],
    modprobe: "stand-in",
  },
  { phase: "userspace" },
  { op: "alloc", page: POOL, npages: POOL_PAGES },
];

/** Records as the text of a trace file. */
export const linesOf = (records: readonly object[]): string =>
  `${records.map((one) => JSON.stringify(one)).join("\n")}\n`;

/** Sequences as a trace without answers, which `--replay` runs. */
export const traceText = (sequences: readonly Sequence[], kernel: string): string =>
  linesOf([
    ...traceStart("difference", kernel),
    ...sequences.flatMap((sequence) => sequence.map(stepJson)),
  ]);
