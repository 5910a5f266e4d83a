// The TLB that keeps everything: which TLBI makes which change visible.

import { describe, expect, test } from "vitest";
import { cortexA76, max } from "../../../cpu/cpu-model.ts";
import { forkMemory } from "../../../cpu/memory.ts";
import { tlbiForm } from "../../../cpu/mmu/tlb-maintenance.ts";
import { forkCore, resetCore } from "../../../cpu/reset.ts";
import type { Core } from "../../../cpu/state.ts";
import { executeSys } from "../../../cpu/sysregs/system-instructions.ts";
import { tlbInstructions } from "../../../cpu/sysregs/tables/system-instructions.ts";
import {
  AF,
  load,
  machine,
  NG,
  NORMAL,
  put,
  set,
  summary,
  VALID_BLOCK,
  VALID_TABLE,
} from "./machine.ts";
import {
  asid,
  entry2,
  entry3,
  NEW,
  OLD,
  page,
  pageNumber,
  tlbi,
  tlbiAtEl2,
  va,
  world,
} from "./moving-page.ts";

/** A core that has used the translation, and whose page then moved to NEW. */
function moved(bits = NG): Core {
  const core = world("stale", bits);
  expect(load(core, va)).toBe(0x1dn);
  put(core, entry3, page(NEW, bits));
  return core;
}

describe("modes", () => {
  test("none: a changed descriptor is seen at once", () => {
    const core = world("none");
    expect(load(core, va)).toBe(0x1dn);
    put(core, entry3, page(NEW, NG));
    expect(load(core, va)).toBe(0xeen);
  });

  test("stale: it is not, until something names it", () => {
    const core = moved();
    expect(load(core, va)).toBe(0x1dn);
    put(core, entry3, 0n);
    expect(load(core, va)).toBe(0x1dn);
    tlbi(core, "VMALLE1");
    expect(summary(load(core, va))).toBe("EL1 ec 25 fsc 07");
  });

  test("a faulting descriptor is never kept", () => {
    const core = world();
    put(core, entry3, 0n);
    expect(summary(load(core, va))).toBe("EL1 ec 25 fsc 07");
    put(core, entry3, page(NEW));
    expect(load(core, va)).toBe(0xeen);
  });

  test("a fork keeps what its core kept, and forgets alone", () => {
    const core = moved();
    const fork = forkCore(core, forkMemory(core.memory));
    tlbi(core, "VMALLE1");
    expect(load(core, va)).toBe(0xeen);
    expect(load(fork, va)).toBe(0x1dn);
  });
});

