// The built modules of examples/: where their EL2 halves lie, and how the wrong ones are refused.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { SHN } from "../../../model/elf/elf-abi.ts";
import { hypSlots, sortedTable, spanOf } from "../../../model/elf/hyp.ts";
import { consecutiveBases, loaderRulesOf } from "../../../model/elf/layout.ts";
import type { Loader, ModuleFile } from "../../../model/elf/load.ts";
import { loadModule, readModule } from "../../../model/elf/load.ts";
import { R_AARCH64_ABS64 } from "../../../model/elf/relocation-types.ts";
import { kernVa } from "../../../spec/types/address.ts";

const BASE = kernVa(0xffff_ffc0_0100_0000n);

const example = (file: string) =>
  readModule(readFileSync(join(import.meta.dirname, "../../../examples", file)));

function fileOf(file: string): ModuleFile {
  const read = example(file);
  if (!read.ok) throw new Error(read.error);
  return read.module;
}

/** Everything is exported, at one near address, but for the symbols of EL2. */
const loaderOf = (module: ModuleFile): Loader => ({
  branch: "android14-6.1",
  rules: loaderRulesOf("android14-6.1", module.elf),
  vermagic: undefined,
  exported: (name) => (name.startsWith("__kvm_nvhe_") ? undefined : BASE + 0x10_0000n),
  place: (layout) => consecutiveBases(layout, BASE),
});

function loaded(file: string, change: Partial<Loader> = {}) {
  const module = fileOf(file);
  const result = loadModule(module, { ...loaderOf(module), ...change });
  if (!result.ok) throw new Error(result.error);
  return result.loaded;
}

/** The present sections of the EL2 half by their distance from its first one, and its pages. */
function el2Half(file: string) {
  const { hyp } = loaded(file);
  if (hyp === undefined) throw new Error("no EL2 half");
  const { start, pageCount } = spanOf(hyp);
  const offsets = sortedTable(hyp).flatMap((row) =>
    row.start === undefined ? [] : [[row.name, Number(row.start - start)]],
  );
  return { offsets: Object.fromEntries(offsets), pageCount };
}

describe("The measurement modules, as the traces place them", () => {
  test("ovm: rodata +0x2000, data +0x5000, six pages", () => {
    const { offsets, pageCount } = el2Half("measurement/ovm.ko");
    expect(offsets).toMatchObject({ ".hyp.text": 0, ".hyp.rodata": 0x2000, ".hyp.data": 0x5000 });
    expect(pageCount).toBe(6);
  });

  test("ovmt: one page of code", () => {
    expect(el2Half("measurement-textonly/ovmt.ko")).toEqual({
      offsets: { ".hyp.text": 0 },
      pageCount: 1,
    });
  });

  test("ovm: name, version magic, parameters, size of struct module", () => {
    const module = fileOf("measurement/ovm.ko");
    expect(module).toMatchObject({
      name: "ovm",
      info: { vermagic: "6.1.145 SMP mod_unload aarch64", license: "GPL" },
      thisModule: { size: 0x2c0 },
    });
    expect(module.params.map(({ name, ops }) => [name, ops]).sort()).toEqual([
      ["el1ret", "param_ops_int"],
      ["seq", "param_ops_charp"],
    ]);
  });
});

describe("The modules that are wrong on purpose", () => {
  test.each(["corrupted-elf/corrupted_elf.ko", "corrupted-elf/truncated.ko"])(
    "%s is no module",
    (file) => {
      expect(example(file)).toMatchObject({ ok: false, errno: "ENOEXEC" });
    },
  );

  test.each([
    ["missing-hyp-reloc/missing_hyp_reloc.ko", "ENOEXEC", /no \.hyp\.reloc/],
    ["unresolved-symbol/unresolved_symbol.ko", "ENOENT", /Unknown symbol "__kvm_nvhe_memset"/],
  ])("%s: %s", (file, errno, error) => {
    const module = fileOf(file);
    const result = loadModule(module, loaderOf(module));
    expect(result).toMatchObject({ ok: false, errno, error: expect.stringMatching(error) });
  });

  test("plain-module has no EL2 half, and loads", () => {
    expect(loaded("plain-module/plain_module.ko").hyp).toBeUndefined();
  });
});

describe("What vendors' files carry", () => {
  test("another struct module: init and exit are found all the same", () => {
    const { file, init, exit } = loaded("vendor-struct-module/vendor_struct_module.ko");
    expect(file.thisModule.size).not.toBe(0x2c0);
    expect([init, exit]).not.toContain(undefined);
  });

  test("MODVERSIONS: a CRC for every import, and for struct module", () => {
    const { versions, elf } = fileOf("vendor-modversions/vendor_modversions.ko");
    const imports = elf.symbols
      .filter(({ index, section }) => index > 0 && section === SHN.UNDEF)
      .map(({ name }) => name);
    const names = versions?.map(({ name }) => name) ?? [];
    expect(imports.filter((name) => !names.includes(name))).toEqual([]);
    expect(imports.length).toBeGreaterThan(0);
  });

  test("absolute addresses in EL2 data: .hyp.reloc names exactly the ABS64 sites", () => {
    const module = loaded("vendor-data-relocs/vendor_data_relocs.ko");
    const { elf } = module.file;
    const sites = elf.relocations
      .filter(({ target }) => elf.sections[target]!.name.startsWith(".hyp."))
      .flatMap(({ target, entries }) =>
        entries
          .filter(({ type }) => type === R_AARCH64_ABS64)
          .map(({ offset }) => `${elf.sections[target]!.name}+${offset}`),
      );
    const read = hypSlots(module.hyp!, module.sections);
    if (!read.ok) throw new Error(read.error);
    const slots = read.slots.map(
      ({ section, offset }) => `${elf.sections[section]!.name}+${offset}`,
    );
    expect(slots.sort()).toEqual(sites.sort());
    expect(slots.length).toBeGreaterThan(0);
  });

  test("PLTs: a kernel that is far away is called through veneers", () => {
    const far = BASE + 0x4000_0000n;
    const { sections } = loaded("vendor-plts/vendor_plts.ko", { exported: () => far });
    // Every veneer that was made ends with BR x16, its third word.
    const veneers = sections
      .filter(({ name }) => name === ".plt" || name === ".init.plt")
      .flatMap(({ bytes }) => {
        const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
        return Array.from({ length: bytes.length / 12 }, (_, i) =>
          view.getUint32(12 * i + 8, true),
        );
      })
      .filter((word) => word !== 0);
    expect(new Set(veneers)).toEqual(new Set([0xd61f0200]));
  });

  test(".altinstructions: with the capability, code of both halves changes", () => {
    const file = "vendor-altinstructions/vendor_altinstructions.ko";
    const all = new Set(Array.from({ length: 128 }, (_, i) => i));
    const without = loaded(file).sections;
    const changed = loaded(file, { capabilities: all })
      .sections.filter((section, i) => Buffer.compare(section.bytes, without[i]!.bytes) !== 0)
      .map(({ name }) => name);
    expect(changed.sort()).toEqual([".hyp.text", ".init.text"]);
  });
});
