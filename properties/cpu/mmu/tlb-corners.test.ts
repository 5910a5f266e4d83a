// What the TLB that keeps everything tells apart: ASIDs of 8 and 16 bits, and the deepest table.

import { describe, expect, test } from "vitest";
import { AF, load, MAIR, NORMAL, put, set, VALID_PAGE, VALID_TABLE } from "./machine.ts";
import { entry2, entry3, NEW, OLD, page, va, world } from "./moving-page.ts";

const AS = 1n << 36n;

describe("ASID", () => {
  /** Uses the translation with one ASID, moves the page, and uses it with another. */
  function seenAfter(first: bigint, second: bigint, as: bigint): bigint {
    const core = world("stale");
    const table = 0x4000_0000n;
    set(core, { TCR_EL1: core.sysreg.TCR_EL1 | as, TTBR0_EL1: (first << 48n) | table });
    load(core, va);
    put(core, entry3, page(NEW, 1n << 11n));
    // Tables are kept by ASID too; they have not changed.
    set(core, { TTBR0_EL1: (second << 48n) | table });
    return load(core, va) as bigint;
  }
  const [kept, gone] = [0x1dn, 0xeen];

  test.each([
    ["TCR_EL1.AS 0: bit 7 counts", 0x01n, 0x81n, 0n, gone],
    ["TCR_EL1.AS 0: bit 0 counts", 0x80n, 0x81n, 0n, gone],
    ["TCR_EL1.AS 0: bits 15 to 8 do not", 0x0001n, 0xff01n, 0n, kept],
    ["TCR_EL1.AS 1: bit 15 counts", 0x0001n, 0x8001n, AS, gone],
    ["TCR_EL1.AS 1: bit 8 counts", 0x0001n, 0x0101n, AS, gone],
    ["TCR_EL1.AS 1: the same", 0x8101n, 0x8101n, AS, kept],
  ])("%s", (_name, first, second, as, expected) => {
    expect(seenAfter(first, second, as)).toBe(expected);
  });
});

describe("tables", () => {
  /**
   * EL2 with 30 bits (T0SZ 34) begins at level 2: VA 1000_7000 is index 80 there, and page 7 of the
   * next table. So a kept table that covers 2 MiB is older than the first that covers 1 GiB.
   */
  test("the deepest one that is kept is used, whichever was kept first", () => {
    const core = world("stale");
    set(core, {
      SCTLR_EL2: 0x30c5_0831n,
      MAIR_EL2: MAIR,
      TCR_EL2: (1n << 31n) | (1n << 23n) | (5n << 16n) | 34n,
      TTBR0_EL2: 0x4100_0000n,
    });
    put(core, 0x4100_0000n + 0x80n * 8n, 0x4100_1000n | VALID_TABLE);
    put(core, 0x4100_1000n + 7n * 8n, OLD | AF | NORMAL | VALID_PAGE);
    core.pstate.EL = 2;
    expect(load(core, 0x1000_7000n)).toBe(0x1dn);
    core.pstate.EL = 1;
    expect(load(core, va)).toBe(0x1dn);
    // The next page is in the same table of level 3; level 2 now leads to another.
    put(core, entry3 + 8n, page(NEW));
    put(core, entry2, 0x4000_3000n | VALID_TABLE);
    expect(load(core, va + 0x1000n)).toBe(0xeen);
  });
});
