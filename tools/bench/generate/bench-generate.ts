// `npm run bench -- generate`: what a fixed budget reaches with our walks and with `fc.commands`.

import fc from "fast-check";
import { errnoOf } from "../../../counterexamples/coverage.ts";
import { walks } from "../../../properties/arbitraries/walk.ts";
import { CLAUSES, INVARIANTS } from "../../../spec/registry.ts";
import type { SystemConfig } from "../../../spec/types/hyp.ts";
import { carryOn } from "../../search/exhaustive/bfs.ts";
import { readState } from "../../search/exhaustive/state-set.ts";
import { startWorld } from "../../search/find-violation.ts";
import {
  enabledMoves,
  prefixesOf,
  rowAfter,
  type WalkPlan,
  type WorldExplorer,
} from "../../search/random-walk.ts";
import {
  type Move,
  SMALL,
  type WorldSize,
  type WorldState,
  worldOf,
} from "../../search/world/world.ts";

const SYSTEM: SystemConfig = {
  branch: "android14-6.1",
  build: "production",
  documented: false,
  cpuCount: 1,
};
const SIZE: WorldSize = { ...SMALL, cpus: 1, pages: 1, interleaved: false };

/** What the runs of one generator came to. */
interface Tally {
  readonly explorer: WorldExplorer;
  readonly states: Set<string>;
  readonly rules: Set<string>;
  readonly errnos: Set<string>;
  runs: number;
  steps: number;
  tried: number;
  withVm: number;
}

const tallyOf = (explorer: WorldExplorer): Tally => ({
  explorer,
  states: new Set(),
  rules: new Set(),
  errnos: new Set(),
  runs: 0,
  steps: 0,
  tried: 0,
  withVm: 0,
});

/** One state of the world while commands run on it. */
interface Place {
  row: Uint32Array;
  hasVm: boolean;
}

const startOf = ({ explorer }: Tally): Place => ({
  row: explorer.rowOf(explorer.searched.initial[0] as WorldState),
  hasVm: false,
});

/** Makes one move and counts what it came to. */
function makeMove(tally: Tally, place: Place, move: number): void {
  const { explorer } = tally;
  const entry = explorer.stepOf(place.row, move);
  for (const rule of explorer.judge(place.row, entry).judged.applied) tally.rules.add(rule);
  place.row = rowAfter(explorer, place.row, move);
  tally.steps += 1;
  const errno = entry.label === undefined ? undefined : errnoOf(entry.label.outcome);
  if (errno !== undefined) tally.errnos.add(errno);
  const key = place.row.join();
  if (!tally.states.has(key)) {
    tally.states.add(key);
    const state = explorer.stateOf(place.row);
    for (const { applies, id } of INVARIANTS) if (applies(state)) tally.rules.add(id);
    place.hasVm ||= [...state.vms.values()].some((vm) => vm.isProtected && vm.started);
  }
  const { action } = explorer.moves[move] as Move;
  if (action?.kind === "KVM_RUN" && errno === undefined) place.hasVm = true;
}

/** A command of fast-check's: one move, run where the world allows it. */
class MoveCommand implements fc.Command<Place, object> {
  readonly tally: Tally;
  readonly move: number;

  constructor(tally: Tally, move: number) {
    this.tally = tally;
    this.move = move;
  }
  check({ row }: Readonly<Place>): boolean {
    this.tally.tried += 1;
    return enabledMoves(this.tally.explorer, row).includes(this.move);
  }
  run(place: Place): void {
    makeMove(this.tally, place, this.move);
  }
  toString(): string {
    return String(this.move);
  }
}

/** Runs a property again and again until the budget of CPU time is spent. */
function spend(seconds: number, runs: (seed: number) => void): void {
  const started = process.cpuUsage();
  for (let seed = 1; ; seed += 1) {
    runs(seed);
    const { user, system } = process.cpuUsage(started);
    if ((user + system) / 1e6 >= seconds) return;
  }
}

function commands(tally: Tally, moves: number, options: object, seconds: number): void {
  const all = Array.from({ length: moves }, (_, move) => fc.constant(new MoveCommand(tally, move)));
  const list = fc.commands(all, options);
  spend(seconds, (seed) => {
    fc.check(
      fc.property(list, (some) => {
        const place = startOf(tally);
        fc.modelRun(() => ({ model: place, real: {} }), some);
        tally.runs += 1;
        if (place.hasVm) tally.withVm += 1;
      }),
      { seed, numRuns: 50 },
    );
  });
}

