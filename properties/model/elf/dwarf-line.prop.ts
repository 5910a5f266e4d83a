// Hostile line tables: reading one ends with a value, and the table is no longer than its bytes.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { expect, test } from "vitest";
import { lineAt, readLineTable } from "../../../model/elf/dwarf-line.ts";
import { type ElfFile, readElf, sectionNamed } from "../../../model/elf/read.ts";
import { EXAMPLES } from "../../kdir/toolchain.ts";

const RUNS = 5_000;

const EXTREMES = [0, 1, 2, 4, 5, 13, 0x7f, 0x80, 0xff];

/** What is done to one byte of .debug_line or of its relocations. */
const change = fc.record({
  relocations: fc.boolean(),
  at: fc.noBias(fc.nat({ max: 0xffff })),
  value: fc.oneof(fc.constantFrom(...EXTREMES), fc.nat({ max: 255 })),
  /** How often the byte is repeated: long numbers, long strings. */
  times: fc.constantFrom(1, 1, 1, 4, 16),
});

type Change = typeof change extends fc.Arbitrary<infer T> ? T : never;

function changed(bytes: Uint8Array, elf: ElfFile, changes: readonly Change[]) {
  const copy = bytes.slice();
  for (const { relocations, at, value, times } of changes) {
    const section = sectionNamed(elf, relocations ? ".rela.debug_line" : ".debug_line")!;
    const from = section.offset + Math.floor((section.size * at) / 0x10000);
    copy.fill(value, from, Math.min(from + times, section.offset + section.size));
  }
  return copy;
}

test(`${RUNS} damaged tables`, () => {
  const bases = ["page/pkvm_module.ko", "measurement/ovm.ko"].map((file) => {
    const bytes = new Uint8Array(readFileSync(join(EXAMPLES, file)));
    const read = readElf(bytes);
    if (!read.ok) throw new Error(read.error);
    return { bytes, elf: read.elf };
  });
  let refused = 0;
  let read = 0;
  const property = fc.property(
    fc.nat({ max: 1 }),
    fc.array(change, { minLength: 1, maxLength: 6 }),
    (base, changes) => {
      const { bytes, elf } = bases[base]!;
      const again = readElf(changed(bytes, elf, changes));
      if (!again.ok) return;
      const lines = readLineTable(again.elf);
      if (!lines.ok) {
        refused += 1;
        expect(lines.error).toMatch(/^[^\n]{20,200}\.$/);
        return;
      }
      read += 1;
      const { size } = sectionNamed(again.elf, ".debug_line")!;
      for (const [section, ranges] of lines.table.ranges) {
        expect(ranges.length).toBeLessThan(size);
        for (const { from } of ranges.slice(0, 20)) {
          const at = lineAt(lines.table, section, from);
          expect(at?.file ?? "").toMatch(/^\P{Cc}*$/u);
        }
      }
    },
  );
  fc.assert(property, { seed: 20261123, numRuns: RUNS });
  expect(refused).toBeGreaterThan(RUNS / 20);
  expect(read).toBeGreaterThan(RUNS / 20);
});
