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
  /^Clearing unused pKVM firmware memory$/,
];

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

/** The lines of a run, in order; `userspace` separates the boot from what follows. */
export function answersOf(run: Run, commandLine: string): readonly Answer[] {
  const answers: Answer[] = [];
  const names = reservationNames(run.log);
  let phase = "boot";
  let running: { module: string; printed: number; last: number } | undefined;
  const say = (text: string, event: number): void => {
    answers.push({ text, event });
  };
  const print = (json: string, event: number): void => {
    const raw = JSON.parse(json) as Printed;
    const named = Object.fromEntries(
      Object.entries(raw).map(([key, value]) =>
        typeof value === "string" && /^0x/.test(value)
          ? [key, nameValue(BigInt(value), names)]
          : [key, value],
      ),
    );
    say(printedText(running?.module ?? "no module", phase, named), event);
    if (running !== undefined) {
      running.printed += 1;
      running.last = answers.length;
    }
  };
  const tell = (entry: LogEvent, event: number): void => {
    switch (entry.kind) {
      case "console": {
        const printed = PRINTED.exec(entry.text)?.[1];
        if (printed !== undefined) print(printed, event);
        else if (entry.text.startsWith("hyp panic: ")) {
          say(entry.text.replace("panic:", "panic"), event);
        } else if (SELECTED.some((message) => message.test(entry.text))) {
          say(`console: ${entry.text}`, event);
        }
        return;
      }
      case "modprobe":
        say(`modprobe ${entry.argv.join(" ")}`, event);
        return;
      case "modprobe-exit":
        say(`modprobe-exit ${entry.name} "${entry.parameters}" ${entry.status}`, event);
        return;
      case "userspace":
        phase = "userspace";
        say("userspace", event);
        return;
      case "step": {
        const { action, refusedBy } = entry.step;
        if (action.kind === "load_module" && refusedBy === undefined) {
          running = { module: action.name, printed: 0, last: answers.length };
        }
        if (action.kind === "module_init_returned") running = undefined;
        return;
      }
      default:
        return;
    }
  };
  run.log.forEach(tell);
  const { end } = run.final;
  if (end?.kind !== "hyp-panic") return answers;
  say(`console: HYP panic: ESR 0x${(end.esr ?? BUG_ESR).toString(16)}`, run.log.length - 1);
  if (running === undefined) return answers;
  // The step that was begun and did not print: the recorder puts it where it was begun.
  const n = running.printed + 1;
  const text = printedText(running.module, phase, {
    n,
    op: stepOf(commandLine, running.module, n),
    outcome: "did not return",
  });
  return answers.toSpliced(running.last, 0, { text, event: run.log.length - 1 });
}
