// Stage 1 walks through tables built by hand; indices and addresses are worked out on paper.

import { describe, expect, test } from "vitest";
import { cortexA76 } from "../../../cpu/cpu-model.ts";
import { readPhysical } from "../../../cpu/memory.ts";
import { writeMem } from "../../../cpu/mmu/access.ts";
import type { Core } from "../../../cpu/state.ts";
import {
  AF,
  AP1,
  AP2,
  CONTIGUOUS,
  DBM,
  load,
  MAIR,
  machine,
  NORMAL,
  plain,
  put,
  SCTLR_ON,
  set,
  summary,
  VALID_BLOCK,
  VALID_PAGE,
  VALID_TABLE,
} from "./machine.ts";

const IPS_48 = 5n << 32n;

/** EL1 with 4 KiB granule and 39 bits (T0SZ 25): the walk starts at level 1 at 4000_0000. */
function small(): Core {
  return machine({
    sysregs: {
      SCTLR_EL1: SCTLR_ON,
      MAIR_EL1: MAIR,
      TCR_EL1: IPS_48 | 25n | (25n << 16n) | (0b10n << 30n),
      TTBR0_EL1: 0x4000_0000n,
      TTBR1_EL1: 0x4001_0000n,
    },
  });
}

/** VA 12_3456_7890: indices 48, 1a2, 167 (hex) at levels 1, 2, 3; offset 890. */
const va = 0x12_3456_7890n;
const entry1 = 0x4000_0000n + 0x48n * 8n;
const entry2 = 0x4000_1000n + 0x1a2n * 8n;
const entry3 = 0x4000_2000n + 0x167n * 8n;

function mapPage(core: Core): void {
  put(core, entry1, 0x4000_1000n | VALID_TABLE);
  put(core, entry2, 0x4000_2000n | VALID_TABLE);
  put(core, entry3, 0x4500_5000n | AF | NORMAL | VALID_PAGE);
  put(core, 0x4500_5890n, 0x1122_3344_5566_7788n);
}

describe("4 KiB granule, 39 bits", () => {
  test("a page is found through three levels", () => {
    const core = small();
    mapPage(core);
    expect(load(core, va)).toBe(0x1122_3344_5566_7788n);
  });

  test("a block of 2 MiB keeps 21 bits of the address", () => {
    const core = small();
    mapPage(core);
    // VA bits 20:0 of 12_3456_7890 are 16_7890.
    put(core, entry2, 0x4520_0000n | AF | NORMAL | VALID_BLOCK);
    put(core, 0x4536_7890n, 0xabcdn);
    expect(load(core, va)).toBe(0xabcdn);
  });

  test("a block of 1 GiB keeps 30 bits of the address", () => {
    const core = small();
    // VA 12_0300_0010 is index 48 at level 1 and offset 300_0010.
    put(core, entry1, 0x4000_0000n | AF | NORMAL | VALID_BLOCK);
    put(core, 0x4300_0010n, 0x77n);
    expect(load(core, 0x12_0300_0010n)).toBe(0x77n);
  });

  test.each([
    [1, entry1, 0n, "EL1 ec 25 fsc 05"],
    [2, entry2, 0n, "EL1 ec 25 fsc 06"],
    [3, entry3, 0n, "EL1 ec 25 fsc 07"],
    // Bits 1:0 of 01 are reserved at level 3, 10 is invalid everywhere.
    [3, entry3, 0x4500_5000n | AF | NORMAL | VALID_BLOCK, "EL1 ec 25 fsc 07"],
    [2, entry2, 0b10n, "EL1 ec 25 fsc 06"],
    [3, entry3, 0x4500_5000n | NORMAL | VALID_PAGE, "EL1 ec 25 fsc 0b"],
    [2, entry2, 0x4520_0000n | NORMAL | VALID_BLOCK, "EL1 ec 25 fsc 0a"],
    [1, entry1, 0x4000_0000n | NORMAL | VALID_BLOCK, "EL1 ec 25 fsc 09"],
  ])("level %i at %s holding %s faults there", (_level, at, descriptor, expected) => {
    const core = small();
    mapPage(core);
    put(core, at, descriptor);
    expect(summary(load(core, va))).toBe(expected);
  });

  test("an output address beyond IPS is an Address size fault at its level", () => {
    const core = small();
    mapPage(core);
    set(core, { TCR_EL1: 25n | (25n << 16n) | (0b10n << 30n) }); // IPS 0: 32 bits
    put(core, entry3, (1n << 32n) | AF | NORMAL | VALID_PAGE);
    expect(summary(load(core, va))).toBe("EL1 ec 25 fsc 03");
    put(core, entry2, (1n << 40n) | 0x4000_2000n | VALID_TABLE);
    expect(summary(load(core, va))).toBe("EL1 ec 25 fsc 02");
  });

  test("a base address beyond IPS is an Address size fault at level 0", () => {
    const core = small();
    set(core, { TCR_EL1: 25n, TTBR0_EL1: (1n << 33n) | 0x4000_0000n });
    expect(summary(load(core, va))).toBe("EL1 ec 25 fsc 00");
  });

  test("no memory behind a table is an external abort on the walk", () => {
    const core = small();
    mapPage(core);
    put(core, entry1, 0x2000_0000n | VALID_TABLE);
    expect(summary(load(core, va))).toBe("EL1 ec 25 fsc 16");
  });

  test("no memory behind a page is an external abort", () => {
    const core = small();
    mapPage(core);
    put(core, entry3, 0x2000_0000n | AF | NORMAL | VALID_PAGE);
    expect(summary(load(core, va))).toBe("EL1 ec 25 fsc 10");
  });

  test("the contiguous bit changes nothing", () => {
    const core = small();
    mapPage(core);
    put(core, entry3, 0x4500_5000n | AF | NORMAL | CONTIGUOUS | VALID_PAGE);
    expect(load(core, va)).toBe(0x1122_3344_5566_7788n);
  });
});