function ownWalks(tally: Tally, plan: WalkPlan, seconds: number): void {
  const arbitrary = walks(plan, 60);
  spend(seconds, (seed) => {
    for (const moves of fc.sample(arbitrary, { seed, numRuns: 50 })) {
      const place = startOf(tally);
      for (const move of moves) makeMove(tally, place, plan.explorer.idOfMove(move));
      tally.tried += moves.length;
      tally.runs += 1;
      if (place.hasVm) tally.withVm += 1;
    }
  });
}

const share = (some: number, all: number): string =>
  all === 0 ? "-" : `${((100 * some) / all).toFixed(1)} %`;

const HEAD = [
  "generator".padEnd(30),
  "   runs  steps/run  wasted            states    rules errnos with a VM",
].join("");

/** What the runs of one generator reached. */
interface Reach {
  readonly states: number;
  readonly rules: number;
  readonly errnos: number;
}

/** The best of ours beside the best of fast-check's, in one line. */
function ratioText(reached: ReadonlyMap<string, Reach>): string {
  const best = (isOurs: boolean, of: keyof Reach): number =>
    Math.max(
      ...[...reached].flatMap(([name, reach]) =>
        name.startsWith("our") === isOurs ? [reach[of]] : [],
      ),
    );
  const ratios = (["states", "rules", "errnos"] as const).map(
    (of) => `${of} ${(best(true, of) / best(false, of)).toFixed(2)}`,
  );
  return `ours / fc.commands, the best of each: ${ratios.join("   ")}`;
}

/** Measures and prints. */
export function benchGenerate(seconds: number, print: (text: string) => void): number {
  const search = startWorld(SYSTEM, SIZE);
  carryOn(search);
  const { explorer, set } = search;
  const known = new Set<string>();
  const moveCount = explorer.moves.length;
  const row = new Uint32Array(set.width);
  // States of the search, to tell them from those that odd arguments lead to.
  for (let index = 0; index < set.size; index += 1) {
    readState(set, index, row);
    known.add(row.join());
  }
  const rules = CLAUSES.length + INVARIANTS.length;
  print(`one module, one page, one VM: ${set.size} states; ${seconds} s of CPU time each`);
  print(HEAD);
  const reached = new Map<string, Reach>();
  const line = (name: string, tally: Tally): void => {
    const seen = [...tally.states].filter((key) => known.has(key)).length;
    reached.set(name, { states: seen, rules: tally.rules.size, errnos: tally.errnos.size });
    print(
      [
        name.padEnd(30),
        String(tally.runs).padStart(7),
        (tally.steps / tally.runs).toFixed(1).padStart(11),
        share(tally.tried - tally.steps, tally.tried).padStart(8),
        `${seen} (${share(seen, set.size)})`.padStart(18),
        `${tally.rules.size}/${rules}`.padStart(9),
        String(tally.errnos.size).padStart(7),
        share(tally.withVm, tally.runs).padStart(10),
      ].join(""),
    );
  };
  const tallied = (name: string, work: (tally: Tally) => void): void => {
    const tally = tallyOf(explorer);
    work(tally);
    line(name, tally);
  };
  tallied("fc.commands, as it comes", (tally) => commands(tally, moveCount, {}, seconds));
  tallied("fc.commands, 60, size max", (tally) =>
    commands(tally, moveCount, { maxCommands: 60, size: "max" }, seconds),
  );
  tallied("fc.commands, 1000, size max", (tally) =>
    commands(tally, moveCount, { maxCommands: 1000, size: "max" }, seconds),
  );
  const world = worldOf(SYSTEM, SIZE);
  const boots: WalkPlan = { world, explorer, prefixes: [], oddOneIn: 10 };
  tallied("our walks, from power-on", (tally) => ownWalks(tally, boots, seconds));
  const anywhere: WalkPlan = { ...boots, prefixes: [[], ...prefixesOf(search, 2000)] };
  tallied("our walks, from seen states", (tally) => ownWalks(tally, anywhere, seconds));
  print(ratioText(reached));
  return 0;
}
