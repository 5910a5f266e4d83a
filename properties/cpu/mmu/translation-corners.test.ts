// Corners of translation: big-endian tables that hardware updates, stage 2 by HCR_EL2.DC, and
// literals in tagged memory. Descriptors and registers are worked out on paper.

import { describe, expect, test } from "vitest";
import { noGates, run } from "../../../cpu/core.ts";
import { readPhysical, writePhysical, writeTag } from "../../../cpu/memory.ts";
import { writeMem } from "../../../cpu/mmu/access.ts";
import { maintainCache } from "../../../cpu/mmu/cache-maintenance.ts";
import { descriptorField } from "../../../cpu/mmu/descriptor.ts";
import {
  AF,
  AP_TABLE_READ_ONLY,
  AP2,
  attrIndex,
  DBM,
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
  set,
  summary,
  VALID_BLOCK,
  VALID_TABLE,
} from "./machine.ts";

const EE = 1n << 25n;
const HA = 1n << 39n;
const HD = 1n << 40n;
const IPS_48 = 5n << 32n;

function swapped(value: bigint): bigint {
  const view = new DataView(new ArrayBuffer(8));
  view.setBigUint64(0, value, true);
  return view.getBigUint64(0, false);
}

describe("big-endian tables", () => {
  // VA 8000_0000 is index 2 of a table of 1 GiB blocks at 4000_0000.
  const entry = 0x4000_0010n;
  const block = 0x4000_0000n | NORMAL | VALID_BLOCK | (1n << 54n);
  const core = () =>
    machine({
      sysregs: {
        SCTLR_EL1: SCTLR_ON | EE,
        MAIR_EL1: MAIR,
        TCR_EL1: IPS_48 | HA | HD | 25n,
        TTBR0_EL1: 0x4000_0000n,
      },
    });

  test("hardware sets the access flag, and changes nothing else", () => {
    const at = core();
    put(at, entry, swapped(block));
    put(at, 0x4000_1000n, 0x0102_0304_0506_0708n);
    expect(load(at, 0x8000_1000n)).toBe(0x0807_0605_0403_0201n);
    expect(readPhysical(at.memory, entry, 8)).toBe(swapped(block | AF));
  });

  test("and makes a clean block dirty", () => {
    const at = core();
    put(at, entry, swapped(block | AF | AP2 | DBM));
    expect(writeMem(at, 0x8000_1000n, 8, 7n, plain(8))).toBeUndefined();
    expect(readPhysical(at.memory, entry, 8)).toBe(swapped(block | AF | DBM));
    expect(readPhysical(at.memory, 0x4000_1000n, 8)).toBe(swapped(7n));
  });
});

describe("HCR_EL2.DC turns stage 2 on with it", () => {
  const [DC, TGE, E2H, RW] = [1n << 12n, 1n << 27n, 1n << 34n, 1n << 31n];
  // Stage 2: IPA of 39 bits, level 1 at 4000_0000; only IPA 8000_0000 and up is mapped.
  const mapped = (hcr: bigint) => {
    const core = machine({
      sysregs: {
        HCR_EL2: RW | hcr,
        VTCR_EL2: (1n << 31n) | (5n << 16n) | (1n << 6n) | 25n,
        VTTBR_EL2: 0x4000_0000n,
      },
    });
    const attributes = AF | S2_READ | S2_WRITE | S2_NORMAL | VALID_BLOCK;
    put(core, 0x4000_0010n, 0x4000_0000n | attributes);
    put(core, 0x4300_0000n, 0x77n);
    return core;
  };
  const ipa = 0x8300_0000n;

  test.each([
    ["DC", DC, "value 77"],
    ["DC and E2H", DC | E2H, "value 77"],
    // Under TGE it counts as 0: what has no memory behind it is an external abort.
    ["DC and TGE", DC | TGE, "EL1 ec 25 fsc 10"],
    ["E2H alone", E2H, "EL1 ec 25 fsc 10"],
  ])("%s", (_name, hcr, expected) => {
    expect(summary(load(mapped(hcr), ipa))).toBe(expected);
  });
});

describe("literals", () => {
  test.each([
    ["LDR Wt", 0x1800_0080n, 0xd566_7788n],
    ["LDR Xt", 0x5800_0080n, 0x1122_3344_d566_7788n],
    // Bit 31 is set, so the upper half is ones.
    ["LDRSW", 0x9800_0080n, 0xffff_ffff_d566_7788n],
  ])("%s is loaded whatever the tag is; other loads are checked", (_name, word, expected) => {
    const core = machine({
      sysregs: {
        // ATA, and TCF synchronous.
        SCTLR_EL1: SCTLR_ON | (1n << 43n) | (1n << 40n),
        MAIR_EL1: MAIR,
        TCR_EL1: IPS_48 | (1n << 37n) | 25n,
        TTBR0_EL1: 0x4000_0000n,
        HCR_EL2: (1n << 31n) | (1n << 56n),
        VBAR_EL1: 0x4600_0000n,
      },
    });
    // 4000_0000 to 7fff_ffff is itself, Tagged, for EL1 to read, write and execute.
    put(core, 0x4000_0008n, 0x4000_0000n | AF | attrIndex(3) | VALID_BLOCK);
    const at = 0x4500_0000n;
    put(core, at + 16n, 0x1122_3344_d566_7788n);
    writeTag(core.memory, at + 16n, 5);
    // The literal is at .+16; then ldr x1, [x2].
    writePhysical(core.memory, at, 4, word);
    writePhysical(core.memory, at + 4n, 4, 0xf940_0041n);
    core.x[2] = at + 16n;
    core.pc = at;
    run(core, { budget: 1, gates: noGates });
    expect([core.pc, core.x[0]]).toEqual([at + 4n, expected]);
    run(core, { budget: 1, gates: noGates });
    expect([core.pc, core.sysreg.ESR_EL1 & 0x3fn]).toEqual([0x4600_0200n, 0x11n]);
    set(core, { SCTLR_EL1: core.sysreg.SCTLR_EL1 & ~(3n << 40n) });
    core.pc = at + 4n;
    run(core, { budget: 1, gates: noGates });
    expect(core.x[1]).toBe(0x1122_3344_d566_7788n);
  });
});

