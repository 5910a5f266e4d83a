// Descriptors follow the abstract state: after any sequence of changes what memory says is what the
// state says.

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { disagreements, readBack } from "../../../model/machine/abstract.ts";
import { hostContextPa } from "../../../model/machine/layout.ts";
import { forkMachine, type Machine } from "../../../model/machine/machine.ts";
import { syncDescriptors } from "../../../model/pgtable/sync.ts";
import { findLeaf } from "../../../model/pgtable/table.ts";
import { addressOf, hypVa, type Pfn, pfn } from "../../../spec/types/address.ts";
import type { Hyp, ModuleMapping } from "../../../spec/types/hyp.ts";
import { PAGE_HYP, PAGE_HYP_EXEC, PAGE_HYP_RO } from "../../../spec/types/module.ts";
import {
  GUEST_PAGE,
  GUEST_SHARED_PAGE,
  HYP_PAGE,
  LENT_PAGE,
  type PageState,
  PLAIN_PAGE,
} from "../../../spec/types/page.ts";
import { finalised, newMachine, STARTED } from "../machine/bench-machine.ts";

/** The states that the ownership table has, without the protections of modules. */
const STATES: readonly PageState[] = [
  PLAIN_PAGE,
  HYP_PAGE,
  { host: "SHARED_OWNED", owner: "HOST", hyp: "SHARED_BORROWED", refcount: 0 },
  { host: "SHARED_OWNED", owner: "HOST", hyp: "SHARED_BORROWED", refcount: 2 },
  LENT_PAGE,
  GUEST_PAGE,
  { host: "NOPAGE", owner: "FFA", hyp: "NOPAGE", refcount: 0 },
  GUEST_SHARED_PAGE,
  { host: "MODULE_OWNED", owner: "PROTECTED", hyp: "NOPAGE", refcount: 0 },
];

/**
 * Neighbours, the edges of a 2 MiB block, devices, above memory, the carve-out, the last page of
 * memory.
 */
const PAGES: readonly Pfn[] = [
  0x48000, 0x48001, 0x481ff, 0x48200, 0x60000, 0x9000, 0xa000, 0xa001, 0x100000, 0x7f500, 0x7fdff,
  0x7ffff,
].map(pfn);

const VAS = [0x20_0001_0000n, 0x20_0001_1000n, 0x20_001f_f000n, 0x20_0020_0000n].map(hypVa);
const PROTS = [PAGE_HYP, PAGE_HYP_EXEC, PAGE_HYP_RO];

type Change =
  | { readonly kind: "page"; readonly page: Pfn; readonly state: PageState }
  | { readonly kind: "map"; readonly at: number; readonly mapping: ModuleMapping | undefined }
  | { readonly kind: "finalise"; readonly cpu: number }
  | { readonly kind: "nothing" };

const change: fc.Arbitrary<Change> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant("page" as const),
      page: fc.constantFrom(...PAGES),
      state: fc.constantFrom(...STATES),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant("map" as const),
      at: fc.nat(VAS.length - 1),
      mapping: fc.option(
        fc.record({ pfn: fc.constantFrom(...PAGES), prot: fc.constantFrom(...PROTS) }),
        { nil: undefined },
      ),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("finalise" as const), cpu: fc.nat(1) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("nothing" as const) }) },
);

function apply(hyp: Hyp, step: Change): Hyp {
  switch (step.kind) {
    case "page":
      return { ...hyp, pages: new Map(hyp.pages).set(step.page, step.state) };
    case "map": {
      const mappings = new Map(hyp.el2.mappings);
      if (step.mapping === undefined) mappings.delete(VAS[step.at]!);
      else mappings.set(VAS[step.at]!, step.mapping);
      return { ...hyp, el2: { ...hyp.el2, mappings } };
    }
    case "finalise": {
      const on = hyp.boot.finalised.map((was, cpu) => was || cpu === step.cpu);
      return { ...hyp, boot: { ...hyp.boot, finalised: on } };
    }
    case "nothing":
      return hyp;
  }
}

const STARTED_MACHINE = newMachine();

/** Applies changes one by one; calls `after` with the machine and the state after each. */
function follow(steps: readonly Change[], after: (machine: Machine, hyp: Hyp) => void): void {
  const machine = forkMachine(STARTED_MACHINE);
  let hyp = STARTED;
  for (const step of steps) {
    const post = apply(hyp, step);
    syncDescriptors(machine, hyp, post);
    hyp = post;
    after(machine, hyp);
  }
}

const SEED = { seed: 20261123, numRuns: 150 };

