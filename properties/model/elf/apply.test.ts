// Every relocation type that the kernel applies, with numbers worked out on paper from AAELF64.

import { describe, expect, test } from "vitest";
import { applyHowto } from "../../../model/elf/apply.ts";
import { RELOCATION_TYPES, relocationType } from "../../../model/elf/relocation-types.ts";

/** Applies a type to one 4-byte place; what then stands there, and whether it fits. */
function applied(type: string, insn: number, place: bigint, value: bigint): string {
  const found = RELOCATION_TYPES.find(({ name }) => name === type);
  if (found === undefined) throw new Error(`no type ${type}`);
  const view = new DataView(new ArrayBuffer(8));
  view.setUint32(0, insn, true);
  const fits = applyHowto(found.howto, view, 0, place, BigInt.asUintN(64, value));
  return `${view.getUint32(0, true).toString(16).padStart(8, "0")}${fits ? "" : " overflow"}`;
}

/** Type, the word before, P, S + A, the word after. */
type Row = readonly [string, number, bigint, bigint, string];

const OVERFLOW = /overflow/;

describe("Data relocations: the word is replaced", () => {
  const rows: readonly Row[] = [
    // ABS is unsigned in the kernel: 0 to 2^n - 1.
    ["ABS32", 0x11111111, 0x1000n, 0xfedc1234n, "fedc1234"],
    ["ABS32", 0, 0x1000n, 0xffff_ffffn, "ffffffff"],
    ["ABS32", 0, 0x1000n, 0x1_0000_0000n, "00000000 overflow"],
    ["ABS32", 0, 0x1000n, -1n, "ffffffff overflow"],
    ["ABS16", 0x22220000, 0x1000n, 0xffffn, "2222ffff"],
    ["ABS16", 0, 0x1000n, 0x10000n, "00000000 overflow"],
    // PREL is signed: 0x0ffffff0 - 0x10000000 = -0x10.
    ["PREL32", 0, 0x1000_0000n, 0x0fff_fff0n, "fffffff0"],
    ["PREL32", 0, 0n, 0x7fff_ffffn, "7fffffff"],
    ["PREL32", 0, 0n, 0x8000_0000n, "80000000 overflow"],
    ["PREL32", 0, 0x8000_0000n, 0n, "80000000"],
    ["PREL32", 0, 0x8000_0001n, 0n, "7fffffff overflow"],
    ["PREL16", 0, 0x8000n, 0n, "00008000"],
    ["PREL16", 0, 0n, 0x7fffn, "00007fff"],
    ["PREL16", 0, 0n, 0x8000n, "00008000 overflow"],
  ];
  test.each(rows)("%s of %#x", (type, insn, place, value, after) => {
    expect(applied(type, insn, place, value)).toBe(after);
  });

  test("ABS64 and PREL64 write eight bytes and never overflow", () => {
    const view = new DataView(new ArrayBuffer(8));
    const value = 0xffff_ffc0_0800_1234n;
    expect(applyHowto(relocationType(257)!.howto, view, 0, 0x1000n, value)).toBe(true);
    expect(view.getBigUint64(0, true)).toBe(value);
    // 0x1000 - 0x2000 = -0x1000.
    expect(applyHowto(relocationType(260)!.howto, view, 0, 0x2000n, 0x1000n)).toBe(true);
    expect(view.getBigUint64(0, true)).toBe(0xffff_ffff_ffff_f000n);
  });
});