describe("ranges", () => {
  test("bit 55 selects the table", () => {
    const core = small();
    mapPage(core);
    // ffff_ff92_3456_7890 has the same low 38 bits; index at level 1 is bits 38:30, 048.
    put(core, 0x4001_0000n + 0x48n * 8n, 0x4000_1000n | VALID_TABLE);
    expect(load(core, 0xffff_ff92_3456_7890n)).toBe(0x1122_3344_5566_7788n);
  });

  test("an address between the ranges is a level 0 Translation fault", () => {
    const core = small();
    mapPage(core);
    for (const outside of [0x80_0000_0000n, 0xffff_ff7f_ffff_fff8n, 0x0100_0012_3456_7890n]) {
      expect(summary(load(core, outside))).toBe("EL1 ec 25 fsc 04");
    }
  });

  test("TBI0 ignores the top byte", () => {
    const core = small();
    mapPage(core);
    set(core, { TCR_EL1: core.sysreg.TCR_EL1 | (1n << 37n) });
    expect(load(core, 0xab00_0012_3456_7890n)).toBe(0x1122_3344_5566_7788n);
    expect(summary(load(core, 0xab01_0012_3456_7890n))).toBe("EL1 ec 25 fsc 04");
  });

  test("EPD0 stops the walk, EPD1 does not", () => {
    const core = small();
    mapPage(core);
    set(core, { TCR_EL1: core.sysreg.TCR_EL1 | (1n << 23n) });
    expect(load(core, va)).toBe(0x1122_3344_5566_7788n);
    set(core, { TCR_EL1: core.sysreg.TCR_EL1 | (1n << 7n) });
    expect(summary(load(core, va))).toBe("EL1 ec 25 fsc 04");
  });

  test("E0PD0 keeps EL0 away, and not EL1", () => {
    const core = small();
    mapPage(core);
    put(core, entry3, 0x4500_5000n | AF | AP1 | NORMAL | VALID_PAGE);
    set(core, { TCR_EL1: core.sysreg.TCR_EL1 | (1n << 55n) });
    expect(load(core, va)).toBe(0x1122_3344_5566_7788n);
    core.pstate.EL = 0;
    expect(summary(load(core, va))).toBe("EL1 ec 24 fsc 04");
  });

  test.each([
    ["max", 49n, 15n],
    ["cortex-a76", 40n, 15n],
  ])("%s: T0SZ %i and %i are out of range", (name, large, little) => {
    const core = machine({
      ...(name === "cortex-a76" ? { cpuModel: cortexA76 } : {}),
      sysregs: { SCTLR_EL1: SCTLR_ON, TTBR0_EL1: 0x4000_0000n },
    });
    for (const t0sz of [large, little]) {
      set(core, { TCR_EL1: IPS_48 | t0sz });
      expect(summary(load(core, 0x10n))).toBe("EL1 ec 25 fsc 04");
    }
  });
});

