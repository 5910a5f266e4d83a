// Stage 2: walks, permissions, faults on the walk of stage 1, and what EL2 is told.

import { describe, expect, test } from "vitest";
import { cortexA76 } from "../../../cpu/cpu-model.ts";
import { readPhysical } from "../../../cpu/memory.ts";
import { probeWrite, readMem, writeMem } from "../../../cpu/mmu/access.ts";
import { fetchWord } from "../../../cpu/mmu/fetch.ts";
import type { Core, El } from "../../../cpu/state.ts";
import {
  AF,
  DBM,
  load,
  MAIR,
  machine,
  NORMAL,
  plain,
  put,
  S2_DEVICE,
  S2_NORMAL,
  S2_READ,
  S2_WRITE,
  SCTLR_ON,
  set,
  summary,
  VALID_BLOCK,
  VALID_PAGE,
  VALID_TABLE,
} from "./machine.ts";

const HCR_RW = 1n << 31n;
const HCR_VM = 1n;
const RW = S2_READ | S2_WRITE;
const FLAT_1G = 0x4000_0000n | AF | S2_NORMAL | RW | VALID_BLOCK;

/**
 * Stage 2 with 4 KiB granule, 39 bits of IPA, SL0 1 (level 1), PS 48 bits, tables at 4600_0000.
 * IPA 4000_0000 to 7fff_ffff is flat; IPA 8000_0000 is index 2 at level 1, through tables:
 * 4600_1000 at level 2, 4600_2000 at level 3. Stage 1 is off.
 */
function guest(el: El = 1): Core {
  const core = machine({
    el,
    sysregs: {
      HCR_EL2: HCR_RW | HCR_VM,
      VTCR_EL2: (1n << 31n) | (5n << 16n) | (1n << 6n) | 25n,
      VTTBR_EL2: 0x4600_0000n,
    },
  });
  put(core, 0x4600_0008n, FLAT_1G);
  put(core, 0x4600_0010n, 0x4600_1000n | VALID_TABLE);
  put(core, 0x4600_1000n, 0x4600_2000n | VALID_TABLE);
  return core;
}

/** The page at IPA 8000_3000: entry 3 of the table of level 3. */
function page(core: Core, descriptor: bigint): void {
  put(core, 0x4600_2018n, descriptor);
}

const MAPPED = 0x4500_0000n | AF | S2_NORMAL | RW | VALID_PAGE;
const ipa = 0x8000_3008n;

describe("walks", () => {
  test("a page is found", () => {
    const core = guest();
    page(core, MAPPED);
    put(core, 0x4500_0008n, 0x55n);
    expect(load(core, ipa)).toBe(0x55n);
  });

  test.each([
    ["nothing at level 3", 0x4600_2018n, 0n, "07"],
    ["nothing at level 2", 0x4600_1000n, 0n, "06"],
    ["nothing at level 1", 0x4600_0010n, 0n, "05"],
    ["access flag clear", 0x4600_2018n, MAPPED & ~AF, "0b"],
  ])("%s is taken by EL2, which is told the IPA", (_name, at, descriptor, fsc) => {
    const core = guest();
    page(core, MAPPED);
    put(core, at, descriptor);
    const fault = load(core, ipa);
    expect(summary(fault)).toBe(`EL2 ec 24 fsc ${fsc}`);
    expect(fault).toMatchObject({ far: ipa, hpfar: 0x80003n << 4n });
  });

  test("PS limits the output", () => {
    const core = guest();
    set(core, { VTCR_EL2: (1n << 31n) | (1n << 6n) | 25n }); // PS 0: 32 bits
    page(core, MAPPED | (1n << 32n));
    expect(summary(load(core, ipa))).toBe("EL2 ec 24 fsc 03");
    set(core, { VTTBR_EL2: (1n << 32n) | 0x4600_0000n });
    expect(summary(load(core, ipa))).toBe("EL2 ec 24 fsc 00");
  });

  test("an IPA beyond T0SZ is a level 0 Translation fault", () => {
    const fault = load(guest(), 1n << 39n);
    expect(summary(fault)).toBe("EL2 ec 24 fsc 04");
    // FIPA starts at HPFAR_EL2 bit 4 with bit 12 of the IPA.
    expect(fault).toMatchObject({ hpfar: 1n << 31n });
  });

  test("concatenated tables: 40 bits from level 1 are two tables in a row", () => {
    const core = guest();
    set(core, {
      VTCR_EL2: (1n << 31n) | (5n << 16n) | (1n << 6n) | 24n,
      // BADDR is aligned to 8 KiB: bit 12 does not count.
      VTTBR_EL2: 0x4600_5000n,
    });
    // IPA ff_4000_0000 is index 3fd at level 1: 4600_4000 + 3fd * 8 is in the second table.
    put(core, 0x4600_4000n + 0x3fdn * 8n, FLAT_1G);
    put(core, 0x4500_0000n, 0x99n);
    expect(load(core, 0xff_4500_0000n)).toBe(0x99n);
  });

  test.each([
    ["SL0 2, level 0, on 40 bits", cortexA76, (2n << 6n) | 24n],
    ["SL0 3 without FEAT_TTST", cortexA76, (3n << 6n) | 24n],
    ["a first table of one entry", cortexA76, (1n << 6n) | 34n],
    ["more than sixteen tables", cortexA76, 24n],
    ["more bits than PARange", cortexA76, (1n << 6n) | 23n],
  ])("%s faults at level 0", (_name, cpuModel, vtcr) => {
    const core = machine({
      cpuModel,
      sysregs: {
        HCR_EL2: HCR_RW | HCR_VM,
        VTCR_EL2: (1n << 31n) | (2n << 16n) | vtcr,
        VTTBR_EL2: 0x4600_0000n,
      },
    });
    put(core, 0x4600_0008n, FLAT_1G);
    expect(summary(load(core, 0x4000_0000n))).toBe("EL2 ec 24 fsc 04");
  });

  test("SL0 2 starts at level 0 where there are more than 42 bits", () => {
    const core = guest();
    set(core, { VTCR_EL2: (1n << 31n) | (5n << 16n) | (2n << 6n) | 20n });
    put(core, 0x4600_0000n, 0x4600_8000n | VALID_TABLE);
    put(core, 0x4600_8008n, FLAT_1G);
    put(core, 0x4500_0000n, 0x31n);
    expect(load(core, 0x4500_0000n)).toBe(0x31n);
  });

  test("EL2 itself is not translated by stage 2", () => {
    const core = guest(2);
    put(core, 0x4500_0000n, 1n);
    expect(load(core, 0x4500_0000n)).toBe(1n);
    expect(summary(load(core, ipa))).toBe("EL2 ec 25 fsc 10");
  });

  test("neither is EL0 of a host", () => {
    const core = guest(0);
    set(core, { HCR_EL2: HCR_RW | HCR_VM | (1n << 34n) | (1n << 27n) });
    expect(summary(load(core, ipa))).toBe("EL2 ec 24 fsc 10");
  });
});

