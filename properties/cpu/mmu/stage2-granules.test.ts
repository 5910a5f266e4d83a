// Stage 2 with every granule and every level that a walk can begin at, tables built by hand.
// Source of the numbers: DDI0487 D8.2, the tables of address bits that each level resolves.

import { describe, expect, test } from "vitest";
import {
  AF,
  load,
  machine,
  put,
  S2_NORMAL,
  S2_READ,
  S2_WRITE,
  summary,
  VALID_BLOCK,
  VALID_PAGE,
  VALID_TABLE,
} from "./machine.ts";

const LEAF = AF | S2_READ | S2_WRITE | S2_NORMAL;

/** VTCR_EL2 with PS 48 bits: the granule by TG0, IPA bits by T0SZ, the first level by SL0. */
const vtcr = (tg0: bigint, ipaBits: number, sl0: bigint): bigint =>
  (1n << 31n) | (5n << 16n) | (tg0 << 14n) | (sl0 << 6n) | BigInt(64 - ipaBits);

/** The lowest IPA bit that each level resolves, from the first level on. */
type Row = readonly [tg0: bigint, ipaBits: number, sl0: bigint, shifts: readonly number[]];

const rows: readonly Row[] = [
  [0b00n, 48, 2n, [39, 30, 21, 12]],
  [0b00n, 40, 1n, [30, 21, 12]], // two tables of level 1
  [0b00n, 34, 0n, [21, 12]], // sixteen tables of level 2
  [0b00n, 24, 3n, [12]], // FEAT_TTST: level 3, eight tables
  [0b10n, 40, 2n, [36, 25, 14]],
  [0b10n, 40, 1n, [25, 14]], // sixteen tables of level 2
  [0b10n, 36, 1n, [25, 14]],
  [0b10n, 27, 0n, [14]], // four tables of level 3
  [0b01n, 44, 2n, [42, 29, 16]],
  [0b01n, 42, 1n, [29, 16]],
  [0b01n, 33, 0n, [16]], // sixteen tables of level 3
];

/** First table; it may be sixteen of 64 KiB, and is aligned to all of them. */
const FIRST = 0x4000_0000n;
/** Tables of the later levels. */
const later = (n: number): bigint => 0x4100_0000n + BigInt(n) * 0x1_0000n;
const PAGE = 0x4600_0000n;

/** A guest without stage 1, and an IPA whose index at each level is known. */
function walk([tg0, ipaBits, sl0, shifts]: Row) {
  const core = machine({
    sysregs: { HCR_EL2: (1n << 31n) | 1n, VTCR_EL2: vtcr(tg0, ipaBits, sl0), VTTBR_EL2: FIRST },
  });
  const indices = shifts.map((shift, n) => {
    const bits = (n === 0 ? ipaBits : shifts[n - 1]!) - shift;
    // The highest bit, and a pattern below it, so that no bit is like its neighbours by chance.
    return (1n << BigInt(bits - 1)) | (0b1_0110_0101n & ((1n << BigInt(bits - 1)) - 1n));
  });
  const offset = 0xab8n;
  const ipa = shifts.reduce((sum, shift, n) => sum | (indices[n]! << BigInt(shift)), offset);
  const entries = indices.map((index, n) => (n === 0 ? FIRST : later(n)) + 8n * index);
  entries.forEach((entry, n) => {
    const isPage = n === entries.length - 1;
    put(core, entry, isPage ? PAGE | LEAF | VALID_PAGE : later(n + 1) | VALID_TABLE);
  });
  put(core, PAGE + offset, 0x77n);
  return { core, ipa, entries };
}

const granules: Readonly<Record<string, string>> = { "0": "4 KiB", "2": "16 KiB", "1": "64 KiB" };

describe.each(rows)("TG0 %i, %i bits, SL0 %i", (...row) => {
  const [tg0, ipaBits, , shifts] = row;
  const name = `${granules[`${tg0}`]} from level ${4 - shifts.length}`;

  test(`${name}: a page is found`, () => {
    const { core, ipa } = walk(row);
    expect(load(core, ipa)).toBe(0x77n);
  });

  test(`${name}: what is invalid faults at its level`, () => {
    shifts.forEach((_, n) => {
      const { core, ipa, entries } = walk(row);
      put(core, entries[n]!, 0n);
      const level = 4 - shifts.length + n;
      expect(summary(load(core, ipa))).toBe(`EL2 ec 24 fsc 0${4 + level}`);
    });
  });

  test(`${name}: an IPA beyond its size is a level 0 fault`, () => {
    const { core, ipa } = walk(row);
    if (ipaBits === 48) return expect(ipa >> 47n).toBe(1n);
    expect(summary(load(core, ipa | (1n << BigInt(ipaBits))))).toBe("EL2 ec 24 fsc 04");
  });

  test(`${name}: blocks from level 2 on, with 4 KiB from level 1`, () => {
    shifts.slice(0, -1).forEach((shift, n) => {
      const { core, ipa, entries } = walk(row);
      const level = 4 - shifts.length + n;
      put(core, entries[n]!, LEAF | VALID_BLOCK | ((1n << 40n) & ~((1n << BigInt(shift)) - 1n)));
      const isBlock = level >= (tg0 === 0n ? 1 : 2);
      // Where there are blocks, nothing is behind this one: an external abort.
      const expected = isBlock ? "EL1 ec 25 fsc 10" : `EL2 ec 24 fsc 0${4 + level}`;
      expect(summary(load(core, ipa))).toBe(expected);
    });
  });
});

describe("T0SZ and SL0 that do not fit each other are level 0 faults", () => {
  test.each([
    ["4 KiB, more than sixteen tables of level 2", 0b00n, 35, 0n],
    ["4 KiB, less than two entries of level 1", 0b00n, 30, 1n],
    ["16 KiB, more than sixteen tables of level 2", 0b10n, 41, 1n],
    ["16 KiB, level 0 is only there with 52 bits", 0b10n, 48, 3n],
    ["64 KiB, more than sixteen tables of level 3", 0b01n, 34, 0n],
    ["64 KiB, there is no level 0", 0b01n, 48, 3n],
  ])("%s", (_name, tg0, ipaBits, sl0) => {
    const core = machine({
      sysregs: { HCR_EL2: (1n << 31n) | 1n, VTCR_EL2: vtcr(tg0, ipaBits, sl0), VTTBR_EL2: FIRST },
    });
    expect(summary(load(core, 0x10n))).toBe("EL2 ec 24 fsc 04");
  });
});
