// Stage 1 permissions as tables: who may read, write and execute what.
//
// Expected: DDI0487 D8.4.1, Tables of stage 1 data accesses and instruction execution.

import { describe, expect, test } from "vitest";
import { probeWrite, readMem } from "../../../cpu/mmu/access.ts";
import { fetchWord } from "../../../cpu/mmu/fetch.ts";
import type { Core, El } from "../../../cpu/state.ts";
import {
  AF,
  AP_TABLE_NO_EL0,
  AP_TABLE_READ_ONLY,
  AP1,
  AP2,
  MAIR,
  machine,
  NORMAL,
  PXN,
  PXN_TABLE,
  plain,
  put,
  SCTLR_ON,
  set,
  UXN,
  UXN_TABLE,
  VALID_BLOCK,
  VALID_TABLE,
} from "./machine.ts";

const WXN = 1n << 19n;
const va = 0x4020_0000n;
const tableEntry = 0x4000_0008n;
const blockEntry = 0x4000_1008n;

/** EL1&0 with 39 bits; VA 4020_0000 is index 1 at level 1 and index 1 at level 2. */
function mapped(bits: bigint, el: El, table = 0n): Core {
  const core = machine({
    el,
    sysregs: {
      SCTLR_EL1: SCTLR_ON,
      MAIR_EL1: MAIR,
      TCR_EL1: (5n << 32n) | 25n,
      TTBR0_EL1: 0x4000_0000n,
    },
  });
  put(core, tableEntry, 0x4000_1000n | table | VALID_TABLE);
  put(core, blockEntry, 0x4020_0000n | AF | NORMAL | bits | VALID_BLOCK);
  return core;
}

/** What an access may do, as letters. */
function rights(core: Core, unprivileged = false): string {
  const access = plain(8, { unprivileged });
  const reads = typeof readMem(core, va, 8, access) === "bigint" ? "r" : "-";
  const writes = probeWrite(core, va, 8, access) === undefined ? "w" : "-";
  const executes = typeof fetchWord(core, va) === "number" ? "x" : "-";
  return reads + writes + executes;
}

describe("EL1&0, WXN clear", () => {
  // UXN, PXN, AP[2:1]: EL1, EL0. What EL0 can write, EL1 cannot execute.
  test.each([
    [0n, "rwx", "--x"],
    [AP1, "rw-", "rwx"],
    [AP2, "r-x", "--x"],
    [AP1 | AP2, "r-x", "r-x"],
    [PXN, "rw-", "--x"],
    [PXN | AP1, "rw-", "rwx"],
    [PXN | AP2, "r--", "--x"],
    [PXN | AP1 | AP2, "r--", "r-x"],
    [UXN, "rwx", "---"],
    [UXN | AP1, "rw-", "rw-"],
    [UXN | AP2, "r-x", "---"],
    [UXN | AP1 | AP2, "r-x", "r--"],
    [UXN | PXN, "rw-", "---"],
    [UXN | PXN | AP1, "rw-", "rw-"],
  ])("bits %s give EL1 %s and EL0 %s", (bits, el1, el0) => {
    expect(rights(mapped(bits, 1))).toBe(el1);
    expect(rights(mapped(bits, 0))).toBe(el0);
  });
});

describe("EL1&0, WXN set", () => {
  // Writable is not executable: for EL1 where EL1 writes, for EL0 where EL0 writes.
  test.each([
    [0n, "rw-", "--x"],
    [AP1, "rw-", "rw-"],
    [AP2, "r-x", "--x"],
    [AP1 | AP2, "r-x", "r-x"],
  ])("bits %s give EL1 %s and EL0 %s", (bits, el1, el0) => {
    for (const [el, expected] of [
      [1, el1],
      [0, el0],
    ] as const) {
      const core = mapped(bits, el);
      set(core, { SCTLR_EL1: SCTLR_ON | WXN });
      expect(rights(core)).toBe(expected);
    }
  });
});

