// Memory tagging: checked accesses, tags out of reach, blocks. Expected: DDI0487 D10.

import { describe, expect, test } from "vitest";
import { cortexA76, max } from "../../../cpu/cpu-model.ts";
import type { Fault } from "../../../cpu/exceptions/exception.ts";
import { memoryTagFunctions } from "../../../cpu/interpret/functions/memory-tags.ts";
import {
  createMemory,
  type Device,
  readPhysical,
  readTag,
  writePhysical,
  writeTag,
} from "../../../cpu/memory.ts";
import { readMem, writeMem } from "../../../cpu/mmu/access.ts";
import {
  blockWriteOf,
  maintainCache,
  writeBlock,
  zeroBlockBytes,
} from "../../../cpu/mmu/cache-maintenance.ts";
import {
  readMemTag,
  readMemTagBlock,
  tagAlignmentFault,
  writeMemTagBlock,
  writeMemTags,
} from "../../../cpu/mmu/tag-access.ts";
import { resetCore } from "../../../cpu/reset.ts";
import type { Core, El } from "../../../cpu/state.ts";
import {
  AF,
  AP1,
  AP2,
  attrIndex,
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
} from "./machine.ts";

const ATA = 1n << 43n;
const ATA0 = 1n << 42n;
const TCF_SYNC = 1n << 40n;
const TCF_ASYNC = 2n << 40n;
const TCF0_SYNC = 1n << 38n;
const TBI0 = 1n << 37n;
const TCMA0 = 1n << 57n;

/** Flat from 4000_0000: Tagged at 4000_0000 to 7fff_ffff, the same untagged from 8000_0000. */
function tagged(el: El = 1): Core {
  const core = machine({
    el,
    sysregs: {
      SCTLR_EL1: SCTLR_ON | ATA | ATA0 | TCF_SYNC | TCF0_SYNC,
      MAIR_EL1: MAIR,
      TCR_EL1: (5n << 32n) | TBI0 | 25n,
      TTBR0_EL1: 0x4000_0000n,
      HCR_EL2: (1n << 31n) | (1n << 56n),
    },
  });
  put(core, 0x4000_0008n, 0x4000_0000n | AF | AP1 | attrIndex(3) | VALID_BLOCK);
  put(core, 0x4000_0010n, 0x4000_0000n | AF | AP1 | NORMAL | VALID_BLOCK);
  return core;
}

const at = 0x4500_0000n;
const withTag = (tag: number, va = at): bigint => va | (BigInt(tag) << 56n);
const MISMATCH = "EL1 ec 25 fsc 11";

