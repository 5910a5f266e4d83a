// The committed .ko files have the layout that a real android14-6.1 tree gives to a module.
// Source: the measurement module as built by android14-6.1.145 (its section table, relocation types
// and undefined symbols, read with readelf); include/asm/module.lds.h.

import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, it } from "vitest";
import { modinfoOf, relocationsOf, type SectionRow, sectionsOf, undefinedOf } from "./readelf.ts";
import { builtModules, describeWith, KDIR, READELF } from "./toolchain.ts";

const PAGE_BYTES = 4096;
const MAPPED = [".hyp.text", ".hyp.bss", ".hyp.rodata", ".hyp.data"];

/** Damaged on purpose: no readelf can be asked about them. */
const DAMAGED = ["corrupted-elf/corrupted_elf.ko", "corrupted-elf/truncated.ko"];
const WITHOUT_EL2 = ["plain-module/plain_module.ko"];
const WITHOUT_RELOC = ["missing-hyp-reloc/missing_hyp_reloc.ko"];

/** What a source says itself; modpost says what follows from the symbols, which is nothing. */
const SAYS_DEPENDS = new Map([["depends-on-another/depends_on_another.ko", ["serial_driver"]]]);

const whole = builtModules.filter((module) => !DAMAGED.includes(module));
const withEl2 = whole.filter((module) => !WITHOUT_EL2.includes(module));
const sound = withEl2.filter((module) => !WITHOUT_RELOC.includes(module));

/** What a module is built for: the arguments of its build say it, or it is the first branch. */
function kmiOf(module: string): string {
  const path = join(KDIR, "../examples", dirname(module), "build-args");
  const said = existsSync(path) ? /\bKMI=([\w.-]+)/.exec(readFileSync(path, "utf8")) : null;
  return said?.[1] ?? "android14-6.1";
}

const sectionOf = (module: string, name: string): SectionRow | undefined =>
  sectionsOf(module).find((section) => section.name === name);

const { rows } = JSON.parse(readFileSync(join(KDIR, "struct-module.json"), "utf8"));

describe("the list of examples", () => {
  it("holds a file of every folder with a build, and the damaged ones", () => {
    const folders = readdirSync(join(KDIR, "../examples"), { withFileTypes: true })
      .filter((entry) => entry.isDirectory() && entry.name !== "guests")
      .map(({ name }) => name);
    expect([...new Set(builtModules.map((module) => dirname(module)))].sort()).toEqual(
      folders.sort(),
    );
    expect(builtModules).toEqual(
      expect.arrayContaining([...DAMAGED, ...WITHOUT_EL2, ...WITHOUT_RELOC]),
    );
    expect(sound).toHaveLength(builtModules.length - 4);
  });
});

describeWith(READELF, "sections of the EL2 half", () => {
  it.each(withEl2)("%s: each EL2 section starts on a page and fills its last one", (module) => {
    const sections = sectionsOf(module);
    const mapped = sections.filter((section) => MAPPED.includes(section.name));
    expect(mapped.map((section) => section.name)).toEqual(MAPPED);
    for (const section of mapped) {
      expect(section.address).toBe(0);
      expect(section.alignment).toBe(PAGE_BYTES);
      expect(section.sizeBytes % PAGE_BYTES).toBe(0);
    }
    expect(mapped[0]!.sizeBytes).toBeGreaterThan(0);
  });

  it.each(withEl2)("%s: flags of the EL2 sections that are not empty", (module) => {
    const flags = new Map([
      [".hyp.text", "AX"],
      [".hyp.bss", "WA"],
      [".hyp.rodata", "A"],
      [".hyp.data", "WA"],
    ]);
    const mapped = sectionsOf(module).filter((section) => MAPPED.includes(section.name));
    for (const section of mapped.filter(({ sizeBytes }) => sizeBytes > 0)) {
      // A .hyp.rodata of nothing but strings keeps their marks for merging, M and S.
      const kept = section.flags.replace("MS", "");
      expect([section.name, kept]).toEqual([section.name, flags.get(section.name)]);
      expect(section.type).toBe(section.name === ".hyp.bss" ? "NOBITS" : "PROGBITS");
    }
  });
});