describe("descriptors and abstract state", () => {
  test("agree on a new machine", () => {
    expect(disagreements(newMachine(), STARTED)).toEqual([]);
    expect(readBack(newMachine()).mappings.size).toBe(0);
  });

  test("agree after every change", () => {
    fc.assert(
      fc.property(fc.array(change, { maxLength: 12 }), (steps) => {
        follow(steps, (machine, hyp) => expect(disagreements(machine, hyp)).toEqual([]));
      }),
      SEED,
    );
  });

  test("disagree when one change is not written", () => {
    fc.assert(
      fc.property(fc.array(change, { maxLength: 6 }), change, (steps, last) => {
        const machine = forkMachine(STARTED_MACHINE);
        let hyp = STARTED;
        for (const step of steps) {
          const post = apply(hyp, step);
          syncDescriptors(machine, hyp, post);
          hyp = post;
        }
        const unwritten = apply(hyp, last);
        const synced = forkMachine(machine);
        syncDescriptors(synced, hyp, unwritten);
        const visible = JSON.stringify(show(synced)) !== JSON.stringify(show(machine));
        expect(disagreements(machine, unwritten).length > 0).toBe(visible);
      }),
      SEED,
    );
  });

  test("disagree when one descriptor is damaged, wherever it is", () => {
    const steps: Change[] = [
      { kind: "page", page: pfn(0x48001), state: HYP_PAGE },
      { kind: "page", page: pfn(0x48200), state: STATES[2]! },
      { kind: "map", at: 0, mapping: { pfn: pfn(0x48001), prot: PAGE_HYP_EXEC } },
    ];
    const damaged = fc.constantFrom(
      ["host", addressOf(pfn(0x48001))],
      ["host", addressOf(pfn(0x48200))],
      ["host", addressOf(pfn(0x7f777))],
      ["hyp", 0x40_0800_1000n],
      ["hyp", 0x40_0820_0000n],
      ["hyp", 0x20_0001_0000n],
      ["hyp", hostContextPa(1) - 0x4000_0000n + 0x40_0000_0000n],
    ) as fc.Arbitrary<["host" | "hyp", bigint]>;
    // Bits that mean something in a descriptor that pKVM writes: valid, address, writable,
    // executable, state.
    const bit = fc.constantFrom(0n, 13n, 30n, 54n, 55n, 56n);
    fc.assert(
      fc.property(damaged, bit, ([which, address], position) => {
        const machine = forkMachine(STARTED_MACHINE);
        let hyp = STARTED;
        for (const step of steps) {
          const post = apply(hyp, step);
          syncDescriptors(machine, hyp, post);
          hyp = post;
        }
        const table = which === "host" ? machine.hostStage2.table : machine.hypTable;
        const { at, entry } = findLeaf(machine.physical, table, address);
        machine.physical.write64(at, entry ^ (1n << position));
        expect(disagreements(machine, hyp)).not.toEqual([]);
      }),
      { seed: 7, numRuns: 60 },
    );
  });

  test("say which page, and both sides", () => {
    const machine = newMachine();
    const hyp: Hyp = { ...STARTED, pages: new Map([[pfn(0x48001), HYP_PAGE]]) };
    expect(disagreements(machine, hyp)).toEqual([
      "page 0x48001: memory says host OWNED prot 7, owner HOST, hyp NOPAGE; " +
        "the state host NOPAGE prot 0, owner HYP, hyp OWNED",
    ]);
    expect(disagreements(machine, finalised(STARTED))).toEqual([
      "CPU 0: HCR_EL2.VM is 0, finalised is true",
      "CPU 1: HCR_EL2.VM is 0, finalised is true",
    ]);
  });
});

/** What can be seen of a machine, as text. */
function show(machine: Machine): unknown {
  const { pages, mappings, finalised: on } = readBack(machine);
  return [
    [...pages].sort(([a], [b]) => a - b),
    [...mappings].map(([va, mapping]) => [va.toString(), mapping.pfn, mapping.prot]).sort(),
    on,
  ];
}

describe("the host's stage 2 after finalisation", () => {
  test("the block below memory is there, as every trace has it", () => {
    const machine = newMachine();
    syncDescriptors(machine, STARTED, finalised(STARTED));
    expect(findLeaf(machine.physical, machine.hostStage2.table, 0x900_0000n)).toMatchObject({
      entry: 0x400000000007fdn,
      level: 1,
    });
    expect(findLeaf(machine.physical, machine.hostStage2.table, 0x7f40_0000n)).toMatchObject({
      entry: 4n,
      level: 3,
    });
  });
});
