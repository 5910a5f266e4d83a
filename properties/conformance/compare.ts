// Holds the model against one recorded trace, record by record.

import type { LogEvent, Run } from "../../model/log.ts";
import { runScenario } from "../../model/machine/run-scenario.ts";
import { type Answer, answersOf, isSelected, recordText } from "./answers.ts";
import {
  ioctlText,
  LOOKS_FOR_WARNINGS,
  type RunLine,
  recordedGuest,
  recordedIoctl,
  recordedRun,
  runLines,
} from "./kvm.ts";
import { nameValue, reservationNames } from "./names.ts";
import { argumentValue, namesAt, resultValue } from "./pages.ts";
import { panicReasonOf } from "./panics.ts";
import { isPlainLeaf } from "./plain-leaf.ts";
import { type Plan, planOf, systemOf } from "./scenario.ts";
import { recordedSymbols } from "./symbols.ts";
import type { RecordOf, Trace, TraceRecord } from "./trace.ts";

/** What became of one record. */
export type Comparison =
  | { readonly kind: "matched" }
  | { readonly kind: "heading" }
  | { readonly kind: "left"; readonly why: string }
  | {
      readonly kind: "mismatched";
      readonly real: string;
      readonly ours: string;
      /** Where in our log: an index, to find the rule and the state before. */
      readonly event: number;
    };

/** A trace that was held against the model. */
export interface TraceResult {
  readonly trace: Trace;
  /** One for each record, in order. */
  readonly comparisons: readonly Comparison[];
  readonly run: Run | undefined;
}

const MATCHED: Comparison = { kind: "matched" };
const left = (why: string): Comparison => ({ kind: "left", why });

const compared = (real: string, answer: Answer | undefined, run: Run): Comparison => {
  if (answer?.text === real) return MATCHED;
  if (answer === undefined && run.unmodelled !== undefined) {
    return left(`not modelled: ${run.unmodelled}`);
  }
  const event = answer?.event ?? run.log.length - 1;
  return { kind: "mismatched", real, ours: answer?.text ?? "nothing", event };
};

/** Runs the trace's scenario; insmod is tried a second time where the first did not succeed. */
function runTrace(
  trace: Trace,
  files: ReadonlyMap<string, Uint8Array>,
): { readonly plan: Plan; readonly run: Run } | undefined {
  const system = systemOf(trace.header);
  if (system === undefined) return undefined;
  for (let twice = new Set<number>(); ; ) {
    const plan = planOf(trace, system, twice);
    const run = runScenario(plan.scenario, files);
    const answers = hostEvents(run);
    const failed = plan.planned.flatMap(({ record, action }, at) => {
      const event = answers[at]?.entry;
      return action.kind === "insmod" && event?.kind === "answer" && event.value < 0
        ? [record]
        : [];
    });
    const wanted = new Set([...twice, ...failed]);
    if (wanted.size === twice.size) return { plan, run };
    twice = wanted;
  }
}

interface HostEvent {
  readonly entry: Extract<LogEvent, { kind: "hvc" | "answer" | "access" | "user-access" }>;
  readonly event: number;
}

/** What the host's actions answered, one event an action. */
const hostEvents = (run: Run): readonly HostEvent[] =>
  run.log.flatMap((entry, event) =>
    (entry.kind === "hvc" && entry.by === "host") ||
    entry.kind === "answer" ||
    entry.kind === "access" ||
    entry.kind === "user-access"
      ? [{ entry, event }]
      : [],
  );

/** A call's record as one line: x0 to x3 and the list of registers that changed. */
const callText = (out: readonly string[] | undefined, changed: readonly string[]): string =>
  out === undefined ? "did not return" : `x0..x3 = ${out.join(" ")}, changed ${changed.join(" ")}`;

/** Our value in the words of the trace. */
const ourValue = (value: bigint, { symbols, reservations }: Reading): string =>
  symbols.get(value) ?? nameValue(value, reservations);

