// The EL2 half of a module: when there is one, its section table, its span, and .hyp.reloc.

import { describe, expect, test } from "vitest";
import type { HypModule } from "../../../model/elf/hyp.ts";
import {
  applyHypRelocs,
  hypModuleOf,
  hypSlots,
  misaligned,
  relocatedSlot,
  sortedTable,
  spanOf,
} from "../../../model/elf/hyp.ts";
import { addressesOf, layoutSections } from "../../../model/elf/layout.ts";
import { readElf } from "../../../model/elf/read.ts";
import { relocate } from "../../../model/elf/relocate.ts";
import { resolveSymbols } from "../../../model/elf/resolve.ts";
import type { BranchName } from "../../../spec/branches/branch.ts";
import { hypVa, kernVa } from "../../../spec/types/address.ts";
import type { RelaSpec, SectionSpec, SymbolSpec } from "./build-elf.ts";
import { A, AX, buildElf, MODULE_SECTIONS, WA } from "./build-elf.ts";

const CORE = 0xffff_ffc0_0100_0000n;

const page = (name: string, flags: number): SectionSpec => ({
  name,
  flags,
  bytes: new Uint8Array(4096),
  align: 4096,
});
const TEXT = page(".hyp.text", AX);
const reloc = (...entries: readonly number[]): SectionSpec => {
  const bytes = new Uint8Array(entries.length * 4);
  const view = new DataView(bytes.buffer);
  entries.forEach((entry, i) => {
    view.setInt32(i * 4, entry, true);
  });
  return { name: ".hyp.reloc", flags: A, bytes, align: 4 };
};

interface Content {
  readonly symbols?: readonly SymbolSpec[];
  readonly relocations?: readonly RelaSpec[];
  readonly branch?: BranchName;
}

function hypOf(sections: readonly SectionSpec[], content: Content = {}) {
  const { symbols = [], relocations = [], branch = "android14-6.1" } = content;
  const file = buildElf({ sections: [...sections, ...MODULE_SECTIONS], symbols, relocations });
  const read = readElf(file);
  if (!read.ok) throw new Error(read.error);
  const rules = {
    regions: "core and init",
    plts: false,
    ftracePlts: 2,
    spaceBytes: 2 ** 27,
  } as const;
  const laidOut = layoutSections(read.elf, rules);
  if (!laidOut.ok) throw new Error(laidOut.error);
  const addresses = addressesOf(read.elf, laidOut.layout, new Map([["core", kernVa(CORE)]]));
  const resolved = resolveSymbols(read.elf, addresses, () => undefined);
  if (!resolved.ok) throw new Error(resolved.error);
  const relocated = relocate(read.elf, laidOut.layout, addresses, resolved.values);
  if (!relocated.ok) throw new Error(relocated.error);
  return {
    sections: relocated.sections,
    result: hypModuleOf(read.elf, relocated.sections, branch),
  };
}

function present(...args: Parameters<typeof hypOf>) {
  const { sections, result } = hypOf(...args);
  if (!result.ok || result.hyp === undefined) throw new Error("no EL2 half");
  return { hyp: result.hyp, sections };
}

const shown = (hyp: HypModule) =>
  hyp.table.map(({ name, prot, start }) => [name, prot, start && start - CORE]);

describe("When a module has an EL2 half (facts: module_init_hyp)", () => {
  test("no .hyp.text, or an empty one: a plain module, whatever else it has", () => {
    expect(hypOf([page(".hyp.data", WA)]).result).toEqual({ ok: true, hyp: undefined });
    const empty = { ...TEXT, bytes: new Uint8Array(0) };
    expect(hypOf([empty, page(".hyp.data", WA)]).result).toEqual({ ok: true, hyp: undefined });
  });

  test("no .hyp.reloc: ENOEXEC", () => {
    expect(hypOf([TEXT]).result).toMatchObject({ ok: false, errno: "ENOEXEC" });
  });

  test("an empty .hyp.reloc is enough", () => {
    expect(present([TEXT, reloc()]).hyp.relocs.count).toBe(0);
  });

  test("a section without memory at run time is refused from its first byte on", () => {
    const unloaded = (bytes: number) => ({
      ...page(".hyp.data", 0),
      bytes: new Uint8Array(bytes),
    });
    expect(present([TEXT, reloc(), unloaded(0)]).hyp.table[3]?.start).toBeUndefined();
    expect(hypOf([TEXT, reloc(), unloaded(1)]).result).toMatchObject({
      ok: false,
      errno: undefined,
      error: expect.stringMatching(/^\.hyp\.data has no memory at run time/),
    });
  });

  test("other sections missing or empty: NULL in the table", () => {
    const { hyp } = present([TEXT, reloc(), { ...page(".hyp.bss", WA), bytes: new Uint8Array(0) }]);
    expect(shown(hyp)).toEqual([
      [".hyp.text", 5, 0n],
      [".hyp.bss", 6, undefined],
      [".hyp.rodata", 4, undefined],
      [".hyp.data", 6, undefined],
    ]);
  });

  test("later kernels have more rows; event ids count only beside _hyp_events", () => {
    const ids = page(".hyp.event_ids", A);
    const events: SectionSpec = { name: "_hyp_events", flags: WA, bytes: new Uint8Array(8) };
    const names = (branch: BranchName) =>
      present([TEXT, reloc(), ids, events], { branch }).hyp.table.map(({ name }) => name);
    expect(names("android14-6.1")).toHaveLength(4);
    expect(names("android15-6.6")).toEqual([
      ".hyp.text",
      ".hyp.bss",
      ".hyp.rodata",
      ".hyp.event_ids",
      ".hyp.data",
    ]);
    expect(names("android16-6.12")).toContain(".hyp.patchable_function_entries");
    expect(names("android17-6.18")).toHaveLength(6);
    const without = present([TEXT, reloc(), ids], { branch: "android15-6.6" });
    expect(without.hyp.table[3]).toMatchObject({ name: ".hyp.event_ids", start: undefined });
    const beside = present([TEXT, reloc(), ids, events], { branch: "android15-6.6" });
    expect(beside.hyp.table[3]?.start).toBeDefined();
  });
});

