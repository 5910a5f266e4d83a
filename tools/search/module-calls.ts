// Explores the calls of a booted module: breadth first over what the host does, by forked machines.

import { createHash } from "node:crypto";
import { checkSteps, type Violation } from "../../counterexamples/check.ts";
import { type Coverage, countApplied, countStep } from "../../counterexamples/coverage.ts";
import type { CheckedRun } from "../../counterexamples/run-checked.ts";
import { boot } from "../../model/kernel/boot.ts";
import { FALLIBLE } from "../../model/machine/failing-op.ts";
import { forkSystem } from "../../model/machine/fork-system.ts";
import { act, createSystem } from "../../model/machine/run-scenario.ts";
import { over, type System } from "../../model/machine/system.ts";
import type { HostAction, Scenario } from "../../model/scenario.ts";
import { branchOf, hostSmcccId } from "../../spec/branches/branches.ts";
import { isMemory } from "../../spec/machine.ts";
import { PAGE_SHIFT, PAGE_SIZE } from "../../spec/types/address.ts";
import type { Hyp } from "../../spec/types/hyp.ts";
import { PROT } from "../../spec/types/module.ts";
import { allValues, type CallValues, HOST_PAGE_PA } from "./call-values.ts";
import {
  type Corpus,
  callOf,
  corpusOf,
  type Entry,
  neighbours,
  pairs,
  registersOf,
  type Vector,
} from "./call-vectors.ts";
import { type ReturnedAddress, returnedAddresses } from "./el2-addresses.ts";

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
  /** Called after each call; false ends the exploration. */
  readonly goOn: (calls: number) => boolean;
}