describe("forms of EL1", () => {
  const gone = 0xeen;
  const kept = 0x1dn;
  test.each([
    ["VMALLE1", 0n, gone],
    ["VAE1", asid(5) | pageNumber, gone],
    ["VAE1", asid(6) | pageNumber, kept],
    ["VAE1", asid(5) | (pageNumber + 1n), kept],
    ["VAAE1", asid(6) | pageNumber, gone],
    ["VALE1", asid(5) | pageNumber, gone],
    ["VAALE1", pageNumber, gone],
    ["ASIDE1", asid(5), gone],
    ["ASIDE1", asid(6), kept],
    // TTL: 4 KiB (0b01), level 3 or level 2.
    ["VAE1", asid(5) | (0b0111n << 44n) | pageNumber, gone],
    ["VAE1", asid(5) | (0b0110n << 44n) | pageNumber, kept],
    ["VAE1", asid(5) | (0b0101n << 44n) | pageNumber, kept],
    ["VAE1", asid(5) | (0b1101n << 44n) | pageNumber, kept],
    // No hint at all: level 0, and level 1 of 16 KiB, where no leaf is.
    ["VAE1", asid(5) | (0b0100n << 44n) | pageNumber, gone],
    ["VAE1", asid(5) | (0b1000n << 44n) | pageNumber, gone],
    ["VAE1", asid(5) | (0b1001n << 44n) | pageNumber, gone],
    ["VAE1", asid(5) | (0b0011n << 44n) | pageNumber, gone],
    // Ranges: TG 1, SCALE 0, NUM 0 is two pages.
    ["RVAE1", asid(5) | (1n << 46n) | pageNumber, gone],
    ["RVAE1", asid(5) | (1n << 46n) | (pageNumber - 1n), gone],
    ["RVAE1", asid(5) | (1n << 46n) | (pageNumber - 2n), kept],
    // NUM 3, SCALE 1: (3 + 1) * 2^6 pages from 200 pages before.
    ["RVAE1", asid(5) | (1n << 46n) | (1n << 44n) | (3n << 39n) | (pageNumber - 200n), gone],
    ["RVAE1", asid(5) | (1n << 46n) | (1n << 44n) | (2n << 39n) | (pageNumber - 200n), kept],
    // TTL 3, 2, 1; and 1 with TG 2, which is no hint. 16 KiB granules count from VA >> 14.
    ["RVAE1", asid(5) | (1n << 46n) | (3n << 37n) | pageNumber, gone],
    ["RVAE1", asid(5) | (1n << 46n) | (2n << 37n) | pageNumber, kept],
    ["RVAE1", asid(5) | (1n << 46n) | (1n << 37n) | pageNumber, kept],
    ["RVAE1", asid(5) | (2n << 46n) | (1n << 37n) | (va >> 14n), gone],
    // A reserved granule names nothing.
    ["RVAE1", asid(5) | pageNumber, kept],
  ])("%s %s", (name, value, expected) => {
    const core = moved();
    tlbi(core, name, value);
    expect(load(core, va)).toBe(expected);
  });

  test("without FEAT_TTL the hint is ignored", () => {
    const core = moved();
    Object.assign(core, { cpuModel: { ...max, features: { ...max.features, TTL: false } } });
    tlbi(core, "VAE1", asid(5) | (0b0110n << 44n) | pageNumber);
    expect(load(core, va)).toBe(gone);
  });

  test("global entries go with any ASID of VAE1, and with no ASIDE1", () => {
    const core = moved(0n);
    tlbi(core, "ASIDE1", asid(5));
    expect(load(core, va)).toBe(kept);
    tlbi(core, "VAE1", asid(9) | pageNumber);
    expect(load(core, va)).toBe(gone);
  });

  test("an entry of another ASID is not used", () => {
    const core = moved();
    set(core, { TTBR0_EL1: asid(6) | 0x4000_0000n });
    expect(load(core, va)).toBe(gone);
    set(core, { TTBR0_EL1: asid(5) | 0x4000_0000n });
    expect(load(core, va)).toBe(kept);
  });

  test("an entry of another VMID is neither used nor named", () => {
    const core = moved(0n);
    set(core, { VTTBR_EL2: asid(8) });
    expect(load(core, va)).toBe(gone);
    tlbi(core, "VMALLE1");
    set(core, { VTTBR_EL2: asid(7) });
    expect(load(core, va)).toBe(kept);
    tlbiAtEl2(core, "ALLE1");
    expect(load(core, va)).toBe(gone);
  });

  test("EL2's own forms leave EL1 alone", () => {
    const core = moved(0n);
    tlbiAtEl2(core, "ALLE2");
    tlbiAtEl2(core, "VAE2", pageNumber);
    expect(load(core, va)).toBe(kept);
  });
});

