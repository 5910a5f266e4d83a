// Which actions of a walk can still happen when others are left out: a world's programs decide.

import type { Action } from "../../spec/types/action.ts";
import type { SystemConfig } from "../../spec/types/hyp.ts";
import { createExplorer } from "./exhaustive/explorer.ts";
import { textOf } from "./exhaustive/parts.ts";
import { enabledMoves, rowAfter, type WorldExplorer } from "./random-walk.ts";
import { searchedWorld, type WorldOptions } from "./world/searched-world.ts";
import { SMALL, type WorldSize, type WorldState, worldOf } from "./world/world.ts";

/** Steps that fail by themselves on the way, at most. */
const FAULTS_MAX = 2;
/** Registered calls, at most. */
const CALLS_MAX = 4;

const isTrap = ({ kind }: Action): boolean =>
  kind.startsWith("host_") || kind === "illegal_abort" || kind.startsWith("default_trap");

/** Worlds have at most four of a thing. */
const within = (count: number, min: number, max: number): number =>
  Math.min(max, Math.max(min, count));

/** The smallest world in which the actions can be expected. */
export function sizeFor({ cpuCount }: SystemConfig, actions: readonly Action[]): WorldSize {
  const names = new Set(actions.flatMap((one) => (one.kind === "load_module" ? [one.name] : [])));
  const vms = actions.flatMap((action) => ("vm" in action ? [action.vm + 1] : []));
  const isGuest = actions.some(({ kind }) => kind.startsWith("guest_"));
  return {
    ...SMALL,
    cpus: cpuCount,
    modules: within(names.size, 1, 4),
    pages: within(names.size + 1, 2, 5),
    vms: within(Math.max(0, ...vms), 0, 4),
    hypVms: isGuest || actions.some((one) => one.kind === "hvc" && one.words !== undefined) ? 1 : 0,
    calls: CALLS_MAX,
    faults: FAULTS_MAX,
    edges: true,
    registers: true,
    smcs: actions.some(({ kind }) => kind === "smc"),
    aborts: actions.some(isTrap),
    guests: isGuest,
  };
}

/** Every row that silent moves lead to, the row itself first. */
function withSilent(explorer: WorldExplorer, rows: readonly Uint32Array[]): Uint32Array[] {
  const all = new Map(rows.map((row) => [row.join(), row]));
  for (const row of all.values()) {
    for (const move of enabledMoves(explorer, row)) {
      if (explorer.moves[move]?.action !== undefined) continue;
      const next = rowAfter(explorer, row, move);
      if (!all.has(next.join())) all.set(next.join(), next);
    }
  }
  return [...all.values()];
}

/**
 * The actions that can happen, in order; one that no program comes to is left out. What the
 * programs do silently in between is chosen so that as many as possible follow at once.
 */
export function createEnabled(
  system: SystemConfig,
  actions: readonly Action[],
  options: WorldOptions = {},
): (some: readonly Action[]) => readonly Action[] {
  const world = worldOf(system, sizeFor(system, actions));
  const explorer = createExplorer(searchedWorld(world, options));
  const texts = new Map(actions.map((action) => [action, textOf(action)]));
  /** By move: its action's text. */
  const made: string[] = [];
  const textOfMove = (move: number): string => {
    const known = made[move] ?? textOf(explorer.moves[move]?.action);
    made[move] = known;
    return known;
  };
  return (some) => {
    let rows = [explorer.rowOf(explorer.searched.initial[0] as WorldState)];
    return some.filter((action) => {
      const text = texts.get(action) ?? textOf(action);
      const next = new Map<string, Uint32Array>();
      for (const row of withSilent(explorer, rows)) {
        for (const move of enabledMoves(explorer, row)) {
          if (textOfMove(move) !== text) continue;
          const after = rowAfter(explorer, row, move);
          next.set(after.join(), after);
        }
      }
      if (next.size === 0) return false;
      rows = [...next.values()];
      return true;
    });
  };
}
