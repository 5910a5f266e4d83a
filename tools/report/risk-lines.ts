// Which rules would notice a missing guard, and which were true whatever was missing.

import { GUARDS } from "../../model/transitions.ts";
import { findingOf, type RuleId } from "../../spec/findings.ts";
import type { SystemConfig } from "../../spec/types/hyp.ts";
import { coverageOf } from "../search/coverage-of-search.ts";
import { carryOn } from "../search/exhaustive/bfs.ts";
import { startWorld, type WorldSearch } from "../search/find-violation.ts";
import type { WorldSize } from "../search/world/world.ts";
import { wrapped } from "./found-lines.ts";

/** States that are searched without one guard. */
const STATES = 2000;

/** Rules that some missing guard breaks, and guards that no rule misses. */
export interface Risk {
  readonly atRisk: ReadonlySet<RuleId>;
  readonly unnoticed: readonly string[];
}

/** Searches the world once for each guard that refused in it, without that guard. */
export function riskOf(search: WorldSearch, system: SystemConfig, size: WorldSize): Risk {
  const { refusals } = coverageOf(search);
  // What the system breaks as it is, was at risk.
  const atRisk = new Set<RuleId>([...search.found.keys()] as RuleId[]);
  const unnoticed: string[] = [];
  for (const { key } of GUARDS.filter((guard) => refusals.has(guard.key))) {
    const without = startWorld(system, size, { omit: new Set([key]) });
    carryOn(without, { states: STATES });
    const broken = [...without.found.keys()].filter(
      (rule) => findingOf(rule as RuleId, system) === undefined,
    );
    for (const rule of broken) atRisk.add(rule as RuleId);
    if (broken.length === 0) unnoticed.push(key);
  }
  return { atRisk, unnoticed };
}

/** The risk in a few lines: a rule that nothing put at risk held, but nobody knows why. */
export function riskLines(
  search: WorldSearch,
  system: SystemConfig,
  size: WorldSize,
): readonly string[] {
  const { atRisk, unnoticed } = riskOf(search, system, size);
  const applied = [...coverageOf(search).applied.keys()];
  const weak = applied.filter((rule) => !atRisk.has(rule)).sort();
  return [
    `put at risk by a missing guard: ${applied.length - weak.length}/${applied.length} rules`,
    ...(weak.length === 0 ? [] : wrapped("weak here: ", weak.join(", "))),
    ...(unnoticed.length === 0
      ? []
      : wrapped(`not noticed in ${STATES} states: `, unnoticed.join(", "))),
  ];
}