function callAnswer(
  reading: Reading,
  { entry, event }: HostEvent,
  record: RecordOf<"call">,
): Answer {
  if (entry.kind !== "hvc") return { text: "no call", event };
  const { before, after } = entry;
  if (after === undefined) return { text: callText(undefined, []), event };
  const { names } = reading.plan;
  const same = isPlainLeaf(record, after, names, reading.run.log, event);
  const out = after.slice(0, 4).map((value, n) => {
    const real = same && n >= 2 ? record.out?.[n] : undefined;
    return real === undefined ? ourValue(value, reading) : recordedValue(real, reading);
  });
  const changed = after.flatMap((value, n) => (value === before[n] ? [] : [`x${n}`]));
  return { text: callText(out, changed), event };
}

/** A recorded value in the words of ours: by name where it is an EL2 address of a module. */
function recordedValue(text: string, { plan: { names }, reservations }: Reading): string {
  const value = resultValue(text, names);
  return value === undefined ? text : nameValue(value, reservations);
}

function recordedCall({ out, changed, outcome }: RecordOf<"call">, reading: Reading): string {
  if (outcome !== undefined) return callText(undefined, []);
  return callText(
    (out ?? []).map((text) => recordedValue(text, reading)),
    changed ?? [],
  );
}

/** What a trace saved is what our register holds: r0 and r1 are those of the last call. */
function compareSaved(reading: Reading, record: RecordOf<"save">, at: number): Comparison {
  const { plan, run, events } = reading;
  const call = plan.planned.findLastIndex(
    ({ record: place, action }) => place < at && action.kind === "hvc",
  );
  const { entry, event = 0 } = events[call] ?? {};
  if (entry?.kind !== "hvc" || entry.after === undefined) return left("save");
  const n = ["r0", "r1"].indexOf(record.expr);
  const value = n < 0 ? argumentValue(record.expr, plan.names) : entry.after[n];
  if (value === undefined) return left("save");
  return compared(
    recordedValue(record.val, reading),
    { text: ourValue(value, reading), event },
    run,
  );
}

/** A load or store as one line. */
const accessText = (value: string | undefined): string =>
  value === undefined ? "aborted" : `value ${value}`;

function recordedAccess(record: RecordOf<"access">, reading: Reading, at: number): string {
  const { fault, val, op, outcome } = record;
  if (outcome !== undefined) return outcome;
  if (fault !== true && op === "host-write") {
    const value = argumentValue(val ?? "", namesAt(reading.plan.names, at));
    return accessText(`0x${(value ?? 0n).toString(16)}`);
  }
  return accessText(fault === true ? undefined : recordedValue(val ?? "", reading));
}

function accessAnswer({ entry, event }: HostEvent): Answer {
  if (entry.kind === "user-access") {
    const value = entry.value === undefined ? undefined : `0x${entry.value.toString(16)}`;
    return { text: value === undefined ? "did not return" : accessText(value), event };
  }
  if (entry.kind !== "access") return { text: "no access", event };
  if (entry.ended === true) return { text: "did not return", event };
  const value = entry.value === undefined ? undefined : `0x${entry.value.toString(16)}`;
  return { text: accessText(value), event };
}

/** The exit status of busybox's insmod and rmmod. Source: measured, late (95) and rmmod (1). */
function shellAnswer({ entry, event }: HostEvent): Answer {
  if (entry.kind !== "answer") return { text: "no answer", event };
  const status = entry.value === 0 ? 0 : entry.of === "insmod" ? -entry.value : 1;
  return { text: `status ${status}`, event };
}

/** Our lines in the order in which a trace has them: what the recorder reads later stands apart. */
interface Streams {
  readonly boot: Answer[];
  readonly printed: Answer[];
  readonly console: Answer[];
  /** Warnings after the boot: they are in the kernel's log, and somebody may look there. */
  readonly warnings: Answer[];
}

