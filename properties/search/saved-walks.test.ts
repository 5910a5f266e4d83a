// A walk that was saved shrinks: 60 actions to the few that are needed.

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { checkSteps } from "../../counterexamples/check.ts";
import type { Action } from "../../spec/types/action.ts";
import type { SystemConfig } from "../../spec/types/hyp.ts";
import { findViolation, playActions } from "../../tools/search/find-violation.ts";
import { reducedWalk } from "../../tools/search/stored-walk.ts";
import { hcall } from "../../tools/search/world/calls.ts";
import { firmwareBytes, SMALL } from "../../tools/search/world/world.ts";

const SYSTEM: SystemConfig = {
  branch: "android14-6.1",
  build: "production",
  documented: false,
  cpuCount: 2,
};
const RULE = "OWN-6";
const OMIT: ReadonlySet<string> = new Set(["__pkvm_host_unshare_hyp/OWN-6"]);
const SIZE = { ...SMALL, pages: 1, vms: 0 };

/** The page of the world. */
const PAGE = 0x5_0000n;

const breaks = (actions: readonly Action[]): boolean =>
  checkSteps(playActions(SYSTEM, actions, { omit: OMIT })).violations.some(
    ({ rule }) => rule === RULE,
  );

/** Calls of the other CPU that nothing needs: unknown ids, and a page shared and taken back. */
const NOISE: readonly (readonly Action[])[] = [
  [{ kind: "hvc", cpu: 1, imm: 0, x: [0xc600_0000n] }],
  [{ kind: "hvc", cpu: 1, imm: 0, x: [0xc600_007fn] }],
  [hcall(SYSTEM, 1, "__pkvm_host_unshare_hyp", PAGE)],
  [
    hcall(SYSTEM, 1, "__pkvm_host_share_hyp", PAGE),
    hcall(SYSTEM, 1, "__pkvm_host_unshare_hyp", PAGE),
  ],
];

/** A way with noise in it, as long as wanted and not after its last action. */
function stuffed(way: readonly Action[], length: number, seed: number): readonly Action[] {
  const up = way.findIndex(({ kind }) => kind === "kvm_arm_init") + 1;
  const places = fc.sample(fc.tuple(fc.nat(), fc.nat(NOISE.length - 1)), { seed, numRuns: 200 });
  let actions = way;
  for (const [place, kind] of places) {
    if (actions.length >= length) break;
    const at = up + (place % (actions.length - up));
    const longer = actions.toSpliced(at, 0, ...(NOISE[kind] ?? []).map((one) => ({ ...one })));
    if (breaks(longer) && !breaks(longer.slice(0, -1))) actions = longer;
  }
  return actions;
}

describe("a saved walk of 60 actions", () => {
  const { violation } = findViolation(SYSTEM, { omit: OMIT, size: SIZE });
  const shortest = violation?.actions ?? [];

  it.each([1, 2, 3])("shrinks to the shortest way within 40 runs, seed %i", (seed) => {
    const actions = stuffed(shortest, 60, seed);
    expect(actions.length).toBeGreaterThanOrEqual(60);
    const way = { system: SYSTEM, firmwareBytes, rule: RULE, by: "a test", shortest: "" } as const;
    const { items, runs } = reducedWalk({ ...way, actions, omit: OMIT });
    expect(items).toHaveLength(shortest.length);
    expect(breaks(items)).toBe(true);
    expect(runs).toBeLessThanOrEqual(40);
  });

  it("stays as it is where no world has its actions", () => {
    const actions = [{ kind: "KVM_CLOSE", vm: 9 }, ...shortest] as const;
    const way = { system: SYSTEM, firmwareBytes, rule: RULE, by: "a test", shortest: "" } as const;
    const { items } = reducedWalk({ ...way, actions, omit: OMIT });
    expect(items.length).toBeLessThanOrEqual(actions.length);
    expect(breaks(items)).toBe(true);
  });
});
