// Explores what the host does with a booted module: breadth first, by forked machines.

import { checkSteps, type Violation } from "../../counterexamples/check.ts";
import { type Coverage, countApplied, countStep } from "../../counterexamples/coverage.ts";
import type { CheckedRun } from "../../counterexamples/run-checked.ts";
import { boot } from "../../model/kernel/boot.ts";
import { forkSystem } from "../../model/machine/fork-system.ts";
import { act, createSystem, loadedIn } from "../../model/machine/run-scenario.ts";
import { over, type System } from "../../model/machine/system.ts";
import type { HostAction, Scenario } from "../../model/scenario.ts";
import type { ModelStep } from "../../model/step.ts";
import type { CallbackType, Hyp } from "../../spec/types/hyp.ts";
import { allValues, type CallValues } from "./call-values.ts";
import {
  type Corpus,
  corpusOf,
  neighbours,
  pairs,
  registersOf,
  type Vector,
} from "./call-vectors.ts";
import { type ReturnedAddress, returnedAddresses } from "./el2-addresses.ts";
import { callOf, type Entry, entriesOf } from "./entries.ts";
import { hostActions, stateKey, withGuests } from "./host-states.ts";

/** A state that was reached, and how. */
export interface Node {
  readonly system: System;
  readonly actions: readonly HostAction[];
  /** What was broken before: it is not new here. */
  readonly known: ReadonlySet<string>;
}

/** One action that was tried from a node. */
export interface Tried {
  readonly node: Node;
  readonly action: HostAction;
  readonly system: System;
  readonly violations: readonly Violation[];
  readonly checked: CheckedRun;
}

/** What an exploration is given. */
export interface CallsPlan {
  readonly scenario: Scenario;
  readonly files: ReadonlyMap<string, Uint8Array>;
  readonly options: {
    readonly budget: number;
    readonly stubs?: ReadonlyMap<string, bigint>;
    readonly el2Only?: boolean;
  };
  readonly valuesOf: (hyp: Hyp) => CallValues;
  /** Calls in all. */
  readonly callsMax: number;
  /** Host actions in a sequence. */
  readonly depthMax: number;
  readonly coverage: Coverage;
  readonly found: (tried: Tried, violation: Violation) => void;
  /** What was kept of another exploration: it is tried first. */
  readonly seeds?: CallsExplored["corpora"];
  /** Called after each call; false ends the exploration. */
  readonly goOn: (calls: number) => boolean;
}

/** What was explored; it grows while it runs. */
export interface CallsExplored {
  readonly plan: CallsPlan;
  readonly root: Node | undefined;
  /** What is known of each way into the modules, by its name. */
  readonly corpora: Map<string, Corpus>;
  /** Callbacks that were registered in some state, and whether their code ran. */
  readonly callbacks: Map<CallbackType, boolean>;
  /** Every state that differs from those before, in the order of discovery. */
  readonly nodes: Node[];
  readonly executed: Set<bigint>;
  readonly answers: Set<string>;
  readonly states: Set<string>;
  /** Words that the host can write and module code reads. */
  readonly hostWords: Set<bigint>;
  /** Addresses of EL2 that came back to the host, by the place that wrote them and register. */
  readonly addresses: Map<string, ReturnedAddress>;
  calls: number;
  depth: number;
  ended: boolean;
}

/** NON-SPEC: limits of one exploration; the verdict states what was done within them. */
export const NODES_A_LEVEL = 32;
const SPENT_MAX = 4;

/** One way into the modules from a state, and what is known of it. */
export interface Way {
  readonly entry: Entry;
  readonly corpus: Corpus;
}

/** Whether a way in did not come back so often that it is left: each time costs a whole budget. */
export const isSpent = ({ spent }: Corpus): boolean => spent > SPENT_MAX;

/** Does one action by a way in, and counts where it does not come back. */
export function tryWay(
  explored: CallsExplored,
  node: Node,
  { corpus }: Way,
  action: HostAction,
  secrets = false,
): Tried {
  const tried = tryAction(explored, node, action, secrets);
  if (tried.system.hyp.end?.kind === "hang") corpus.spent += 1;
  return tried;
}

/** The ways in that a state has. */
export const waysFrom = ({ corpora }: CallsExplored, { system }: Node): readonly Way[] =>
  entriesOf(system).map((entry) => {
    const corpus = corpora.get(entry.name) ?? corpusOf(entry);
    corpora.set(entry.name, corpus);
    return { entry, corpus };
  });

const stepsOf = ({ log }: System): readonly ModelStep[] =>
  log.flatMap((event) => (event.kind === "step" ? [event.step] : []));

const offence = ({ rule, sentence }: Violation): string => `${rule} ${sentence}`;

/** What another exploration kept of a way in, as the beginning of this one. */
const seeded = (corpus: Corpus): Corpus => ({ ...corpusOf(corpus), kept: [...corpus.kept] });

