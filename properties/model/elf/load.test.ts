// Modules from their bytes to memory: struct module, parameters, symbols, the order of refusals.

import { describe, expect, test } from "vitest";
import type { LoaderRules } from "../../../model/elf/layout.ts";
import { consecutiveBases, loaderRulesOf } from "../../../model/elf/layout.ts";
import type { Loader } from "../../../model/elf/load.ts";
import { loadModule, readModule } from "../../../model/elf/load.ts";
import { describeAddress, locate, symbolIndex } from "../../../model/elf/symbols.ts";
import { kernVa } from "../../../spec/types/address.ts";
import type { ElfSpec } from "./build-elf.ts";
import { A, AX, buildElf, strings, WA, words } from "./build-elf.ts";

const RET = 0xd65f03c0;
const VERMAGIC = "6.1.145 SMP mod_unload aarch64";
const BASE = kernVa(0xffff_ffc0_0100_0000n);

/** struct module with "demo" where all kernels have the name. */
const structModule = new Uint8Array(0x2c0);
structModule.set(new TextEncoder().encode("demo"), 24);

const SPEC = {
  sections: [
    { name: ".text", flags: AX, bytes: words(RET, RET, RET), align: 4 },
    { name: ".init.text", flags: AX, bytes: words(RET), align: 4 },
    { name: ".exit.text", flags: AX, bytes: words(RET), align: 4 },
    { name: "__param", flags: A, bytes: new Uint8Array(40), align: 8 },
    { name: ".rodata", flags: A, bytes: strings("skipped", "level"), align: 1 },
    { name: ".data", flags: WA, bytes: new Uint8Array(8), align: 8 },
    { name: ".modinfo", flags: A, bytes: strings(`vermagic=${VERMAGIC}`) },
    { name: ".gnu.linkonce.this_module", flags: WA, bytes: structModule, align: 64 },
  ],
  symbols: [
    { name: "my_init", section: ".init.text", type: 2 },
    { name: "init_module", section: ".init.text", type: 2 },
    { name: "cleanup_module", section: ".exit.text", type: 2 },
    { name: "$x", section: ".text", bind: 0 },
    { name: "first", section: ".text", type: 2, size: 8n },
    { name: "first_alias", section: ".text" },
    { name: "second", section: ".text", value: 8n, type: 2, size: 4n },
    { name: "level", section: ".data", value: 4n, type: 1, size: 4n },
    { name: "param_ops_int", section: 0 },
    { name: ".rodata", section: ".rodata", type: 3, bind: 0 },
    { name: "__this_module", section: ".gnu.linkonce.this_module", type: 1 },
  ],
  relocations: [
    { target: ".gnu.linkonce.this_module", offset: 0x138, type: 257, symbol: "init_module" },
    { target: ".gnu.linkonce.this_module", offset: 0x2a8, type: 257, symbol: "cleanup_module" },
    { target: "__param", offset: 0, type: 257, symbol: ".rodata", addend: 8n },
    { target: "__param", offset: 8, type: 257, symbol: "__this_module" },
    { target: "__param", offset: 16, type: 257, symbol: "param_ops_int" },
    { target: "__param", offset: 32, type: 257, symbol: "level" },
  ],
} satisfies ElfSpec;

const RULES: LoaderRules = {
  regions: "core and init",
  plts: false,
  ftracePlts: 2,
  spaceBytes: 2 ** 27,
};
const LOADER: Loader = {
  branch: "android14-6.1",
  rules: RULES,
  vermagic: VERMAGIC,
  exported: (name) => (name === "param_ops_int" ? 0xffff_ffc0_0800_0000n : undefined),
  place: (layout) => consecutiveBases(layout, BASE),
};

function fileOf(spec: ElfSpec) {
  const read = readModule(buildElf(spec));
  if (!read.ok) throw new Error(read.error);
  return read.module;
}

function load(spec: ElfSpec, change: Partial<Loader> = {}) {
  return loadModule(fileOf(spec), { ...LOADER, ...change });
}

function loaded(spec: ElfSpec = SPEC) {
  const result = load(spec);
  if (!result.ok) throw new Error(result.error);
  return result.loaded;
}

describe("struct module", () => {
  test("init and exit are found by their relocations, not by offset", () => {
    const { thisModule, name } = fileOf(SPEC);
    expect(name).toBe("demo");
    expect(thisModule).toMatchObject({
      size: 0x2c0,
      name: "demo",
      init: { offset: 0x138, symbol: { name: "init_module" } },
      exit: { offset: 0x2a8, symbol: { name: "cleanup_module" } },
    });
    // Core: .text 0..0xc, .exit.text 0xc; three regions of pages: code, read-only, data. Init after
    // a guard page.
    const { init, exit } = loaded();
    expect(exit).toBe(BASE + 0xcn);
    expect(init).toBe(BASE + 0x3000n + 0x1000n);
    const moved = SPEC.relocations.map((rela) => ({
      ...rela,
      offset: rela.offset === 0x138 ? 0x180 : rela.offset,
    }));
    expect(fileOf({ ...SPEC, relocations: moved }).thisModule.init?.offset).toBe(0x180);
    expect(loaded({ ...SPEC, relocations: moved }).init).toBe(init);
  });

  test("a module without init or exit has none", () => {
    const without = { ...SPEC, relocations: [] as const, sections: withoutParam };
    expect(loaded(without)).toMatchObject({ init: undefined, exit: undefined, hyp: undefined });
  });

  test("the name in .modinfo comes first", () => {
    const sections = SPEC.sections.map((section) =>
      section.name === ".modinfo"
        ? { ...section, bytes: strings("name=other", `vermagic=${VERMAGIC}`) }
        : section,
    );
    expect(fileOf({ ...SPEC, sections }).name).toBe("other");
  });
});

