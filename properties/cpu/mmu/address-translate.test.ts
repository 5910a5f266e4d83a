// AT instructions and PAR_EL1. Expected: DDI0487 C5.4 and D24.2.112 PAR_EL1.

import { describe, expect, test } from "vitest";
import type { Exception } from "../../../cpu/exceptions/exception.ts";
import { readPhysical } from "../../../cpu/memory.ts";
import { addressTranslate, atForm } from "../../../cpu/mmu/address-translate.ts";
import type { Core, El } from "../../../cpu/state.ts";
import {
  AF,
  AP1,
  AP2,
  attrIndex,
  MAIR,
  machine,
  NORMAL,
  put,
  S2_NORMAL,
  S2_READ,
  S2_WRITE,
  SCTLR_ON,
  set,
  VALID_BLOCK,
  VALID_TABLE,
} from "./machine.ts";

const SH_INNER = 3n << 8n;
/** Bits that are one in a success: RES1 bit 11, and NS. */
const OK = (1n << 11n) | (1n << 9n);
const FAILED = (1n << 11n) | 1n;

/**
 * Stage 1: VA 8000_0000 and on (1 GiB) to IPA 4000_0000, Normal inner shareable; VA c000_0000
 * Device; VA 1_0000_0000 through a table at IPA 8000_0000. Stage 2: IPA 4000_0000 flat.
 */
function world(el: El, bits = 0n): Core {
  const core = machine({
    el,
    sysregs: {
      SCTLR_EL1: SCTLR_ON,
      MAIR_EL1: MAIR,
      TCR_EL1: (5n << 32n) | 25n,
      TTBR0_EL1: 0x4000_0000n,
      HCR_EL2: (1n << 31n) | 1n,
      VTCR_EL2: (1n << 31n) | (5n << 16n) | (1n << 6n) | 25n,
      VTTBR_EL2: 0x4600_0000n,
    },
  });
  put(core, 0x4000_0010n, 0x4000_0000n | AF | NORMAL | SH_INNER | bits | VALID_BLOCK);
  put(core, 0x4000_0018n, 0x4000_0000n | AF | attrIndex(0) | VALID_BLOCK);
  put(core, 0x4000_0020n, 0x8000_0000n | VALID_TABLE);
  put(core, 0x4600_0008n, 0x4000_0000n | AF | S2_NORMAL | S2_READ | SH_INNER | VALID_BLOCK);
  return core;
}

/** PAR_EL1 after an AT by name, or the exception. */
function at(core: Core, name: string, va: bigint): bigint | Exception {
  core.sysreg.PAR_EL1 = 0xdeadn;
  return addressTranslate(core, atForm(name), va) ?? core.sysreg.PAR_EL1;
}

describe("success", () => {
  test("the page, the attributes and the shareability of stage 1", () => {
    expect(at(world(1), "S1E1R", 0x8123_4567n)).toBe(
      (0xffn << 56n) | 0x4123_4000n | OK | (3n << 7n),
    );
    expect(at(world(2), "S12E1R", 0x8123_4567n)).toBe(
      (0xffn << 56n) | 0x4123_4000n | OK | (3n << 7n),
    );
  });

  test("Device is outer shareable", () => {
    expect(at(world(1), "S1E1R", 0xc123_4567n)).toBe(0x4123_4000n | OK | (2n << 7n));
  });

  test("the attributes of S12 are those of both stages", () => {
    const core = world(2);
    put(core, 0x4600_0008n, 0x4000_0000n | AF | (5n << 2n) | S2_READ | VALID_BLOCK);
    expect(at(core, "S12E1R", 0x8123_4567n)).toBe((0x44n << 56n) | 0x4123_4000n | OK | (2n << 7n));
    // Stage 1 alone knows nothing of stage 2.
    expect(at(core, "S1E1R", 0x8123_4567n)).toBe((0xffn << 56n) | 0x4123_4000n | OK | (3n << 7n));
  });

  test("EL2 translates for its own regime", () => {
    const core = world(2);
    expect(at(core, "S1E2R", 0x4123_4567n)).toBe(0x4123_4000n | OK | (2n << 7n));
  });
});

