// The committed table of instructions is up to date, and no entry is without a test of its own.

import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { classes, entries } from "../../../cpu/isa/entries.ts";
import { hits, ISA_TABLE, isaTable, isaTableText } from "../../../tools/trace-isa.ts";

const root = fileURLToPath(new URL("../../..", import.meta.url));

describe("the table of instructions", () => {
  const rows = isaTable();

  it("is the committed one: npm run trace -- isa writes it", () => {
    expect(readFileSync(root + ISA_TABLE, "utf8")).toBe(isaTableText(rows));
  });

  it("has a row for every entry, with a file that is there and examples", () => {
    expect(rows.map(({ entry }) => entry)).toEqual(entries.map(({ name }) => name));
    for (const { entry, file, examples } of rows) {
      expect(existsSync(root + file), entry).toBe(true);
      expect(examples, entry).not.toBe("");
    }
  });

  it("has at least 40 vectors of every entry but the one that QEMU steps over", () => {
    expect(rows.filter((row) => hits(row) < 40).map(({ entry }) => entry)).toEqual(["WFI"]);
  });

  it("names each file after what it has: every file's classes are imported from it", () => {
    const text = readFileSync(`${root}cpu/isa/entries.ts`, "utf8");
    for (const { file } of classes) expect(text).toContain(`from "./${file}"`);
  });

  it("has as many entries as Arm's index of encodings has pages and forms", () => {
    const count = (names: RegExp, feature?: string): number =>
      classes
        .filter(({ name }) => names.test(name))
        .flatMap((each) => each.entries)
        .filter((entry) => feature === undefined || entry.feature === feature).length;
    const loads = /^Load\/store register \((unscaled|immediate|register|unsigned)/;
    expect({
      "LDR, STR, LDUR, STUR, PRFM": count(loads),
      logical: count(/^Logical/),
      "conditional select and compare": count(/^Conditional (select|compare)/),
      pairs: count(/pair \((offset|pre|post)/),
      "LDTR, STTR": count(/unprivileged/),
      "literal loads": count(/literal/),
      ordered: count(/^Load\/store ordered/),
      LSE: count(/./, "LSE"),
      CRC32: count(/./, "CRC32"),
      LDAPR: count(/./, "LRCPC"),
    }).toEqual({
      "LDR, STR, LDUR, STUR, PRFM": 48,
      logical: 12,
      "conditional select and compare": 8,
      pairs: 11,
      "LDTR, STTR": 9,
      "literal loads": 3,
      ordered: 12,
      LSE: 55,
      CRC32: 2,
      LDAPR: 3,
    });
    expect(entries).toHaveLength(341);
  });
});