describe("tables above the page", () => {
  /** The table of level 3 moves from 4000_2000 to 4000_3000, where the page is NEW. */
  function tableMoved(): Core {
    const core = world();
    expect(load(core, va)).toBe(0x1dn);
    put(core, 0x4000_3000n + 0x167n * 8n, page(NEW, NG));
    put(core, entry2, 0x4000_3000n | VALID_TABLE);
    return core;
  }

  test("are kept as well, and only forms without L name them", () => {
    const core = tableMoved();
    tlbi(core, "VALE1", asid(5) | pageNumber);
    expect(load(core, va)).toBe(0x1dn);
    tlbi(core, "VAE1", asid(5) | pageNumber);
    expect(load(core, va)).toBe(0xeen);
  });

  test("serve neighbours of the page", () => {
    const core = tableMoved();
    put(core, entry3 + 8n, page(OLD, NG));
    put(core, 0x4000_3000n + 0x168n * 8n, page(NEW, NG));
    expect(load(core, va + 0x1000n)).toBe(0x1dn);
    tlbi(core, "ASIDE1", asid(5));
    expect(load(core, va + 0x1000n)).toBe(0xeen);
  });
});

describe("blocks", () => {
  test("an address anywhere in a block names it", () => {
    const core = world();
    put(core, entry2, 0x4500_0000n | AF | NORMAL | NG | VALID_BLOCK);
    // VA bits 20:12 are 167: physical 4516_7000.
    put(core, 0x4516_7000n, 0x0bn);
    expect(load(core, va)).toBe(0x0bn);
    put(core, entry2, 0x4520_0000n | AF | NORMAL | NG | VALID_BLOCK);
    expect(load(core, va)).toBe(0x0bn);
    tlbi(core, "VALE1", asid(5) | (0x12_3440_0000n >> 12n));
    expect(load(core, va)).toBe(0n);
  });
});

describe("two cores", () => {
  function pair(): [Core, Core] {
    const first = moved();
    const second = resetCore(max, first.memory, 1n, "stale");
    second.pstate.EL = 1;
    const { SCTLR_EL1, MAIR_EL1, TCR_EL1, TTBR0_EL1, VTTBR_EL2 } = first.sysreg;
    set(second, { SCTLR_EL1, MAIR_EL1, TCR_EL1, TTBR0_EL1, VTTBR_EL2 });
    put(first, entry3, page(OLD, NG));
    expect(load(second, va)).toBe(0x1dn);
    put(first, entry3, page(NEW, NG));
    return [first, second];
  }

  test.each([
    ["VAE1", [0xeen, 0x1dn]],
    ["VAE1IS", [0xeen, 0xeen]],
    ["VAE1OS", [0xeen, 0xeen]],
  ])("%s reaches as far as it says", (name, expected) => {
    const [first, second] = pair();
    tlbi(first, name, asid(5) | pageNumber);
    expect([load(first, va), load(second, va)]).toEqual(expected);
  });

  test("HCR_EL2.FB broadcasts what EL1 does", () => {
    const [first, second] = pair();
    set(first, { HCR_EL2: (1n << 31n) | (1n << 9n) });
    tlbi(first, "VMALLE1");
    expect([load(first, va), load(second, va)]).toEqual([0xeen, 0xeen]);
  });
});

describe("names", () => {
  test("every TLBI of the table has a form", () => {
    expect(tlbInstructions.length).toBe(30 + 33);
    expect(tlbiForm("RIPAS2LE1OS")).toEqual({
      range: true,
      by: "IPAS2",
      lastLevel: true,
      el: 1,
      shareable: true,
    });
    expect(tlbiForm("VMALLS12E1")).toMatchObject({ by: "VMALLS12", el: 1, lastLevel: false });
    expect(tlbiForm("VAALE1IS")).toMatchObject({ by: "VAA", lastLevel: true, shareable: true });
    expect(tlbiForm("ALLE2")).toMatchObject({ by: "ALL", el: 2, shareable: false });
  });

  test("forms of later features are UNDEFINED where those are not", () => {
    const core = machine({ cpuModel: cortexA76 });
    for (const encoding of ["0 8 1 0", "0 8 6 1"]) {
      const [op1, CRn, CRm, op2] = encoding.split(" ").map(Number) as [
        number,
        number,
        number,
        number,
      ];
      expect(executeSys(core, op1, CRn, CRm, op2, 31, 0n)).toMatchObject({ ec: 0, iss: 0 });
    }
  });
});