describe("Move-wide relocations: imm16 in bits 20:5", () => {
  const MOVZ = 0xd2800000; // movz x0, #0
  const MOVN = 0x92800000; // movn x0, #0
  const MOVK = 0xf2800000; // movk x0, #0
  const [LSL16, LSL32, LSL48] = [1 << 21, 2 << 21, 3 << 21];
  const rows: readonly Row[] = [
    // 0x1234 << 5 = 0x24680.
    ["MOVW_UABS_G0", MOVZ, 0n, 0x1234n, "d2824680"],
    ["MOVW_UABS_G0", MOVZ, 0n, 0x10000n, "d2800000 overflow"],
    ["MOVW_UABS_G0", MOVZ, 0n, -1n, "d29fffe0 overflow"],
    // 0x5678 << 5 = 0xacf00; what stood in the field goes.
    ["MOVW_UABS_G0_NC", MOVK + (0xffff << 5), 0n, 0xffff_1234_5678n, "f28acf00"],
    ["MOVW_UABS_G1", MOVZ + LSL16, 0n, 0x1234_5678n, "d2a24680"],
    ["MOVW_UABS_G1", MOVZ + LSL16, 0n, 0x1_0000_0000n, "d2a00000 overflow"],
    ["MOVW_UABS_G1_NC", MOVK + LSL16, 0n, 0xabcd_1234_5678n, "f2a24680"],
    ["MOVW_UABS_G2", MOVZ + LSL32, 0n, 0x1234_5678_9abcn, "d2c24680"],
    ["MOVW_UABS_G2", MOVZ + LSL32, 0n, 1n << 48n, "d2c00000 overflow"],
    // Bits 47:32 are 0xffc0; << 5 is 0x1ff800.
    ["MOVW_UABS_G2_NC", MOVK + LSL32, 0n, 0xffff_ffc0_0800_0000n, "f2dff800"],
    ["MOVW_UABS_G3", MOVZ + LSL48, 0n, 0xffff_ffc0_0800_0000n, "d2ffffe0"],
    // Signed: MOVZ for X >= 0, MOVN of ~X for X < 0, whatever stood there. Range -2^16 to 2^16 - 1.
    ["MOVW_SABS_G0", MOVN, 0n, 0x1234n, "d2824680"],
    ["MOVW_SABS_G0", MOVZ, 0n, -2n, "92800020"],
    ["MOVW_SABS_G0", MOVZ, 0n, -0x10000n, "929fffe0"],
    ["MOVW_SABS_G0", MOVZ, 0n, -0x10001n, "92800000 overflow"],
    ["MOVW_SABS_G0", MOVN, 0n, 0x10000n, "d2800000 overflow"],
    ["MOVW_SABS_G1", MOVZ + LSL16, 0n, -1n, "92a00000"],
    ["MOVW_SABS_G1", MOVZ + LSL16, 0n, 0x1_0000_0000n, "d2a00000 overflow"],
    ["MOVW_SABS_G2", MOVN + LSL32, 0n, 0x1234_5678_9abcn, "d2c24680"],
    // The same from the place: 0xffe - 0x1000 = -2.
    ["MOVW_PREL_G0", MOVZ, 0x1000n, 0xffen, "92800020"],
    ["MOVW_PREL_G0", MOVZ, 0n, 0x10000n, "d2800000 overflow"],
    ["MOVW_PREL_G0_NC", MOVK, 0x1000n, 0xffen, "f29fffc0"],
    ["MOVW_PREL_G1", MOVN + LSL16, 0x1000n, 0x1234_1000n, "d2a24680"],
    ["MOVW_PREL_G1", MOVZ + LSL16, 0n, 0x1_0000_0000n, "d2a00000 overflow"],
    ["MOVW_PREL_G1_NC", MOVK + LSL16, 0x1000n, 0xffen, "f2bfffe0"],
    ["MOVW_PREL_G2", MOVZ + LSL32, 0x1000n, 0xfffn, "92c00000"],
    ["MOVW_PREL_G2_NC", MOVK + LSL32, 0x1000n, 0xfffn, "f2dfffe0"],
    ["MOVW_PREL_G3", MOVZ + LSL48, 0x1000n, 0xfffn, "92e00000"],
  ];
  test.each(rows)("%s of %#x", (type, insn, place, value, after) => {
    expect(applied(type, insn >>> 0, place, value)).toBe(after);
  });
});

describe("PC-relative immediates", () => {
  const LDR = 0x58000000; // ldr x0, . + 0
  const ADR = 0x10000000; // adr x0, .
  const ADRP = 0x90000000; // adrp x0, .
  const TBZ = 0x36000000; // tbz w0, #0, .
  const BEQ = 0x54000000; // b.eq .
  const B = 0x14000000;
  const BL = 0x94000000;
  const rows: readonly Row[] = [
    // X / 4 in bits 23:5; ±1 MiB. 8 / 4 << 5 = 0x40; 0x3ffff << 5 = 0x7fffe0; -0x40000 << 5.
    ["LD_PREL_LO19", LDR, 0x1000n, 0x1008n, "58000040"],
    ["LD_PREL_LO19", LDR, 0n, 0xffffcn, "587fffe0"],
    ["LD_PREL_LO19", LDR, 0n, 0x100000n, "58800000 overflow"],
    ["LD_PREL_LO19", LDR, 0x100000n, 0n, "58800000"],
    ["LD_PREL_LO19", LDR, 0x100004n, 0n, "587fffe0 overflow"],
    // immlo in 30:29, immhi in 23:5; ±1 MiB by bytes. -1: immlo 3, immhi 0x7ffff.
    ["ADR_PREL_LO21", ADR, 0x1001n, 0x1000n, "70ffffe0"],
    ["ADR_PREL_LO21", ADR, 0n, 0xfffffn, "707fffe0"],
    ["ADR_PREL_LO21", ADR, 0n, 0x100000n, "10800000 overflow"],
    // Pages: 0x12345000 - 0x10000000 = 0x2345 pages: immlo 1, immhi 0x8d1; 0x8d1 << 5 = 0x11a20.
    ["ADR_PREL_PG_HI21", ADRP, 0x1000_0ffcn, 0x1234_5678n, "b0011a20"],
    ["ADR_PREL_PG_HI21", ADRP, 0xfffn, 0x1000n, "b0000000"],
    ["ADR_PREL_PG_HI21", ADRP, 0x1000n, 0xfffn, "f0ffffe0"],
    // ±4 GiB: 0xfffff pages fit, 0x100000 do not.
    ["ADR_PREL_PG_HI21", ADRP, 0n, 0xffff_ffffn, "f07fffe0"],
    ["ADR_PREL_PG_HI21", ADRP, 0n, 0x1_0000_0000n, "90800000 overflow"],
    ["ADR_PREL_PG_HI21_NC", ADRP, 0n, 0x1_0000_0000n, "90800000"],
    // X / 4 in bits 18:5; ±32 KiB.
    ["TSTBR14", TBZ, 0x1000n, 0x1008n, "36000040"],
    ["TSTBR14", TBZ, 0n, 0x7ffcn, "3603ffe0"],
    ["TSTBR14", TBZ, 0n, 0x8000n, "36040000 overflow"],
    ["TSTBR14", TBZ, 0x8000n, 0n, "36040000"],
    ["CONDBR19", BEQ, 0x1004n, 0x1000n, "54ffffe0"],
    ["CONDBR19", BEQ, 0n, 0x100000n, "54800000 overflow"],
    // X / 4 in bits 25:0; ±128 MiB.
    ["JUMP26", B, 0x1004n, 0x1000n, "17ffffff"],
    ["CALL26", BL, 0n, 0x7ff_fffcn, "95ffffff"],
    ["CALL26", BL, 0n, 0x800_0000n, "96000000 overflow"],
    ["CALL26", BL, 0x800_0000n, 0n, "96000000"],
    ["CALL26", BL, 0x800_0004n, 0n, "95ffffff overflow"],
    // The old immediate is no addend, and the kernel drops the low bits of a target unseen.
    ["CALL26", BL + 0x123, 0n, 6n, "94000001"],
  ];
  test.each(rows)("%s of %#x at %#x", (type, insn, place, value, after) => {
    expect(applied(type, insn, place, value)).toBe(after);
  });
});

