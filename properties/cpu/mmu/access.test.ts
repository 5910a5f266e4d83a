// Accesses: alignment, page crossing, byte order, and who takes what.

import { describe, expect, test } from "vitest";
import { cortexA76, max } from "../../../cpu/cpu-model.ts";
import { readPhysical } from "../../../cpu/memory.ts";
import { probeWrite, readMem, writeMem } from "../../../cpu/mmu/access.ts";
import { fetchWord, isGuarded } from "../../../cpu/mmu/fetch.ts";
import type { Core } from "../../../cpu/state.ts";
import {
  AF,
  attrIndex,
  GP,
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

/**
 * EL1, flat: 4000_0000 Normal; 8000_0000 (to 4000_0000) Device; c000_0000 Non-cacheable; and VA
 * 1_0000_0000 on has single pages: 0 and 1 to physical 4500_3000 and 4500_1000, 2 nothing.
 */
function flat(cpuModel = max): Core {
  const core = machine({
    cpuModel,
    sysregs: {
      SCTLR_EL1: SCTLR_ON,
      MAIR_EL1: MAIR,
      TCR_EL1: (2n << 32n) | 25n,
      TTBR0_EL1: 0x4000_0000n,
    },
  });
  put(core, 0x4000_0008n, 0x4000_0000n | AF | NORMAL | VALID_BLOCK);
  put(core, 0x4000_0010n, 0x4000_0000n | AF | attrIndex(0) | VALID_BLOCK);
  put(core, 0x4000_0018n, 0x4000_0000n | AF | attrIndex(2) | VALID_BLOCK);
  put(core, 0x4000_0020n, 0x4000_1000n | VALID_TABLE);
  put(core, 0x4000_1000n, 0x4000_2000n | VALID_TABLE);
  put(core, 0x4000_2000n, 0x4500_3000n | AF | NORMAL | VALID_PAGE);
  put(core, 0x4000_2008n, 0x4500_1000n | AF | NORMAL | VALID_PAGE);
  return core;
}

const DEVICE = 0x4000_0000n; // from the Normal address to its Device alias
const NONCACHEABLE = 0x8000_0000n;
const at = 0x4500_0000n;
const ALIGNMENT = "EL1 ec 25 fsc 21";

describe("alignment", () => {
  test("Normal memory takes any address, Device memory only aligned ones", () => {
    const core = flat();
    put(core, at, 0x8877_6655_4433_2211n);
    expect(load(core, at + 1n, 4)).toBe(0x5544_3322n);
    expect(load(core, at + DEVICE, 8)).toBe(0x8877_6655_4433_2211n);
    expect(summary(load(core, at + DEVICE + 1n, 4))).toBe(ALIGNMENT);
    expect(load(core, at + DEVICE + 3n, 1)).toBe(0x44n);
  });

  test("a pair is aligned to its elements", () => {
    const core = flat();
    const pair = plain(16, { alignBytes: 8 });
    expect(readMem(core, at + DEVICE + 8n, 16, pair)).toBe(0n);
    expect(summary(readMem(core, at + DEVICE + 8n, 16, plain(16)))).toBe(ALIGNMENT);
    expect(summary(readMem(core, at + DEVICE + 4n, 16, pair))).toBe(ALIGNMENT);
  });

  test("SCTLR_EL1.A makes Normal memory as strict", () => {
    const core = flat();
    expect(load(core, at + 1n)).toBe(0n);
    set(core, { SCTLR_EL1: SCTLR_ON | 2n });
    expect(summary(load(core, at + 1n))).toBe(ALIGNMENT);
    expect(load(core, at)).toBe(0n);
  });

  test("an alignment fault comes before a translation fault, unless Device causes it", () => {
    const core = flat();
    const atomic = plain(8, { atomic: true });
    expect(summary(readMem(core, 0x1_0000_2ffcn, 8, atomic))).toBe(ALIGNMENT);
    expect(summary(load(core, 0x1_0000_2001n))).toBe("EL1 ec 25 fsc 07");
  });

  test("Device comes before permission", () => {
    const core = flat();
    put(core, 0x4000_0010n, 0x4000_0000n | AF | attrIndex(0) | (1n << 7n) | VALID_BLOCK);
    expect(summary(probeWrite(core, at + DEVICE + 1n, 8, plain(8)))).toBe(ALIGNMENT);
    expect(summary(probeWrite(core, at + DEVICE, 8, plain(8)))).toBe("EL1 ec 25 fsc 0d");
  });

  test.each([
    // cpu, kind, offset, size, nAA, faults
    ["cortex-a76", "atomic", 4n, 8, false, true],
    ["cortex-a76", "ordered", 4n, 8, false, true],
    ["max", "atomic", 4n, 8, false, false],
    ["max", "atomic", 12n, 8, false, true],
    ["max", "atomic", 12n, 8, true, true],
    ["max", "ordered", 4n, 8, false, false],
    ["max", "ordered", 9n, 8, false, true],
    ["max", "ordered", 9n, 8, true, false],
    ["max", "ordered", 14n, 4, false, true],
  ] as const)(
    "%s, %s at %s of %i bytes, nAA %s: faults %s",
    (name, kind, offset, size, nAA, faults) => {
      const core = flat(name === "max" ? max : cortexA76);
      if (nAA) set(core, { SCTLR_EL1: SCTLR_ON | (1n << 6n) });
      const result = readMem(core, at + offset, size, plain(size, { [kind]: true }));
      expect(summary(result)).toBe(faults ? ALIGNMENT : "value 0");
      // Having read the page before makes no difference.
      expect(load(core, at + offset, 1)).toBe(0n);
      expect(summary(readMem(core, at + offset, size, plain(size, { [kind]: true })))).toBe(
        faults ? ALIGNMENT : "value 0",
      );
    },
  );

  test("unaligned Non-cacheable memory is plain memory", () => {
    expect(load(flat(), at + NONCACHEABLE + 1n)).toBe(0n);
  });
});

describe("pages", () => {
  test("an access that crosses pages goes to two places", () => {
    const core = flat();
    put(core, 0x4500_3ff8n, 0x4433_2211_0000_0000n);
    put(core, 0x4500_1000n, 0x8877_6655n);
    expect(load(core, 0x1_0000_0ffcn)).toBe(0x8877_6655_4433_2211n);
    expect(writeMem(core, 0x1_0000_0ffen, 4, 0xddcc_bbaan, plain(4))).toBeUndefined();
    expect(readPhysical(core.memory, 0x4500_3ffen, 2)).toBe(0xbbaan);
    expect(readPhysical(core.memory, 0x4500_1000n, 2)).toBe(0xddccn);
  });

  test("a write whose second page faults writes nothing", () => {
    const core = flat();
    const fault = writeMem(core, 0x1_0000_1ffcn, 8, -1n, plain(8));
    expect(summary(fault)).toBe("EL1 ec 25 fsc 07");
    expect(fault?.far).toBe(0x1_0000_2000n);
    expect(readPhysical(core.memory, 0x4500_1ffcn, 4)).toBe(0n);
  });

  test("no memory is an external abort, to EL2 where HCR_EL2.TEA says so", () => {
    const core = machine();
    expect(summary(load(core, 0x1000n))).toBe("EL1 ec 25 fsc 10");
    expect(summary(writeMem(core, 0x1000n, 8, 1n, plain(8)))).toBe("EL1 ec 25 fsc 10");
    set(core, { HCR_EL2: (1n << 31n) | (1n << 37n) });
    expect(summary(load(core, 0x1000n))).toBe("EL2 ec 24 fsc 10");
  });
});

describe("byte order", () => {
  test("SCTLR_EL1.EE turns the bytes of each element around", () => {
    const core = flat();
    put(core, at, 0x8877_6655_4433_2211n);
    put(core, at + 8n, 0x1020_3040_5060_7080n);
    // Translation is off: the tables stay as they are.
    set(core, { SCTLR_EL1: 0x30d0_0800n | (1n << 25n) });
    expect(load(core, at)).toBe(0x1122_3344_5566_7788n);
    expect(load(core, at, 2)).toBe(0x1122n);
    expect(readMem(core, at, 16, plain(16, { alignBytes: 8 }))).toBe(
      (0x8070_6050_4030_2010n << 64n) | 0x1122_3344_5566_7788n,
    );
    // A pair of words that is one access, as LDXP has it, is still two elements.
    const words = plain(8, { atomic: true, elementBytes: 4 });
    expect(readMem(core, at, 8, words)).toBe((0x5566_7788n << 32n) | 0x1122_3344n);
    writeMem(core, at, 4, 0x0102_0304n, plain(4));
    expect(readPhysical(core.memory, at, 4)).toBe(0x0403_0201n);
  });

  test("EL0 has E0E; instructions have neither", () => {
    const core = flat();
    put(core, at, 0x8877_6655_4433_2211n);
    core.pstate.EL = 0;
    set(core, { SCTLR_EL1: 0x30d0_0800n | (1n << 24n) });
    expect(load(core, at, 4)).toBe(0x1122_3344n);
    expect(fetchWord(core, at)).toBe(0x4433_2211);
  });
});

describe("fetching", () => {
  test("a misaligned PC comes before everything else", () => {
    const core = flat();
    expect(fetchWord(core, 0x1_0000_2002n)).toMatchObject({
      target: 1,
      ec: 0x22,
      iss: 0,
      far: 0x1_0000_2002n,
    });
  });

  test("no memory is an external abort", () => {
    expect(fetchWord(machine(), 0x1000n)).toMatchObject({ ec: 0x21, iss: 0b010000, far: 0x1000n });
  });

  test("GP guards a page, on processors with BTI", () => {
    for (const cpuModel of [max, cortexA76]) {
      const core = flat(cpuModel);
      put(core, 0x4000_2000n, 0x4500_3000n | AF | NORMAL | GP | VALID_PAGE);
      expect(fetchWord(core, 0x1_0000_0000n)).toBe(0);
      expect(isGuarded(core, 0x1_0000_0000n)).toBe(cpuModel === max);
      expect(isGuarded(core, 0x1_0000_1000n)).toBe(false);
    }
  });
});
