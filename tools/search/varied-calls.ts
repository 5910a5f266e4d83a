// The entries that were found worth keeping, made once more: with other secrets, with ops failing.

import { errnosOf, succeeded } from "../../model/machine/failing-op.ts";
import type { FailingOp, Fault, HostAction } from "../../model/scenario.ts";
import type { ModelStep } from "../../model/step.ts";
import { opErrnos } from "../../spec/branches/op-errors.ts";
import { callOf } from "./entries.ts";
import {
  type CallsExplored,
  isSpent,
  NODES_A_LEVEL,
  type Node,
  type Tried,
  tryWay,
  type Way,
  waysFrom,
} from "./module-calls.ts";

/** NON-SPEC: how many are made again: with other secrets, with one op failing, with two. */
const SECRETS_MAX = 400;
const FAILING_MAX = 300;
const PAIRS_MAX = 100;
const ELSEWHERE_MAX = 200;

/** Everything that was kept, from every state. */
function* keptCalls(explored: CallsExplored): Generator<readonly [Node, Way, HostAction]> {
  for (const node of explored.nodes.slice(0, NODES_A_LEVEL)) {
    for (const way of waysFrom(explored, node)) {
      for (const vector of way.corpus.kept) {
        if (!isSpent(way.corpus)) yield [node, way, callOf(way.entry, vector)];
      }
    }
  }
}

/** Makes the calls that were kept once more from each state, beside the same with other secrets. */
export function varySecrets(explored: CallsExplored): number {
  let varied = 0;
  for (const [node, way, action] of keptCalls(explored)) {
    if (explored.ended || varied >= SECRETS_MAX) break;
    tryWay(explored, node, way, action, true);
    varied += 1;
  }
  return varied;
}

/** Makes the calls that were kept from the first state once more on each other CPU. */
export function callElsewhere(explored: CallsExplored): number {
  const { root, plan } = explored;
  let made = 0;
  for (const way of root === undefined ? [] : waysFrom(explored, root)) {
    // The others name their CPU themselves.
    if (way.entry.kind !== "hvc" && way.entry.group !== "SMC") continue;
    for (let cpu = 1; cpu < plan.scenario.system.cpuCount; cpu += 1) {
      for (const vector of way.corpus.kept) {
        if (root === undefined || explored.ended || made >= ELSEWHERE_MAX) return made;
        made += 1;
        tryWay(explored, root, way, callOf({ ...way.entry, cpu }, vector));
      }
    }
  }
  return made;
}

/** How often ops were made to fail: one in a call, two in a call. */
export interface Failures {
  readonly single: number;
  readonly pairs: number;
}

/** The ops of a call that can fail, in order; "failed" where one did by itself. */
const fallible = ({ system }: Tried): readonly (string | "failed")[] =>
  system.log.flatMap((event) => {
    if (event.kind !== "step" || event.step.action.kind !== "op") return [];
    const { action, outcome } = event.step;
    if (errnosOf(system, action.op).length === 0) return [];
    return [succeeded(action.op, outcome) ? action.op : "failed"];
  });

/** Makes the calls that were kept once more from each state, ops failing one and two at a time. */
export function failOps(explored: CallsExplored): Failures {
  let [single, pairs] = [0, 0];
  for (const [node, way, call] of keptCalls(explored)) {
    if (!("x" in call)) continue;
    if (explored.ended || single >= FAILING_MAX) break;
    const alone = fallible(tryWay(explored, node, way, call));
    for (const [nth, op] of alone.entries()) {
      if (op === "failed") continue;
      for (const errno of opErrnos(node.system.hyp.config.branch, op)) {
        if (explored.ended || single >= FAILING_MAX) break;
        single += 1;
        const first = { nth, errno };
        const tried = tryWay(explored, node, way, { ...call, failing: [first] });
        // The op that fails is no step: what follows it has the places after it.
        const later = fallible(tried).slice(nth);
        for (const [n, second] of later.entries()) {
          const [why] = opErrnos(node.system.hyp.config.branch, second);
          if (why === undefined || explored.ended || pairs >= PAIRS_MAX) continue;
          pairs += 1;
          const both: readonly FailingOp[] = [first, { nth: nth + 1 + n, errno: why }];
          tryWay(explored, node, way, { ...call, failing: both });
        }
      }
    }
  }
  return { single, pairs };
}

/** NON-SPEC: how many boots are tried in which ops of an EL2 init fail, one and two at a time. */
const INITS_MAX = 48;

/** The ops that EL2 inits of a boot call and that can fail; "failed" where one did by itself. */
function opsOfInits(steps: readonly ModelStep[]): readonly (string | "failed")[] {
  const ops: string[] = [];
  let inside = false;
  for (const { action, outcome, pre, transition } of steps) {
    if (transition === "__pkvm_init_module" && outcome.kind === "enters") inside = true;
    if (action.kind === "el2_init_returned") inside = false;
    if (!inside || action.kind !== "op") continue;
    if (opErrnos(pre.config.branch, action.op).length === 0) continue;
    ops.push(succeeded(action.op, outcome) ? action.op : "failed");
  }
  return ops;
}

/** Boots in which ops of EL2 inits fail: each with each of its errors, then two together. */
export function failingInits(steps: readonly ModelStep[]): readonly (readonly Fault[])[] {
  const branch = steps[0]?.pre.config.branch;
  if (branch === undefined) return [];
  const call = "op in an EL2 init";
  const ops = opsOfInits(steps);
  const single = ops.flatMap((op, nth) =>
    opErrnos(branch, op).map((errno): readonly Fault[] => [{ call, nth, errno }]),
  );
  const pairs = ops.flatMap((one, first) =>
    ops.slice(first + 1).flatMap((other, n): (readonly Fault[])[] => {
      const [a, b] = [opErrnos(branch, one)[0], opErrnos(branch, other)[0]];
      if (a === undefined || b === undefined) return [];
      return [
        [
          { call, nth: first, errno: a },
          { call, nth: first + 1 + n, errno: b },
        ],
      ];
    }),
  );
  return [...single, ...pairs].slice(0, INITS_MAX);
}