describe("EL2, one range", () => {
  // AP[1] and PXN mean nothing; bit 54 is XN.
  test.each([
    [0n, 0n, "rwx"],
    [AP1, 0n, "rwx"],
    [AP2, 0n, "r-x"],
    [PXN, 0n, "rwx"],
    [UXN, 0n, "rw-"],
    [0n, WXN, "rw-"],
    [AP2, WXN, "r-x"],
    [UXN | AP2, WXN, "r--"],
  ])("bits %s with WXN %s give %s", (bits, wxn, expected) => {
    const core = mapped(bits, 2);
    set(core, {
      SCTLR_EL2: 0x30c5_0831n | wxn,
      MAIR_EL2: MAIR,
      TCR_EL2: (5n << 16n) | 25n,
      TTBR0_EL2: 0x4000_0000n,
    });
    expect(rights(core)).toBe(expected);
  });

  test("PAN changes nothing", () => {
    const core = mapped(AP1, 2);
    set(core, {
      SCTLR_EL2: 0x30c5_0831n,
      MAIR_EL2: MAIR,
      TCR_EL2: (5n << 16n) | 25n,
      TTBR0_EL2: 0x4000_0000n,
    });
    core.pstate.PAN = 1;
    expect(rights(core)).toBe("rwx");
  });
});

describe("hierarchical permissions", () => {
  test.each([
    [AP_TABLE_NO_EL0, AP1, "rwx", "--x"],
    [AP_TABLE_READ_ONLY, AP1, "r-x", "r-x"],
    [AP_TABLE_READ_ONLY | AP_TABLE_NO_EL0, AP1, "r-x", "--x"],
    [UXN_TABLE, AP1 | AP2, "r-x", "r--"],
    [PXN_TABLE, AP1 | AP2, "r--", "r-x"],
  ])("table bits %s over %s give EL1 %s and EL0 %s", (table, bits, el1, el0) => {
    expect(rights(mapped(bits, 1, table))).toBe(el1);
    expect(rights(mapped(bits, 0, table))).toBe(el0);
  });

  test("TCR_EL1.HPD0 disables them", () => {
    const core = mapped(AP1, 0, AP_TABLE_READ_ONLY | UXN_TABLE);
    set(core, { TCR_EL1: core.sysreg.TCR_EL1 | (1n << 41n) });
    expect(rights(core)).toBe("rwx");
  });
});

describe("PAN and unprivileged accesses", () => {
  test("PAN takes away what EL0 has, except execution", () => {
    const core = mapped(AP1 | AP2, 1);
    core.pstate.PAN = 1;
    expect(rights(core)).toBe("--x");
    const kernel = mapped(0n, 1);
    kernel.pstate.PAN = 1;
    expect(rights(kernel)).toBe("rwx");
  });

  test("LDTR and STTR at EL1 have the rights of EL0, whatever PAN says", () => {
    const core = mapped(AP1 | AP2, 1);
    core.pstate.PAN = 1;
    expect(rights(core, true)).toBe("r-x");
    expect(rights(mapped(0n, 1), true)).toBe("--x");
  });

  test("with PSTATE.UAO they have those of EL1, and PAN counts", () => {
    const core = mapped(0n, 1);
    core.pstate.UAO = 1;
    expect(rights(core, true)).toBe("rwx");
    const user = mapped(AP1, 1);
    user.pstate.UAO = 1;
    user.pstate.PAN = 1;
    expect(rights(user, true)).toBe("---");
  });
});

describe("EL2&0, HCR_EL2.{E2H,TGE} = {1,1}", () => {
  function host(bits: bigint, el: El): Core {
    const core = mapped(bits, el);
    set(core, {
      HCR_EL2: (1n << 34n) | (1n << 31n) | (1n << 27n),
      SCTLR_EL2: SCTLR_ON,
      MAIR_EL2: MAIR,
      TCR_EL2: (5n << 32n) | 25n,
      TTBR0_EL2: 0x4000_0000n,
      SCTLR_EL1: 0x30d0_0800n,
    });
    return core;
  }

  test("has two sets of permissions, as EL1&0 does", () => {
    expect(rights(host(AP1, 2))).toBe("rw-");
    expect(rights(host(AP1, 0))).toBe("rwx");
    expect(rights(host(0n, 0))).toBe("--x");
  });

  test("LDTR at EL2 has the rights of EL0", () => {
    expect(rights(host(AP2, 2), true)).toBe("--x");
    expect(rights(host(AP1, 2), true)).toBe("rw-");
  });
});

test("permission faults name level and direction, and say who", () => {
  const core = mapped(AP2, 1);
  // Level 2: 0b001110; WnR is bit 6.
  const fault = probeWrite(core, va, 8, plain(8));
  expect(fault).toMatchObject({ target: 1, ec: 0x25, iss: 0b1_001110, far: va });
  const fetch = fetchWord(mapped(PXN, 1), va);
  expect(fetch).toMatchObject({ target: 1, ec: 0x21, iss: 0b001110, far: va });
  const user = readMem(mapped(0n, 0), va, 8, plain(8));
  expect(user).toMatchObject({ target: 1, ec: 0x24, iss: 0b001110, far: va });
});