function ourStreams(answers: readonly Answer[]): Streams {
  const at = answers.findIndex(({ text }) => text === "userspace");
  if (at < 0) return { boot: [...answers], printed: [], console: [], warnings: [] };
  const after = answers.slice(at + 1);
  const isPrinted = ({ text }: Answer) => text.startsWith("userspace: ");
  const isWarning = ({ text }: Answer) => text.startsWith("console: WARNING");
  return {
    boot: answers.slice(0, at + 1),
    printed: after.filter(isPrinted),
    console: after.filter((answer) => !isPrinted(answer) && !isWarning(answer)),
    warnings: after.filter(isWarning),
  };
}

/** A run beside its trace, while records are taken one after the other. */
interface Reading {
  readonly plan: Plan;
  readonly run: Run;
  readonly streams: Streams;
  readonly events: readonly HostEvent[];
  readonly reservations: ReturnType<typeof reservationNames>;
  /** Our addresses of symbols whose recorded addresses are known. */
  readonly symbols: ReadonlyMap<bigint, string>;
  booted: boolean;
  /** The lines of the run of a guest that is being read, not read yet. */
  lines: { readonly place: number; readonly lines: RunLine[] } | undefined;
}

/** Which of our lines a record stands among. */
function streamOf(streams: Streams, record: TraceRecord, inBoot: boolean): Answer[] {
  if (inBoot) return streams.boot;
  if (record.kind !== "console") return streams.printed;
  return record.text.startsWith("WARNING") ? streams.warnings : streams.console;
}

/** A record that is told as a line: the next line of its stream answers it. */
function compareLine(reading: Reading, record: TraceRecord, real: string): Comparison {
  const { streams, run } = reading;
  const inBoot = !reading.booted;
  if (record.kind === "userspace") reading.booted = true;
  return compared(real, streamOf(streams, record, inBoot).shift(), run);
}

/** A record of something that the host did: the last event of its actions answers it. */
function compareAction(reading: Reading, record: TraceRecord, at: number): Comparison {
  const { plan, run, events } = reading;
  if (record.kind === "krun" || record.kind === "guest") return compareRun(reading, record, at);
  const place = plan.planned.findLastIndex((planned) => planned.record === at);
  if (place < 0) return compareUnplanned(reading, record, at);
  const event = events[place];
  if (record.kind === "ioctl") {
    const answer = event?.entry.kind === "answer" ? ioctlText(event.entry.value) : "no ioctl";
    return compared(recordedIoctl(record), event && { text: answer, event: event.event }, run);
  }
  if (record.kind === "sh") {
    return compared(`status ${record.status}`, event && shellAnswer(event), run);
  }
  if (record.kind === "access") {
    return compared(recordedAccess(record, reading, at), event && accessAnswer(event), run);
  }
  if (record.kind !== "call") return leftBecause(record);
  const unanswered = event?.entry.kind === "hvc" && event.entry.after === undefined;
  if (unanswered && run.unmodelled !== undefined) return left(`not modelled: ${run.unmodelled}`);
  return compared(recordedCall(record, reading), event && callAnswer(reading, event, record), run);
}

/** A line that the driver printed of a run of a guest: the next of ours. */
function compareRun(reading: Reading, record: RecordOf<"krun" | "guest">, at: number): Comparison {
  const { plan, run, events } = reading;
  const place = plan.planned.findLastIndex((planned) => planned.record <= at);
  const [before, event] = [events[place - 1], events[place]];
  if (reading.lines?.place !== place) {
    const from = (before?.event ?? -1) + 1;
    const lines = runLines(run.log, from, event?.event ?? run.log.length);
    reading.lines = { place, lines: [...lines] };
  }
  const real = record.kind === "krun" ? recordedRun(record) : recordedGuest(record);
  const ended = { text: "did not return", event: run.log.length - 1 };
  const stays = event === undefined && run.unmodelled === undefined;
  const line = reading.lines.lines.shift() ?? (stays ? ended : undefined);
  return compared(real, line, run);
}

