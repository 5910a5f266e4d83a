// What the model did, in the words in which a trace tells it: one line a record, to be compared.

import type { LogEvent, Run } from "../../model/log.ts";
import { nameValue, reservationNames } from "./names.ts";
import { BUG_ESR, panicReasonOf } from "./panics.ts";
import type { RecordOf, TraceRecord } from "./trace.ts";

/** One line and where it comes from: an index into the run's log. */
export interface Answer {
  readonly text: string;
  readonly event: number;
}

/** The kernel messages that the recording selected. Source: the recorder's list of messages. */
const SELECTED = [
  /^Protected n?h?VHE mode initialized successfully$/,
  /^Kernel panic - not syncing: /,
  /^Failed to (?:load pkvm module|init EL2 module|map EL2 module|de-privilege)/,
  /^WARNING in /,
  /^Clearing unused pKVM firmware memory$/,
  /^Segmentation fault$/,
];

/** Whether the recorder kept a message. */
export const isSelected = (text: string): boolean => SELECTED.some((message) => message.test(text));

/** A printed line of the measurement module, without what went before it on the line. */
const PRINTED = /ORC (\{.*\})\s*$/;

type Printed = Partial<
  Pick<RecordOf<"printed">, "n" | "op" | "ret" | "token" | "a0" | "a1" | "a2" | "a3" | "outcome">
>;

/** A step of a module's program as one line. */
function printedText(module: string, phase: string, printed: Printed): string {
  const { n, op, outcome } = printed;
  const values = (["ret", "token", "a0", "a1", "a2", "a3"] as const)
    .filter((key) => printed[key] !== undefined)
    .map((key) => `${key}=${printed[key]}`);
  return [`${phase}: ${module} step ${n} ${op}:`, ...values, ...(outcome ? [outcome] : [])].join(
    " ",
  );
}

/** One record of a trace as a line; undefined for a record that is not told in lines. */
export function recordText(record: TraceRecord): string | undefined {
  switch (record.kind) {
    case "console": {
      const reason = panicReasonOf(record.text);
      if (reason !== undefined) return `hyp panic ${reason}`;
      return `console: ${record.text}${record.esr === undefined ? "" : ` ${record.esr}`}`;
    }
    case "printed":
      return printedText(record.module, record.phase, record);
    case "modprobe":
      return `modprobe ${record.argv}`;
    case "modprobe-exit":
      return `modprobe-exit ${record.name} "${record.params}" ${record.status}`;
    case "userspace":
      return "userspace";
    default:
      return undefined;
  }
}

/** The program of a module on the command line, by places from 1. */
const stepOf = (commandLine: string, module: string, n: number): string => {
  const program = new RegExp(`(?:^| )${module}\\.seq=(\\S*)`).exec(commandLine)?.[1] ?? "";
  return program.split(",")[n - 1] ?? "nothing";
};

/** The module whose program runs, while a run is told. */
interface RunningModule {
  readonly module: string;
  printed: number;
  /** Where in the lines its last step was told: what did not return comes after it. */
  last: number;
}

/** A run while it is told line by line. */
interface Telling {
  readonly answers: Answer[];
  readonly names: ReturnType<typeof reservationNames>;
  phase: "boot" | "userspace";
  running: RunningModule | undefined;
}

/** The values that a module printed, addresses by name. */
const namedValues = (printed: object, names: Telling["names"]): Printed =>
  Object.fromEntries(
    Object.entries(printed).map(([key, value]) =>
      typeof value === "string" && value.startsWith("0x")
        ? [key, nameValue(BigInt(value), names)]
        : [key, value],
    ),
  );

/** A step that the running module printed. */
function tellPrinted(telling: Telling, json: string, event: number): void {
  const { running, phase, answers, names } = telling;
  const values = namedValues(JSON.parse(json) as object, names);
  answers.push({ text: printedText(running?.module ?? "no module", phase, values), event });
  if (running === undefined) return;
  running.printed += 1;
  running.last = answers.length;
}

function tellConsole(telling: Telling, text: string, event: number): void {
  const printed = PRINTED.exec(text)?.[1];
  if (printed !== undefined) tellPrinted(telling, printed, event);
  else if (text.startsWith("hyp panic: ")) {
    telling.answers.push({ text: text.replace("panic:", "panic"), event });
  } else if (isSelected(text)) telling.answers.push({ text: `console: ${text}`, event });
}

function tell(telling: Telling, entry: LogEvent, event: number): void {
  const { answers } = telling;
  switch (entry.kind) {
    case "console":
      tellConsole(telling, entry.text, event);
      return;
    case "modprobe":
      answers.push({ text: `modprobe ${entry.argv.join(" ")}`, event });
      return;
    case "modprobe-exit": {
      const { name, parameters, status } = entry;
      answers.push({ text: `modprobe-exit ${name} "${parameters}" ${status}`, event });
      return;
    }
    case "userspace":
      telling.phase = "userspace";
      answers.push({ text: "userspace", event });
      return;
    case "step": {
      const { action, refusedBy } = entry.step;
      if (action.kind === "load_module" && refusedBy === undefined) {
        telling.running = { module: action.name, printed: 0, last: answers.length };
      }
      if (action.kind === "module_init_returned") telling.running = undefined;
      return;
    }
    default:
      return;
  }
}

/** The lines of a run, in order; `userspace` separates the boot from what follows. */
export function answersOf(run: Run, commandLine: string): readonly Answer[] {
  const names = reservationNames(run.log);
  const telling: Telling = { answers: [], names, phase: "boot", running: undefined };
  run.log.forEach((entry, event) => {
    tell(telling, entry, event);
  });
  const { answers, running, phase } = telling;
  const { end } = run.final;
  if (end?.kind !== "hyp-panic") return answers;
  const event = run.log.length - 1;
  const esr = `0x${(end.esr ?? BUG_ESR).toString(16)}`;
  answers.push({ text: `console: HYP panic: ESR ${esr}`, event });
  if (running === undefined) return answers;
  // The step that was begun and did not print: the recorder puts it where it was begun.
  const n = running.printed + 1;
  const op = stepOf(commandLine, running.module, n);
  const text = printedText(running.module, phase, { n, op, outcome: "did not return" });
  return answers.toSpliced(running.last, 0, { text, event });
}