describe("checked accesses", () => {
  test("go through where the tags agree, and fault where not", () => {
    const core = tagged();
    writeTag(core.memory, at, 5);
    expect(load(core, withTag(5))).toBe(0n);
    expect(summary(load(core, withTag(6)))).toBe(MISMATCH);
    expect(load(core, withTag(6))).toMatchObject({ far: withTag(6) });
    const fault = writeMem(core, withTag(6), 8, 1n, plain(8));
    expect(fault?.iss).toBe((1 << 6) | 0b010001);
    // The fast path does not forget to check.
    expect(load(core, withTag(5))).toBe(0n);
    expect(summary(load(core, withTag(6)))).toBe(MISMATCH);
  });

  test("every granule counts; the first that differs is reported", () => {
    const core = tagged();
    writeTag(core.memory, at, 5);
    writeTag(core.memory, at + 16n, 6);
    expect(load(core, withTag(5, at + 8n))).toBe(0n);
    expect(load(core, withTag(5, at + 12n))).toMatchObject({
      iss: 0b010001,
      far: withTag(5, at + 16n),
    });
  });

  test.each<[string, (core: Core) => void]>([
    [
      "PSTATE.TCO",
      (core) => {
        core.pstate.TCO = 1;
      },
    ],
    ["TBI clear", (core) => set(core, { TCR_EL1: (5n << 32n) | 25n })],
    ["SCTLR_EL1.ATA clear", (core) => set(core, { SCTLR_EL1: SCTLR_ON | TCF_SYNC })],
    ["HCR_EL2.ATA clear", (core) => set(core, { HCR_EL2: 1n << 31n })],
    ["TCF 0", (core) => set(core, { SCTLR_EL1: SCTLR_ON | ATA })],
  ])("%s: no check", (name, change) => {
    const core = tagged();
    writeTag(core.memory, at, 5);
    change(core);
    // Without TBI an address with a tag is out of range; the untagged address has tag 0.
    expect(load(core, name === "TBI clear" ? at : withTag(6))).toBe(0n);
  });

  test("TCMA0 leaves tag 0 unchecked, and only that", () => {
    const core = tagged();
    writeTag(core.memory, at, 5);
    expect(summary(load(core, at))).toBe(MISMATCH);
    set(core, { TCR_EL1: core.sysreg.TCR_EL1 | TCMA0 });
    expect(load(core, at)).toBe(0n);
    expect(summary(load(core, withTag(1)))).toBe(MISMATCH);
  });

  test("memory that is not Tagged, and SP-relative accesses, are not checked", () => {
    const core = tagged();
    writeTag(core.memory, at, 5);
    expect(load(core, withTag(6, at + 0x4000_0000n))).toBe(0n);
    expect(readMem(core, withTag(6), 8, plain(8, { tagChecked: false }))).toBe(0n);
  });

  test("with translation off memory is Tagged where HCR_EL2.DC and DCT say so", () => {
    const core = tagged();
    writeTag(core.memory, at, 5);
    set(core, { SCTLR_EL1: 0x30d0_0800n | ATA | TCF_SYNC, TCR_EL1: TBI0 });
    expect(load(core, withTag(6))).toBe(0n);
    const hcr = (1n << 31n) | (1n << 56n) | (1n << 12n);
    set(core, { VTCR_EL2: (1n << 31n) | (5n << 16n) | (1n << 6n) | 25n, VTTBR_EL2: 0x4600_0000n });
    put(core, 0x4600_0008n, 0x4000_0000n | AF | (3n << 6n) | (0xfn << 2n) | VALID_BLOCK);
    set(core, { HCR_EL2: hcr });
    expect(load(core, withTag(6))).toBe(0n);
    set(core, { HCR_EL2: hcr | (1n << 57n) });
    expect(summary(load(core, withTag(6)))).toBe(MISMATCH);
  });

  test("asynchronous checks note and go on", () => {
    const core = tagged();
    writeTag(core.memory, at, 5);
    set(core, { SCTLR_EL1: SCTLR_ON | ATA | TCF_ASYNC });
    expect(load(core, withTag(6))).toBe(0n);
    expect(core.sysreg.TFSR_EL1).toBe(1n);
    expect(core.sysreg.TFSRE0_EL1).toBe(0n);
  });

  test("EL0 has TCF0 and ATA0", () => {
    const core = tagged(0);
    writeTag(core.memory, at, 5);
    expect(summary(load(core, withTag(6)))).toBe("EL1 ec 24 fsc 11");
    set(core, { SCTLR_EL1: SCTLR_ON | ATA | TCF_SYNC | TCF0_SYNC });
    expect(load(core, withTag(6))).toBe(0n);
    set(core, { SCTLR_EL1: SCTLR_ON | ATA0 | (2n << 38n) });
    expect(load(core, withTag(6))).toBe(0n);
    expect(core.sysreg.TFSRE0_EL1).toBe(1n);
  });

  test("a permission fault comes first", () => {
    const core = tagged();
    put(core, 0x4000_0008n, 0x4000_0000n | AF | AP2 | attrIndex(3) | VALID_BLOCK);
    writeTag(core.memory, at, 5);
    expect(summary(writeMem(core, withTag(6), 8, 1n, plain(8)))).toBe("EL1 ec 25 fsc 0d");
  });
});

describe("tags themselves", () => {
  test("are written and read by granule", () => {
    const core = tagged();
    expect(writeMemTags(core, withTag(1), 2, (index) => 8 + index)).toBeUndefined();
    expect(readMemTag(core, at + 15n)).toBe(8);
    expect(readMemTag(core, at + 16n)).toBe(9);
    expect(readMemTag(core, at + 32n)).toBe(0);
  });

  test("are not there while access is disabled, nor in other memory", () => {
    const core = tagged();
    writeTag(core.memory, at, 5);
    expect(readMemTag(core, at + 0x4000_0000n)).toBe(0);
    expect(writeMemTags(core, at + 0x4000_0000n, 1, () => 9)).toBeUndefined();
    set(core, { SCTLR_EL1: SCTLR_ON });
    expect(readMemTag(core, at)).toBe(0);
    expect(writeMemTags(core, at, 1, () => 9)).toBeUndefined();
    expect(readTag(core.memory, at)).toBe(5);
  });

  test("fault like loads and stores", () => {
    const core = tagged();
    put(core, 0x4000_0008n, 0x4000_0000n | AF | AP2 | attrIndex(3) | VALID_BLOCK);
    expect(readMemTag(core, at)).toBe(0);
    const fault = writeMemTags(core, at, 1, () => 1);
    expect(fault).toMatchObject({ iss: (1 << 6) | 0b001101, far: at });
    expect(tagAlignmentFault(core, at, true)).toBeUndefined();
    expect(tagAlignmentFault(core, at + 8n, true)?.iss).toBe((1 << 6) | 0b100001);
  });

  test("LDGM and STGM move a block; GMID_EL1.BS 6 is 256 bytes, sixteen tags", () => {
    const core = tagged();
    expect(writeMemTagBlock(core, at + 0x123n, 0xfedc_ba98_7654_3210n)).toBeUndefined();
    expect(readMemTagBlock(core, at + 0x1f0n)).toBe(0xfedc_ba98_7654_3210n);
    expect(readTag(core.memory, at + 0x100n)).toBe(0);
    expect(readTag(core.memory, at + 0x130n)).toBe(3);
    expect(readTag(core.memory, at + 0x1f0n)).toBe(15);
    expect(readTag(core.memory, at + 0x200n)).toBe(0);
  });
});