describe("other granules", () => {
  test("16 KiB, 48 bits: level 0 has two entries", () => {
    const core = machine({
      sysregs: {
        SCTLR_EL1: SCTLR_ON,
        MAIR_EL1: MAIR,
        TCR_EL1: IPS_48 | 16n | (0b10n << 14n),
        TTBR0_EL1: 0x4000_0000n,
      },
    });
    // 8765_4321_0abc: bit 47 is 1; bits 46:36 076; 35:25 2a1; 24:14 484; offset 0abc.
    put(core, 0x4000_0008n, 0x4000_4000n | VALID_TABLE);
    put(core, 0x4000_4000n + 0x076n * 8n, 0x4000_8000n | VALID_TABLE);
    put(core, 0x4000_8000n + 0x2a1n * 8n, 0x4000_c000n | VALID_TABLE);
    put(core, 0x4000_c000n + 0x484n * 8n, 0x4500_4000n | AF | NORMAL | VALID_PAGE);
    put(core, 0x4500_4ab8n, 0xfeedn);
    expect(load(core, 0x8765_4321_0ab8n)).toBe(0xfeedn);
    // A block at level 2 is 32 MiB: 25 bits of the address, 121_0ab8.
    put(core, 0x4000_8000n + 0x2a1n * 8n, 0x4400_0000n | AF | NORMAL | VALID_BLOCK);
    put(core, 0x4521_0ab8n, 0xbeefn);
    expect(load(core, 0x8765_4321_0ab8n)).toBe(0xbeefn);
    // There are no blocks at level 1.
    put(core, 0x4000_4000n + 0x076n * 8n, AF | NORMAL | VALID_BLOCK);
    expect(summary(load(core, 0x8765_4321_0ab8n))).toBe("EL1 ec 25 fsc 05");
  });

  test("64 KiB, 42 bits: the walk starts at level 2", () => {
    const core = machine({
      sysregs: {
        SCTLR_EL1: SCTLR_ON,
        MAIR_EL1: MAIR,
        TCR_EL1: IPS_48 | 22n | (0b01n << 14n),
        TTBR0_EL1: 0x4000_0000n,
      },
    });
    // 212_3456_7898: bits 41:29 are 1091, 28:16 are 1456, offset 7898.
    put(core, 0x4000_0000n + 0x1091n * 8n, 0x4002_0000n | VALID_TABLE);
    put(core, 0x4002_0000n + 0x1456n * 8n, 0x4501_0000n | AF | NORMAL | VALID_PAGE);
    put(core, 0x4501_7898n, 0xcafen);
    expect(load(core, 0x212_3456_7898n)).toBe(0xcafen);
  });

  test("EL2 has one range, and TTBR0_EL2 and TCR_EL2 of its own", () => {
    const core = machine({
      el: 2,
      sysregs: {
        SCTLR_EL2: 0x30c5_0831n,
        MAIR_EL2: MAIR,
        TCR_EL2: (1n << 23n) | (1n << 31n) | (5n << 16n) | 25n,
        TTBR0_EL2: 0x4000_0000n,
      },
    });
    mapPage(core);
    expect(load(core, va)).toBe(0x1122_3344_5566_7788n);
    expect(summary(load(core, 0xffff_ff92_3456_7890n))).toBe("EL2 ec 25 fsc 04");
    set(core, { TCR_EL2: core.sysreg.TCR_EL2 | (1n << 20n) });
    expect(load(core, 0xff00_0012_3456_7890n)).toBe(0x1122_3344_5566_7788n);
  });
});

