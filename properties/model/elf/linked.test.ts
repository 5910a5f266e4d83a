// Our relocations against what GNU ld and LLVM's lld made of the same objects (record-linked.ts).

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { z } from "zod";
import { layoutSections } from "../../../model/elf/layout.ts";
import { readElf } from "../../../model/elf/read.ts";
import { relocate } from "../../../model/elf/relocate.ts";
import { RELOCATION_TYPES, relocationType } from "../../../model/elf/relocation-types.ts";
import { resolveSymbols } from "../../../model/elf/resolve.ts";

const hexNumber = z.string().regex(/^0x[0-9a-f]+$/);
const Recorded = z.object({
  recordedWith: z.array(z.string()),
  symbols: z.record(z.string(), hexNumber),
  bss: hexNumber,
  cases: z.array(
    z.object({
      name: z.string(),
      object: z.string(),
      sections: z.record(z.string(), z.object({ address: hexNumber, bytes: z.string() })),
    }),
  ),
});
const text = readFileSync(join(import.meta.dirname, "linked.json"), "utf8");
const recorded = Recorded.parse(JSON.parse(text));

const elfOf = (object: string) => {
  const read = readElf(Buffer.from(object, "base64"));
  if (!read.ok) throw new Error(read.error);
  return read.elf;
};

test.each(recorded.cases)("$name: every section is byte for byte the linkers'", (recordedCase) => {
  const elf = elfOf(recordedCase.object);
  const laidOut = layoutSections(elf, {
    regions: "core and init",
    plts: false,
    ftracePlts: 0,
    spaceBytes: 2 ** 27,
  });
  if (!laidOut.ok) throw new Error(laidOut.error);
  // The linker script decides where sections lie; unwind tables were not linked and go anywhere.
  const addresses = elf.sections.map(({ name }) =>
    BigInt(recordedCase.sections[name]?.address ?? recorded.bss),
  );
  const resolved = resolveSymbols(elf, addresses, (name) => {
    const value = recorded.symbols[name];
    return value === undefined ? undefined : BigInt(value);
  });
  if (!resolved.ok) throw new Error(resolved.error);
  const relocated = relocate(elf, laidOut.layout, addresses, resolved.values);
  if (!relocated.ok) throw new Error(relocated.error);
  let compared = 0;
  for (const [name, { bytes }] of Object.entries(recordedCase.sections)) {
    const section = relocated.sections.find((candidate) => candidate.name === name);
    expect(Buffer.from(section?.bytes ?? []).toString("hex"), name).toBe(bytes);
    compared++;
  }
  expect(compared).toBeGreaterThanOrEqual(3);
});

test("The recorded objects have every type of relocation but NONE", () => {
  const used = new Set<string>();
  for (const { object } of recorded.cases) {
    for (const table of elfOf(object).relocations) {
      for (const rela of table.entries) used.add(relocationType(rela.type)!.name);
    }
  }
  const missing = RELOCATION_TYPES.map(({ name }) => name).filter((name) => !used.has(name));
  expect([...new Set(missing)]).toEqual(["NONE"]);
});
