// Decoding: every word has one entry or none; overlaps are named; every entry is reached.

import { describe, expect, it } from "vitest";
import { encode, extractFields } from "../../../cpu/bits/encoding.ts";
import type { Instruction } from "../../../cpu/bits/instruction.ts";
import { cortexA76, max } from "../../../cpu/cpu-model.ts";
import { decode, indexFor, makeIndex } from "../../../cpu/isa/decode.ts";
import { entries } from "../../../cpu/isa/entries.ts";

/** Whether some word has the fixed bits of both. */
function overlap(a: Instruction, b: Instruction): boolean {
  const common = a.encoding.mask & b.encoding.mask;
  return (a.encoding.value & common) === (b.encoding.value & common);
}

/** Whether all words of `inner` are words of `outer`. */
function contains(outer: Instruction, inner: Instruction): boolean {
  return (outer.encoding.mask & ~inner.encoding.mask) === 0 && overlap(outer, inner);
}

const encodeAll = (entry: Instruction, bit: 0 | 1): number => {
  const values = entry.encoding.fields.map(({ name, width }) => [name, bit * (2 ** width - 1)]);
  return encode(entry.encoding, Object.fromEntries(values));
};

describe("decode", () => {
  it("names are unique, and every entry has a source", () => {
    expect(new Set(entries.map(({ name }) => name)).size).toBe(entries.length);
    for (const { name, source } of entries) expect(source, name).toMatch(/^DDI0487 C[46]\./);
  });

  it("entries overlap only where the inner one says within which", () => {
    for (const a of entries)
      for (const b of entries)
        if (a !== b && overlap(a, b)) {
          const [inner, outer] = a.within === b.name ? [a, b] : [b, a];
          expect(inner.within, `${a.name} and ${b.name}`).toBe(outer.name);
          expect(contains(outer, inner), `${inner.name} within ${outer.name}`).toBe(true);
        }
  });

  it("every `within` is an entry that contains it", () => {
    for (const inner of entries.filter(({ within }) => within !== undefined)) {
      const outer = entries.find(({ name }) => name === inner.within);
      expect(outer && contains(outer, inner), inner.name).toBe(true);
    }
  });

  it("the words of an entry decode to it, or to one within it", () => {
    const index = indexFor(max.features);
    for (const entry of entries.filter(({ feature }) => !feature || max.features[feature]))
      for (const bit of [0, 1] as const) {
        const found = decode(index, encodeAll(entry, bit));
        expect([found?.name, found?.within], entry.name).toContain(entry.name);
      }
  });

  it("the index gives what a search through all entries gives", () => {
    const index = makeIndex(entries);
    const search = (word: number): readonly string[] =>
      entries
        .filter(({ encoding }) => (word & encoding.mask) >>> 0 === encoding.value)
        .map(({ name }) => name);
    let word = 1;
    for (let i = 0; i < 20_000; i++) {
      word = (Math.imul(word, 1_664_525) + 1_013_904_223) >>> 0;
      const found = decode(index, word);
      if (found === undefined) expect(search(word)).toEqual([]);
      else expect(search(word)).toContain(found.name);
    }
  });

  it("without its feature an entry is not there", () => {
    const index = indexFor(cortexA76.features);
    // setf8 w1 is unallocated on Armv8.2; paciasp is a hint, and ldadd is there.
    expect(decode(index, 0x3a00_082d)).toBeUndefined();
    expect(decode(index, 0xd503_233f)?.name).toBe("HINT");
    expect(decode(index, 0xf822_0020)?.name).toBe("LDADD");
  });

  it("each feature, switched off alone, takes its entries away and no other", () => {
    const features = new Set(entries.flatMap(({ feature }) => feature ?? []));
    expect(features.size).toBeGreaterThan(8);
    for (const off of features) {
      const index = indexFor({ ...max.features, [off]: false });
      for (const entry of entries) {
        const found = decode(index, encodeAll(entry, 0));
        const there = found?.name === entry.name || found?.within === entry.name;
        expect(there, `${entry.name} without ${off}`).toBe(entry.feature !== off);
      }
    }
  });

  it("all fields of a diagram are used: changing one changes what the word does", () => {
    // What only hints, is undefined anyway, or scales by one.
    const silentEntry = /^(HINT|BTI|UDF|PRF|FP\/SIMD|SVE|SME)/;
    const silentField = ["DSB CRm", "DMB CRm", "ISB CRm", "CLREX CRm", "DCPS1, DCPS2, DCPS3 imm16"];
    const unscaled = /^(STRB|LDRB|LDRSB) \(register\) S$/;
    const unused = entries
      .filter(({ name }) => !silentEntry.test(name))
      .flatMap((entry) =>
        entry.encoding.fields
          .filter((field) => !differs(entry, field.name))
          .map((field) => `${entry.name} ${field.name}`),
      );
    expect(unused.filter((name) => !silentField.includes(name) && !unscaled.test(name))).toEqual(
      [],
    );
  });
});

/** Whether some choice of the other fields makes the field visible in the effects. */
function differs(entry: Instruction, name: string): boolean {
  const text = (word: number): string =>
    JSON.stringify(entry.effects(word), (_key, value) =>
      typeof value === "bigint" ? value.toString() : value,
    );
  let seed = 7;
  for (let i = 0; i < 64; i++) {
    const values: Record<string, number> = {};
    for (const field of entry.encoding.fields) {
      seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0;
      values[field.name] = (seed >>> 8) % 2 ** field.width;
    }
    const word = encode(entry.encoding, values);
    const { width } = entry.encoding.fields.find((field) => field.name === name)!;
    const other = encode(entry.encoding, {
      ...extractFields(entry.encoding, word),
      [name]: (values[name]! + 1) % 2 ** width,
    });
    if (text(word) !== text(other)) return true;
  }
  return false;
}
