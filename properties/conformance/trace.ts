// A recorded trace: the header that says how the machine booted, and one record a line after it.

import { z } from "zod";
import { KVM_BY_OP, KVM_RECORDS } from "./kvm-records.ts";

const text = z.string();
const number = z.int();
const register = text.regex(/^0x[0-9a-f]{1,16}$/);
const noReturn = z.literal("did not return").optional();

const header = z.looseObject({
  trace: text,
  kernel: text,
  kernel_args: text,
  cpus: number.min(1).max(8),
  modules: z.array(z.looseObject({ name: text, loaded: text.optional() })).min(1),
  modprobe: z.literal("stand-in"),
  device_tree: text.nullish(),
  firmware_image: text.nullish(),
});

/** Line 1 of a trace. */
export type TraceHeader = z.infer<typeof header>;

const consoleLine = z
  .strictObject({ console: text, esr: register.optional() })
  .transform(({ console, esr }) => ({ kind: "console" as const, text: console, esr }));

const modprobe = z
  .strictObject({ op: z.literal("modprobe"), argv: text, phase: text })
  .transform(({ argv }) => ({ kind: "modprobe" as const, argv }));

const modprobeExit = z
  .strictObject({
    op: z.literal("modprobe-exit"),
    name: text,
    params: text.default(""),
    status: number,
    phase: text,
  })
  .transform(({ name, params, status }) => ({
    kind: "modprobe-exit" as const,
    name,
    params,
    status,
  }));

/** What the measurement module printed of one step of its program. */
const printed = z
  .strictObject({
    n: number,
    op: text,
    module: text,
    phase: z.enum(["boot", "userspace"]),
    ret: number.optional(),
    token: text.optional(),
    a0: register.optional(),
    a1: register.optional(),
    a2: register.optional(),
    a3: register.optional(),
    outcome: noReturn,
  })
  .transform((record) => ({ kind: "printed" as const, ...record }));

const call = z
  .strictObject({
    op: z.enum(["hvc", "smc"]),
    cpu: number.min(0).max(7),
    imm: number.min(0).max(0xffff).default(0),
    fn: text.optional(),
    id: text,
    args: z.array(text).max(17),
    out: z.array(text).length(4).optional(),
    changed: z.array(text).optional(),
    outcome: noReturn,
  })
  .transform((record) => ({ kind: "call" as const, ...record }));

const alloc = z
  .strictObject({ op: z.literal("alloc"), page: text, npages: number.min(1).max(1024) })
  .transform(({ page, npages }) => ({ kind: "alloc" as const, page, npages }));

const save = z
  .strictObject({ op: z.literal("save"), name: text, expr: text, val: text })
  .transform(({ name, expr, val }) => ({ kind: "save" as const, name, expr, val }));

/** A load or store of the host: of its kernel, or of the process in memory of a VM. */
const access = z
  .strictObject({
    op: z.enum(["host-read", "host-write"]),
    cpu: number.min(0).max(7).default(0),
    at: text.default(""),
    val: text.optional(),
    fault: z.boolean().optional(),
    by: z.literal("userspace").optional(),
    vm: number.optional(),
    offset: text.optional(),
    outcome: noReturn,
  })
  .transform((record) => ({ kind: "access" as const, ...record }));

const shell = z
  .strictObject({ op: z.literal("sh"), cmd: text, status: number })
  .transform(({ cmd, status }) => ({ kind: "sh" as const, cmd, status }));

const userspace = z
  .strictObject({ phase: z.literal("userspace") })
  .transform(() => ({ kind: "userspace" as const }));

const end = z.strictObject({ end: z.literal(true) }).transform(() => ({ kind: "end" as const }));

const heading = z
  .union([z.strictObject({ case: text }), z.strictObject({ note: text })])
  .transform(() => ({ kind: "heading" as const }));

/** Everything else names what it is; the runner leaves it and counts it. */
const other = z.looseObject({ op: text }).transform(({ op }) => ({ kind: "other" as const, op }));

const RECORDS = [
  consoleLine,
  modprobe,
  modprobeExit,
  printed,
  call,
  alloc,
  save,
  access,
  shell,
  ...KVM_RECORDS,
  userspace,
  end,
  heading,
  other,
] as const;

/** One record of a trace. */
export type TraceRecord = z.infer<(typeof RECORDS)[number]>;
export type RecordOf<K extends TraceRecord["kind"]> = Extract<TraceRecord, { kind: K }>;

const BY_OP: Readonly<Record<string, (typeof RECORDS)[number]>> = {
  modprobe,
  "modprobe-exit": modprobeExit,
  hvc: call,
  smc: call,
  alloc,
  save,
  "host-read": access,
  "host-write": access,
  sh: shell,
  ...KVM_BY_OP,
};

/** Which form a record must have, from the key that gives it away. */
function schemaOf(json: object): z.ZodType<TraceRecord> {
  if ("console" in json) return consoleLine;
  if ("n" in json) return printed;
  if ("op" in json) return BY_OP[String(json.op)] ?? other;
  if ("end" in json) return end;
  return "phase" in json ? userspace : heading;
}

/** A trace with the line of each record. */
export interface Trace {
  readonly header: TraceHeader;
  readonly records: readonly {
    readonly line: number;
    readonly text: string;
    readonly record: TraceRecord;
  }[];
}

export type ReadTrace =
  | { readonly ok: true; readonly trace: Trace }
  | { readonly ok: false; readonly error: string };

/** One line as the schema that its content asks for wants it, or what is wrong with it. */
function parseLine<T>(schemaFor: (json: object) => z.ZodType<T>, line: string): T | string {
  let json: unknown;
  try {
    json = JSON.parse(line);
  } catch {
    return "not JSON";
  }
  if (typeof json !== "object" || json === null) return "not a record";
  const parsed = schemaFor(json).safeParse(json);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  const path = issue?.path.join(".") ?? "";
  return `${path === "" ? "the record" : path}: ${issue?.message ?? "does not fit"}`;
}

/** Reads a trace file; the first line that does not fit ends it, with its number. */
export function readTrace(content: string): ReadTrace {
  const [first = "", ...rest] = content.split("\n");
  const parsedHeader = parseLine(() => header, first);
  if (typeof parsedHeader === "string") return { ok: false, error: `line 1: ${parsedHeader}` };
  const records: Trace["records"][number][] = [];
  for (const [index, line] of rest.entries()) {
    if (line.trim() === "") continue;
    const parsed = parseLine(schemaOf, line);
    if (typeof parsed === "string") return { ok: false, error: `line ${index + 2}: ${parsed}` };
    records.push({ line: index + 2, text: line, record: parsed });
  }
  return { ok: true, trace: { header: parsedHeader, records } };
}
