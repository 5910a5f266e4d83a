// Explores two CPUs: a handler is stopped where it touches data, and another CPU of the host acts.

import type { HostAction, HostHvc, HostInsn, HostSmc, Meanwhile } from "../../model/scenario.ts";
import { branchOf, hostSmcccId } from "../../spec/branches/branches.ts";
import { PAGE_SHIFT } from "../../spec/types/address.ts";
import { HOST_PAGE_PA } from "./call-values.ts";
import { callOf } from "./entries.ts";
import { HOST_WORDS } from "./host-states.ts";
import {
  type CallsExplored,
  isSpent,
  type Node,
  tryWay,
  type Way,
  waysFrom,
} from "./module-calls.ts";

/** NON-SPEC: what of each kind is combined with what; the verdict states the bound. */
const NODES_MAX = 24;
const VECTORS_MAX = 6;
const OTHERS_MAX = 12;

/** How far an exploration of two CPUs came. */
export interface Interleaved {
  readonly orders: number;
  readonly points: number;
}

/** The same by another CPU; undefined where it must be the CPU that it is. */
function onCpu({ entry }: Way, action: HostAction, cpu: number): Meanwhile["action"] | undefined {
  if (action.kind === "hvc") return { ...action, cpu };
  if (action.kind === "smc" && entry.group === "SMC") return { ...action, cpu };
  return entry.cpu === cpu && "x" in action ? action : undefined;
}

/** What another CPU may do: calls of the module, writes where it reads, taking a page back. */
function othersOf(explored: CallsExplored, node: Node, words: Iterable<bigint>, cpu: number) {
  const { hcalls } = branchOf(node.system.hyp.config);
  const writes = [...words].flatMap((address) =>
    HOST_WORDS.slice(-3).map((value) => ({ kind: "host_write", cpu, address, value }) as const),
  );
  const calls = waysFrom(explored, node).flatMap((way) =>
    way.corpus.kept
      .slice(0, VECTORS_MAX)
      .flatMap((vector) => onCpu(way, callOf(way.entry, vector), cpu) ?? []),
  );
  const unshare: HostHvc = {
    kind: "hvc",
    cpu,
    imm: 0,
    x: [hostSmcccId(hcalls.indexOf("__pkvm_host_unshare_hyp")), HOST_PAGE_PA >> PAGE_SHIFT],
  };
  const shared = node.system.hyp.pages.size > 0 ? [unshare] : [];
  return [...writes, ...shared, ...calls.slice(0, OTHERS_MAX)];
}

const holdsPins = ({ system }: Node): boolean =>
  [...system.hyp.pages.values()].some(({ refcount }) => refcount > 0);

/** The states to start from: those in which modules hold pages first, then by length. */
function nodesOf({ nodes, plan }: CallsExplored): readonly Node[] {
  const short = nodes.filter(({ actions }) => actions.length < plan.depthMax);
  const holding = short.filter(holdsPins);
  return [...holding, ...short.filter((node) => !holding.includes(node))].slice(0, NODES_MAX);
}

/** Tries every point of one call of a node with everything that another CPU may do there. */
function stopEverywhere(
  explored: CallsExplored,
  node: Node,
  way: Way,
  call: HostHvc | HostSmc | HostInsn,
  tell: { orders: number; points: number },
  callsMax: number,
): void {
  const alone = tryWay(explored, node, way, call);
  const { watch } = alone.system;
  if (watch === undefined || alone.violations.length > 0) return;
  const points = [...new Set(watch.points)].filter((point) => point > 0);
  tell.points += points.length;
  const others = othersOf(explored, node, watch.hostWords, call.cpu === 0 ? 1 : 0);
  for (const before of points) {
    for (const action of others) {
      if (explored.ended || tell.orders >= callsMax) return;
      tell.orders += 1;
      if (isSpent(way.corpus)) return;
      tryWay(explored, node, way, { ...call, meanwhile: [{ before, action }] });
    }
  }
}

/** Explores orders of two CPUs, one preemption a call, from the states that were found before. */
export async function exploreInterleavings(
  explored: CallsExplored,
  callsMax: number,
  breathe: () => Promise<void>,
): Promise<Interleaved> {
  const tell = { orders: 0, points: 0 };
  if (explored.plan.scenario.system.cpuCount < 2) return tell;
  for (const node of nodesOf(explored)) {
    if (node.system.hyp.psci.power.slice(0, 2).includes("off")) continue;
    for (const way of waysFrom(explored, node)) {
      for (const vector of isSpent(way.corpus) ? [] : way.corpus.kept.slice(0, VECTORS_MAX)) {
        const call = callOf(way.entry, vector);
        if ("x" in call) stopEverywhere(explored, node, way, call, tell, callsMax);
      }
      await breathe();
    }
  }
  return tell;
}
