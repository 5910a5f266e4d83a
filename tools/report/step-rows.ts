// The steps of a counterexample as rows: who, what, the answer, and what changed.

import { actionLine, outcomeLine } from "../../counterexamples/step-line.ts";
import type { ModelStep } from "../../model/step.ts";
import { changedParts } from "../../spec/clauses/phrases.ts";
import type { Action } from "../../spec/types/action.ts";
import type { Hyp } from "../../spec/types/hyp.ts";
import { capped, wrapped } from "./found-lines.ts";

/** Who does it: the host by a call, EL2 code of a module, or the kernel. */
function byOf({ kind }: Action): string {
  if (kind === "op" || kind === "el2_init_returned" || kind === "handler_returned") return "el2";
  return kind === "hvc" || kind === "smc" ? "host" : kind.startsWith("KVM_") ? "user" : "kernel";
}

const text = (value: unknown): string =>
  typeof value === "bigint" ? `0x${value.toString(16)}` : String(value);

/** The first field in which two records differ: `host OWNED->NOPAGE`. */
function fieldChange(before: object | undefined, after: object | undefined): string {
  if (before === undefined) return "there";
  if (after === undefined) return "gone";
  const [left, right] = [before as Record<string, unknown>, after as Record<string, unknown>];
  const changed = Object.keys({ ...left, ...right }).filter((key) => left[key] !== right[key]);
  const key = changed.find((name) => typeof right[name] !== "object") ?? changed[0] ?? "";
  return `${key} ${text(left[key])}->${text(right[key])}`;
}

function mapChanges(
  before: ReadonlyMap<unknown, object>,
  after: ReadonlyMap<unknown, object>,
  name: (key: unknown) => string,
): string[] {
  const keys = [...new Set([...before.keys(), ...after.keys()])];
  return keys
    .filter(
      (key) => JSON.stringify(plain(before.get(key))) !== JSON.stringify(plain(after.get(key))),
    )
    .map((key) => `${name(key)} ${fieldChange(before.get(key), after.get(key))}`);
}

const plain = (value: unknown): unknown =>
  JSON.parse(
    JSON.stringify(value ?? null, (_, one) => (typeof one === "bigint" ? `${one}n` : one)),
  );

/** What a step changed, in a few words. */
export function changesOf(pre: Hyp, post: Hyp): string {
  if (pre === post) return "";
  const changes = changedParts(pre, post).flatMap((part): string[] => {
    if (part === "pages") {
      return mapChanges(pre.pages, post.pages, (pfn) => `0x${(pfn as number).toString(16)}`);
    }
    if (part === "modules") return mapChanges(pre.modules, post.modules, String);
    if (part === "vms") return mapChanges(pre.vms, post.vms, (vm) => `vm ${vm}`);
    if (part.startsWith("boot.") || part.startsWith("firmware.")) {
      const [group = "", key = ""] = part.split(".");
      const value = (post[group as "boot"] as unknown as Record<string, unknown>)[key];
      return [typeof value === "object" || value === "" ? key : `${key} ${text(value)}`];
    }
    return [part];
  });
  return changes.join(", ");
}

const cell = (content: string, width: number): string =>
  content.length > width ? `${content.slice(0, width - 1)}…` : content.padEnd(width);

/** A call as a row has it: the CPU is a number. */
const callOf = ({ action, pre }: ModelStep): string =>
  actionLine(action, pre).replace(/^cpu(\d+) (?:HVC|op) /, "$1: ");

/** The last step in full, where its row has no room for it. */
function lastInFull(step: ModelStep | undefined): readonly string[] {
  if (step === undefined) return [];
  const [call, answer] = [callOf(step), outcomeLine(step.outcome)];
  if (call.length <= CALL && answer.length <= ANSWER) return [];
  return capped(wrapped("       ", `${call} -> ${answer}`), 2);
}

/** Columns of a call and of its answer. */
const CALL = 33;
const ANSWER = 14;

/** Rows of at most 80 columns; the last one is marked. Earlier rows than `most` are left out. */
export function stepRows(steps: readonly ModelStep[], most: number): readonly string[] {
  const full = lastInFull(steps.at(-1));
  const rows = rowsOf(steps, most - full.length);
  return [...rows, ...full];
}

function rowsOf(steps: readonly ModelStep[], most: number): readonly string[] {
  const from = steps.length <= most ? 0 : steps.length - most + 1;
  const rows = steps.slice(from).map((step, n) => {
    const { action, outcome, pre, post } = step;
    const isLast = from + n === steps.length - 1;
    return [
      isLast ? " >" : "  ",
      `${from + n + 1}`.padStart(3),
      "  ",
      cell(byOf(action), 7),
      cell(callOf(step), CALL),
      " ",
      cell(outcomeLine(outcome), ANSWER),
      " ",
      cell(changesOf(pre, post), 17).trimEnd(),
    ]
      .join("")
      .trimEnd();
  });
  const head = "    #  by     call                              answer         changes";
  return from === 0 ? [head, ...rows] : [head, `       ${from} steps before these`, ...rows];
}