/** What is looked at and not done: warnings in the kernel's log so far. */
function compareUnplanned(reading: Reading, record: TraceRecord, at: number): Comparison {
  if (record.kind !== "sh" || !LOOKS_FOR_WARNINGS.test(record.cmd)) return leftBecause(record);
  const { plan, run, events } = reading;
  const place = plan.planned.findLastIndex((planned) => planned.record < at);
  const event = events[place]?.event ?? run.log.length - 1;
  const found = run.log
    .slice(0, event + 1)
    .some((entry) => entry.kind === "console" && entry.text.startsWith("WARNING"));
  // What it found stood in the records before; one of ours that is left was not found.
  const unread = reading.streams.warnings[0];
  const real = `status ${record.status}`;
  return unread !== undefined && unread.event <= event
    ? compared(real, unread, run)
    : compared(real, { text: `status ${found ? 0 : 1}`, event }, run);
}

function compareRecord(reading: Reading, record: TraceRecord, at: number): Comparison {
  const { run, plan } = reading;
  if (record.kind === "heading" || record.kind === "alloc") return { kind: "heading" };
  if (at > plan.until && record.kind !== "other") return left("after a call that is not modelled");
  if (record.kind === "end") {
    const event = run.log.length - 1;
    if (run.unmodelled !== undefined) return left(`not modelled: ${run.unmodelled}`);
    return compared("the script ended", { text: howItEnded(run), event }, run);
  }
  if (record.kind === "console" && !isKernels(record.text)) return left("console of user space");
  if (record.kind === "save") return compareSaved(reading, record, at);
  const real = recordText(record);
  return real === undefined
    ? compareAction(reading, record, at)
    : compareLine(reading, record, real);
}

/** Whether a console record is of the kernel: user space's follow from ioctls. */
const isKernels = (text: string): boolean =>
  isSelected(text) || panicReasonOf(text) !== undefined || text === "HYP panic: ESR";

const howItEnded = ({ final: { end } }: Run): string =>
  end === undefined ? "the script ended" : `the machine stopped: ${end.kind}`;

/**
 * Why a record takes no part: what it would need is not modelled yet, or it only shows something.
 */
function leftBecause(record: TraceRecord): Comparison {
  switch (record.kind) {
    case "sh":
      return { kind: "heading" };
    case "call":
      return left(record.op === "smc" ? "SMC" : "HVC with a named page");
    case "other":
      return left(record.op);
    default:
      return left(record.kind);
  }
}

/** Holds the model against a trace; `files` are the modules by name. */
export function compareTrace(trace: Trace, files: ReadonlyMap<string, Uint8Array>): TraceResult {
  const ran = runTrace(trace, files);
  if (ran === undefined) {
    const why = `kernel not modelled: ${trace.header.kernel.split(",")[0]}`;
    return { trace, comparisons: trace.records.map(() => left(why)), run: undefined };
  }
  const { plan, run } = ran;
  const streams = ourStreams(answersOf(run, trace.header.kernel_args));
  const reading: Reading = {
    plan,
    run,
    streams,
    events: hostEvents(run),
    reservations: reservationNames(run.log),
    symbols: recordedSymbols(run, files),
    booted: false,
    lines: undefined,
  };
  const comparisons = trace.records.map(({ record }, at) => compareRecord(reading, record, at));
  return { trace, comparisons: withWhatIsTooMuch(comparisons, streams), run };
}

/** A line of ours that no record has is a mismatch of the last record, which stands for the end. */
function withWhatIsTooMuch(
  comparisons: readonly Comparison[],
  { boot, printed, console }: Streams,
): readonly Comparison[] {
  const extra = [...boot, ...printed, ...console][0];
  const last = comparisons.at(-1);
  if (extra === undefined || last === undefined || last.kind === "mismatched") return comparisons;
  const { text, event } = extra;
  return comparisons.with(-1, { kind: "mismatched", real: "nothing more", ours: text, event });
}
