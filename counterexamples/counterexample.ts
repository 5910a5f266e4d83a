// The file format of a counterexample: a scenario by value, the rule that it breaks, and how.

import { z } from "zod";
import type { Scenario } from "../model/scenario.ts";
import { BRANCH_NAMES, BUILDS } from "../spec/branches/branch.ts";
import type { RuleId } from "../spec/findings.ts";
import { ERRNO, type Errno } from "../spec/types/errno.ts";
import { GUEST_ACTIONS, register } from "./guest-actions.ts";

/** Raised when a file of an older form can no longer be read as it is. */
export const FORMAT = 1;

/** Bytes of a command line that arm64 keeps, without the final NUL. Source: COMMAND_LINE_SIZE. */
export const COMMAND_LINE_MAX = 2047;
const ACTIONS_MAX = 10_000;
const MODULES_MAX = 256;
const CPU_MAX = 8;
const STEP_LINES_MAX = 100_000;

const word = z.string().min(1).max(256);
const cpu = z
  .int()
  .min(0)
  .max(CPU_MAX - 1);

const hvc = {
  kind: z.literal("hvc"),
  cpu,
  imm: z.int().min(0).max(0xffff),
  x: z.array(register).min(1).max(18),
} as const;
const smc = {
  kind: z.literal("smc"),
  cpu,
  imm: z.int().min(0).max(0xffff).exactOptional(),
  x: z.array(register).min(1).max(18),
} as const;
const hostInsn = {
  kind: z.literal("host_insn"),
  cpu,
  word: z.int().min(0).max(0xffff_ffff),
  x: z.array(register).max(18),
} as const;
const hostWrite = z.strictObject({
  kind: z.literal("host_write"),
  cpu,
  address: register,
  value: register,
});

const failingOp = z.strictObject({
  nth: z.int().min(0).max(1_000_000),
  errno: z.enum(Object.keys(ERRNO) as [Errno, ...Errno[]]),
});

/** Ops that fail inside module code; older files have one, not in a list. */
const failing = z
  .union([z.array(failingOp).min(1).max(4), failingOp.transform((one) => [one])])
  .optional();

/** What another CPU does inside code of a module. */
const meanwhile = z
  .array(
    z.strictObject({
      before: z.int().min(0).max(1_000_000_000),
      action: z.discriminatedUnion("kind", [
        z.strictObject(hvc),
        z.strictObject(smc),
        z.strictObject(hostInsn),
        hostWrite,
      ]),
    }),
  )
  .min(1)
  .max(4)
  .optional();

const action = z.discriminatedUnion("kind", [
  z.strictObject({ ...hvc, meanwhile, failing }),
  z.strictObject({ ...smc, meanwhile, failing }),
  z.strictObject({ ...hostInsn, meanwhile, failing }),
  z.strictObject({ kind: z.literal("host_read"), cpu, address: register }),
  hostWrite,
  z.strictObject({
    kind: z.literal("insmod"),
    cpu,
    name: word,
    parameters: z.string().max(COMMAND_LINE_MAX),
  }),
  z.strictObject({ kind: z.literal("rmmod"), name: word }),
  ...GUEST_ACTIONS,
]);

const system = z.strictObject({
  branch: z.enum(BRANCH_NAMES),
  build: z.enum(BUILDS),
  documented: z.boolean(),
  cpuCount: z.int().min(1).max(CPU_MAX),
});

const boot = z.strictObject({
  commandLine: z.string().max(COMMAND_LINE_MAX, "longer than the command line that arm64 keeps"),
  firmwareBytes: z
    .int()
    .min(0)
    .max(1 << 28),
  modprobe: z.enum(["kmod", "stand-in"]),
  modulePath: z.string().max(4096),
  initramfs: z
    .array(z.strictObject({ name: word, file: z.string().min(1), needs: z.array(word).max(64) }))
    .min(1, "the initramfs is empty")
    .max(MODULES_MAX),
  faults: z
    .array(
      z.strictObject({
        call: z.enum([
          "__pkvm_alloc_module_va",
          "__pkvm_map_module_page",
          "__pkvm_register_hcall",
          "call_usermodehelper_exec",
          "op in an EL2 init",
        ]),
        nth: z.int().min(0),
        errno: z.enum(Object.keys(ERRNO) as [Errno, ...Errno[]]),
      }),
    )
    .max(64),
});

const options = z.strictObject({
  /** Instructions that one entry of module code may take. */
  budget: z.int().min(1).max(1_000_000_000),
  el2Only: z.boolean(),
  stubs: z.record(z.string(), register),
  /** Every instruction of module code at EL2 is looked at. */
  watch: z.boolean().optional(),
  /** Each call is made a second time with other secrets. */
  secrets: z.boolean().optional(),
});

