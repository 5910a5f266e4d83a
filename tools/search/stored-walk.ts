// From a way that a search found to a stored walk: made plain, told step by step, judged.

import { checkSteps } from "../../counterexamples/check.ts";
import { plainWalk } from "../../counterexamples/plain-walk.ts";
import { verdictOf } from "../../counterexamples/run-checked.ts";
import { stepLine } from "../../counterexamples/step-line.ts";
import { playWalk, type StoredWalk } from "../../counterexamples/walk.ts";
import type { RuleId } from "../../spec/findings.ts";
import type { Action } from "../../spec/types/action.ts";
import type { SystemConfig } from "../../spec/types/hyp.ts";

/** A way that breaks a rule, before it is made short. */
export interface Way {
  readonly system: SystemConfig;
  readonly firmwareBytes: number;
  readonly rule: RuleId;
  readonly actions: readonly Action[];
  readonly by: string;
  /** Actions of the way before a search found this one. */
  readonly from?: number;
  /** Why nothing shorter exists, where it is known. */
  readonly shortest: string;
  readonly omit?: ReadonlySet<string>;
  /** Keep the way as it was found: it is the kernel's order of things. */
  readonly asFound?: boolean;
}

const systemName = ({ documented, branch, build }: SystemConfig): string => {
  const name = documented ? "documented" : branch;
  return build === "production" ? name : `${name}-${build}`;
};

/**
 * Rules that the walk breaks and that are no finding: a shorter walk must not break others of them
 * on its way, or it would be about something else.
 */
function brokenBy(way: Way, actions: readonly Action[]): readonly { rule: RuleId; step: number }[] {
  return checkSteps(playWalk({ ...way, actions }, way.omit)).violations;
}

/** Makes plain and writes down a way; undefined if it does not break its rule. */
export function storedWalk(way: Way): StoredWalk | undefined {
  const { rule, system, firmwareBytes, omit } = way;
  const before = new Set(brokenBy(way, way.actions).map((violation) => violation.rule));
  const isThere = (action: Action): boolean => !("cpu" in action) || action.cpu < system.cpuCount;
  const fails = (actions: readonly Action[]): boolean => {
    if (!actions.every(isThere)) return false;
    const broken = brokenBy(way, actions);
    return (
      broken.some((violation) => violation.rule === rule) &&
      broken.every((violation) => before.has(violation.rule))
    );
  };
  if (!fails(way.actions)) return undefined;
  const asFound = { actions: way.actions, runs: 0, free: [] };
  const { actions, runs, free } = way.asFound === true ? asFound : plainWalk(way.actions, fails);
  const steps = playWalk({ system, firmwareBytes, actions }, omit);
  const violation = checkSteps(steps).violations.find((one) => one.rule === rule);
  if (violation === undefined) return undefined;
  const end = violation.step + 1;
  return {
    name: `${rule.toLowerCase()}-${systemName(system)}-walk`,
    verdict: verdictOf(rule, system),
    clause: rule,
    sentence: violation.sentence,
    system,
    firmwareBytes,
    actions: actions.slice(0, end),
    ...(omit === undefined || omit.size === 0 ? {} : { omit: [...omit] }),
    found: { by: way.by, from: way.from ?? way.actions.length, runs, shortest: way.shortest, free },
    steps: steps.slice(0, end).map(stepLine),
  };
}
