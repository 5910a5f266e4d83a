// What a check found beside broken rules, for people, and all of it as one JSON object.

import { type Counterexample, formatCounterexample } from "../../counterexamples/counterexample.ts";
import type { AddressNote, CheckResult } from "../search/check-module.ts";
import { isSpent } from "../search/module-calls.ts";
import { wrapped } from "./found-lines.ts";
import { coverageJson } from "./search-json.ts";
import { placeLine } from "./source-place.ts";

/** A note: it fails nothing, since pKVM itself gives the host addresses of EL2 as tokens. */
export const noteLines = ({ at, register, what }: AddressNote): readonly string[] => [
  ...wrapped("note     ", `${at.function} returns in x${register} an ${what}`),
  ...wrapped("         at ", placeLine(at)),
];

/** What is said of a check beside its result. */
export interface CheckSaid {
  readonly system: object;
  readonly commandLine: string;
  /** The lines of the verdict. */
  readonly verdict: readonly string[];
  readonly exit: number;
  /** What was found and is not accepted, and what is. */
  readonly fresh: readonly Counterexample[];
  readonly accepted: readonly Counterexample[];
  readonly bound: string;
}

const asData = (found: readonly Counterexample[]): readonly unknown[] =>
  found.map((it) => JSON.parse(formatCounterexample(it)) as unknown);

/** The whole of a check. */
export function checkJson(said: CheckSaid, result: CheckResult): string {
  const json = {
    format: 1,
    ...said,
    fresh: asData(said.fresh),
    accepted: asData(said.accepted),
    notes: result.notes.map(({ at, register, what }) => ({ register: `x${register}`, what, at })),
    down: result.down ?? null,
    byKernel: result.byKernel,
    tried: triedJson(result),
    coverage: coverageJson(result.explored.coverage),
  };
  return JSON.stringify(json, null, 2);
}

const namesOf = ({ calls }: CheckResult, ran: boolean): readonly string[] =>
  [...calls.callbacks].flatMap(([kind, did]) => (did === ran ? [kind] : []));

/** The bound as data. */
const triedJson = (result: CheckResult): object => ({
  calls: result.calls.calls,
  depth: result.calls.depth,
  states: result.calls.nodes.length,
  orders: result.orders,
  onOtherCpus: result.elsewhere,
  otherSecrets: result.varied,
  failingOps: { ...result.failed, boots: result.failedInits },
  otherBuild: result.otherBuild ?? null,
  callbacks: { entered: namesOf(result, true), never: namesOf(result, false) },
  ways: [...result.calls.corpora.values()].map((corpus) => ({
    name: corpus.name,
    registers: registersIn(corpus.registers),
    kinds: corpus.kept.length,
    left: isSpent(corpus),
  })),
});

/** x0 and up, of a set with a bit for each. */
const registersIn = (registers: number): readonly string[] =>
  Array.from({ length: 18 }, (_, n) => n).flatMap((n) =>
    ((registers >> n) & 1) === 1 ? [`x${n}`] : [],
  );

/** What was tried, in a line: the bound that the verdict holds for. */
export function boundLine(result: CheckResult): string {
  const { calls: explored, elsewhere, varied, failed, failedInits, otherBuild } = result;
  const { orders, points } = result.orders;
  const { calls, nodes, depth, corpora } = explored;
  const groups = [...new Set([...corpora.values()].map(({ group }) => group))];
  const ways = groups.map((group) => {
    const all = [...corpora.values()].filter((one) => one.group === group);
    const registers = all.reduce((some, one) => some | one.registers, 0);
    const kinds = all.reduce((sum, { kept }) => sum + kept.length, 0);
    const names = registersIn(registers).join(", ");
    const spent = all.filter(isSpent).length;
    const left = spent === 0 ? "" : `, ${spent} left that do not come back`;
    const ways = all.length === 1 ? "" : `${all.length} ways, `;
    return `${group}(${names}): ${ways}${kinds} kinds${left}`;
  });
  const entered = namesOf(result, true).join(", ");
  const never = namesOf(result, false).join(", ");
  return [
    `bound    ${calls} calls in sequences of up to ${depth} host actions, ${nodes.length} states`,
    `${orders} orders of two CPUs, one preemption at ${points} points`,
    `${elsewhere} calls on other CPUs`,
    `${varied} with other secrets`,
    `${failed.single} with an op that fails, ${failed.pairs} with two`,
    `${failedInits} boots with ops of an EL2 init that fail`,
    ...(otherBuild === undefined
      ? []
      : [`what was kept, on ${otherBuild.build}: ${otherBuild.calls} calls`]),
    ...(entered === "" ? [] : [`callbacks entered: ${entered}`]),
    ...(never === "" ? [] : [`callbacks never entered: ${never}`]),
    ...ways,
  ].join("; ");
}
