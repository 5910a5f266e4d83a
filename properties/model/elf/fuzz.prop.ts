// Hostile module files: reading and loading one ends with a value, after little work.

import { globSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { RELA_SIZE, SHDR_SIZE, SHT, SYM_SIZE } from "../../../model/elf/elf-abi.ts";
import { applyHypRelocs, hypSlots, misaligned, spanOf } from "../../../model/elf/hyp.ts";
import type { LoaderRules } from "../../../model/elf/layout.ts";
import { consecutiveBases } from "../../../model/elf/layout.ts";
import type { LoadedModule, ModuleFile } from "../../../model/elf/load.ts";
import { loadModule, readModule } from "../../../model/elf/load.ts";
import { PLT_ENTRY_SIZE } from "../../../model/elf/plt.ts";
import type { ElfFile } from "../../../model/elf/read.ts";
import { readElf, sectionNamed } from "../../../model/elf/read.ts";
import type { Refusal } from "../../../model/elf/refusal.ts";
import { describeAddress, symbolIndex } from "../../../model/elf/symbols.ts";
import { hypVa, kernVa } from "../../../spec/types/address.ts";
import { ERRNO } from "../../../spec/types/errno.ts";
import { A, AX, buildElf, MODULE_SECTIONS, WA, words } from "./build-elf.ts";
import type { Base } from "./mutate.ts";
import { baseOf, mutated, mutation } from "./mutate.ts";

const RUNS = 12_000;

/** PLTs for the modules that bring them, and for one in eight that does not. */
const rulesFor = (elf: ElfFile, byType: boolean, pick: number): LoaderRules => ({
  regions: byType ? "by memory type" : "core and init",
  plts: sectionNamed(elf, ".plt") !== undefined || pick % 8 === 0,
  ftracePlts: 2,
  spaceBytes: 2 ** 27,
});

const BASE = kernVa(0xffff_ffc0_0100_0000n);
/** Near enough for a branch, or with PLTs not always, so that veneers are made. */
const exported =
  ({ plts }: LoaderRules) =>
  (name: string): bigint =>
    BASE + (plts && name.length % 2 === 0 ? 0x2000_0000n : 0x1000n);

/** Every module of examples/ that reads, as built, and one that has what none of them has. */
function bases(): readonly Base[] {
  const examples = join(import.meta.dirname, "../../../examples");
  const files = globSync("*/*.ko", { cwd: examples }).sort();
  const built = files.map((file) => [basename(file), readFileSync(join(examples, file))] as const);
  return [["built by hand", handmade()] as const, ...built].flatMap(([name, bytes]) => {
    const read = readElf(bytes);
    return read.ok ? [baseOf(name, read.elf)] : [];
  });
}

/** A module with PLTs, init code, versions and an EL2 half with relocations. */
function handmade(): Uint8Array {
  const page = (name: string, flags: number) => ({
    name,
    flags,
    bytes: new Uint8Array(4096),
    align: 4096,
  });
  return buildElf({
    sections: [
      { name: ".text", flags: AX, bytes: words(0x94000000, 0x90000000, 0x91000000), align: 4 },
      { name: ".init.text", flags: AX, bytes: words(0x14000000), align: 4 },
      { name: ".plt", flags: AX, bytes: new Uint8Array(1) },
      { name: ".init.plt", flags: AX, bytes: new Uint8Array(1) },
      page(".hyp.text", AX),
      page(".hyp.data", WA),
      { name: ".hyp.reloc", flags: A, bytes: words(0x1000), align: 4 },
      { name: ".bss", flags: WA, type: SHT.NOBITS, size: 64, align: 8 },
      { name: "__versions", flags: A, bytes: new Uint8Array(128), align: 8 },
      ...MODULE_SECTIONS,
    ],
    symbols: [
      { name: "init_module", section: ".init.text", type: 2 },
      { name: "far", section: 0 },
      { name: "datum", section: ".hyp.data", type: 1 },
    ],
    relocations: [
      { target: ".gnu.linkonce.this_module", offset: 64, type: 257, symbol: "init_module" },
      { target: ".text", offset: 0, type: 283, symbol: "far" },
      { target: ".text", offset: 4, type: 275, symbol: "datum" },
      { target: ".text", offset: 8, type: 277, symbol: "datum" },
      { target: ".init.text", offset: 0, type: 282, symbol: "far" },
      { target: ".hyp.data", offset: 8, type: 257, symbol: "datum" },
    ],
  });
}

/** How often each answer came. */
const reached = new Map<string, number>();
const count = (what: string) => reached.set(what, (reached.get(what) ?? 0) + 1);

/** A refusal without its numbers and names: which check spoke. */
const kindOf = ({ errno, error }: Refusal): string =>
  `${errno ?? "-"} ${error.replace(/"(\\.|[^"\\])*"|0x[0-9a-f]+|\d+/g, "#").slice(0, 60)}`;

/** One clear line, and an errno that exists. */
function expectClear(refusal: Refusal): void {
  expect(refusal.error).toMatch(/^[^\n]{20,600}\.$/);
  if (refusal.errno !== undefined) expect(ERRNO[refusal.errno]).toBeGreaterThan(0);
}

/** What reading took, against the file: each name is read once per header that has it. */
function expectBoundedReading(file: ModuleFile): void {
  const { elf } = file;
  const tables = elf.relocations.reduce((sum, table) => sum + table.entries.length, 0);
  const { length } = elf.image.bytes;
  expect(elf.sections.length * SHDR_SIZE).toBeLessThanOrEqual(length);
  expect(elf.symbols.length * SYM_SIZE + tables * RELA_SIZE).toBeLessThanOrEqual(length);
  expect(elf.image.looked).toBeLessThanOrEqual(24 * length + 4096);
}

/** Memory that loading took, against the file, and sections that lie where they should. */
function expectBoundedLoad(module: LoadedModule): void {
  const { elf } = module.file;
  const tables = elf.relocations.reduce((sum, table) => sum + table.entries.length, 0);
  const bytes = module.sections.reduce((sum, section) => sum + section.bytes.length, 0);
  const veneers = (tables + 2) * PLT_ENTRY_SIZE;
  expect(bytes).toBeLessThanOrEqual(elf.image.bytes.length + veneers);
  const byAddress = [...module.sections]
    .filter(({ size }) => size > 0)
    .sort((a, b) => (a.address < b.address ? -1 : 1));
  const wrong = byAddress.filter((section, i) => {
    const end = section.address + BigInt(section.size);
    return section.bytes.length > section.size || end > (byAddress[i + 1]?.address ?? end);
  });
  expect(wrong).toEqual([]);
}

/** Everything that is done with a module that loads. */
function useAll(module: LoadedModule): void {
  const index = symbolIndex(module.file.elf, module.sections, module.values);
  expect(describeAddress(index, module.init ?? 0n)).not.toBe("");
  if (module.hyp === undefined) return;
  expect(spanOf(module.hyp).pageCount).toBeGreaterThanOrEqual(0);
  misaligned(module.hyp);
  const slots = hypSlots(module.hyp, module.sections);
  if (!slots.ok) expectClear(slots);
  else count(`use ${slots.slots.length > 0 ? "slots" : "no slots"}`);
  const applied = applyHypRelocs(module.hyp, module.sections, hypVa(0x20_0001_0000n));
  expect(applied.ok).toBe(slots.ok);
}

describe(`${RUNS} mutated files`, () => {
  const all = bases();

  test("reading and loading end with a value, whatever the file holds, within bounds", () => {
    const property = fc.property(
      fc.noBias(fc.nat({ max: all.length - 1 })),
      fc.array(mutation, { minLength: 1, maxLength: 4 }),
      fc.boolean(),
      (base, mutations, byType) => {
        const read = readModule(mutated(all[base]!, mutations));
        if (!read.ok) {
          expectClear(read);
          count(`read ${kindOf(read)}`);
          return;
        }
        expectBoundedReading(read.module);
        const rules = rulesFor(read.module.elf, byType, base);
        const loaded = loadModule(read.module, {
          branch: "android15-6.6",
          rules,
          vermagic: undefined,
          exported: exported(rules),
          capabilities: new Set([27]),
          place: (layout) => consecutiveBases(layout, BASE),
        });
        if (!loaded.ok) {
          expectClear(loaded);
          count(`load ${kindOf(loaded)}`);
          return;
        }
        count("loaded");
        expectBoundedLoad(loaded.loaded);
        useAll(loaded.loaded);
      },
    );
    fc.assert(property, { seed: 20261123, numRuns: RUNS });
  });

  test("sometimes: most checks spoke, and enough files came through", () => {
    const kinds = [...reached.keys()];
    const times = (what: string) => reached.get(what) ?? 0;
    expect(all.length).toBeGreaterThan(10);
    expect(times("loaded")).toBeGreaterThan(RUNS / 10);
    expect(times("use slots")).toBeGreaterThan(RUNS / 100);
    expect(kinds.filter((kind) => kind.startsWith("read ")).length).toBeGreaterThanOrEqual(25);
    expect(kinds.filter((kind) => kind.startsWith("load ")).length).toBeGreaterThanOrEqual(8);
  });
});

test("A thousand sections of one name and ten thousand calls do not multiply", () => {
  const many = Array.from({ length: 1000 }, () => ({ name: ".plt", flags: AX, align: 1 }));
  const calls = 10_000;
  const file = buildElf({
    sections: [
      { name: ".text", flags: AX, bytes: new Uint8Array(4 * calls), align: 4 },
      ...many,
      { name: ".init.plt", flags: AX },
      ...MODULE_SECTIONS,
    ],
    symbols: [
      { name: "one", section: 0 },
      { name: "other", section: 0 },
    ],
    relocations: Array.from({ length: calls }, (_, i) => ({
      target: ".text",
      offset: 4 * i,
      type: 283,
      symbol: i % 2 === 0 ? "one" : "other",
      addend: BigInt(i),
    })),
  });
  const read = readModule(file);
  if (!read.ok) throw new Error(read.error);
  expectBoundedReading(read.module);
  const loaded = loadModule(read.module, {
    branch: "android15-6.6",
    rules: rulesFor(read.module.elf, true, 0),
    vermagic: undefined,
    exported: () => BASE + 0x2000_0000n,
    place: (layout) => consecutiveBases(layout, BASE),
  });
  if (!loaded.ok) throw new Error(loaded.error);
  expectBoundedLoad(loaded.loaded);
});
