// Small worlds: exact numbers of states, the packed step against the readable one, what is found.

import { describe, expect, it } from "vitest";
import { type ModelStep, step } from "../../model/step.ts";
import { findingOf, type RuleId } from "../../spec/findings.ts";
import { judgeState, judgeStep } from "../../spec/registry.ts";
import type { SystemConfig } from "../../spec/types/hyp.ts";
import { carryOn } from "../../tools/search/exhaustive/bfs.ts";
import { textOf } from "../../tools/search/exhaustive/parts.ts";
import { readState } from "../../tools/search/exhaustive/state-set.ts";
import { canonicalIn } from "../../tools/search/exhaustive/symmetry.ts";
import { findViolation, startWorld, type WorldSearch } from "../../tools/search/find-violation.ts";
import type { WorldSize } from "../../tools/search/world/world.ts";

const SYSTEM: SystemConfig = {
  branch: "android14-6.1",
  build: "production",
  documented: false,
  cpuCount: 2,
};

/** Worlds by what is in them; each is searched to its end. */
const LIFECYCLE: Partial<WorldSize> = { cpus: 1, pages: 1, ops: false, interleaved: false };
const OWNERSHIP: Partial<WorldSize> = { cpus: 1, pages: 1, vms: 0, calls: 0, interleaved: false };
const TWO_MODULES: Partial<WorldSize> = { ...LIFECYCLE, modules: 2, pages: 2, vms: 0, calls: 0 };
/** Loads whose steps fail by themselves, one at a time and in pairs. */
const FAILING: Partial<WorldSize> = { ...LIFECYCLE, vms: 0, calls: 0, faults: 1 };
const FAILING_TWICE: Partial<WorldSize> = { ...FAILING, faults: 2 };
/** A VM made by hypercalls; two CPUs load its vCPU, give it pages, and tear it down. */
const HYP_VM: Partial<WorldSize> = {
  modules: 0,
  pages: 0,
  vms: 0,
  calls: 0,
  ops: false,
  hypVms: 1,
};
/** Its guest runs: it calls, faults, and leaves for the host. */
const GUESTS: Partial<WorldSize> = { ...HYP_VM, cpus: 1, guests: true };
/** SMCs of the host, with a module that is called for them; one of two CPUs goes off and on. */
const SMCS: Partial<WorldSize> = {
  pages: 1,
  vms: 0,
  calls: 0,
  ops: false,
  interleaved: false,
  smcs: true,
};
/** A module that takes permissions away and is called for what the host then does. */
const ABORTS: Partial<WorldSize> = { ...OWNERSHIP, aborts: true };
const TWO_CPUS: Partial<WorldSize> = { pages: 1, vms: 0, calls: 1, ops: false };

function searched(size: Partial<WorldSize>, useSymmetry = true, system = SYSTEM): WorldSearch {
  const search = startWorld(system, size, {}, useSymmetry);
  expect(carryOn(search, { states: 200_000 })).toBe("all states");
  return search;
}

/**
 * States of each world, with and without symmetry. These numbers are what the model does: a change
 * of behaviour changes them, and is to be meant.
 */
const STATES: readonly (readonly [string, Partial<WorldSize>, number, number])[] = [
  ["the lifecycle, one module, one VM", LIFECYCLE, 12398, 12398],
  ["EL2 code that moves one page", OWNERSHIP, 2379, 2379],
  ["two modules", TWO_MODULES, 43524, 21781],
  ["one step of a load fails", FAILING, 1283, 1283],
  ["two steps of loads fail", FAILING_TWICE, 1987, 1987],
  ["a VM by hypercalls on two CPUs", HYP_VM, 1040, 1040],
  ["two CPUs that interleave", TWO_CPUS, 10893, 10893],
  ["a guest runs", GUESTS, 1345, 1345],
  ["SMCs of the host", SMCS, 13839, 13839],
  ["aborts of the host", ABORTS, 12769, 12769],
];

describe("exact numbers of states", () => {
  it.each(STATES)("%s", (_, size, whole, reduced) => {
    expect([searched(size, false).set.size, searched(size).set.size]).toEqual([whole, reduced]);
  });
});

describe("symmetry", () => {
  it("keeps one of each set of renamed states, and finds the same rules", () => {
    const whole = searched(TWO_MODULES, false);
    const reduced = searched(TWO_MODULES);
    const canonical = canonicalIn(whole.explorer);
    const row = new Uint32Array(whole.set.width);
    const kept = new Set<string>();
    for (let index = 0; index < whole.set.size; index += 1) {
      readState(whole.set, index, row);
      canonical(row);
      kept.add(row.join());
    }
    expect(kept.size).toBe(reduced.set.size);
    const found = ({ found: rules }: WorldSearch) =>
      [...rules.values()].map(({ rule, depth }) => `${rule} ${depth}`).sort();
    expect(found(reduced)).toEqual(found(whole));
  });
});

