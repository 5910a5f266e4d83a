// How x0 of an HVC is read, branch by branch.

import { describe, expect, test } from "vitest";
import { decode } from "../../../model/dispatch/decode.ts";
import { BRANCHES } from "../../../spec/branches/branches.ts";
import { hypVa } from "../../../spec/types/address.ts";

const HANDLERS = [hypVa(0x20_0001_0000n), hypVa(0n), hypVa(0x20_0001_0040n)];
const on61 = (x0: bigint) => decode(BRANCHES["android14-6.1"], HANDLERS, x0).kind;
const on66 = (x0: bigint) => decode(BRANCHES["android15-6.6"], HANDLERS, x0).kind;

describe("decode, android14-6.1", () => {
  test.each([
    [0xc600_0080n, "dynamic"],
    [0xc600_0081n, "dynamic"], // NULL in the slot: found, and refused later
    [0xc600_0083n, "unregistered"],
    [0xc600_00ffn, "unregistered"],
    [0xc600_0100n, "unregistered"],
    [0x1_c600_0080n, "dynamic"], // measured: only 32 bits of the difference count
    [0xffff_ffff_c600_0080n, "dynamic"],
    [0xc600_0000n, "empty slot"],
    [0xc600_0001n, "static"],
    [0xc600_002bn, "static"], // 43, the last entry of the measured kernel
    [0xc600_007fn, "beyond the table"],
    [0x1_c600_0012n, "beyond the table"], // measured: a table id compares 64 bits
    [0x8400_0000n, "beyond the table"], // PSCI_VERSION: the difference is negative as an int
    [0n, "unregistered"], // 0 - 0xc6000000 as an int is 0x3a000000
    [0xc601_0001n, "unregistered"], // the SVE hint makes any id a large dynamic one
    [0x2_4600_0080n, "beyond the table"], // the difference is 0x80000080 as an int: negative
  ])("0x%s is %s", (x0, kind) => {
    expect(on61(x0)).toBe(kind);
  });
});

describe("decode, android15-6.6", () => {
  test.each([
    [0xc600_0080n, "dynamic"],
    [0xc600_0081n, "beyond the table"], // NULL in the slot: left to the table
    [0xc600_0083n, "beyond the table"],
    [0xc601_0080n, "dynamic"], // the hint is removed first
    [0xc601_0001n, "static"],
    [0xc600_0001n, "static"],
  ])("0x%s is %s", (x0, kind) => {
    expect(on66(x0)).toBe(kind);
  });
});
