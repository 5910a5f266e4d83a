// The fast path never gives another answer than a core that has just been made.

import fc from "fast-check";
import { expect, test } from "vitest";
import { forkMemory } from "../../../cpu/memory.ts";
import { writeMem } from "../../../cpu/mmu/access.ts";
import { fetchWord } from "../../../cpu/mmu/fetch.ts";
import { forkCore } from "../../../cpu/reset.ts";
import type { Core, El } from "../../../cpu/state.ts";
import {
  AF,
  AP1,
  load,
  MAIR,
  machine,
  NORMAL,
  plain,
  put,
  S2_NORMAL,
  S2_READ,
  S2_WRITE,
  SCTLR_ON,
  VALID_PAGE,
  VALID_TABLE,
} from "./machine.ts";

/**
 * Stage 1 of EL1&0 and of EL2 share a table of four pages; stage 2 has a table of four pages as
 * well. VA and IPA 0 to 3fff go through them, all else is unmapped: stage 2 maps only the tables
 * (4000_0000 on, flat) and those four pages.
 */
function world(): Core {
  const core = machine({
    sysregs: {
      SCTLR_EL1: SCTLR_ON,
      SCTLR_EL2: 0x30c5_0831n,
      MAIR_EL1: MAIR,
      MAIR_EL2: MAIR,
      TCR_EL1: (2n << 32n) | 25n,
      TCR_EL2: (2n << 16n) | 25n,
      TTBR0_EL1: 0x4000_0000n,
      TTBR0_EL2: 0x4000_0000n,
      HCR_EL2: 1n << 31n,
      VTCR_EL2: (1n << 31n) | (2n << 16n) | (1n << 6n) | 25n,
      VTTBR_EL2: 0x4001_0000n,
    },
  });
  put(core, 0x4000_0000n, 0x4000_1000n | VALID_TABLE);
  put(core, 0x4000_1000n, 0x4000_2000n | VALID_TABLE);
  put(core, 0x4001_0000n, 0x4001_1000n | VALID_TABLE);
  put(core, 0x4001_1000n, 0x4001_2000n | VALID_TABLE);
  put(core, 0x4001_0008n, 0x4000_0000n | AF | (0xfn << 2n) | (3n << 6n) | 1n);
  for (const stage of [1, 2] as const) {
    for (let page = 0; page < 4; page++) {
      change(core, { kind: "descriptor", stage, page, bits: undefined, target: page });
    }
  }
  return core;
}

type Step =
  | { kind: "descriptor"; stage: 1 | 2; page: number; bits: bigint | undefined; target: number }
  | { kind: "level"; el: El; pan: number }
  | { kind: "control"; vm: boolean; wxn: boolean; align: boolean }
  | { kind: "access"; what: "load" | "store" | "fetch"; page: number; offset: number };

const page = fc.nat(3);
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant("descriptor" as const),
      stage: fc.constantFrom<1 | 2>(1, 2),
      page,
      // AttrIndx or MemAttr, AP or S2AP, the access flag mostly, PXN and UXN.
      bits: fc.option(
        fc.tuple(fc.nat(15), fc.nat(3), fc.nat(7), fc.nat(3)).map(([attr, ap, af, xn]) => {
          const accessed = af === 0 ? 0n : AF;
          return (BigInt(attr) << 2n) | (BigInt(ap) << 6n) | accessed | (BigInt(xn) << 53n);
        }),
        { nil: undefined, freq: 1 },
      ),
      target: page,
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant("level" as const),
      el: fc.constantFrom<El>(0, 1, 2),
      pan: fc.nat(1),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant("control" as const),
      vm: fc.boolean(),
      wxn: fc.boolean(),
      align: fc.boolean(),
    }),
  },
  {
    weight: 12,
    arbitrary: fc.record({
      kind: fc.constant("access" as const),
      what: fc.constantFrom<"load" | "store" | "fetch">("load", "store", "fetch"),
      page,
      offset: fc.constantFrom(0, 4, 8, 1, 0xffc),
    }),
  },
);

/** Stage 1 pages lead to IPA 0, which only stage 2 maps, or to memory at 4010_0000. */
function change(core: Core, action: Exclude<Step, { kind: "access" }>): void {
  if (action.kind === "level") {
    core.pstate.EL = action.el;
    core.pstate.PAN = action.pan;
  } else if (action.kind === "control") {
    core.sysreg.HCR_EL2 = (1n << 31n) | (action.vm ? 1n : 0n);
    core.sysreg.SCTLR_EL1 = SCTLR_ON | (action.wxn ? 1n << 19n : 0n) | (action.align ? 2n : 0n);
  } else {
    const table = action.stage === 1 ? 0x4000_2000n : 0x4001_2000n;
    const memory = 0x4010_0000n + BigInt(action.target) * 0x1000n;
    const good = action.stage === 1 ? AF | NORMAL | AP1 : AF | S2_NORMAL | S2_READ | S2_WRITE;
    const output =
      action.stage === 1 && action.target === 0 ? BigInt(action.target) * 0x1000n : memory;
    put(core, table + BigInt(action.page) * 8n, output | (action.bits ?? good) | VALID_PAGE);
  }
}

function perform(core: Core, action: Extract<Step, { kind: "access" }>, value: bigint): unknown {
  const va = BigInt(action.page * 0x1000 + action.offset);
  if (action.what === "load") return load(core, va, 8);
  if (action.what === "fetch") return fetchWord(core, va);
  return writeMem(core, va, 8, value, plain(8));
}

test("after any changes, accesses agree with those of a core without a past", () => {
  const seen = { value: 0, fault: 0 };
  fc.assert(
    fc.property(fc.array(step, { minLength: 10, maxLength: 80 }), (steps) => {
      const core = world();
      steps.forEach((action, index) => {
        if (action.kind !== "access") {
          change(core, action);
          return;
        }
        const fresh = forkCore(core, forkMemory(core.memory));
        const expected = perform(fresh, action, BigInt(index));
        const result = perform(core, action, BigInt(index));
        expect(result).toEqual(expected);
        if (typeof result === "object") seen.fault++;
        else seen.value++;
        const stored = load(fresh, BigInt(action.page * 0x1000), 8);
        expect(load(core, BigInt(action.page * 0x1000), 8)).toEqual(stored);
      });
    }),
    { seed: 20261123, numRuns: 200 },
  );
  // Both kinds of answer were there, often.
  expect(seen.value).toBeGreaterThan(500);
  expect(seen.fault).toBeGreaterThan(500);
});