describeWith(READELF, "relocations of the EL2 half", () => {
  it.each(sound)("%s: one .hyp.reloc entry for each absolute address in EL2", (module) => {
    const relocations = relocationsOf(module);
    const reloc = sectionOf(module, ".hyp.reloc");
    expect(reloc?.alignment).toBe(4);
    const slots = relocations.filter(
      ({ section, type }) => MAPPED.includes(section) && type === "R_AARCH64_ABS64",
    );
    const entries = relocations.filter(({ section }) => section === ".hyp.reloc");
    expect(reloc?.sizeBytes).toBe(4 * slots.length);
    expect(entries.map(({ offset }) => offset)).toEqual(slots.map((_, index) => 4 * index));
    const targets = slots.map(({ section, offset }) => {
      return `__kvm_nvhe___hyp_section_${section} + ${offset.toString(16)}`;
    });
    expect(entries.map(({ value }) => value)).toEqual(targets);
    expect(new Set(entries.map(({ type }) => type))).toEqual(
      new Set(entries.length === 0 ? [] : ["R_AARCH64_PREL32"]),
    );
  });

  it("some of them have absolute addresses in EL2", () => {
    const sizes = sound.map((module) => sectionOf(module, ".hyp.reloc")?.sizeBytes ?? 0);
    expect(sizes.filter((size) => size > 0).length).toBeGreaterThanOrEqual(3);
  });
});

