// What lies at an address: the sections' own ends, and the symbol before.

import { expect, test } from "vitest";
import { describeAddress, locate, type SymbolIndex } from "../../../model/elf/symbols.ts";
import { kernVa } from "../../../spec/types/address.ts";

const section = (name: string, address: bigint, size: number) =>
  ({ name, address: kernVa(address), size, index: 1 }) as SymbolIndex[number]["section"];

const INDEX = [
  {
    section: section(".text", 0x1000n, 0x20),
    symbols: [
      { name: "f", address: 0x1000n, rank: 0 },
      { name: "g", address: 0x1010n, rank: 0 },
    ],
  },
  { section: section(".data", 0x1020n, 8), symbols: [] },
] as unknown as SymbolIndex;

test("a section ends where the next begins", () => {
  expect(locate(INDEX, 0xfffn)).toBeUndefined();
  expect(locate(INDEX, 0x1000n)).toEqual({ name: "f", offset: 0n, section: ".text" });
  expect(locate(INDEX, 0x101fn)).toEqual({ name: "g", offset: 0xfn, section: ".text" });
  expect(locate(INDEX, 0x1020n)).toEqual({ name: ".data", offset: 0n, section: ".data" });
  expect(locate(INDEX, 0x1028n)).toBeUndefined();
  expect(describeAddress(INDEX, 0x1028n)).toBe("0x1028");
});
