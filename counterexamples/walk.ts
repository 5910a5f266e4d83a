// A counterexample of the abstract model: a list of actions from power-on, stored and replayed.

import { z } from "zod";
import { initialHyp } from "../model/initial.ts";
import { type ModelStep, step } from "../model/step.ts";
import { BRANCH_NAMES, BUILDS } from "../spec/branches/branch.ts";
import { EVERY_ACTION } from "../spec/clauses/phrases.ts";
import type { RuleId } from "../spec/findings.ts";
import type { Action } from "../spec/types/action.ts";
import type { SystemConfig } from "../spec/types/hyp.ts";
import { checkSteps, type Violation } from "./check.ts";
import { stepLine } from "./step-line.ts";

/** Raised when a file of an older form can no longer be read as it is. */
const FORMAT = 1;
const ACTIONS_MAX = 10_000;

/** A stored walk. */
export interface StoredWalk {
  readonly name: string;
  readonly verdict: "finding" | "violation";
  readonly clause: RuleId;
  readonly sentence: string;
  readonly system: SystemConfig;
  readonly firmwareBytes: number;
  readonly actions: readonly Action[];
  /** Guards that the model was without when it broke the rule: `TRANSITION/CLAUSE`. */
  readonly omit?: readonly string[];
  readonly found: {
    readonly by: string;
    /** Actions before shrinking, and runs that it took. */
    readonly from: number;
    readonly runs: number;
    /** Why nothing shorter exists; empty where it is not known. */
    readonly shortest: string;
    /** What can be anything. */
    readonly free: readonly string[];
  };
  readonly steps: readonly string[];
}

const name = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,120}$/);
const HEX = /^0x[0-9a-f]{1,16}$/;
/** What EL2 finds in memory of the host: pairs of a physical address and a word. */
const words = z.array(z.tuple([z.string().regex(HEX), z.string().regex(HEX)]));

const file = z.strictObject({
  format: z.literal(FORMAT),
  kind: z.literal("walk"),
  name,
  verdict: z.enum(["finding", "violation"]),
  clause: z.string().regex(/^[A-Z]+-\d+$/),
  sentence: z.string().min(1),
  system: z.strictObject({
    branch: z.enum(BRANCH_NAMES),
    build: z.enum(BUILDS),
    documented: z.boolean(),
    cpuCount: z.int().min(1).max(8),
  }),
  firmwareBytes: z
    .int()
    .min(0)
    .max(1 << 28),
  actions: z
    .array(
      z.looseObject({
        kind: z.enum(EVERY_ACTION as [string, ...string[]]),
        words: words.optional(),
      }),
    )
    .max(ACTIONS_MAX),
  omit: z
    .array(z.string().regex(/^[^/\s]+\/[A-Z]+-\d+$/))
    .min(1)
    .optional(),
  found: z.strictObject({
    by: z.string(),
    from: z.int().min(0),
    runs: z.int().min(0),
    shortest: z.string(),
    free: z.array(z.string()),
  }),
  steps: z.array(z.string()).min(1),
});

/** 64-bit values are strings like 0x50000, and no other string of an action looks like that. */
function fromJson(value: unknown): unknown {
  if (typeof value === "string") return HEX.test(value) ? BigInt(value) : value;
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.map(fromJson);
  const entries = Object.entries(value).map(([key, item]) => [key, fromJson(item)] as const);
  return Object.fromEntries(entries);
}

/** What JSON does not keep: maps, and fields that an action has although they hold nothing. */
const asItWas = (action: Action): Action => {
  if (action.kind === "hvc" && action.words !== undefined) {
    return { ...action, words: new Map(action.words) };
  }
  if (action.kind !== "load_module") return action;
  const sections = action.sections.map((section) => ({ ...section, kernVa: section.kernVa }));
  return { ...action, sections, refused: action.refused };
};

export type ParsedWalk =
  | { readonly ok: true; readonly walk: StoredWalk }
  | { readonly ok: false; readonly error: string };

/** Whether a text is meant to be a walk; what is wrong with it is said when it is parsed. */
export function isWalkText(text: string): boolean {
  try {
    return (JSON.parse(text) as { kind?: unknown } | null)?.kind === "walk";
  } catch {
    return false;
  }
}

/** Reads a walk; anything that does not fit is one line with its place. */
export function parseWalk(text: string): ParsedWalk {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (thrown) {
    return { ok: false, error: `not JSON: ${(thrown as Error).message.slice(0, 120)}` };
  }
  const parsed = file.safeParse(json);
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    const place = issue?.path.map(String).join(".") ?? "";
    return { ok: false, error: `${place || "the file"}: ${(issue?.message ?? "").slice(0, 160)}` };
  }
  const { format: _, kind: __, clause, actions, omit, ...rest } = parsed.data;
  const read = actions.map((action) => asItWas(fromJson(action) as Action));
  const walk = { ...rest, clause: clause as RuleId, actions: read };
  return { ok: true, walk: omit === undefined ? walk : { ...walk, omit } };
}

/** Writes a walk as it is stored. */
export function formatWalk(walk: StoredWalk): string {
  const { name: called, verdict, clause, sentence, system, firmwareBytes } = walk;
  const { actions, omit, found, steps } = walk;
  const head = { format: FORMAT, kind: "walk", name: called, verdict, clause, sentence };
  const json = { ...head, system, firmwareBytes, actions, omit, found, steps };
  const hex = (_: string, value: unknown) => {
    if (value instanceof Map) return [...value];
    return typeof value === "bigint" ? `0x${value.toString(16)}` : value;
  };
  return `${JSON.stringify(json, hex, 2)}\n`;
}

/** Plays actions on the readable model; it ends early where the system ends. */
export function playWalk(
  { system, firmwareBytes, actions }: Pick<StoredWalk, "system" | "firmwareBytes" | "actions">,
  omit?: ReadonlySet<string>,
): readonly ModelStep[] {
  const steps: ModelStep[] = [];
  const options = omit === undefined ? {} : { omit };
  for (const action of actions) {
    const pre = steps.at(-1)?.post ?? initialHyp(system, firmwareBytes);
    if (pre.end !== undefined) break;
    steps.push(step(pre, action, options));
  }
  return steps;
}

/** What a replay of a walk showed. */
export interface ReplayedWalk {
  readonly steps: readonly ModelStep[];
  readonly violation: Violation | undefined;
  /** Whether the model as it is does the same, with all its guards. */
  readonly isTheModels: boolean;
  /** The first step that is no longer as it was stored. */
  readonly divergence:
    | {
        readonly step: number;
        readonly stored: string | undefined;
        readonly now: string | undefined;
      }
    | undefined;
}

const breakOf = (walk: StoredWalk, steps: readonly ModelStep[]): Violation | undefined =>
  checkSteps(steps).violations.find(({ rule }) => rule === walk.clause);

/** Plays a stored walk again, without the guards that it names, and compares it. */
export function replayWalk(walk: StoredWalk): ReplayedWalk {
  const steps = playWalk(walk, new Set(walk.omit));
  const violation = breakOf(walk, steps);
  const lines = steps.map(stepLine);
  const at = walk.steps.findIndex((stored, n) => stored !== lines[n]);
  const divergence = at < 0 ? undefined : { step: at, stored: walk.steps[at], now: lines[at] };
  const isTheModels = walk.omit === undefined || breakOf(walk, playWalk(walk)) !== undefined;
  return { steps, violation, divergence, isTheModels };
}