describeWith(READELF, "what the loader reads", () => {
  it.each(whole)("%s: struct module has its init where struct-module.json says", (module) => {
    const isVendors = module.startsWith("vendor-struct-module/");
    const row = rows[isVendors ? "vendor" : kmiOf(module)];
    const section = sectionOf(module, ".gnu.linkonce.this_module");
    expect(section).toMatchObject({ sizeBytes: row.size, alignment: 64, flags: "WA" });
    const pointers = relocationsOf(module)
      .filter((relocation) => relocation.section === ".gnu.linkonce.this_module")
      .map(({ offset, type, value }) => [offset, type, value]);
    const init = [row.init, "R_AARCH64_ABS64", "init_module + 0"];
    const exit = [row.exit, "R_AARCH64_ABS64", "cleanup_module + 0"];
    expect([[init], [init, exit]]).toContainEqual(pointers);
  });

  it.each(whole)("%s: .modinfo has licence, name, vermagic and depends", (module) => {
    const name = module.replace(/^.*\//, "").replace(/\.ko$/, "");
    const tags = modinfoOf(module).filter((entry) => !/^parm/.test(entry));
    const versions = module.startsWith("vendor-modversions/") ? "modversions " : "";
    const kernel = rows[kmiOf(module)].vermagic.replace(/aarch64$/, "");
    expect(tags).toEqual([
      "depends=",
      ...(SAYS_DEPENDS.get(module) ?? []).map((other) => `depends=${other}`),
      "license=GPL",
      `name=${name}`,
      `vermagic=${kernel}${versions}aarch64`,
    ]);
  });
});

describeWith(READELF, "as measured", () => {
  const OVM = "measurement/ovm.ko";

  it("ovm: sizes of the sections that do not depend on the compiler", () => {
    const measured = [
      [".hyp.text", 0x1000],
      [".hyp.bss", 0x1000],
      [".hyp.rodata", 0x1000],
      [".hyp.data", 0x1000],
      [".hyp.reloc", 0],
      [".data", 8],
      ["__param", 0x50],
      [".modinfo", 0x6d],
      [".bss", 4],
      [".init.data", 8],
      [".exit.data", 8],
      [".note.Linux", 0x30],
      [".gnu.linkonce.this_module", 0x2c0],
      [".note.gnu.build-id", 0x24],
    ] as const;
    const built = measured.map(([name]) => [name, sectionOf(OVM, name)?.sizeBytes]);
    expect(built).toEqual(measured);
  });

  it("ovm: the EL2 sections come first, in the measured order", () => {
    const names = sectionsOf(OVM).map((section) => section.name);
    const order = names.filter((name) => !name.startsWith(".rela")).slice(0, 6);
    expect(order).toEqual([...MAPPED, ".hyp.reloc", ".text"]);
  });

  it("ovm imports what the real one imports, but for what the compiler adds", () => {
    const measured = [
      "__pkvm_load_el2_module",
      "__pkvm_register_el2_call",
      "_printk",
      "memset", // clang 14 clears the buffer with it
      "param_ops_charp",
      "param_ops_int",
      "pkvm_iommu_finalize",
      "simple_strtol",
      "strcmp",
      "strncmp",
      "strscpy",
      "strsep",
      "strstr",
    ];
    const always = measured.filter((name) => name !== "memset");
    expect([always, measured]).toContainEqual(undefinedOf(OVM));
  });

  it("ovm: the texts of .modinfo", () => {
    expect(modinfoOf(OVM)).toEqual([
      "depends=",
      "license=GPL",
      "name=ovm",
      "parmtype=el1ret:int",
      "parmtype=seq:charp",
      "vermagic=6.1.145 SMP mod_unload aarch64",
    ]);
  });

  it("ovmt: without data, rodata and bss those sections are empty", () => {
    const sizes = MAPPED.map((name) => sectionOf("measurement-textonly/ovmt.ko", name)?.sizeBytes);
    expect(sizes).toEqual([0x1000, 0, 0, 0]);
  });
});

describeWith(READELF, "what vendors' files carry", () => {
  it("__versions has 64 bytes for module_layout and for each import", () => {
    const module = "vendor-modversions/vendor_modversions.ko";
    const imported = undefinedOf(module).length;
    expect(sectionOf(module, "__versions")?.sizeBytes).toBe(64 * (1 + imported));
  });

  it(".plt, .init.plt and .text.ftrace_trampoline have one byte each", () => {
    const names = [".plt", ".init.plt", ".text.ftrace_trampoline"];
    const sizes = names.map((name) => sectionOf("vendor-plts/vendor_plts.ko", name)?.sizeBytes);
    expect(sizes).toEqual([1, 1, 1]);
  });

  it(".altinstructions has entries of 12 bytes that point into both halves", () => {
    const module = "vendor-altinstructions/vendor_altinstructions.ko";
    expect(sectionOf(module, ".altinstructions")?.sizeBytes).toBe(2 * 12);
    const sites = relocationsOf(module).filter(({ section }) => section === ".altinstructions");
    const halves = sites.map(({ value }) => value.replace(/ \+.*/, ""));
    expect(halves).toEqual([".init.text", ".init.text", ".hyp.text", ".hyp.text"]);
  });

  it("absolute addresses stand in .hyp.data and in .hyp.rodata", () => {
    const relocations = relocationsOf("vendor-data-relocs/vendor_data_relocs.ko");
    const sections = relocations
      .filter(({ type, section }) => type === "R_AARCH64_ABS64" && MAPPED.includes(section))
      .map(({ section }) => section);
    expect(new Set(sections)).toEqual(new Set([".hyp.rodata", ".hyp.data"]));
    expect(sections).toHaveLength(8);
  });

  it("the unresolved symbol and the unknown import are left open", () => {
    expect(undefinedOf("unresolved-symbol/unresolved_symbol.ko")).toContain("__kvm_nvhe_memset");
    const unknown = undefinedOf("vendor-unknown-api/vendor_unknown_api.ko");
    expect(unknown).toContain("of_machine_is_compatible");
  });

  it("missing_hyp_reloc has .hyp.text and no .hyp.reloc", () => {
    const names = sectionsOf(WITHOUT_RELOC[0]!).map((section) => section.name);
    expect(names).toContain(".hyp.text");
    expect(names).not.toContain(".hyp.reloc");
  });
});