describe("permissions", () => {
  test.each([
    [0n, "--"],
    [S2_READ, "r-"],
    [S2_WRITE, "-w"],
    [RW, "rw"],
  ])("S2AP %s gives %s", (s2ap, expected) => {
    const core = guest();
    page(core, (MAPPED & ~RW) | s2ap);
    const reads = typeof load(core, ipa) === "bigint" ? "r" : "-";
    const writes = probeWrite(core, ipa, 8, plain(8)) === undefined ? "w" : "-";
    expect(reads + writes).toBe(expected);
  });

  // XN[1:0] at bits 54:53: EL1, EL0.
  test.each([
    [0n, "x", "x"],
    [1n, "-", "x"],
    [2n, "-", "-"],
    [3n, "x", "-"],
  ])("XN %s: EL1 %s, EL0 %s", (xn, el1, el0) => {
    for (const [el, expected] of [
      [1, el1],
      [0, el0],
    ] as const) {
      const core = guest(el);
      page(core, MAPPED | (xn << 53n));
      const word = fetchWord(core, 0x8000_3000n);
      expect(typeof word === "number" ? "x" : "-").toBe(expected);
      if (typeof word !== "number") {
        expect(word).toMatchObject({ target: 2, ec: 0x20, iss: 0b001111, far: 0x8000_3000n });
      }
    }
  });

  test("without FEAT_XNX only bit 54 counts", () => {
    const cpuModel = { ...cortexA76, features: { ...cortexA76.features, XNX: false } };
    const core = machine({
      cpuModel,
      sysregs: {
        HCR_EL2: HCR_RW | HCR_VM,
        VTCR_EL2: (1n << 31n) | (2n << 16n) | (1n << 6n) | 25n,
        VTTBR_EL2: 0x4600_0000n,
      },
    });
    put(core, 0x4600_0008n, FLAT_1G | (1n << 53n));
    expect(fetchWord(core, 0x4000_0000n)).toBe(0);
  });

  test("stage 1 is asked first", () => {
    const core = guest();
    page(core, 0n);
    set(core, {
      SCTLR_EL1: SCTLR_ON,
      MAIR_EL1: MAIR,
      TCR_EL1: (5n << 32n) | 25n,
      TTBR0_EL1: 0x4000_0000n,
    });
    // VA 8000_0000 and on: a read-only block of 1 GiB to IPA 8000_0000.
    put(core, 0x4000_0010n, 0x8000_0000n | AF | (1n << 7n) | NORMAL | VALID_BLOCK);
    expect(summary(probeWrite(core, ipa, 8, plain(8)))).toBe("EL1 ec 25 fsc 0d");
    expect(summary(load(core, ipa))).toBe("EL2 ec 24 fsc 07");
  });
});