/** Every step and every judgement of a search, worked out again by the readable model. */
function disagreements(search: WorldSearch, states: number): readonly string[] {
  const { explorer, set } = search;
  const row = new Uint32Array(set.width);
  const wrong: string[] = [];
  const compare = (what: string, packed: unknown, readable: unknown): void => {
    if (textOf(packed) !== textOf(readable)) wrong.push(`${what}: ${textOf(packed)}`);
  };
  for (let index = 0; index < Math.min(states, set.size); index += 1) {
    readState(set, index, row);
    const pre = explorer.stateOf(row);
    const offences = explorer.offences(row).map(({ rule, sentences }) => [rule, sentences]);
    const broken = judgeState(pre).filter(({ wrong: sentences }) => sentences.length > 0);
    compare(
      `state ${index}`,
      offences,
      broken.map(({ rule, wrong: texts }) => [rule.id, texts]),
    );
    for (const mover of explorer.searched.movers.keys()) {
      for (const move of explorer.movesOf(mover, row)) {
        const { action } = explorer.moves[move] ?? {};
        if (action === undefined) continue;
        const entry = explorer.stepOf(row, move);
        const hyp = Object.fromEntries(
          Object.entries(pre).filter(([part]) => !explorer.searched.hidden.includes(part)),
        ) as unknown as ModelStep["pre"];
        const done = step(hyp, action);
        const { outcome, transition, refusedBy } = done;
        compare(`label of ${textOf(action)}`, entry.label, { outcome, transition, refusedBy });
        const after = Uint32Array.from(row);
        for (const [n, part] of entry.changed.entries()) after[part] = entry.ids[n] ?? 0;
        const next = explorer.stateOf(after);
        for (const [part, value] of Object.entries(done.post)) {
          compare(`${part} after ${textOf(action)}`, next[part as keyof typeof next], value);
        }
        const judgements = judgeStep(done);
        compare(`rules on ${textOf(action)}`, explorer.judge(row, entry).judged, {
          applied: judgements.map(({ rule }) => rule.id),
          broken: judgements.flatMap(({ rule, wrong: texts }) =>
            texts.map((sentence) => ({ rule: rule.id, sentence })),
          ),
        });
      }
    }
  }
  return wrong;
}

describe("the packed step is the readable one", () => {
  it("on every state of the ownership world", () => {
    expect(disagreements(searched(OWNERSHIP), Number.POSITIVE_INFINITY)).toEqual([]);
  });

  it.each([LIFECYCLE, TWO_MODULES, TWO_CPUS, HYP_VM, GUESTS, SMCS, ABORTS])(
    "on the first states of %j",
    (size) => {
      expect(disagreements(searched(size), 250)).toEqual([]);
    },
  );
});

describe("what a search finds", () => {
  it("of SMCs and aborts is that a reset which is refused costs the firmware", () => {
    const rules = [...searched(SMCS).found.keys(), ...searched(ABORTS).found.keys()];
    expect(rules.filter((rule) => findingOf(rule as RuleId, SYSTEM) === undefined)).toEqual([]);
    expect(rules).toContain("INV-34");
  });

  it("is what the branch is known to break, and nothing else", () => {
    const rules = [...searched(TWO_CPUS).found.keys(), ...searched(LIFECYCLE).found.keys()];
    expect(rules.filter((rule) => findingOf(rule as RuleId, SYSTEM) === undefined)).toEqual([]);
    expect(rules).toContain("DOC-10");
    expect(rules).toContain("DOC-13");
    expect(rules).toContain("INV-7");
  });

  it("is nothing on the documented system that the page promises", () => {
    const documented = { ...SYSTEM, documented: true };
    const rules = [...searched(LIFECYCLE, true, documented).found.keys()];
    expect(rules.filter((rule) => findingOf(rule as RuleId, documented) === undefined)).toEqual([]);
    expect(rules).not.toContain("DOC-10");
  });

  it("is the shortest way to what a missing guard lets through", () => {
    const omit = new Set(["__pkvm_host_share_hyp/OWN-3"]);
    const { violation } = findViolation(SYSTEM, { omit, size: { pages: 1, vms: 0 } });
    expect(violation?.rule).toBe("OWN-3");
    const kinds = violation?.actions.map(({ kind }) => kind);
    // The mode, EL2, and two shares of one page.
    expect(kinds).toEqual(["parse_early_param", "kvm_arm_init", "hvc", "hvc"]);
  });
});
