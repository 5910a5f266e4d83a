// The small worlds in which a search comes to what branches are known to break: each from a clean
// start, with its budget.

import { branchOf } from "../../spec/branches/branches.ts";
import type { RuleId } from "../../spec/findings.ts";
import type { SystemConfig } from "../../spec/types/hyp.ts";
import { carryOn, type Ended } from "./exhaustive/bfs.ts";
import { startWorld, type ViolationFound, violationOf } from "./find-violation.ts";
import { knowsVms } from "./world/vm-moves.ts";
import type { WorldSize } from "./world/world.ts";

/** A small world with what it is about. */
export interface FindingWorld {
  readonly name: string;
  readonly size: Partial<WorldSize>;
  /** Steps of the model after which the search must have come to what it comes to. */
  readonly budget: number;
}

const ALONE = { cpus: 1, interleaved: false } as const;
const NO_MODULES = { modules: 0, pages: 0, vms: 0, calls: 0, ops: false } as const;

export const FINDING_WORLDS: readonly FindingWorld[] = [
  {
    name: "a boot with one module, and user space after it",
    size: { ...ALONE, pages: 1, ops: false },
    budget: 200_000,
  },
  {
    name: "what EL2 code of a module can do",
    size: { cpus: 2, interleaved: false, pages: 1, vms: 0, calls: 0, rare: true },
    budget: 600_000,
  },
  {
    name: "a host that calls the hypervisor by itself while the kernel boots",
    size: { modules: 0, pages: 1, vms: 0, calls: 1, ops: false, rare: true },
    budget: 2_000,
  },
  {
    name: "a host that makes SMCs",
    size: { ...NO_MODULES, interleaved: false, smcs: true },
    budget: 100_000,
  },
  {
    name: "a VM by hypercalls, on two CPUs",
    size: { ...NO_MODULES, hypVms: 1 },
    budget: 20_000,
  },
  {
    name: "the same with arguments at the edges",
    size: { ...NO_MODULES, cpus: 1, hypVms: 1, edges: true },
    budget: 20_000,
  },
];

/** The worlds that there are on a branch: modules, and VMs at EL2, are not everywhere. */
export const worldsOn = (system: SystemConfig): readonly FindingWorld[] =>
  FINDING_WORLDS.filter(
    ({ size }) =>
      (size.modules === 0 || branchOf(system).vendorModules) &&
      (size.hypVms === undefined || knowsVms(system)),
  );

/** What the search of one world came to. */
export interface WorldResult {
  readonly world: FindingWorld;
  readonly ended: Ended;
  readonly states: number;
  readonly transitions: number;
  /** The shortest way to each broken rule. */
  readonly found: ReadonlyMap<RuleId, ViolationFound>;
}

/** States between two looks at the budget. */
const SLICE = 256;

/** Searches a world to its end or its budget. */
export function searchFindingWorld(world: FindingWorld, system: SystemConfig): WorldResult {
  const config = { ...system, cpuCount: world.size.cpus ?? 2 };
  const search = startWorld(config, world.size);
  let ended: Ended = "states";
  for (let states = SLICE; search.transitions < world.budget; states += SLICE) {
    ended = carryOn(search, { states });
    if (ended !== "states") break;
  }
  const found = [...search.found.values()].map(
    (one) => [one.rule as RuleId, violationOf(search, one, config)] as const,
  );
  const { transitions } = search;
  return { world, ended, states: search.set.size, transitions, found: new Map(found) };
}
