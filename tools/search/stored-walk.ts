// From a way that a search found to a stored walk: made plain, told step by step, judged.

import { checkSteps } from "../../counterexamples/check.ts";
import { plainWalk } from "../../counterexamples/plain-walk.ts";
import { type Reduced, reduce } from "../../counterexamples/reduce.ts";
import { verdictOf } from "../../counterexamples/run-checked.ts";
import { stepLine } from "../../counterexamples/step-line.ts";
import { playWalk, type StoredWalk } from "../../counterexamples/walk.ts";
import type { ModelStep } from "../../model/step.ts";
import type { RuleId } from "../../spec/findings.ts";
import type { Action } from "../../spec/types/action.ts";
import type { SystemConfig } from "../../spec/types/hyp.ts";
import { createEnabled } from "./walk-in-world.ts";

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

/** Whether actions break the rule of a way, and no other rule that it does not break. */
function failsAs(way: Way): (actions: readonly Action[]) => boolean {
  const before = new Set(brokenBy(way, way.actions).map(({ rule }) => rule));
  const isThere = (action: Action): boolean =>
    !("cpu" in action) || action.cpu < way.system.cpuCount;
  return (actions) => {
    if (!actions.every(isThere)) return false;
    const broken = brokenBy(way, actions);
    return (
      broken.some(({ rule }) => rule === way.rule) && broken.every(({ rule }) => before.has(rule))
    );
  };
}

const isCall = ({ kind }: Action): boolean =>
  kind === "hvc" || kind === "smc" || kind === "op" || kind.startsWith("KVM_");
const enters = ({ outcome }: ModelStep): boolean =>
  outcome.kind === "enters" || outcome.kind === "runs";

/** Actions without the calls that come back and change nothing; the last one stays. */
function changing({ system, firmwareBytes, omit }: Way, actions: readonly Action[]) {
  const steps = playWalk({ system, firmwareBytes, actions }, omit);
  return actions.filter((action, n) => {
    const step = steps[n];
    if (step === undefined || n === actions.length - 1 || !isCall(action)) return true;
    return step.pre !== step.post || enters(step);
  });
}

/**
 * A way without the actions that it does not need. With them goes what the programs of a world do
 * not do without them, and what then changes nothing. A way that no program goes stays as it is.
 */
export function reducedWalk(way: Way): Reduced<Action> {
  const { system, omit } = way;
  const fails = failsAs(way);
  const enabled = createEnabled(system, way.actions, omit === undefined ? {} : { omit });
  const possible = enabled(way.actions);
  if (!fails(possible)) return { items: way.actions, runs: 1 };
  const left = (actions: readonly Action[]) => enabled(changing(way, enabled(actions)));
  const isLeft = fails(left(possible));
  const { items, runs } = reduce(possible, { fails, enabled: isLeft ? left : enabled });
  return { items, runs: runs + 2 };
}

/** Makes plain and writes down a way; undefined if it does not break its rule. */
export function storedWalk(way: Way): StoredWalk | undefined {
  const { rule, system, firmwareBytes, omit } = way;
  const fails = failsAs(way);
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