describe("blocks", () => {
  test("DC ZVA zeroes the block around its address; 512 bytes on max, 64 on Cortex-A76", () => {
    const core = tagged();
    expect(zeroBlockBytes(core)).toBe(512);
    expect(zeroBlockBytes(machine({ cpuModel: cortexA76 }))).toBe(64);
    for (const offset of [0x1ffn, 0x200n, 0x3ffn, 0x400n]) {
      writePhysical(core.memory, at + offset, 1, 1n);
    }
    expect(writeBlock(core, at + 0x321n, blockWriteOf("ZVA", at))).toBeUndefined();
    const left = [0x1ffn, 0x200n, 0x3ffn, 0x400n].map((offset) =>
      readPhysical(core.memory, at + offset, 1),
    );
    expect(left).toEqual([1n, 0n, 0n, 1n]);
  });

  test("Device memory takes no DC ZVA: an alignment fault at its address, CM clear", () => {
    const core = machine();
    expect(writeBlock(core, at + 1n, blockWriteOf("ZVA", at))).toMatchObject({
      ec: 0x25,
      iss: (1 << 6) | 0b100001,
      far: at + 1n,
    });
  });

  test("DC ZVA checks tags; DC GVA and DC GZVA set them to that of the address", () => {
    const core = tagged();
    writePhysical(core.memory, at, 1, 1n);
    writeTag(core.memory, at + 0x20n, 5);
    expect(writeBlock(core, withTag(0), blockWriteOf("ZVA", withTag(0)))).toMatchObject({
      iss: (1 << 6) | 0b010001,
      far: at + 0x20n,
    });
    expect(readPhysical(core.memory, at, 1)).toBe(1n);
    expect(writeBlock(core, withTag(7), blockWriteOf("GVA", withTag(7)))).toBeUndefined();
    expect(readPhysical(core.memory, at, 1)).toBe(1n);
    expect([0n, 0x20n, 0x1f0n, 0x200n].map((o) => readTag(core.memory, at + o))).toEqual([
      7, 7, 7, 0,
    ]);
    expect(writeBlock(core, withTag(9), blockWriteOf("GZVA", withTag(9)))).toBeUndefined();
    expect(readPhysical(core.memory, at, 1)).toBe(0n);
    expect(readTag(core.memory, at)).toBe(9);
  });
});

describe("cache maintenance by address", () => {
  test("is translated: CM and WnR, no permission above EL0 but for DC IVAC", () => {
    const core = tagged();
    put(core, 0x4000_0008n, 0x4000_0000n | AF | AP2 | attrIndex(3) | VALID_BLOCK);
    expect(maintainCache(core, at, false)).toBeUndefined();
    expect(maintainCache(core, at, true)?.iss).toBe((1 << 8) | (1 << 6) | 0b001101);
    expect(maintainCache(core, 0x1_4000_0000n, false)).toMatchObject({
      ec: 0x25,
      iss: (1 << 8) | (1 << 6) | 0b000101,
      far: 0x1_4000_0000n,
    });
  });

  test("at EL0 needs permission to read", () => {
    const core = tagged(0);
    expect(maintainCache(core, at, false)).toBeUndefined();
    put(core, 0x4000_0008n, 0x4000_0000n | AF | attrIndex(3) | VALID_BLOCK);
    expect(maintainCache(core, at, false)?.iss).toBe((1 << 8) | (1 << 6) | 0b001101);
  });
});

describe("STZGM", () => {
  test("on a device that takes no writes is an external abort, though there are no tags", () => {
    const device: Device = {
      ...{ name: "read-only", base: 0x5000_0000n, sizeBytes: 0x1000n },
      read: () => 0n,
      write: () => false,
      fork: () => device,
    };
    const core = resetCore(max, createMemory([], [device]), 0n);
    const stopped = memoryTagFunctions.ZeroMemoryAndWriteTags(core, 0x5000_0000n, 3);
    expect(stopped).toMatchObject({ target: 2, ec: 0x25, far: 0x5000_0000n });
    expect((stopped as Fault).iss & 0x7f).toBe((1 << 6) | 0x10);
  });
});