describe("The span", () => {
  // Code at 0, read-only at 0x1000 (rodata, then .hyp.reloc at 0x2000), page end 0x3000; data.
  const half = [TEXT, page(".hyp.data", WA), page(".hyp.rodata", A), reloc()];

  test("from the first section to the last, holes included; absent ones sort first", () => {
    const { hyp } = present(half);
    expect(sortedTable(hyp).map(({ name }) => name)).toEqual([
      ".hyp.bss",
      ".hyp.text",
      ".hyp.rodata",
      ".hyp.data",
    ]);
    expect(spanOf(hyp)).toEqual({ start: CORE, end: CORE + 0x3000n, pageCount: 3 });
  });

  test("code alone takes one page", () => {
    expect(spanOf(present([TEXT, reloc()]).hyp).pageCount).toBe(1);
  });

  test("a start that is not page-aligned is found, an end is not looked at", () => {
    expect(misaligned(present(half).hyp)).toEqual([]);
    const pushed: SectionSpec = { name: ".data", flags: WA, bytes: new Uint8Array(8), align: 8 };
    const odd = { ...page(".hyp.data", WA), bytes: new Uint8Array(12), align: 8 };
    const { hyp } = present([TEXT, reloc(), pushed, odd]);
    expect(misaligned(hyp).map(({ name }) => name)).toEqual([".hyp.data"]);
    // Code page, .hyp.reloc empty so no read-only page; .data 0x1000, .hyp.data 0x1008..0x1014.
    expect(spanOf(hyp)).toMatchObject({ end: CORE + 0x1014n, pageCount: 1 });
  });
});

describe(".hyp.reloc", () => {
  // .hyp.text 0, .hyp.rodata 0x1000, .hyp.reloc 0x2000, .hyp.data 0x3000: the pointer at
  // .hyp.data + 8 is 0x1008 after the first entry, and at .hyp.rodata 0x1004 before the second.
  const half = [TEXT, page(".hyp.rodata", A), page(".hyp.data", WA), reloc(0x1008, -0x1004)];
  const content: Content = {
    symbols: [{ name: "f", section: ".hyp.text", value: 0x24n }],
    relocations: [
      { target: ".hyp.data", offset: 8, type: 257, symbol: "f" },
      { target: ".hyp.rodata", offset: 0, type: 257, symbol: "f", addend: 4n },
    ],
  };

  test("each entry names a slot by its distance from itself", () => {
    const { hyp, sections } = present(half, content);
    expect(hyp.relocs).toEqual({ section: 4, address: CORE + 0x2000n, count: 2 });
    expect(hypSlots(hyp, sections)).toEqual({
      ok: true,
      slots: [
        { address: CORE + 0x3008n, section: 3, offset: 8 },
        { address: CORE + 0x1000n, section: 2, offset: 0 },
      ],
    });
  });

  test("a slot's kernel address becomes the EL2 one at the same distance from the base", () => {
    const { hyp, sections } = present(half, content);
    const base = hypVa(0x20_0001_0000n);
    const applied = applyHypRelocs(hyp, sections, base);
    if (!applied.ok) throw new Error(applied.error);
    const slot = (name: string, at: number, of = applied.sections) => {
      const { bytes } = of.find((section) => section.name === name)!;
      return new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(at, true);
    };
    expect(slot(".hyp.data", 8)).toBe(0x20_0001_0024n);
    expect(slot(".hyp.rodata", 0)).toBe(0x20_0001_0028n);
    expect(slot(".hyp.data", 8, sections)).toBe(CORE + 0x24n);
  });

  test("a value outside the half is moved all the same, in 64 bits", () => {
    expect(relocatedSlot(0n, kernVa(CORE), hypVa(0x1000n))).toBe(0x3f_ff00_1000n);
    expect(relocatedSlot(CORE + 8n, kernVa(CORE), hypVa(0x1000n))).toBe(0x1008n);
  });

  test("an entry that names what is not the half's own: only we stop", () => {
    for (const entry of [0x2000, -0x3000, 0x1ffd]) {
      const { hyp, sections } = present([half[0]!, half[1]!, half[2]!, reloc(entry)], content);
      expect(hypSlots(hyp, sections)).toMatchObject({ ok: false, errno: undefined });
      expect(applyHypRelocs(hyp, sections, hypVa(0n))).toMatchObject({ ok: false });
    }
  });

  test("a part of an entry at the end is not one", () => {
    const odd = { ...reloc(0x1008, 0), bytes: reloc(0x1008, 0).bytes!.slice(0, 6) };
    const { hyp, sections } = present([half[0]!, half[1]!, half[2]!, odd], content);
    expect(hyp.relocs.count).toBe(1);
    expect(hypSlots(hyp, sections)).toMatchObject({ slots: [{ offset: 8 }] });
  });
});
