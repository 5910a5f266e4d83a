// Looks for the known defects of a branch in small worlds, from a clean start, within budgets.

import { BRANCH_NAMES, type BranchName } from "../../spec/branches/branch.ts";
import { branchOf } from "../../spec/branches/branches.ts";
import { DEFECTS } from "../../spec/defects.ts";
import { findingOf, type RuleId } from "../../spec/findings.ts";
import type { Action } from "../../spec/types/action.ts";
import type { SystemConfig } from "../../spec/types/hyp.ts";
import { searchFindingWorld, type WorldResult, worldsOn } from "./finding-worlds.ts";

/** Calls of guests, which run on the machine only: `npm start` finds what they break. */
const BY_GUESTS = /^GUEST-/;

export const systemOn = (branch: BranchName): SystemConfig => ({
  branch,
  build: "production",
  documented: false,
  cpuCount: 2,
});

/** The rules of defects that a search must find broken on a branch; all others it must not. */
export const defectRulesOn = (branch: BranchName): readonly RuleId[] => {
  const rules = DEFECTS.filter(({ branches }) => branches.includes(branch))
    .flatMap((defect) => defect.rules)
    .filter((rule) => !BY_GUESTS.test(rule) && findingOf(rule, systemOn(branch)) !== undefined);
  return [...new Set(rules)].sort();
};

/** Every rule that any branch breaks by a defect. */
export const DEFECT_RULES: ReadonlySet<RuleId> = new Set(DEFECTS.flatMap(({ rules }) => rules));

/** The branches that are searched: those with vendor modules, and those with a defect. */
export const SEARCHED_BRANCHES: readonly BranchName[] = BRANCH_NAMES.filter(
  (branch) => branchOf(systemOn(branch)).vendorModules || defectRulesOn(branch).length > 0,
);

/** A shortest way to a broken rule. */
export interface DefectWay {
  readonly rule: RuleId;
  readonly system: SystemConfig;
  readonly actions: readonly Action[];
  readonly by: string;
  readonly shortest: string;
  readonly asFound: boolean;
}

/** The shortest way to each rule that breaks in any of the worlds of a branch. */
export function findOnBranch(
  branch: BranchName,
  hear: (result: WorldResult) => void = () => {},
): ReadonlyMap<RuleId, DefectWay> {
  const shortest = new Map<RuleId, DefectWay>();
  for (const world of worldsOn(systemOn(branch))) {
    const result = searchFindingWorld(world, systemOn(branch));
    hear(result);
    for (const [rule, { actions }] of result.found) {
      if ((shortest.get(rule)?.actions.length ?? Number.POSITIVE_INFINITY) <= actions.length)
        continue;
      shortest.set(rule, {
        rule,
        system: { ...systemOn(branch), cpuCount: world.size.cpus ?? 2 },
        actions,
        by: `search, ${actions.length} steps`,
        shortest: `none shorter exists in the world of ${world.name}`,
        asFound: true,
      });
    }
  }
  return shortest;
}
