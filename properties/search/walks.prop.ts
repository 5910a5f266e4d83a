// Random walks: rules hold on the readable model, faults are found, and shrink to what is needed.

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { checkSteps } from "../../counterexamples/check.ts";
import { findingOf, type RuleId } from "../../spec/findings.ts";
import type { SystemConfig } from "../../spec/types/hyp.ts";
import { carryOn } from "../../tools/search/exhaustive/bfs.ts";
import { findViolation, playActions, startWorld } from "../../tools/search/find-violation.ts";
import { prefixesOf, type WalkPlan } from "../../tools/search/random-walk.ts";
import { type Move, SMALL, type WorldSize, worldOf } from "../../tools/search/world/world.ts";
import { enabledOf, walks } from "../arbitraries/walk.ts";

const SYSTEM: SystemConfig = {
  branch: "android14-6.1",
  build: "production",
  documented: false,
  cpuCount: 2,
};
const SIZE: WorldSize = { ...SMALL, faults: 1 };

/** A plan with beginnings that a short search saw. */
function planOf(size: WorldSize, omit: ReadonlySet<string> = new Set()): WalkPlan {
  const search = startWorld(SYSTEM, size, { omit });
  carryOn(search, { states: 4000 });
  const { explorer } = search;
  const world = worldOf(SYSTEM, size);
  return { world, explorer, prefixes: [[], ...prefixesOf(search, 50)], oddOneIn: 6 };
}

const actionsOf = (moves: readonly Move[]) =>
  moves.flatMap(({ action }) => (action === undefined ? [] : [action]));

/** The first rule that a walk breaks unexpectedly on the readable model. */
function brokenBy(moves: readonly Move[], omit?: ReadonlySet<string>): RuleId | undefined {
  const steps = playActions(SYSTEM, actionsOf(moves), omit === undefined ? {} : { omit });
  const { violations } = checkSteps(steps);
  return violations.find(({ rule }) => findingOf(rule, SYSTEM) === undefined)?.rule;
}

describe("random walks", () => {
  const plan = planOf(SIZE);

  it("break no rule that nobody expects to be broken", () => {
    fc.assert(
      fc.property(walks(plan, 40), (moves) => {
        expect(brokenBy(moves)).toBeUndefined();
      }),
      { seed: 20261123, numRuns: 150 },
    );
  });

  it("make only moves that can be made, and go past the boot", () => {
    const sample = fc.sample(walks(plan, 40), { seed: 7, numRuns: 60 });
    for (const moves of sample) expect(enabledOf(plan, moves)).toHaveLength(moves.length);
    const kinds = new Set(sample.flatMap((moves) => actionsOf(moves).map(({ kind }) => kind)));
    expect([...kinds]).toEqual(expect.arrayContaining(["hvc", "op", "KVM_RUN", "load_module"]));
  });
});

describe("a missing guard", () => {
  const omit = new Set(["__pkvm_host_unshare_hyp/OWN-6"]);
  const plan = planOf({ ...SIZE, pages: 1, vms: 0 }, omit);

  it("is found by random walks and shrunk to the length of a shortest way", () => {
    const details = fc.check(
      fc.property(walks(plan, 40), (moves) => brokenBy(moves, omit) === undefined),
      { seed: 1, numRuns: 3000 },
    );
    expect(details.failed).toBe(true);
    const found = details.counterexample?.[0] ?? [];
    expect(brokenBy(found, omit)).toBe("OWN-6");
    const size = { ...SIZE, pages: 1, vms: 0 };
    const { violation } = findViolation(SYSTEM, { omit, size });
    expect(violation?.rule).toBe("OWN-6");
    // No single move can go; a shortest way may take another turn.
    for (const n of found.keys()) {
      const kept = enabledOf(plan, found.toSpliced(n, 1));
      expect(brokenBy(kept, omit)).toBeUndefined();
    }
    expect(actionsOf(found).length).toBeLessThanOrEqual((violation?.actions.length ?? 0) + 3);
  });

  it("is shrunk again from a walk that was saved with moves that do nothing", () => {
    const { violation } = findViolation(SYSTEM, { omit, size: { pages: 1, vms: 0 } });
    expect(violation?.rule).toBe("OWN-6");
    const details = fc.check(
      fc.property(walks(plan, 40), (moves) => brokenBy(moves, omit) === undefined),
      { seed: 1, numRuns: 3000 },
    );
    const short = details.counterexample?.[0] ?? [];
    const probe = short.find(({ action }) => action?.kind === "hvc") as Move;
    const saved = [...short.slice(0, -1), probe, probe, probe, ...short.slice(-1)];
    const again = fc.check(
      fc.property(walks(plan, 40), (moves) => brokenBy(moves, omit) === undefined),
      { examples: [[enabledOf(plan, saved)]], numRuns: 1 },
    );
    expect(again.failed).toBe(true);
    expect(again.counterexample?.[0]?.length).toBeLessThanOrEqual(short.length);
  });
});