describe("translation off", () => {
  test("an address is its own translation, up to the physical address size", () => {
    const core = machine();
    put(core, 0x4500_0000n, 5n);
    expect(load(core, 0x4500_0000n)).toBe(5n);
    // 48 bits on max.
    expect(summary(load(core, 1n << 48n))).toBe("EL1 ec 25 fsc 00");
    expect(summary(load(machine({ cpuModel: cortexA76 }), 1n << 40n))).toBe("EL1 ec 25 fsc 00");
  });

  test("data are Device, so that an unaligned access faults, unless HCR_EL2.DC is set", () => {
    const core = machine();
    expect(summary(load(core, 0x4500_0001n))).toBe("EL1 ec 25 fsc 21");
    set(core, { HCR_EL2: (1n << 31n) | (1n << 12n), VTCR_EL2: (5n << 16n) | (1n << 6n) | 25n });
    // DC turns stage 2 on as well; an identity block of 1 GiB is at index 1.
    set(core, { VTTBR_EL2: 0x4000_0000n });
    put(core, 0x4000_0008n, 0x4000_0000n | AF | (0b11n << 6n) | (0b1111n << 2n) | VALID_BLOCK);
    expect(load(core, 0x4500_0001n)).toBe(0n);
  });
});

describe("hardware updates", () => {
  test("HA sets the access flag instead of faulting", () => {
    const core = small();
    mapPage(core);
    set(core, { TCR_EL1: core.sysreg.TCR_EL1 | (1n << 39n) });
    put(core, entry3, 0x4500_5000n | NORMAL | VALID_PAGE);
    expect(load(core, va)).toBe(0x1122_3344_5566_7788n);
    expect(readPhysical(core.memory, entry3, 8)).toBe(0x4500_5000n | AF | NORMAL | VALID_PAGE);
  });

  test("HD makes a clean page dirty on the first write, not on a read", () => {
    const core = small();
    mapPage(core);
    set(core, { TCR_EL1: core.sysreg.TCR_EL1 | (3n << 39n) });
    const clean = 0x4500_5000n | AF | AP2 | DBM | NORMAL | VALID_PAGE;
    put(core, entry3, clean);
    expect(load(core, va)).toBe(0x1122_3344_5566_7788n);
    expect(readPhysical(core.memory, entry3, 8)).toBe(clean);
    expect(writeMem(core, va, 8, 9n, plain(8))).toBeUndefined();
    expect(readPhysical(core.memory, entry3, 8)).toBe(clean & ~AP2);
  });

  test("without HD a read-only page with DBM stays read-only", () => {
    const core = small();
    mapPage(core);
    put(core, entry3, 0x4500_5000n | AF | AP2 | DBM | NORMAL | VALID_PAGE);
    // Permission fault at level 3, WnR.
    const fault = writeMem(core, va, 8, 9n, plain(8));
    expect(fault?.iss).toBe((1 << 6) | 0b001111);
  });
});

test("SCTLR_EL1.EE makes tables big-endian", () => {
  const core = small();
  const swapped = (value: bigint): bigint => {
    const view = new DataView(new ArrayBuffer(8));
    view.setBigUint64(0, value, true);
    return view.getBigUint64(0, false);
  };
  put(core, entry1, swapped(0x4000_1000n | VALID_TABLE));
  put(core, entry2, swapped(0x4520_0000n | AF | NORMAL | VALID_BLOCK));
  put(core, 0x4536_7890n, 0x0102_0304_0506_0708n);
  set(core, { SCTLR_EL1: SCTLR_ON | (1n << 25n) });
  expect(load(core, va)).toBe(0x0807_0605_0403_0201n);
});
