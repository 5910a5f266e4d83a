// What memory a load or store touches: words that GNU as made, beside what their text says.

import { expect, test } from "vitest";
import { type DataAccess, dataAccess, indexOffset } from "../../../model/machine/data-access.ts";

const plain = (sizeBytes: number, load: boolean, offset = 0n): Partial<DataAccess> => ({
  kind: "plain",
  sizeBytes,
  load,
  offset,
  base: 1,
  index: undefined,
});

const WORDS: readonly (readonly [text: string, word: number, access: Partial<DataAccess>])[] = [
  ["ldxr w0, [x1]", 0x885f7c20, { kind: "exclusive", sizeBytes: 4, load: true, base: 1 }],
  ["stxrb w2, w0, [x1]", 0x08027c20, { kind: "exclusive", sizeBytes: 1, load: false, base: 1 }],
  ["ldaxp x0, x2, [x1]", 0xc87f8820, { kind: "exclusive", sizeBytes: 16, load: true, pair: true }],
  [
    "stxp w3, w0, w2, [x1]",
    0x88230820,
    { kind: "exclusive", sizeBytes: 8, load: false, pair: true },
  ],
  ["ldar x0, [x1]", 0xc8dffc20, { kind: "ordered", sizeBytes: 8, load: true, base: 1 }],
  ["stlrh w0, [x1]", 0x489ffc20, { kind: "ordered", sizeBytes: 2, load: false, base: 1 }],
  ["cas w0, w2, [x1]", 0x88a07c22, { kind: "atomic", sizeBytes: 4, pair: false, base: 1 }],
  ["casp x0, x1, x2, x3, [x4]", 0x48207c82, { kind: "atomic", sizeBytes: 16, pair: true, base: 4 }],
  ["ldr x0, .+16", 0x58000080, { ...plain(8, true, 16n), base: undefined }],
  ["ldr w0, .-8", 0x18ffffc0, { ...plain(4, true, -8n), base: undefined }],
  ["ldrsw x0, .+4", 0x98000020, { ...plain(4, true, 4n), base: undefined }],
  ["ldapur w0, [x1, #-3]", 0x995fd020, { ...plain(4, true, -3n), kind: "ordered" }],
  ["stlurb w0, [x1, #7]", 0x19007020, { ...plain(1, false, 7n), kind: "ordered" }],
  ["stg x0, [x1, #32]", 0xd9202820, { kind: "tags", offset: 32n, writeback: false }],
  ["stg x0, [x1], #16", 0xd9201420, { kind: "tags", offset: 0n, writeback: true }],
  ["ldp x0, x2, [x1, #-16]", 0xa97f0820, { ...plain(16, true, -16n), pair: true }],
  ["stp w0, w2, [x1, #8]!", 0x29810820, { ...plain(8, false, 8n), pair: true, writeback: true }],
  [
    "ldpsw x0, x2, [sp], #24",
    0x68c30be0,
    { ...plain(8, true), base: 31, pair: true, writeback: true },
  ],
  ["stgp x0, x2, [x1, #32]", 0x69010820, { kind: "tags", sizeBytes: 16, offset: 32n }],
  ["ldrb w0, [x1, #5]", 0x39401420, plain(1, true, 5n)],
  ["strh w0, [x1, #10]", 0x79001420, plain(2, false, 10n)],
  ["ldrsw x0, [x1, #4]", 0xb9800420, plain(4, true, 4n)],
  ["str x0, [sp, #32760]", 0xf93fffe0, { ...plain(8, false, 32760n), base: 31 }],
  ["ldur w0, [x1, #-5]", 0xb85fb020, { ...plain(4, true, -5n), writeback: false }],
  ["str x0, [x1, #-8]!", 0xf81f8c20, { ...plain(8, false, -8n), writeback: true }],
  ["ldrsh w0, [x1], #3", 0x78c03420, { ...plain(2, true), writeback: true }],
  ["ldadd x0, x2, [x1]", 0xf8200022, { kind: "atomic", sizeBytes: 8, load: true, base: 1 }],
  [
    "ldr x0, [x1, w2, uxtw #3]",
    0xf8625820,
    { ...plain(8, true), index: { register: 2, option: 2, shift: 3 } },
  ],
  [
    "strb w0, [x1, x2]",
    0x38226820,
    { ...plain(1, false), index: { register: 2, option: 3, shift: 0 } },
  ],
  ["ldraa x0, [x1, #-16]!", 0xf87fec20, { kind: "authenticated", offset: -16n, writeback: true }],
  ["ldrab x0, [x1, #8]", 0xf8a01420, { kind: "authenticated", offset: 8n, writeback: false }],
];

test.each(WORDS)("%s", (_, word, access) => {
  expect(dataAccess(word)).toMatchObject(access);
});

test("add x0, x1, x2 touches no memory", () => {
  expect(dataAccess(0x8b020020)).toBeUndefined();
});

// DDI0487 ExtendReg: UXTW 010, UXTX (LSL) 011, SXTW 110, SXTX 111.
test("an index register is extended, then shifted", () => {
  const value = 0xffff_ffff_8000_0001n;
  const added = (option: number, shift: number) =>
    BigInt.asUintN(64, indexOffset({ register: 2, option, shift }, value));
  expect([added(2, 0), added(2, 3)]).toEqual([0x8000_0001n, 0x4_0000_0008n]);
  expect([added(3, 0), added(6, 0)]).toEqual([value, value]);
  expect([added(7, 0), added(6, 1)]).toEqual([value, 0xffff_ffff_0000_0002n]);
});