/** What was explored; it grows while it runs. */
export interface CallsExplored {
  readonly plan: CallsPlan;
  readonly root: Node | undefined;
  readonly corpora: readonly Corpus[];
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
const FUNCTIONS_MAX = 24;
const NODES_A_LEVEL = 32;
const SPENT_MAX = 4;

/** The entries of everything that is registered. */
function entriesOf({ dispatch, config }: Hyp): readonly Entry[] {
  const base = branchOf(config).dynamicBase ?? 0;
  const seen = new Set<bigint>();
  const hvcs = dispatch.dynamicHcalls.flatMap((address, n): Entry[] => {
    if (seen.has(address)) return [];
    seen.add(address);
    return [{ kind: "hvc", id: hostSmcccId(base + n), name: `hypercall ${base + n}` }];
  });
  const smc: Entry = { kind: "smc", id: 0n, name: "SMC" };
  const handlesSmc = dispatch.callbacks.host_smc_handler !== undefined;
  return [...hvcs.slice(0, FUNCTIONS_MAX), ...(handlesSmc ? [smc] : [])];
}

const offence = ({ rule, sentence }: Violation): string => `${rule} ${sentence}`;

/** Boots once; everything else starts from there. */
export function startCalls(plan: CallsPlan): CallsExplored {
  const { scenario, files, options } = plan;
  const system = createSystem(scenario, files, { ...options, watch: true });
  boot(system);
  const steps = system.log.flatMap((event) => (event.kind === "step" ? [event.step] : []));
  const known = new Set(checkSteps(steps).violations.map(offence));
  const root = over(system) ? undefined : { system, actions: [], known };
  return {
    plan,
    root,
    corpora: root === undefined ? [] : entriesOf(system.hyp).map(corpusOf),
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
}

/** Whatever later calls can depend on: ownership, mappings, registrations, the modules' data. */
function stateKey({ hyp, machine }: System): string {
  const pages = [...hyp.pages].map(([page, state]) => `${page} ${Object.values(state).join()}`);
  const mappings = [...hyp.el2.mappings];
  const hash = createHash("md5");
  hash.update(pages.join(";")).update(String(hyp.el2.nextFree)).update(String(mappings.length));
  hash.update(`${hyp.dispatch.dynamicHcalls.length} ${Object.keys(hyp.dispatch.callbacks).length}`);
  const data = mappings.filter(([, { prot }]) => (prot & PROT.W) !== 0).map(([, { pfn }]) => pfn);
  const shared = [HOST_PAGE_PA, HOST_PAGE_PA + PAGE_SIZE];
  const inMemory = data.filter((page) => isMemory(page));
  for (const pa of [...inMemory.map((page) => BigInt(page) << PAGE_SHIFT), ...shared]) {
    hash.update(machine.physical.readPage(pa));
  }
  return hash.digest("base64");
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
  const steps = system.log.flatMap((event) => (event.kind === "step" ? [event.step] : []));
  const { violations, applied } = checkSteps(steps);
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

const runOf = (system: System): CheckedRun["run"] => ({
  log: system.log,
  final: system.hyp,
  unmodelled: system.unmodelled,
  stubbed: [],
  instructions: system.instructions,
  loaded: new Map([...system.images].map(([name, { loaded }]) => [name, loaded])),
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
      const x1 = BigInt.asIntN(64, action.x[1] ?? 0n);
      const small = x1 < 0n && x1 > -4096n ? x1 : x1 === 0n ? 0n : 1n;
      explored.answers.add(`${corpus.entry.name} ${small}`);
    }
  }
  return explored.executed.size + explored.answers.size + corpus.registers !== before;
}

/** Calls one entry from one node: what was kept, then the kin of whatever shows something new. */
function callEntry(
  explored: CallsExplored,
  node: Node,
  corpus: Corpus,
  values: CallValues,
  callsMax: number,
): void {
  const until = explored.calls + callsMax;
  const tried = new Set<string>();
  const queue: Vector[] = [];
  const call = (vector: Vector): void => {
    const key = [...vector].sort(([a], [b]) => a - b).join(";");
    if (tried.has(key) || corpus.spent > SPENT_MAX) return;
    tried.add(key);
    const done = tryAction(explored, node, callOf(corpus.entry, vector, 0));
    if (done.system.hyp.end?.kind === "hang") corpus.spent += 1;
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
  const free = (vector: Vector) => registersOf(corpus).filter((n) => !vector.has(n));
  for (const vector of [...corpus.kept]) kin(neighbours(vector, free(vector), placed));
  // What is new is first tried with places in what it leaves open, and with every value later.
  for (const later: Vector[] = []; !isOver(); ) {
    const vector = queue.shift();
    if (vector !== undefined) {
      kin(neighbours(vector, registersOf(corpus), vector.size === 0 ? allValues(values) : []));
      kin(neighbours(vector, free(vector), placed));
      later.push(vector);
    } else {
      const next = later.shift();
      if (next === undefined) break;
      kin(neighbours(next, registersOf(corpus), allValues(values)));
    }
  }
  const registers = registersOf(corpus);
  for (const vector of [...corpus.kept]) {
    for (const [n, first] of registers.entries()) {
      for (const second of registers.slice(n + 1)) kin(pairs(vector, [first, second], values));
    }
  }
}

/** NON-SPEC: how many calls are made a second time with other secrets. */
const SECRETS_MAX = 400;

/** Makes the calls that were kept once more from each state, beside the same with other secrets. */
export function varySecrets(explored: CallsExplored): number {
  let varied = 0;
  for (const node of explored.nodes.slice(0, NODES_A_LEVEL)) {
    for (const { entry, kept } of explored.corpora) {
      if (entry.kind === "smc") continue;
      for (const vector of kept) {
        if (explored.ended || varied >= SECRETS_MAX) return varied;
        tryAction(explored, node, callOf(entry, vector, 0), true);
        varied += 1;
      }
    }
  }
  return varied;
}

/** NON-SPEC: how many calls are made with one of their ops failing. */
const FAILING_MAX = 300;

/** Ops of a call that can fail and did not. */
const fallible = ({ system }: Tried): number =>
  system.log.filter(
    (event) =>
      event.kind === "step" &&
      event.step.action.kind === "op" &&
      FALLIBLE.has(event.step.action.op) &&
      event.step.outcome.kind === "returned" &&
      BigInt.asIntN(64, event.step.outcome.value) >= 0n,
  ).length;

/** Makes the calls that were kept once more from each state, each op that can fail failing. */
export function failOps(explored: CallsExplored): number {
  let tried = 0;
  for (const node of explored.nodes.slice(0, NODES_A_LEVEL)) {
    for (const { entry, kept } of explored.corpora) {
      for (const call of kept.map((vector) => callOf(entry, vector, 0))) {
        if (call.kind !== "hvc") continue;
        const ops = fallible(tryAction(explored, node, call));
        for (let nth = 0; nth < ops; nth += 1) {
          if (explored.ended || tried >= FAILING_MAX) return tried;
          tried += 1;
          tryAction(explored, node, { ...call, failing: { nth, errno: "EPERM" } });
        }
      }
    }
  }
  return tried;
}

/** What else the host does with the pages that calls may name. */
function hostActions({ hyp }: System, words: ReadonlySet<bigint>): readonly HostAction[] {
  const { hcalls } = branchOf(hyp.config);
  const byName = (name: string, page: bigint): HostAction => ({
    kind: "hvc",
    cpu: 0,
    imm: 0,
    x: [hostSmcccId(hcalls.indexOf(name)), page],
  });
  const first = HOST_PAGE_PA >> PAGE_SHIFT;
  const writes = [...words].flatMap((address) =>
    HOST_WORDS.map((value): HostAction => ({ kind: "host_write", cpu: 0, address, value })),
  );
  return [
    byName("__pkvm_host_share_hyp", first),
    byName("__pkvm_host_share_hyp", first + 1n),
    byName("__pkvm_host_unshare_hyp", first),
    ...writes,
  ];
}

/** What the host writes where module code reads. */
export const HOST_WORDS: readonly bigint[] = [
  ...[1n, 8n, 64n, 0xfffn, 0x1000n, 0x7fff_ffffn, 0xffff_ffffn, (1n << 64n) - 1n],
];

/** Whether module code came to look at memory, so that the host's pages matter to it. */
const looksAtPages = ({ answers, hostWords }: CallsExplored): boolean =>
  hostWords.size > 0 || [...answers].some((answer) => !answer.startsWith("hypercall"));

/** Explores level by level; each level starts from the states that the one before found. */
export async function exploreCalls(explored: CallsExplored, breathe: () => Promise<void>) {
  const { plan, root, nodes } = explored;
  if (root === undefined) return;
  const values = plan.valuesOf(root.system.hyp);
  let from = 0;
  for (let depth = 1; depth <= plan.depthMax && !explored.ended; depth += 1) {
    const level = nodes.slice(from, from + NODES_A_LEVEL);
    from = nodes.length;
    if (level.length === 0) break;
    explored.depth = depth;
    const share = (plan.callsMax - explored.calls) / (depth === plan.depthMax ? 1 : 2);
    const each = Math.ceil(share / level.length / Math.max(1, explored.corpora.length));
    for (const node of level) {
      for (const corpus of explored.corpora) {
        callEntry(explored, node, corpus, values, each);
        await breathe();
      }
      if (depth === plan.depthMax || (depth > 1 && !looksAtPages(explored))) continue;
      for (const action of hostActions(node.system, explored.hostWords)) {
        if (!explored.ended) keepState(explored, tryAction(explored, node, action));
      }
    }
  }
}
