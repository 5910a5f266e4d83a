// What the comparison says to people: a row for each trace, what was left and why, each mismatch in
// full.

import { stepLine } from "../../counterexamples/step-line.ts";
import type { ModelStep } from "../../model/step.ts";
import { TRANSITIONS } from "../../model/transitions.ts";
import type { ClauseId } from "../../spec/clause.ts";
import { clauseOf } from "../../spec/registry.ts";
import type { Source } from "../../spec/sources.ts";
import type { Hyp } from "../../spec/types/hyp.ts";
import type { Comparison, TraceResult } from "./compare.ts";

/** How many records came out which way. */
export interface Counts {
  readonly records: number;
  readonly headings: number;
  readonly matched: number;
  readonly left: number;
  readonly mismatched: number;
}

const countOf = (comparisons: readonly Comparison[], kind: Comparison["kind"]): number =>
  comparisons.filter((comparison) => comparison.kind === kind).length;

/** Counts one trace. Headings are read, not compared. */
export const countsOf = ({ comparisons }: TraceResult): Counts => ({
  records: comparisons.length,
  headings: countOf(comparisons, "heading"),
  matched: countOf(comparisons, "matched"),
  left: countOf(comparisons, "left"),
  mismatched: countOf(comparisons, "mismatched"),
});

const sum = (all: readonly Counts[]): Counts => ({
  records: all.reduce((total, { records }) => total + records, 0),
  headings: all.reduce((total, { headings }) => total + headings, 0),
  matched: all.reduce((total, { matched }) => total + matched, 0),
  left: all.reduce((total, { left }) => total + left, 0),
  mismatched: all.reduce((total, { mismatched }) => total + mismatched, 0),
});

/** A trace under the name that the table gives it. */
export interface NamedResult {
  readonly name: string;
  readonly result: TraceResult;
}

const row = (name: string, counts: Counts): string =>
  name.padEnd(48) +
  [counts.records, counts.headings, counts.matched, counts.left, counts.mismatched]
    .map((value) => String(value).padStart(6))
    .join("");

const HEAD = `${"trace".padEnd(48)}  total  text match  left wrong`;

/** How often each reason to leave a record came up. */
export function leftReasons(
  results: readonly TraceResult[],
): readonly (readonly [string, number])[] {
  const reasons = new Map<string, number>();
  for (const { comparisons } of results) {
    for (const comparison of comparisons) {
      if (comparison.kind !== "left") continue;
      reasons.set(comparison.why, (reasons.get(comparison.why) ?? 0) + 1);
    }
  }
  return [...reasons].sort((a, b) => b[1] - a[1]);
}

/** The table of all traces, with totals. */
export function conformanceTable(results: readonly NamedResult[]): string {
  const counts = results.map(({ result }) => countsOf(result));
  const total = sum(counts);
  const reasons = leftReasons(results.map(({ result }) => result));
  return [
    HEAD,
    ...results.map(({ name }, n) => row(name, counts[n] ?? total)),
    row(`${results.length} traces`, total),
    ...(reasons.length === 0 ? [] : ["left for the Model issue:"]),
    ...reasons.map(([why, times]) => `  ${String(times).padStart(5)}  ${why}`),
  ].join("\n");
}

/** The step that answered: the last one at or before a place in the log. */
function stepAt({ run }: TraceResult, event: number): ModelStep | undefined {
  for (let at = Math.min(event, (run?.log.length ?? 0) - 1); at >= 0; at -= 1) {
    const entry = run?.log[at];
    if (entry?.kind === "step") return entry.step;
  }
  return undefined;
}

const cited = (sources: readonly Source[]): string =>
  sources.map(({ text, at }) => `${text}: ${at}`).join("; ");

/** Which rule answered, and where it comes from. */
function ruleOf({ transition, refusedBy }: ModelStep): string {
  const found = TRANSITIONS.find(({ name }) => name === transition);
  const source = found === undefined ? "no transition" : cited(found.source);
  if (refusedBy === undefined) return `${transition} (${source})`;
  const clause = clauseOf(refusedBy as ClauseId);
  return `${transition}, refused by ${refusedBy} "${clause?.statement ?? ""}" (${source})`;
}

/** The state in a few lines: what decides most answers. */
function stateLines({ boot, modules, dispatch, pages, end }: Hyp): readonly string[] {
  const list = [...modules.values()].map(
    ({ name, state, el2, refcount }) => `${name} ${state}, EL2 half ${el2}, refcount ${refcount}`,
  );
  const hcalls = dispatch.dynamicHcalls.map((address) => `0x${address.toString(16)}`);
  return [
    `mode ${boot.mode}, key ${boot.key}, finalised ${boot.finalised.join(" ")}`,
    `modules: ${list.join("; ") || "none"}`,
    `registered: ${hcalls.join(" ") || "none"}; ${pages.size} pages not the host's`,
    ...(end === undefined ? [] : [`ended: ${JSON.stringify(end, (_, v) => String(v))}`]),
  ];
}

/** Every mismatch of a trace: the record, both answers, the rule, the state before. */
export function mismatchLines({ name, result }: NamedResult): readonly string[] {
  return result.comparisons.flatMap((comparison, at) => {
    if (comparison.kind !== "mismatched") return [];
    const entry = result.trace.records[at];
    const step = stepAt(result, comparison.event);
    return [
      `${name}, line ${entry?.line}: ${entry?.text}`,
      `  model  ${comparison.ours}`,
      `  real   ${comparison.real}`,
      ...(step === undefined
        ? []
        : [
            `  step   ${stepLine(step)}`,
            `  rule   ${ruleOf(step)}`,
            ...stateLines(step.pre).map((line) => `  state  ${line}`),
          ]),
    ];
  });
}