const withoutParam = SPEC.sections.filter((section) => section.name !== "__param");

describe("Parameters", () => {
  test("name, ops and variable come from relocations", () => {
    const [param] = fileOf(SPEC).params;
    expect(param).toMatchObject({ name: "level", ops: "param_ops_int", perm: 0 });
    const { values } = loaded();
    // .data is after the code page and the read-only page; level is at its offset 4.
    expect(values[param!.arg.symbol]).toBe(BASE + 0x2004n);
  });

  test("one without relocations is refused by us", () => {
    const relocations = SPEC.relocations.filter((rela) => rela.offset !== 32);
    expect(readModule(buildElf({ ...SPEC, relocations }))).toMatchObject({
      ok: false,
      errno: undefined,
      error: expect.stringMatching(/Parameter 0 of section 4/),
    });
  });
});

describe("Addresses by name", () => {
  const module = loaded();
  const index = symbolIndex(module.file.elf, module.sections, module.values);

  test("the nearest symbol before, mapping symbols and aliases without a type left out", () => {
    expect(describeAddress(index, BASE)).toBe("first (.text)");
    expect(describeAddress(index, BASE + 7n)).toBe("first+0x7 (.text)");
    expect(describeAddress(index, BASE + 8n)).toBe("second (.text)");
    expect(locate(index, BASE + 0x2006n)).toEqual({ name: "level", offset: 2n, section: ".data" });
  });

  test("before the first symbol of a section, the section itself", () => {
    expect(describeAddress(index, BASE + 0x2001n)).toBe(".data+0x1");
    expect(describeAddress(index, BASE + 0x2000n)).toBe(".data");
  });

  test("outside the module, the number", () => {
    expect(describeAddress(index, 0x1234n)).toBe("0x1234");
    expect(describeAddress(index, BASE - 1n)).toBe("0xffffffc000ffffff");
  });
});

describe("The order of the kernel's refusals", () => {
  const wx = SPEC.sections.map((section) =>
    section.name === ".text" ? { ...section, flags: AX | WA } : section,
  );
  const unknown: Partial<Loader> = { exported: () => undefined };

  test("version magic, then the layout, then symbols, then relocations, then the EL2 half", () => {
    const all = { ...unknown, vermagic: "6.6.0" };
    expect(load({ ...SPEC, sections: wx }, all)).toMatchObject({
      error: expect.stringMatching(/version magic/),
    });
    expect(load({ ...SPEC, sections: wx }, unknown)).toMatchObject({
      error: expect.stringMatching(/WRITE\|EXEC/),
    });
    const half = { name: ".hyp.text", flags: AX, bytes: words(0xd4000002), align: 4096 };
    const bad = { target: ".text", offset: 0, type: 9999, symbol: "first" };
    const broken = {
      ...SPEC,
      sections: [...SPEC.sections, half],
      relocations: [...SPEC.relocations, bad],
    };
    expect(load(broken, unknown)).toMatchObject({ errno: "ENOENT" });
    expect(load(broken)).toMatchObject({
      errno: "ENOEXEC",
      error: expect.stringMatching(/RELA relocation: 9999/),
    });
    const noReloc = { ...SPEC, sections: [...SPEC.sections, half] };
    expect(load(noReloc)).toMatchObject({
      errno: "ENOEXEC",
      error: expect.stringMatching(/no \.hyp\.reloc/),
    });
  });

  test("no room for the regions: ENOMEM, after the layout and before symbols", () => {
    const full: Partial<Loader> = { ...unknown, place: () => undefined };
    // Code, read-only and writable page of the core, and one of init.
    const error = expect.stringMatching(/takes 4 pages/);
    expect(load(SPEC, full)).toMatchObject({ ok: false, errno: "ENOMEM", error });
    expect(load({ ...SPEC, sections: wx }, full)).toMatchObject({ errno: "ENOEXEC" });
  });

  test("a loader without a version magic takes any", () => {
    expect(load(SPEC, { vermagic: undefined }).ok).toBe(true);
  });
});

describe("The rules of a branch", () => {
  test("6.1 has PLTs when the module brings them; later kernels want them", () => {
    const plain = fileOf(SPEC).elf;
    const plts = fileOf({ ...SPEC, sections: [...SPEC.sections, { name: ".plt" }] }).elf;
    expect(loaderRulesOf("android14-6.1", plain)).toEqual(RULES);
    expect(loaderRulesOf("android14-6.1", plts)).toEqual({ ...RULES, plts: true });
    expect(loaderRulesOf("android15-6.6", plain)).toMatchObject({
      regions: "by memory type",
      plts: true,
    });
  });
});
