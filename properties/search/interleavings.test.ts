// Two CPUs of a small world: each meeting is reached, holds, and breaks with a fault in it.

import { describe, expect, it } from "vitest";
import { checkSteps } from "../../counterexamples/check.ts";
import { findingOf, type RuleId } from "../../spec/findings.ts";
import type { Action } from "../../spec/types/action.ts";
import type { HypVa } from "../../spec/types/address.ts";
import type { SystemConfig } from "../../spec/types/hyp.ts";
import { coverageOf } from "../../tools/search/coverage-of-search.ts";
import { carryOn, type Found, startSearch } from "../../tools/search/exhaustive/bfs.ts";
import { createExplorer } from "../../tools/search/exhaustive/explorer.ts";
import { pathTo } from "../../tools/search/exhaustive/path.ts";
import { readState } from "../../tools/search/exhaustive/state-set.ts";
import {
  findViolation,
  playActions,
  startWorld,
  type WorldSearch,
} from "../../tools/search/find-violation.ts";
import { hcall } from "../../tools/search/world/calls.ts";
import { searchedWorld, type WorldSearched } from "../../tools/search/world/searched-world.ts";
import {
  type Move,
  SMALL,
  type WorldSize,
  type WorldState,
  worldOf,
} from "../../tools/search/world/world.ts";

const SYSTEM: SystemConfig = {
  branch: "android14-6.1",
  build: "production",
  documented: false,
  cpuCount: 2,
};

/** A VM made by hypercalls; two CPUs load its vCPU, give it pages, and tear it down. */
const HYP_VM: Partial<WorldSize> = {
  modules: 0,
  pages: 0,
  vms: 0,
  calls: 0,
  ops: false,
  hypVms: 1,
};
/** One CPU boots without modules; the other calls at any time. */
const BOOT: Partial<WorldSize> = { modules: 0, pages: 1, vms: 0, calls: 0, ops: false };
/** One CPU loads a module that registers a call; the other registers one as well. */
const REGISTERING: Partial<WorldSize> = {
  ...BOOT,
  modules: 1,
  calls: 2,
  registers: true,
};

const isNew = (rule: string): boolean => findingOf(rule as RuleId, SYSTEM) === undefined;

const known = new Map<Partial<WorldSize>, WorldSearch>();

function searched(size: Partial<WorldSize>, depth?: number): WorldSearch {
  const before = known.get(size);
  if (before !== undefined) return before;
  const search = startWorld(SYSTEM, size);
  const bound = depth === undefined ? {} : { depth };
  expect(carryOn(search, bound)).toBe(depth === undefined ? "all states" : "depth");
  expect([...search.found.keys()].filter(isNew)).toEqual([]);
  known.set(size, search);
  return search;
}

/** Whether the search saw a state like this. */
function reaches({ set, explorer }: WorldSearch, wanted: (state: WorldState) => boolean): boolean {
  const row = new Uint32Array(set.width);
  for (let index = 0; index < set.size; index += 1) {
    readState(set, index, row);
    if (wanted(explorer.stateOf(row))) return true;
  }
  return false;
}

const refuses = (search: WorldSearch, guard: string): boolean =>
  coverageOf(search).refusals.has(guard as never);

const cpusOf = (actions: readonly Action[]): ReadonlySet<number> =>
  new Set(actions.flatMap((action) => ("cpu" in action ? [action.cpu] : [0])));

/** The first rule that breaks without a guard; two CPUs have acted on the way. */
function brokenWithout(guard: string, size: Partial<WorldSize>): string | undefined {
  const { violation } = findViolation(SYSTEM, { omit: new Set([guard]), size });
  expect(cpusOf(violation?.actions ?? [])).toEqual(new Set([0, 1]));
  return violation?.rule;
}

describe("the window between the key and the finalisation", () => {
  it("is reached, and every call of loading is refused in it on the CPU that is not final", () => {
    const search = searched(BOOT);
    const inWindow = ({ boot, end }: WorldState): boolean =>
      end === undefined && boot.key && boot.finalised[0] === true && boot.finalised[1] === false;
    expect(reaches(search, inWindow)).toBe(true);
    expect(refuses(search, "handle_host_hcall/DISP-2")).toBe(true);
  });

  it("is found where the limit of calls is not raised", () => {
    expect(brokenWithout("handle_host_hcall/DISP-2", BOOT)).toMatch(/^(DISP|LOAD)-/);
  });
});

describe("one vCPU on two CPUs", () => {
  it("is loaded on one, and the other is refused", () => {
    const search = searched(HYP_VM);
    expect(reaches(search, ({ loaded }) => loaded[0] !== undefined)).toBe(true);
    expect(reaches(search, ({ loaded }) => loaded[1] !== undefined)).toBe(true);
    expect(refuses(search, "__pkvm_vcpu_load/VM-34")).toBe(true);
    const twice = ({ loaded: [a, b] }: WorldState) => a !== undefined && b !== undefined;
    expect(reaches(search, twice)).toBe(false);
  });

  it("is found where nobody looks whether it is loaded", () => {
    expect(brokenWithout("__pkvm_vcpu_load/VM-34", HYP_VM)).toBeDefined();
  });
});