describe("fields of descriptors", () => {
  const descriptor = { low: 0x8765_4321, high: 0xfedc_ba98 };

  test.each([
    [31, 28, 0x8],
    [34, 32, 0b000],
    [35, 32, 0x8],
    [36, 33, 0b1100],
    [63, 60, 0xf],
    [3, 0, 0x1],
  ])("bits %i to %i", (high, low, expected) => {
    expect(descriptorField(descriptor, high, low)).toBe(expected);
  });
});

describe("translation off", () => {
  test("TBI ignores bits 63 to 56; bit 55 still has to be zero", () => {
    const at = 0x4500_0000n;
    const core = machine({ sysregs: { TCR_EL1: (1n << 37n) | (1n << 38n) } });
    put(core, at, 0x77n);
    expect(load(core, (0xffn << 56n) | at)).toBe(0x77n);
    expect(summary(load(core, (0xffn << 56n) | (1n << 55n) | at))).toBe("EL1 ec 25 fsc 00");
    expect(summary(load(core, (1n << 54n) | at))).toBe("EL1 ec 25 fsc 00");
    set(core, { TCR_EL1: 0n });
    expect(summary(load(core, (1n << 56n) | at))).toBe("EL1 ec 25 fsc 00");
  });
});

describe("EL2 alone", () => {
  /** 4000_0000 and up through a table of level 2 whose descriptor says APTable read-only. */
  const readOnlyTable = (hpd: bigint) => {
    const core = machine({
      el: 2,
      sysregs: {
        SCTLR_EL2: 0x30c5_0831n,
        MAIR_EL2: MAIR,
        TCR_EL2: (1n << 31n) | (1n << 23n) | (5n << 16n) | hpd | 25n,
        TTBR0_EL2: 0x4000_0000n,
      },
    });
    put(core, 0x4000_0008n, 0x4000_1000n | AP_TABLE_READ_ONLY | VALID_TABLE);
    put(core, 0x4000_1000n, 0x4000_0000n | AF | NORMAL | VALID_BLOCK);
    return core;
  };

  test("APTable takes writing away, unless TCR_EL2.HPD says not", () => {
    const write = (core: ReturnType<typeof machine>) =>
      summary(writeMem(core, 0x4001_0000n, 8, 1n, plain(8)));
    expect(write(readOnlyTable(0n))).toBe("EL2 ec 25 fsc 0e");
    expect(write(readOnlyTable(1n << 24n))).toBe("value undefined");
  });
});

describe("TCR_EL2.PS", () => {
  test("is bits 18 to 16 alone: TBI, HA and HD beside it do not make outputs larger", () => {
    for (const beside of [0n, 1n << 20n, 1n << 21n, 3n << 21n]) {
      const core = machine({
        el: 2,
        sysregs: {
          SCTLR_EL2: 0x30c5_0831n,
          MAIR_EL2: MAIR,
          TCR_EL2: (1n << 31n) | (1n << 23n) | beside | 25n,
          TTBR0_EL2: 0x4000_0000n,
        },
      });
      put(core, 0x4000_0008n, (1n << 32n) | AF | NORMAL | VALID_BLOCK);
      expect(summary(load(core, 0x4000_0000n))).toBe("EL2 ec 25 fsc 01");
    }
  });
});

describe("cache maintenance by address and stage 2", () => {
  test("above EL0 it needs no permission, at EL0 it has to be able to read", () => {
    for (const [el, bits, expected] of [
      [1, 0n, "value undefined"],
      [0, 0n, "EL2 ec 24 fsc 0d"],
      [0, S2_READ, "value undefined"],
    ] as const) {
      const core = machine({
        el,
        sysregs: {
          HCR_EL2: (1n << 31n) | 1n,
          VTCR_EL2: (1n << 31n) | (5n << 16n) | (1n << 6n) | 25n,
          VTTBR_EL2: 0x4000_0000n,
        },
      });
      put(core, 0x4000_0008n, 0x4000_0000n | AF | bits | S2_NORMAL | VALID_BLOCK);
      expect([el, summary(maintainCache(core, 0x4500_0000n, false))]).toEqual([el, expected]);
    }
  });
});
