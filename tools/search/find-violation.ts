// Looks through a small world for a broken rule: the shortest way there, checked on the readable
// model.

import { checkSteps } from "../../counterexamples/check.ts";
import { initialHyp } from "../../model/initial.ts";
import { type ModelStep, step } from "../../model/step.ts";
import { findingOf, type RuleId } from "../../spec/findings.ts";
import type { Action } from "../../spec/types/action.ts";
import type { SystemConfig } from "../../spec/types/hyp.ts";
import {
  type Bound,
  carryOn,
  type Ended,
  type Found,
  type Search,
  startSearch,
} from "./exhaustive/bfs.ts";
import { createExplorer } from "./exhaustive/explorer.ts";
import { pathTo } from "./exhaustive/path.ts";
import { type Label, searchedWorld, type WorldOptions } from "./world/searched-world.ts";
import {
  firmwareBytes,
  type Move,
  SMALL,
  type WorldSize,
  type WorldState,
  worldOf,
} from "./world/world.ts";

export type WorldSearch = Search<WorldState, Move, Label>;

/** What is searched, how far, and what is not looked for. */
export interface Wanted {
  /** Guards left out of the model: `TRANSITION/CLAUSE`. */
  readonly omit?: ReadonlySet<string>;
  readonly size?: Partial<WorldSize>;
  readonly bound?: Bound;
  /** Rules whose break is nothing new; where nothing is said, the findings of the system. */
  readonly isExpected?: (rule: RuleId) => boolean;
}

/** A broken rule with the actions that lead to it; no shorter ones do. */
export interface ViolationFound {
  readonly rule: RuleId;
  readonly sentence: string;
  readonly actions: readonly Action[];
  readonly steps: readonly ModelStep[];
}

/** What a search for a violation came to. */
export interface Sought {
  readonly violation: ViolationFound | undefined;
  readonly ended: Ended;
  readonly states: number;
  /** Steps of the model that were looked at. */
  readonly transitions: number;
  readonly search: WorldSearch;
}

/** A search of a world, at its beginning. */
export function startWorld(
  system: SystemConfig,
  size: Partial<WorldSize>,
  options: WorldOptions = {},
  useSymmetry = true,
): WorldSearch {
  const world = worldOf(system, { ...SMALL, ...size });
  return startSearch(createExplorer(searchedWorld(world, options)), useSymmetry);
}

/** Plays actions on the readable model, from power-on; it ends early where the system ends. */
export function playActions(
  system: SystemConfig,
  actions: readonly Action[],
  options: WorldOptions = {},
): readonly ModelStep[] {
  const steps: ModelStep[] = [];
  for (const action of actions) {
    const pre = steps.at(-1)?.post ?? initialHyp(system, firmwareBytes);
    if (pre.end !== undefined) break;
    steps.push(step(pre, action, options));
  }
  return steps;
}

/** The actions of a way that a search found, played again; throws if they break nothing there. */
export function violationOn(
  moves: readonly Move[],
  broken: string,
  system: SystemConfig,
  options: WorldOptions = {},
): ViolationFound {
  const actions = moves.flatMap(({ action }) => (action === undefined ? [] : [action]));
  const steps = playActions(system, actions, options);
  const violation = checkSteps(steps).violations.find(({ rule }) => rule === broken);
  if (violation === undefined) {
    throw new Error(`${broken}: the packed search and the readable model disagree`);
  }
  const end = violation.step + 1;
  return {
    rule: violation.rule,
    sentence: violation.sentence,
    actions: actions.slice(0, end),
    steps: steps.slice(0, end),
  };
}

/** The same for what a search of one thread found. */
export const violationOf = (
  search: WorldSearch,
  found: Found,
  system: SystemConfig,
  options: WorldOptions = {},
): ViolationFound => violationOn(pathTo(search, found), found.rule, system, options);

/** Searches until the first rule breaks that nobody expects, or to the bound. */
export function findViolation(system: SystemConfig, wanted: Wanted = {}): Sought {
  const { omit, size = {}, bound = {} } = wanted;
  const options = omit === undefined ? {} : { omit };
  const config = { ...system, cpuCount: size.cpus ?? SMALL.cpus };
  const isExpected = wanted.isExpected ?? ((rule) => findingOf(rule, config) !== undefined);
  const search = startWorld(config, size, options);
  const enough = ({ rule }: Found): boolean => !isExpected(rule as RuleId);
  const ended = carryOn(search, bound, { enough });
  const found = [...search.found.values()].find(enough);
  return {
    violation: found === undefined ? undefined : violationOf(search, found, config, options),
    ended,
    states: search.set.size,
    transitions: search.transitions,
    search,
  };
}