describe("failure", () => {
  test.each([
    ["S1E1R", 0x1_4000_0000n, 0b000101n], // level 1 translation
    ["S1E0R", 0x8000_0000n, 0b001101n], // EL0 has no access
    ["S12E0W", 0x8000_0000n, 0b001101n],
    ["S1E1R", 1n << 39n, 0b000100n],
  ])("%s %s is a fault of stage 1", (name, va, fst) => {
    expect(at(world(2), name, va)).toBe(FAILED | (fst << 1n));
  });

  test("write permission is asked for by W", () => {
    const core = world(1, AP2);
    expect(at(core, "S1E1W", 0x8000_0000n)).toBe(FAILED | (0b001101n << 1n));
    expect(at(core, "S1E1R", 0x8000_0000n)).not.toBe(FAILED | (0b001101n << 1n));
  });

  test("a fault of stage 2 sets S", () => {
    // Stage 2 gives no write permission.
    expect(at(world(2), "S12E1W", 0x8000_0000n)).toBe(FAILED | (1n << 9n) | (0b001101n << 1n));
    expect(at(world(1), "S1E1W", 0x8000_0000n)).toBe(
      (0xffn << 56n) | 0x4000_0000n | OK | (3n << 7n),
    );
  });

  test("a fault of stage 2 on the walk: PAR at EL2, a Data Abort from EL1", () => {
    const failed = FAILED | (1n << 9n) | (1n << 8n) | (0b000101n << 1n);
    expect(at(world(2), "S1E1R", 0x1_0000_0000n)).toBe(failed);
    expect(at(world(2), "S12E1R", 0x1_0000_0000n)).toBe(failed);
    // CM, S1PTW and WnR; the address and the IPA of the descriptor.
    expect(at(world(1), "S1E1R", 0x1_0000_0000n)).toMatchObject({
      target: 2,
      ec: 0x24,
      iss: (1 << 8) | (1 << 7) | (1 << 6) | 0b000101,
      far: 0x1_0000_0000n,
      hpfar: 0x80000n << 4n,
    });
  });
});

describe("PAN", () => {
  test("counts for RP and WP alone", () => {
    const core = world(1, AP1);
    core.pstate.PAN = 1;
    expect(at(core, "S1E1RP", 0x8000_0000n)).toBe(FAILED | (0b001101n << 1n));
    expect(at(core, "S1E1WP", 0x8000_0000n)).toBe(FAILED | (0b001101n << 1n));
    expect(at(core, "S1E1R", 0x8000_0000n)).toBe((0xffn << 56n) | 0x4000_0000n | OK | (3n << 7n));
    core.pstate.PAN = 0;
    expect(at(core, "S1E1RP", 0x8000_0000n)).toBe((0xffn << 56n) | 0x4000_0000n | OK | (3n << 7n));
  });
});

test("AT sets the access flag where hardware does, and makes nothing dirty", () => {
  const core = world(1, AP2 | (1n << 51n));
  set(core, { TCR_EL1: core.sysreg.TCR_EL1 | (3n << 39n), HCR_EL2: 1n << 31n });
  const before = core.memory.tableGeneration;
  // DBM makes the page writable for HD.
  expect(at(core, "S1E1W", 0x8000_0000n)).toBe((0xffn << 56n) | 0x4000_0000n | OK | (3n << 7n));
  expect(core.memory.tableGeneration).toBe(before);
  put(core, 0x4000_0010n, 0x4000_0000n | NORMAL | SH_INNER | VALID_BLOCK);
  expect(at(core, "S1E1R", 0x8000_0000n)).toBe((0xffn << 56n) | 0x4000_0000n | OK | (3n << 7n));
  expect(readPhysical(core.memory, 0x4000_0010n, 8)! & AF).toBe(AF);
});

test("a write goes through where both stages allow it; one inner shareable stage is enough", () => {
  const core = world(2);
  put(core, 0x4600_0008n, 0x4000_0000n | AF | S2_NORMAL | S2_READ | S2_WRITE | VALID_BLOCK);
  expect(at(core, "S12E1W", 0x8000_0000n)).toBe((0xffn << 56n) | 0x4000_0000n | OK | (3n << 7n));
});
