// Which rules would notice a fault, and which were true whatever was wrong.

import type { Coverage } from "../../counterexamples/coverage.ts";
import { GUARDS } from "../../model/transitions.ts";
import { findingOf, type RuleId } from "../../spec/findings.ts";
import type { SystemConfig } from "../../spec/types/hyp.ts";
import { carryOn } from "../search/exhaustive/bfs.ts";
import { startWorld } from "../search/find-violation.ts";
import type { WorldSize } from "../search/world/world.ts";
import { wrapped } from "./found-lines.ts";
import { brokenByFaults } from "./named-faults.ts";

/** States that are searched without one guard. */
const STATES = 2000;

/** What a search came to, as far as the risk is concerned. */
export interface Risked {
  readonly system: SystemConfig;
  readonly size: WorldSize;
  readonly coverage: Coverage;
  /** Rules that the system breaks as it is. */
  readonly broken: readonly string[];
}

/** Rules that some fault breaks, and guards that no rule misses. */
export interface Risk {
  /** By rule: the guards without which it is broken; none where the system itself breaks it. */
  readonly byGuard: ReadonlyMap<RuleId, readonly string[]>;
  /** Rules that a named fault broke, with the faults. */
  readonly byFault: readonly (readonly [RuleId, string])[];
  /** Rules that applied, and that nothing put at risk. */
  readonly weak: readonly RuleId[];
  readonly unnoticed: readonly string[];
}

/** Searches the world once for each guard that refused in it, without that guard. */
export function riskOf({ system, size, coverage, broken }: Risked): Risk {
  const byGuard = new Map<RuleId, string[]>();
  for (const rule of broken as readonly RuleId[]) byGuard.set(rule, []);
  const unnoticed: string[] = [];
  for (const { key } of GUARDS.filter((guard) => coverage.refusals.has(guard.key))) {
    const without = startWorld(system, size, { omit: new Set([key]) });
    carryOn(without, { states: STATES });
    const found = ([...without.found.keys()] as RuleId[]).filter(
      (rule) => findingOf(rule, system) === undefined,
    );
    for (const rule of found) byGuard.set(rule, [...(byGuard.get(rule) ?? []), key]);
    if (found.length === 0) unnoticed.push(key);
  }
  const applied = [...coverage.applied.keys()].sort();
  const byFault = brokenByFaults(applied);
  const named = new Set(byFault.map(([rule]) => rule));
  const weak = applied.filter((rule) => !byGuard.has(rule) && !named.has(rule));
  return { byGuard, byFault, weak, unnoticed };
}

/** The risk in a few lines: a rule that nothing put at risk held, but nobody knows why. */
export function riskLines(risked: Risked): readonly string[] {
  const { weak, unnoticed } = riskOf(risked);
  const { applied } = risked.coverage;
  return [
    `put at risk by a named fault or a missing guard: ${applied.size - weak.length}` +
      `/${applied.size} rules`,
    ...(weak.length === 0 ? [] : wrapped("weak here: ", weak.join(", "))),
    ...(unnoticed.length === 0
      ? []
      : wrapped(`not noticed in ${STATES} states: `, unnoticed.join(", "))),
  ];
}

/** The same as data. */
export function riskJson(risked: Risked): object {
  const { byGuard, byFault, weak, unnoticed } = riskOf(risked);
  return {
    byGuard: Object.fromEntries(byGuard),
    byFault: Object.fromEntries(byFault.map(([rule, faults]) => [rule, faults.split(" ")])),
    weak,
    unnoticed,
  };
}
