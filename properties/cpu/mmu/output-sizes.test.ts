// Output address sizes: every value of IPS and PS, in every register that has one, and E0PD.
// Source: DDI0487 D24.2.152 TCR_EL1, D24.2.153 TCR_EL2, D24.2.165 VTCR_EL2.

import { describe, expect, test } from "vitest";
import { cortexA76 } from "../../../cpu/cpu-model.ts";
import type { Core } from "../../../cpu/state.ts";
import {
  AF,
  AP1,
  load,
  MAIR,
  machine,
  NORMAL,
  put,
  S2_NORMAL,
  S2_READ,
  S2_WRITE,
  SCTLR_ON,
  summary,
  VALID_BLOCK,
} from "./machine.ts";

/** Sizes by value; 52 bits are cut down to those that the processor has. */
const sizes = [32, 36, 40, 42, 44, 48, 48] as const;

type Regime = readonly [name: string, make: (ps: bigint) => Core, fault: string];

const regimes: readonly Regime[] = [
  [
    "TCR_EL1.IPS",
    (ps) =>
      machine({
        sysregs: {
          SCTLR_EL1: SCTLR_ON,
          MAIR_EL1: MAIR,
          TCR_EL1: (ps << 32n) | 25n,
          TTBR0_EL1: 0x4000_0000n,
        },
      }),
    "EL1 ec 25 fsc 01",
  ],
  [
    "TCR_EL2.PS",
    (ps) =>
      machine({
        el: 2,
        sysregs: {
          SCTLR_EL2: 0x30c5_0831n,
          MAIR_EL2: MAIR,
          TCR_EL2: (1n << 31n) | (1n << 23n) | (ps << 16n) | 25n,
          TTBR0_EL2: 0x4000_0000n,
        },
      }),
    "EL2 ec 25 fsc 01",
  ],
  [
    "VTCR_EL2.PS",
    (ps) =>
      machine({
        sysregs: {
          HCR_EL2: (1n << 31n) | 1n,
          VTCR_EL2: (1n << 31n) | (ps << 16n) | (1n << 6n) | 25n,
          VTTBR_EL2: 0x4000_0000n,
        },
      }),
    "EL2 ec 24 fsc 01",
  ],
];

describe.each(regimes)("%s", (name, make, fault) => {
  test.each(sizes.map((bits, ps) => [ps, bits] as const))("%i is %i bits", (ps, bits) => {
    const core = make(BigInt(ps));
    const leaf = name.startsWith("VTCR") ? S2_READ | S2_WRITE | S2_NORMAL : NORMAL;
    const block = (output: bigint) => put(core, 0x4000_0008n, output | AF | leaf | VALID_BLOCK);
    const va = 0x4000_0000n;
    // The last 1 GiB in range: at most nothing is there.
    block((1n << BigInt(bits)) - 0x4000_0000n);
    expect(summary(load(core, va))).toBe(`EL${core.pstate.EL} ec 25 fsc 10`);
    if (bits === 48) return;
    block(1n << BigInt(bits));
    expect(summary(load(core, va))).toBe(fault);
  });
});

test("Cortex-A76 has 40 bits, whatever IPS asks for", () => {
  const core = machine({
    cpuModel: cortexA76,
    sysregs: {
      SCTLR_EL1: SCTLR_ON,
      MAIR_EL1: MAIR,
      TCR_EL1: (5n << 32n) | 25n,
      TTBR0_EL1: 0x4000_0000n,
    },
  });
  put(core, 0x4000_0008n, (1n << 40n) | AF | NORMAL | VALID_BLOCK);
  expect(summary(load(core, 0x4000_0000n))).toBe("EL1 ec 25 fsc 01");
});

describe("E0PD", () => {
  const [E0PD0, E0PD1] = [1n << 55n, 1n << 56n];
  const [low, high] = [0x4000_0000n, 0xffff_ff80_4000_0000n];

  /** Both ranges have 39 bits and the same tables; EL0 may read. */
  function reads(bits: bigint, va: bigint, el: 0 | 1): string {
    const core = machine({
      el,
      sysregs: {
        SCTLR_EL1: SCTLR_ON,
        MAIR_EL1: MAIR,
        TCR_EL1: (5n << 32n) | (0b10n << 30n) | (25n << 16n) | 25n | bits,
        TTBR0_EL1: 0x4000_0000n,
        TTBR1_EL1: 0x4000_0000n,
      },
    });
    put(core, 0x4000_0008n, 0x4000_0000n | AF | AP1 | NORMAL | VALID_BLOCK);
    const result = load(core, va);
    return typeof result === "bigint" ? "read" : summary(result);
  }

  test.each([
    [0n, low, 0, "read"],
    [0n, high, 0, "read"],
    [E0PD0, low, 0, "EL1 ec 24 fsc 04"],
    [E0PD0, high, 0, "read"],
    [E0PD1, low, 0, "read"],
    [E0PD1, high, 0, "EL1 ec 24 fsc 04"],
    [E0PD0 | E0PD1, low, 1, "read"],
    [E0PD0 | E0PD1, high, 1, "read"],
  ] as const)("TCR_EL1 bits %s, address %s, EL%i: %s", (bits, va, el, expected) => {
    expect(reads(bits, va, el)).toBe(expected);
  });
});