describe("teardown against run", () => {
  it("is refused while a vCPU is loaded on the other CPU, and a dying VM is not loaded", () => {
    const search = searched(HYP_VM);
    expect(refuses(search, "__pkvm_start_teardown_vm/VM-41")).toBe(true);
    expect(refuses(search, "__pkvm_vcpu_load/VM-32")).toBe(true);
  });

  it.each(["__pkvm_start_teardown_vm/VM-41", "__pkvm_vcpu_load/VM-32"])(
    "is found without %s",
    (guard) => {
      expect(brokenWithout(guard, HYP_VM)).toBeDefined();
    },
  );
});

/** The number of the first call that is registered. Source: measured, mod-ok. */
const FIRST_ID = 0x80;

/** A CPU between the two halves of a registration that holds no lock. */
interface Claimed {
  readonly at: "claimed";
  readonly slot: number;
}

/**
 * A fault: on the last CPU __pkvm_register_hcall takes no lock. It reads the count, and only later
 * writes the slot and the count.
 */
function withoutLock(world: WorldSearched): WorldSearched {
  const register = hcall(SYSTEM, 1, "__pkvm_register_hcall").x[0];
  const isRegister = ({ cpu, action }: Move): boolean =>
    cpu === 1 && action?.kind === "hvc" && action.x[0] === register;
  const claimedBy = (state: WorldState): Claimed | undefined => {
    const place = state["cpu1"] as unknown as Claimed | { readonly at: "host" };
    return place.at === "claimed" ? place : undefined;
  };
  const publish = hcall(SYSTEM, 1, "__pkvm_register_hcall", 0x20_0000_c040n);
  return {
    ...world,
    movers: world.movers.map((moves, cpu) => (state) => {
      if (cpu !== 1) return moves(state);
      if (claimedBy(state) !== undefined) {
        return state.boot.key ? [] : [{ cpu: 1, choice: "publishes", action: publish }];
      }
      return moves(state).map((move) =>
        isRegister(move) ? { cpu: 1, choice: "claims", action: undefined } : move,
      );
    }),
    step: (pre, move) => {
      if (move.choice === "claims") {
        const slot = pre.dispatch.dynamicHcalls.length;
        return { changed: { cpu1: { at: "claimed", slot } } as never, label: undefined };
      }
      const claimed = move.choice === "publishes" ? claimedBy(pre) : undefined;
      const done = world.step(pre, move);
      if (claimed === undefined) return done;
      const { dynamicHcalls, callbacks, further } = pre.dispatch;
      const table = [...dynamicHcalls];
      table[claimed.slot] = publish.x[1] as HypVa;
      const dispatch = { dynamicHcalls: table, callbacks, further };
      const outcome = { kind: "hcall", x0: 0n, x1: BigInt(FIRST_ID + claimed.slot) } as const;
      const label = { ...(done.label as NonNullable<typeof done.label>), outcome };
      return { changed: { dispatch, cpu1: { at: "host" } } as never, label };
    },
  };
}

describe("a registration race", () => {
  const registered = ({ dispatch }: WorldState): readonly HypVa[] => dispatch.dynamicHcalls;
  const OTHER = 0x20_0000_c040n;

  it("has both orders, and each function keeps its own id", () => {
    const search = searched(REGISTERING, 18);
    for (const first of [true, false]) {
      const inOrder = (state: WorldState): boolean => {
        const [a, b] = registered(state);
        return b !== undefined && (first ? a === OTHER && b !== OTHER : a !== OTHER && b === OTHER);
      };
      expect(reaches(search, inOrder), `the other CPU ${first ? "first" : "second"}`).toBe(true);
    }
  });

  it("is found where the table is not locked: two functions get one id", () => {
    const world = worldOf(SYSTEM, { ...SMALL, ...REGISTERING });
    const search = startSearch(createExplorer(withoutLock(searchedWorld(world))), false);
    const enough = ({ rule }: Found): boolean => rule.startsWith("REG-");
    expect(carryOn(search, { states: 200_000 }, { enough })).toBe("found");
    const found = [...search.found.values()].find(enough) as Found;
    const moves = pathTo(search, found);
    const choices = moves.map(({ choice }) => choice);
    // Between the two halves the first CPU registers.
    const between = moves.slice(choices.indexOf("claims"), choices.indexOf("publishes"));
    expect(between.map(({ cpu, choice }) => `${cpu} ${choice}`)).toContain("0 registers");
    // The same actions with the lock break nothing.
    const actions = moves.flatMap(({ action }) => (action === undefined ? [] : [action]));
    const { violations } = checkSteps(playActions(SYSTEM, actions));
    expect(violations.filter(({ rule }) => isNew(rule))).toEqual([]);
  });
});
