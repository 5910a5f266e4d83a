// What a module says of itself, and how the kernel compares version magic.

import { describe, expect, test } from "vitest";
import {
  branchOfVermagic,
  gplCompatible,
  readModInfo,
  readVersions,
  refuseVermagic,
  sameMagic,
} from "../../../model/elf/modinfo.ts";
import { readElf } from "../../../model/elf/read.ts";
import type { SectionSpec } from "./build-elf.ts";
import { A, buildElf, MODULE_SECTIONS, strings } from "./build-elf.ts";

const THIS_MODULE = MODULE_SECTIONS[1]!;

function elfOf(...sections: readonly SectionSpec[]) {
  const read = readElf(buildElf({ sections: [...sections, THIS_MODULE] }));
  if (!read.ok) throw new Error(read.error);
  return read.elf;
}

const modinfo = (bytes: Uint8Array) => readModInfo(elfOf({ name: ".modinfo", flags: A, bytes }));

test("The strings of the measured module", () => {
  const bytes = strings(
    "parmtype=seq:charp",
    "parmtype=el1ret:int",
    "license=GPL",
    "vermagic=6.1.145 SMP mod_unload aarch64",
    "name=ovm",
    "depends=",
  );
  expect(modinfo(bytes)).toMatchObject({
    ok: true,
    info: {
      name: "ovm",
      vermagic: "6.1.145 SMP mod_unload aarch64",
      license: "GPL",
      depends: [],
      parameters: [
        { name: "seq", type: "charp", description: undefined },
        { name: "el1ret", type: "int", description: undefined },
      ],
    },
  });
});

test("Padding is skipped, the first of a tag wins, text without '=' says nothing", () => {
  const bytes = strings("", "", "license=GPL v2", "", "noise", "license=Proprietary");
  expect(modinfo(bytes)).toMatchObject({ info: { license: "GPL v2" } });
});

test("a parameter without ':' declares nothing", () => {
  expect(modinfo(strings("parmtype=seq", "parm=p"))).toMatchObject({ info: { parameters: [] } });
});

test("depends, and a described parameter whose text has '=' and ':'", () => {
  const bytes = strings("depends=one,two", "parm=p:a=b: c", "parmtype=p:bool");
  expect(modinfo(bytes)).toMatchObject({
    info: {
      depends: ["one", "two"],
      parameters: [{ name: "p", type: "bool", description: "a=b: c" }],
    },
  });
});

test("No .modinfo says nothing; one that does not end with a zero is refused by us", () => {
  expect(readModInfo(elfOf())).toMatchObject({ ok: true, info: { entries: [] } });
  const open = strings("license=GPL").subarray(0, 8);
  expect(modinfo(open)).toMatchObject({ ok: false, errno: undefined });
});

test.each([
  ["6.1.145 SMP mod_unload aarch64", "android14-6.1"],
  ["6.1.75-android14-11-gabc-ab123 SMP preempt mod_unload modversions aarch64", "android14-6.1"],
  ["6.6.30-android15-8 SMP preempt mod_unload aarch64", "android15-6.6"],
  ["6.12.23-android16-5 SMP preempt mod_unload aarch64", "android16-6.12"],
  ["6.18.0 SMP preempt aarch64", "android17-6.18"],
  ["6.10.3 SMP aarch64", undefined],
  ["6.120.1 SMP aarch64", undefined],
  ["5.15.1-android14 SMP aarch64", undefined],
  ["", undefined],
])("The branch of %s is %s", (vermagic, branch) => {
  expect(branchOfVermagic(vermagic)).toBe(branch);
});

describe("Version magic (same_magic)", () => {
  const ours = "6.1.145 SMP mod_unload aarch64";
  test("equal as a whole without CRCs, after the release with them", () => {
    expect(sameMagic(ours, ours, false)).toBe(true);
    expect(sameMagic("6.1.99 SMP mod_unload aarch64", ours, false)).toBe(false);
    expect(sameMagic("6.1.99 SMP mod_unload aarch64", ours, true)).toBe(true);
    expect(sameMagic("6.1.145 SMP preempt mod_unload aarch64", ours, true)).toBe(false);
    expect(sameMagic("6.1.99", ours, true)).toBe(false);
  });

  const infoOf = (...texts: readonly string[]) => {
    const read = modinfo(strings(...texts));
    if (!read.ok) throw new Error(read.error);
    return read.info;
  };
  test("missing or other: ENOEXEC", () => {
    expect(refuseVermagic(infoOf(`vermagic=${ours}`), ours, false)).toBeUndefined();
    expect(refuseVermagic(infoOf("license=GPL"), ours, false)).toMatchObject({
      errno: "ENOEXEC",
      error: expect.stringMatching(/bad vermagic/),
    });
    expect(refuseVermagic(infoOf("vermagic=6.6.1 SMP"), ours, false)).toMatchObject({
      errno: "ENOEXEC",
      error: expect.stringMatching(
        /"6\.6\.1 SMP" and should be "6\.1\.145 SMP mod_unload aarch64"/,
      ),
    });
  });
});

test("GPL-only symbols are open to the licences that the kernel lists", () => {
  expect(["GPL", "GPL v2", "Dual BSD/GPL"].map(gplCompatible)).toEqual([true, true, true]);
  expect(["Proprietary", "gpl", "BSD", undefined].map(gplCompatible)).toEqual(
    Array.from({ length: 4 }, () => false),
  );
});

describe("__versions", () => {
  const entry = (crc: bigint, name: string) => {
    const bytes = new Uint8Array(64);
    new DataView(bytes.buffer).setBigUint64(0, crc, true);
    bytes.set(new TextEncoder().encode(name), 8);
    return bytes;
  };
  const versions = (bytes: Uint8Array) =>
    readVersions(elfOf({ name: "__versions", flags: A, bytes }));

  test("64 bytes each: the CRC and the name", () => {
    const both = new Uint8Array(128);
    both.set(entry(0x1234_5678n, "module_layout"), 0);
    both.set(entry(0x9abc_def0n, "_printk"), 64);
    expect(versions(both)).toEqual({
      ok: true,
      versions: [
        { name: "module_layout", crc: 0x1234_5678n },
        { name: "_printk", crc: 0x9abc_def0n },
      ],
    });
  });

  test("absent without MODVERSIONS; a cut entry or an endless name is refused by us", () => {
    expect(readVersions(elfOf())).toEqual({ ok: true, versions: undefined });
    expect(versions(entry(1n, "x").subarray(0, 60))).toMatchObject({ ok: false, errno: undefined });
    expect(versions(entry(1n, "x".repeat(56)))).toMatchObject({ ok: false, errno: undefined });
  });
});