/** Boots once; everything else starts from there. */
export function startCalls(plan: CallsPlan): CallsExplored {
  const { scenario, files, options } = plan;
  const system = createSystem(scenario, files, { ...options, watch: true });
  boot(system);
  const known = new Set(checkSteps(stepsOf(system)).violations.map(offence));
  const root = over(system) ? undefined : { system, actions: [], known };
  const explored: CallsExplored = {
    plan,
    root,
    corpora: new Map([...(plan.seeds ?? [])].map(([name, corpus]) => [name, seeded(corpus)])),
    callbacks: new Map(),
    nodes: root === undefined ? [] : [root],
    executed: new Set(),
    answers: new Set(),
    states: new Set(root === undefined ? [] : [stateKey(system)]),
    hostWords: new Set(),
    addresses: new Map(),
    calls: 0,
    depth: 0,
    ended: root === undefined,
  };
  countCallbacks(explored, system);
  return explored;
}

/** Does one action on a copy of a node and judges it; `secrets`: also with other secrets. */
export function tryAction(
  explored: CallsExplored,
  node: Node,
  action: HostAction,
  secrets = false,
): Tried {
  const { plan } = explored;
  const { options } = node.system;
  const system = forkSystem(
    secrets ? { ...node.system, options: { ...options, secrets } } : node.system,
  );
  act(system, action);
  for (const returned of returnedAddresses(system, node.actions)) {
    const { module, section, offset } = returned.place;
    const key = `${module} ${section} ${offset} ${returned.register}`;
    if (!explored.addresses.has(key)) explored.addresses.set(key, returned);
  }
  const steps = stepsOf(system);
  const { violations, applied } = checkSteps(steps);
  countCallbacks(explored, system);
  for (const step of steps) countStep(plan.coverage, step);
  countApplied(plan.coverage, applied);
  plan.coverage.runs += 1;
  explored.calls += 1;
  if (!plan.goOn(explored.calls) || explored.calls >= 2 * plan.callsMax) explored.ended = true;
  const run = { ...runOf(system), log: system.log };
  const fresh = violations.filter((one) => !node.known.has(offence(one)));
  const checked: CheckedRun = { run, steps, violations: fresh, applied };
  const tried: Tried = { node, action, system, violations: fresh, checked };
  for (const violation of fresh) plan.found(tried, violation);
  return tried;
}

/** Which callbacks there are, and which of them ran. */
function countCallbacks({ callbacks }: CallsExplored, { hyp, watch }: System): void {
  const { dispatch } = hyp;
  for (const kind of Object.keys(dispatch.callbacks) as CallbackType[]) {
    const all = [dispatch.callbacks[kind], ...(dispatch.further[kind] ?? [])];
    const ran = all.some((address) => address !== undefined && watch?.executed.has(address));
    callbacks.set(kind, ran === true || callbacks.get(kind) === true);
  }
}

const runOf = (system: System): CheckedRun["run"] => ({
  log: system.log,
  final: system.hyp,
  calls: system.calls,
  unmodelled: system.unmodelled,
  stubbed: [],
  instructions: system.instructions,
  loaded: loadedIn(system),
});

/** Keeps the state after an action, if it is new and nothing ended there. */
function keepState(explored: CallsExplored, { node, action, system, violations }: Tried): void {
  if (over(system)) return;
  const key = stateKey(system);
  if (explored.states.has(key)) return;
  explored.states.add(key);
  const known = new Set([...node.known, ...violations.map(offence)]);
  explored.nodes.push({ system, actions: [...node.actions, action], known });
}

/** An errno, nothing, or anything else. */
function kindOf(register: bigint): bigint {
  const value = BigInt.asIntN(64, register);
  return value < 0n && value > -4096n ? value : value === 0n ? 0n : 1n;
}

/** What a call showed that none before it did: instructions, or an answer. */
function isNews(explored: CallsExplored, corpus: Corpus, { system }: Tried): boolean {
  const { watch, log } = system;
  if (watch === undefined) return false;
  const before = explored.executed.size + explored.answers.size + corpus.registers;
  for (const pc of watch.executed) explored.executed.add(pc);
  for (const pa of watch.hostWords) explored.hostWords.add(pa);
  corpus.registers |= watch.registersRead;
  for (const event of log) {
    if (event.kind !== "step") continue;
    const { action, outcome } = event.step;
    if (action.kind === "op" && outcome.kind === "returned") {
      explored.answers.add(`${action.op} ${BigInt.asIntN(64, outcome.value) < 0n}`);
    }
    if (action.kind === "handler_returned") {
      explored.answers.add(`${corpus.name} ${kindOf(action.x[1] ?? 0n)}`);
    }
    if (action.kind === "host_smc_handler_returned") {
      const { handled, x } = action;
      explored.answers.add(`${corpus.name} ${handled ? kindOf(x[0] ?? 0n) : "passed"}`);
    }
  }
  return explored.executed.size + explored.answers.size + corpus.registers !== before;
}