/** A place in a module's code; a module without debug information has no file and line. */
const at = z.strictObject({
  module: word,
  function: word,
  offset: z.int().min(0),
  file: z.string().min(1).max(4096).optional(),
  line: z.int().min(1).optional(),
  instruction: word.optional(),
});

/** Where in a module's code something happened. */
export type SourcePlace = z.infer<typeof at>;

const file = z
  .strictObject({
    format: z.literal(FORMAT),
    name: z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,120}$/),
    verdict: z.enum(["finding", "violation"]),
    clause: z.string().regex(/^[A-Z]+-\d+$/),
    sentence: z.string().min(1),
    at: at.optional(),
    system,
    boot,
    actions: z.array(action).max(ACTIONS_MAX),
    options,
    found: z.strictObject({
      by: z.string(),
      /** Parts (actions, names, program items) before shrinking. */
      from: z.int().min(0),
      /** Runs that the shrinking took. */
      runs: z.int().min(0),
      /** What of the actions can be anything. */
      free: z.array(z.string()).optional(),
    }),
    steps: z.array(z.string()).min(1).max(STEP_LINES_MAX),
  })
  .superRefine((value, context) => {
    const refuse = (path: (string | number)[], message: string): void =>
      context.addIssue({ code: "custom", path: ["actions", ...path], message });
    for (const [index, item] of value.actions.entries()) {
      if ("cpu" in item && item.cpu >= value.system.cpuCount) {
        refuse([index, "cpu"], `the system has ${value.system.cpuCount} CPUs`);
      }
      const others = "meanwhile" in item ? (item.meanwhile ?? []) : [];
      for (const { action: other } of others) {
        if (other.cpu >= value.system.cpuCount || ("cpu" in item && other.cpu === item.cpu)) {
          refuse([index, "meanwhile"], "meanwhile, another CPU of the system acts");
        }
      }
    }
  });

/** How a scenario is run, apart from what it is. */
export interface StoredOptions {
  readonly budget: number;
  readonly el2Only: boolean;
  readonly stubs: Readonly<Record<string, bigint>>;
  readonly watch?: boolean | undefined;
  readonly secrets?: boolean | undefined;
}

/**
 * A stored disagreement: `finding` is expected of that system, `violation` is a defect of ours or
 * the module's.
 */
export interface Counterexample {
  readonly name: string;
  readonly verdict: "finding" | "violation";
  readonly clause: RuleId;
  /** What is wrong, as the rule said it. */
  readonly sentence: string;
  /** The code of a module that does it, where it is one place. */
  readonly at?: SourcePlace;
  readonly scenario: Scenario;
  readonly options: StoredOptions;
  readonly found: {
    readonly by: string;
    readonly from: number;
    readonly runs: number;
    readonly free?: readonly string[] | undefined;
  };
  /** Every step up to the one that breaks the rule, as `stepLine` writes it. */
  readonly steps: readonly string[];
}

export type Parsed =
  | { readonly ok: true; readonly counterexample: Counterexample }
  | { readonly ok: false; readonly error: string };

/** `actions.0.x.1` as people write it. */
const pathOf = (path: readonly PropertyKey[]): string =>
  path.length === 0 ? "the file" : path.map(String).join(".");

/** Reads a counterexample; anything that does not fit is one line with its place. */
export function parseCounterexample(text: string): Parsed {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (thrown) {
    const why = thrown instanceof Error ? thrown.message : String(thrown);
    return { ok: false, error: `not JSON: ${why.replaceAll(/\s+/g, " ").slice(0, 120)}` };
  }
  const parsed = file.safeParse(json);
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    const message = (issue?.message ?? "does not fit").replaceAll(/\s+/g, " ").slice(0, 160);
    return { ok: false, error: `${pathOf(issue?.path ?? [])}: ${message}` };
  }
  const { data } = parsed;
  return {
    ok: true,
    counterexample: {
      name: data.name,
      verdict: data.verdict,
      clause: data.clause as RuleId,
      sentence: data.sentence,
      ...(data.at === undefined ? {} : { at: data.at }),
      scenario: { system: data.system, boot: data.boot, actions: data.actions },
      options: data.options,
      found: data.found,
      steps: data.steps,
    },
  };
}

/** Writes a counterexample as it is stored. */
export function formatCounterexample(counterexample: Counterexample): string {
  const { name, verdict, clause, sentence, scenario, found, steps } = counterexample;
  const json = {
    format: FORMAT,
    name,
    verdict,
    clause,
    sentence,
    ...(counterexample.at === undefined ? {} : { at: counterexample.at }),
    system: scenario.system,
    boot: scenario.boot,
    actions: scenario.actions,
    options: counterexample.options,
    found,
    steps,
  };
  const hex = (_: string, value: unknown) =>
    typeof value === "bigint" ? `0x${value.toString(16)}` : value;
  return `${JSON.stringify(json, hex, 2)}\n`;
}
