// The search itself, on a model whose numbers of states four other checkers agree on.

import { describe, expect, it } from "vitest";
import { type Lifecycle, lifecycle } from "../../tools/bench/search/lifecycle.ts";
import { carryOn, levelSizes, startSearch } from "../../tools/search/exhaustive/bfs.ts";
import { createExplorer } from "../../tools/search/exhaustive/explorer.ts";
import { pathTo } from "../../tools/search/exhaustive/path.ts";

type Model = ReturnType<typeof lifecycle>;

const searchOf = (model: Model) => startSearch(createExplorer(model), false);
const sizeOf = (modules: number): Model => lifecycle({ modules, calls: 2, vms: 2 });

describe("a search of the lifecycle model", () => {
  // Source: Spin, Murphi, TLC and three encodings in TypeScript agree on these numbers.
  it.each([
    [1, 58],
    [2, 555],
    [3, 9934],
  ])("with %i modules has %i states", (modules, states) => {
    const search = searchOf(sizeOf(modules));
    expect(carryOn(search)).toBe("all states");
    expect(search.set.size).toBe(states);
    expect(search.found.size).toBe(0);
  });

  // Source: Murphi and TLC agree on these, with their own reductions.
  it.each([
    [1, 58],
    [2, 294],
    [3, 1755],
  ])("with %i modules has %i states if the modules' names mean nothing", (modules, states) => {
    const search = startSearch(createExplorer(sizeOf(modules)), true);
    expect(carryOn(search)).toBe("all states");
    expect(search.set.size).toBe(states);
  });

  it("levels add up, and a search carried on is the same as one that was not stopped", () => {
    const whole = searchOf(sizeOf(2));
    carryOn(whole);
    const pieces = searchOf(sizeOf(2));
    for (let depth = 1; carryOn(pieces, { depth }) === "depth"; depth += 1) {
      expect(levelSizes(pieces)).toEqual(levelSizes(whole).slice(0, depth + 1));
    }
    expect(pieces.set.size).toBe(whole.set.size);
    expect(pieces.transitions).toBe(whole.transitions);
    expect(levelSizes(whole).reduce((a, b) => a + b)).toBe(555);
  });

  it("stops at its bounds", () => {
    expect(carryOn(searchOf(sizeOf(3)), { states: 100 })).toBe("states");
    expect(carryOn(searchOf(sizeOf(3)), { bytes: 1 })).toBe("memory");
    expect(carryOn(searchOf(sizeOf(3)), {}, { pause: () => true })).toBe("interrupted");
  });
});

/** Faults planted in the model, and the length of the shortest way to each. */
const PLANTED: readonly (readonly [string, number, (model: Model) => Model])[] = [
  [
    "no VM after a failed load",
    4,
    (model) => ({
      ...model,
      movers: [
        ...model.movers,
        ({ boot, vms }) =>
          boot.deprivileged && vms[0] === false ? [{ kind: "create", vm: 0 }] : [],
      ],
    }),
  ],
  [
    "no load after deprivileging",
    2,
    (model) => ({
      ...model,
      movers: [...model.movers, ({ boot }) => (boot.deprivileged ? [] : [{ kind: "deprivilege" }])],
    }),
  ],
  [
    "a call reaches who registered it",
    14,
    (model) => ({
      ...model,
      step: (state, move) => {
        const isFull = state["slot5"] !== undefined;
        if (move.kind !== "call" || move.id !== 0 || !isFull) return model.step(state, move);
        const handler = state["slot5"] ?? -1;
        return { changed: { last: { id: 0, handler } }, label: undefined };
      },
    }),
  ],
];

describe("a planted fault is found on a shortest way", () => {
  it.each(PLANTED)("%s: %i moves", (rule, length, plant) => {
    const model = plant(sizeOf(3));
    const search = searchOf(model);
    carryOn(search, {}, { enough: (found) => found.rule === rule });
    const found = search.found.get(rule);
    if (found === undefined) throw new Error("not found");
    expect(found.depth).toBe(length);
    const path = pathTo(search, found);
    expect(path).toHaveLength(length);
    // Played again by hand, the last state is the one that is wrong.
    let state = model.initial[0] as Lifecycle;
    for (const move of path) {
      expect(model.movers.flatMap((mover) => mover(state))).toContainEqual(move);
      state = { ...state, ...model.step(state, move).changed } as Lifecycle;
    }
    const broken = model.rules.filter(({ offences }) => (offences(state) ?? []).length > 0);
    expect(broken.map(({ id }) => id)).toContain(rule);
  });
});