/** Calls one entry from one node: what was kept, then the kin of whatever shows something new. */
function callEntry(
  explored: CallsExplored,
  node: Node,
  way: Way,
  values: CallValues,
  callsMax: number,
): void {
  const { entry, corpus } = way;
  const until = explored.calls + callsMax;
  const tried = new Set<string>();
  const queue: Vector[] = [];
  const call = (vector: Vector): void => {
    const key = [...vector].sort(([a], [b]) => a - b).join(";");
    if (tried.has(key) || isSpent(corpus)) return;
    tried.add(key);
    const done = tryWay(explored, node, way, callOf(entry, vector));
    keepState(explored, done);
    if (!isNews(explored, corpus, done)) return;
    if (vector.size > 0) corpus.kept.push(vector);
    queue.push(vector);
  };
  const isOver = (): boolean => explored.ended || explored.calls >= until;
  const kin = (vectors: Iterable<Vector>): void => {
    for (const vector of vectors) {
      if (isOver()) return;
      call(vector);
    }
  };
  kin([...corpus.kept]);
  const placed = [...values.places, ...values.small.slice(0, 4)];
  const free = (vector: Vector) => registersOf(entry, corpus).filter((n) => !vector.has(n));
  for (const vector of [...corpus.kept]) kin(neighbours(vector, free(vector), placed));
  // What is new is first tried with places in what it leaves open, and with every value later.
  for (const later: Vector[] = []; !isOver(); ) {
    const vector = queue.shift();
    if (vector !== undefined) {
      kin(
        neighbours(vector, registersOf(entry, corpus), vector.size === 0 ? allValues(values) : []),
      );
      kin(neighbours(vector, free(vector), placed));
      later.push(vector);
    } else {
      const next = later.shift();
      if (next === undefined) break;
      kin(neighbours(next, registersOf(entry, corpus), allValues(values)));
    }
  }
  const registers = registersOf(entry, corpus);
  for (const vector of [...corpus.kept]) {
    for (const [n, first] of registers.entries()) {
      for (const second of registers.slice(n + 1)) kin(pairs(vector, [first, second], values));
    }
  }
}

/** Whether module code came to look at memory, so that the host's pages matter to it. */
const looksAtPages = ({ answers, hostWords }: CallsExplored): boolean =>
  hostWords.size > 0 || [...answers].some((answer) => !/^[A-Zhs]/.test(answer));

/** The states to go on from: those with a callback that never ran, one each, then as they came. */
function levelOf({ callbacks }: CallsExplored, nodes: readonly Node[]): readonly Node[] {
  const wanted = new Set([...callbacks].flatMap(([kind, ran]) => (ran ? [] : [kind])));
  const first = nodes.filter(({ system }) => {
    const kinds = Object.keys(system.hyp.dispatch.callbacks) as CallbackType[];
    const fresh = kinds.filter((kind) => wanted.has(kind));
    for (const kind of fresh) wanted.delete(kind);
    return fresh.length > 0;
  });
  const others = nodes.filter((node) => !first.includes(node));
  return [...first, ...others].slice(0, NODES_A_LEVEL);
}

/** Explores level by level; each level starts from the states that the one before found. */
export async function exploreCalls(explored: CallsExplored, breathe: () => Promise<void>) {
  const { plan, root, nodes } = explored;
  if (root === undefined) return;
  let from = 0;
  for (let depth = 1; depth <= plan.depthMax && !explored.ended; depth += 1) {
    const level = levelOf(explored, nodes.slice(from));
    from = nodes.length;
    if (level.length === 0) break;
    explored.depth = depth;
    const share = (plan.callsMax - explored.calls) / (depth === plan.depthMax ? 1 : 2);
    for (const node of level) {
      const ways = waysFrom(explored, node);
      const values = plan.valuesOf(node.system.hyp);
      const each = Math.ceil(share / level.length / Math.max(1, ways.length));
      for (const way of ways) {
        callEntry(explored, node, way, values, each);
        await breathe();
      }
      if (depth === plan.depthMax) continue;
      const all = depth === 1 || looksAtPages(explored);
      for (const action of hostActions(node.system, explored.hostWords, all)) {
        if (!explored.ended) keepState(explored, tryAction(explored, node, action));
      }
    }
    if (depth === 1) keepGuests(explored);
  }
}

/** Keeps the state in which two VMs have pages, so that modules meet them. */
function keepGuests(explored: CallsExplored): void {
  const { plan, root } = explored;
  if (root === undefined || explored.corpora.size === 0 || explored.ended) return;
  const guests = withGuests(plan);
  if (guests === undefined) return;
  explored.states.add(stateKey(guests.system));
  const steps = stepsOf(guests.system);
  explored.nodes.push({ ...guests, known: new Set(checkSteps(steps).violations.map(offence)) });
}
