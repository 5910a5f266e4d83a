// The TLB that keeps everything: stage 2, and EL2's own translations.

import { describe, expect, test } from "vitest";
import type { Core } from "../../../cpu/state.ts";
import {
  AF,
  load,
  MAIR,
  NG,
  put,
  S2_NORMAL,
  S2_READ,
  S2_WRITE,
  set,
  VALID_BLOCK,
  VALID_PAGE,
  VALID_TABLE,
} from "./machine.ts";
import {
  asid,
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

describe("stage 2", () => {
  const FLAT = 0x4000_0000n | AF | S2_NORMAL | S2_READ | S2_WRITE | VALID_BLOCK;
  const s2page = (output: bigint) => output | AF | S2_NORMAL | S2_READ | S2_WRITE | VALID_PAGE;
  const ipa = 0x8000_0000n;
  const ipaPage = ipa >> 12n;

  /** VA 12_3456_7000 to IPA 8000_0000, which goes to OLD, and then is moved to NEW. */
  function guest(): Core {
    const core = world();
    set(core, {
      HCR_EL2: (1n << 31n) | 1n,
      VTCR_EL2: (1n << 31n) | (5n << 16n) | (1n << 6n) | 25n,
      VTTBR_EL2: asid(7) | 0x4600_0000n,
    });
    put(core, entry3, page(ipa, NG));
    put(core, 0x4600_0008n, FLAT);
    put(core, 0x4600_0010n, 0x4600_1000n | VALID_TABLE);
    put(core, 0x4600_1000n, 0x4600_2000n | VALID_TABLE);
    put(core, 0x4600_2000n, s2page(OLD));
    expect(load(core, va)).toBe(0x1dn);
    put(core, 0x4600_2000n, s2page(NEW));
    expect(load(core, va)).toBe(0x1dn);
    return core;
  }

  test("IPAS2E1 alone leaves the whole translation; VMALLE1 after it does not", () => {
    const core = guest();
    tlbiAtEl2(core, "IPAS2E1", ipaPage);
    expect(load(core, va)).toBe(0x1dn);
    tlbiAtEl2(core, "VMALLE1");
    expect(load(core, va)).toBe(0xeen);
  });

  test("VMALLE1 alone leaves stage 2", () => {
    const core = guest();
    tlbiAtEl2(core, "VMALLE1");
    expect(load(core, va)).toBe(0x1dn);
  });

  test.each(["VMALLS12E1", "ALLE1", "VMALLS12E1IS", "ALLE1OS"])("%s takes both", (name) => {
    const core = guest();
    tlbiAtEl2(core, name);
    expect(load(core, va)).toBe(0xeen);
  });

  test.each([
    ["IPAS2E1", ipaPage, 0xeen],
    ["IPAS2LE1", ipaPage, 0xeen],
    // Bits 43 to 36 are RES0: no part of an IPA of 48 bits. TTL: 4 KiB, level 3 or level 2.
    ["IPAS2E1", ipaPage | (0xffn << 36n), 0xeen],
    ["IPAS2E1", ipaPage | (0b0111n << 44n), 0xeen],
    ["IPAS2E1", ipaPage | (0b0110n << 44n), 0x1dn],
    ["IPAS2E1", ipaPage + 1n, 0x1dn],
    ["RIPAS2E1", (1n << 46n) | (ipaPage - 1n), 0xeen],
    ["RIPAS2LE1IS", (1n << 46n) | (ipaPage - 2n), 0x1dn],
  ])("%s %s, with stage 1 gone", (name, value, expected) => {
    const core = guest();
    tlbiAtEl2(core, name, value);
    tlbiAtEl2(core, "VMALLE1");
    expect(load(core, va)).toBe(expected);
  });

  test("IPAS2LE1 keeps the tables of stage 2, IPAS2E1 does not", () => {
    for (const [name, expected] of [
      ["IPAS2LE1", 0x1dn],
      ["IPAS2E1", 0xeen],
    ] as const) {
      const core = guest();
      put(core, 0x4600_2000n, s2page(OLD));
      put(core, 0x4600_3000n, s2page(NEW));
      put(core, 0x4600_1000n, 0x4600_3000n | VALID_TABLE);
      tlbiAtEl2(core, name, ipaPage);
      tlbiAtEl2(core, "VMALLE1");
      expect(load(core, va)).toBe(expected);
    }
  });

  test("only the current VMID is named", () => {
    const core = guest();
    const { VTTBR_EL2 } = core.sysreg;
    set(core, { VTTBR_EL2: asid(8) | 0x4600_0000n });
    tlbiAtEl2(core, "VMALLS12E1");
    set(core, { VTTBR_EL2 });
    expect(load(core, va)).toBe(0x1dn);
  });
});

describe("EL2", () => {
  function hypervisor(): Core {
    const core = world();
    core.pstate.EL = 2;
    set(core, {
      SCTLR_EL2: 0x30c5_0831n,
      MAIR_EL2: MAIR,
      TCR_EL2: (1n << 31n) | (1n << 23n) | (5n << 16n) | 25n,
      TTBR0_EL2: 0x4000_0000n,
    });
    expect(load(core, va)).toBe(0x1dn);
    put(core, entry3, page(NEW, NG));
    expect(load(core, va)).toBe(0x1dn);
    return core;
  }

  test.each([
    ["VAE2", pageNumber, 0xeen],
    ["VALE2IS", pageNumber, 0xeen],
    ["RVAE2", (1n << 46n) | pageNumber, 0xeen],
    ["VAE2", pageNumber + 1n, 0x1dn],
    ["ALLE2", 0n, 0xeen],
    ["ALLE2IS", 0n, 0xeen],
    ["ALLE1", 0n, 0x1dn],
    ["VMALLE1", 0n, 0x1dn],
    ["VAE1", pageNumber, 0x1dn],
  ])("%s %s", (name, value, expected) => {
    const core = hypervisor();
    tlbi(core, name, value);
    expect(load(core, va)).toBe(expected);
  });
});

describe("EL2&0, HCR_EL2.{E2H,TGE} = {1,1}", () => {
  function host(): Core {
    const core = world();
    core.pstate.EL = 2;
    set(core, {
      HCR_EL2: (1n << 34n) | (1n << 31n) | (1n << 27n),
      SCTLR_EL2: 0x30d0_0801n,
      MAIR_EL2: MAIR,
      TCR_EL2: (5n << 32n) | 25n,
      TTBR0_EL2: asid(5) | 0x4000_0000n,
    });
    expect(load(core, va)).toBe(0x1dn);
    put(core, entry3, page(NEW, NG));
    expect(load(core, va)).toBe(0x1dn);
    return core;
  }

  test.each([
    // The forms of EL1 mean the host's own regime, which has ASIDs.
    ["VAE1", asid(5) | pageNumber, 0xeen],
    ["VAE1", asid(6) | pageNumber, 0x1dn],
    ["ASIDE1IS", asid(5), 0xeen],
    ["VMALLE1", 0n, 0xeen],
    ["VAE2", asid(5) | pageNumber, 0xeen],
    ["VAE2", asid(6) | pageNumber, 0x1dn],
    ["ALLE2", 0n, 0xeen],
    ["ALLE1", 0n, 0x1dn],
    ["VMALLS12E1", 0n, 0x1dn],
  ])("%s %s", (name, value, expected) => {
    const core = host();
    tlbi(core, name, value);
    expect(load(core, va)).toBe(expected);
  });

  test("without TGE the forms of EL1 mean the guest", () => {
    const core = host();
    set(core, { HCR_EL2: (1n << 34n) | (1n << 31n) });
    tlbi(core, "VMALLE1");
    expect(load(core, va)).toBe(0x1dn);
  });
});