describe("what EL2 is told about the access", () => {
  test("ISV and the rest for a single register, on stage 2 faults only", () => {
    const core = guest();
    // LDRSH X5: SAS 1, SSE 1, SRT 5, SF 1.
    const syndrome = (1 << 24) | (1 << 22) | (1 << 21) | (5 << 16) | (1 << 15);
    expect(readMem(core, ipa, 2, plain(2, { syndrome }))).toMatchObject({
      iss: syndrome | 0b000111,
    });
    // A stage 1 fault of the same instruction: translation is off, the address too large.
    const stage1 = readMem(core, 1n << 48n, 2, plain(2, { syndrome }));
    expect(stage1).toMatchObject({ target: 1, iss: 0 });
  });

  test("WnR for a write, and the address of the second page when the first is there", () => {
    const core = guest();
    set(core, {
      SCTLR_EL1: SCTLR_ON,
      MAIR_EL1: MAIR,
      TCR_EL1: (5n << 32n) | 25n,
      TTBR0_EL1: 0x4000_0000n,
    });
    put(core, 0x4000_0010n, 0x8000_0000n | AF | NORMAL | VALID_BLOCK);
    page(core, MAPPED);
    expect(probeWrite(core, 0x8000_3ffcn, 8, plain(8))).toMatchObject({
      target: 2,
      iss: (1 << 6) | 0b000111,
      far: 0x8000_4000n,
      hpfar: 0x80004n << 4n,
    });
  });
});

describe("faults of stage 2 on a walk of stage 1", () => {
  /** VA 12_0000_0000 is index 48 at level 1; its table is at IPA 8000_3000. */
  function behind(): Core {
    const core = guest();
    set(core, {
      SCTLR_EL1: SCTLR_ON,
      MAIR_EL1: MAIR,
      TCR_EL1: (5n << 32n) | 25n,
      TTBR0_EL1: 0x4000_0000n,
    });
    put(core, 0x4000_0000n + 0x48n * 8n, 0x8000_3000n | VALID_TABLE);
    page(core, MAPPED);
    // Level 2 at physical 4500_0000: index 1 is VA 12_0020_0000.
    put(core, 0x4500_0008n, 0x4540_0000n | AF | NORMAL | VALID_BLOCK);
    put(core, 0x4540_0010n, 0x42n);
    return core;
  }
  const va = 0x12_0020_0010n;

  test("the walk goes through stage 2", () => {
    expect(load(behind(), va)).toBe(0x42n);
  });

  test("S1PTW and the IPA of the descriptor; WnR is that of the access", () => {
    const core = behind();
    page(core, 0n);
    expect(load(core, va)).toMatchObject({
      target: 2,
      ec: 0x24,
      iss: (1 << 7) | 0b000111,
      far: va,
      hpfar: 0x80003n << 4n,
    });
    expect(probeWrite(core, va, 8, plain(8))?.iss).toBe((1 << 7) | (1 << 6) | 0b000111);
    expect(fetchWord(core, va)).toMatchObject({ ec: 0x20, iss: (1 << 7) | 0b000111 });
  });

  test("a table that stage 2 does not let be read", () => {
    const core = behind();
    page(core, MAPPED & ~S2_READ);
    expect(load(core, va)).toMatchObject({ iss: (1 << 7) | 0b001111 });
    // Not writable is no matter for a walk.
    page(core, MAPPED & ~S2_WRITE);
    expect(load(core, va)).toBe(0x42n);
  });

  test("HCR_EL2.PTW forbids tables in Device memory", () => {
    const core = behind();
    page(core, (MAPPED & ~S2_NORMAL) | S2_DEVICE);
    expect(load(core, va)).toBe(0x42n);
    set(core, { HCR_EL2: HCR_RW | HCR_VM | (1n << 2n) });
    expect(load(core, va)).toMatchObject({ target: 2, iss: (1 << 7) | 0b001111 });
  });

  test("setting the access flag of stage 1 needs write permission in stage 2", () => {
    const core = behind();
    set(core, { TCR_EL1: core.sysreg.TCR_EL1 | (1n << 39n) });
    put(core, 0x4500_0008n, (0x4540_0000n | AF | NORMAL | VALID_BLOCK) & ~AF);
    page(core, MAPPED & ~S2_WRITE);
    expect(load(core, va)).toMatchObject({ target: 2, iss: (1 << 7) | 0b001111 });
    page(core, MAPPED);
    expect(load(core, va)).toBe(0x42n);
    expect(readPhysical(core.memory, 0x4500_0008n, 8)! & AF).toBe(AF);
  });
});

test("VTCR_EL2.HD makes a clean page dirty", () => {
  const core = guest();
  set(core, { VTCR_EL2: core.sysreg.VTCR_EL2 | (3n << 21n) });
  page(core, (MAPPED | DBM) & ~S2_WRITE);
  expect(load(core, ipa)).toBe(0n);
  expect(readPhysical(core.memory, 0x4600_2018n, 8)! & S2_WRITE).toBe(0n);
  expect(writeMem(core, ipa, 8, 3n, plain(8))).toBeUndefined();
  expect(readPhysical(core.memory, 0x4600_2018n, 8)! & S2_WRITE).toBe(S2_WRITE);
});