describe("Low twelve bits: scaled by the access, never checked", () => {
  const rows: readonly Row[] = [
    // 0x678 << 10 = 0x19e000; / 2: 0x33c << 10; / 4: 0x19e << 10; / 8: 0xcf << 10;
    // 0x670 / 16: 0x67 << 10.
    ["ADD_ABS_LO12_NC", 0x91000000, 0n, 0x1234_5678n, "9119e000"],
    ["LDST8_ABS_LO12_NC", 0x39400000, 0n, 0x1234_5678n, "3959e000"],
    ["LDST16_ABS_LO12_NC", 0x79400000, 0n, 0x1234_5678n, "794cf000"],
    ["LDST32_ABS_LO12_NC", 0xb9400000, 0n, 0x1234_5678n, "b9467800"],
    ["LDST64_ABS_LO12_NC", 0xf9400000, 0n, 0x1234_5678n, "f9433c00"],
    ["LDST128_ABS_LO12_NC", 0x3dc00000, 0n, 0x1234_5670n, "3dc19c00"],
    ["ADD_ABS_LO12_NC", 0x91000000, 0n, 0xffff_ffff_ffff_ffffn, "913ffc00"],
  ];
  test.each(rows)("%s of %#x", (type, insn, place, value, after) => {
    expect(applied(type, insn, place, value)).toBe(after);
    expect(after).not.toMatch(OVERFLOW);
  });
});

test("NONE of both numberings changes nothing", () => {
  for (const number of [0, 256]) {
    const view = new DataView(new ArrayBuffer(8));
    expect(applyHowto(relocationType(number)!.howto, view, 0, 0n, 0x1234n)).toBe(true);
    expect(view.getBigUint64(0, true)).toBe(0n);
  }
});

test("The numbers are those of AAELF64", () => {
  // Every static relocation of a module in AAELF64's tables 6 to 12, by number.
  const numbers = Object.fromEntries(RELOCATION_TYPES.map(({ name, number }) => [name, number]));
  expect(numbers).toEqual({
    NONE: 256,
    ABS64: 257,
    ABS32: 258,
    ABS16: 259,
    PREL64: 260,
    PREL32: 261,
    PREL16: 262,
    MOVW_UABS_G0: 263,
    MOVW_UABS_G0_NC: 264,
    MOVW_UABS_G1: 265,
    MOVW_UABS_G1_NC: 266,
    MOVW_UABS_G2: 267,
    MOVW_UABS_G2_NC: 268,
    MOVW_UABS_G3: 269,
    MOVW_SABS_G0: 270,
    MOVW_SABS_G1: 271,
    MOVW_SABS_G2: 272,
    LD_PREL_LO19: 273,
    ADR_PREL_LO21: 274,
    ADR_PREL_PG_HI21: 275,
    ADR_PREL_PG_HI21_NC: 276,
    ADD_ABS_LO12_NC: 277,
    LDST8_ABS_LO12_NC: 278,
    TSTBR14: 279,
    CONDBR19: 280,
    JUMP26: 282,
    CALL26: 283,
    LDST16_ABS_LO12_NC: 284,
    LDST32_ABS_LO12_NC: 285,
    LDST64_ABS_LO12_NC: 286,
    MOVW_PREL_G0: 287,
    MOVW_PREL_G0_NC: 288,
    MOVW_PREL_G1: 289,
    MOVW_PREL_G1_NC: 290,
    MOVW_PREL_G2: 291,
    MOVW_PREL_G2_NC: 292,
    MOVW_PREL_G3: 293,
    LDST128_ABS_LO12_NC: 299,
  });
});
