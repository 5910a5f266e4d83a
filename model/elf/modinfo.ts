// What a module says of itself: the key=value strings of .modinfo, and the CRCs of __versions.
// Source: get_next_modinfo, same_magic, check_modinfo in kernel/module; include/linux/vermagic.h.

import type { BranchName } from "../../spec/branches/branch.ts";
import type { ElfFile } from "./read.ts";
import { contentsOf, sectionNamed } from "./read.ts";
import type { Refusal, Result } from "./refusal.ts";
import { CORRUPT, kernelDoesNotCheck, kernelRefuses, quoted } from "./refusal.ts";
import { sectionLabel } from "./section.ts";

/** A parameter that the module declares for people: parm= and parmtype=. */
export interface DeclaredParameter {
  readonly name: string;
  readonly type: string | undefined;
  readonly description: string | undefined;
}

/** The .modinfo section. Of a tag given twice, the kernel takes the first. */
export interface ModInfo {
  readonly entries: readonly { readonly tag: string; readonly value: string }[];
  readonly name: string | undefined;
  readonly vermagic: string | undefined;
  readonly license: string | undefined;
  readonly depends: readonly string[];
  readonly parameters: readonly DeclaredParameter[];
}

/** One imported symbol with the CRC of its prototype. Source: struct modversion_info. */
export interface SymbolVersion {
  readonly name: string;
  readonly crc: bigint;
}

/** Reads .modinfo; a module without one says nothing. */
export function readModInfo(elf: ElfFile): Result<{ readonly info: ModInfo }> {
  const section = sectionNamed(elf, ".modinfo");
  const bytes = section === undefined ? new Uint8Array(0) : contentsOf(elf, section);
  elf.image.looked += bytes.length;
  if (section !== undefined && bytes.length > 0 && bytes[bytes.length - 1] !== 0) {
    return kernelDoesNotCheck(`${sectionLabel(section)} does not end with a zero;`, CORRUPT);
  }
  const entries = new TextDecoder()
    .decode(bytes)
    .split("\0")
    .filter((text) => text.includes("="))
    .map((text) => ({
      tag: text.slice(0, text.indexOf("=")),
      value: text.slice(text.indexOf("=") + 1),
    }));
  const first = (tag: string) => entries.find((entry) => entry.tag === tag)?.value;
  return {
    ok: true,
    info: {
      entries,
      name: first("name"),
      vermagic: first("vermagic"),
      license: first("license"),
      depends: (first("depends") ?? "").split(",").filter((name) => name !== ""),
      parameters: declaredParameters(entries),
    },
  };
}

function declaredParameters(entries: ModInfo["entries"]): readonly DeclaredParameter[] {
  const types = new Map<string, string>();
  const descriptions = new Map<string, string>();
  for (const { tag, value } of entries) {
    const colon = value.indexOf(":");
    if (colon === -1) continue;
    if (tag === "parmtype") types.set(value.slice(0, colon), value.slice(colon + 1));
    if (tag === "parm") descriptions.set(value.slice(0, colon), value.slice(colon + 1));
  }
  return [...new Set([...types.keys(), ...descriptions.keys()])].map((name) => ({
    name,
    type: types.get(name),
    description: descriptions.get(name),
  }));
}

const BRANCH_OF_VERSION: Readonly<Record<string, BranchName>> = {
  "6.1": "android14-6.1",
  "6.6": "android15-6.6",
  "6.12": "android16-6.12",
  "6.18": "android17-6.18",
};

/** The kernel branch that a vermagic was made for; undefined for one that is not modelled. */
export function branchOfVermagic(vermagic: string): BranchName | undefined {
  const version = /^(\d+\.\d+)(?![\d])/.exec(vermagic)?.[1];
  return version === undefined ? undefined : BRANCH_OF_VERSION[version];
}

/**
 * Whether a kernel takes a module's vermagic: equal, or equal after the first word when the module
 * brings CRCs. Source: same_magic, kernel/module/version.c (CONFIG_MODVERSIONS).
 */
export function sameMagic(module: string, kernel: string, hasVersions: boolean): boolean {
  if (!hasVersions) return module === kernel;
  const afterRelease = (magic: string) =>
    magic.includes(" ") ? magic.slice(magic.indexOf(" ")) : "";
  return afterRelease(module) === afterRelease(kernel);
}

/** The kernel's verdict on a module's vermagic. Source: check_modinfo; no forced loading. */
export function refuseVermagic(
  info: ModInfo,
  kernel: string,
  hasVersions: boolean,
): Refusal | undefined {
  if (info.vermagic === undefined) {
    return kernelRefuses(
      "ENOEXEC",
      'The module has no vermagic in .modinfo ("bad vermagic");',
      "link it through the kernel's build.",
    );
  }
  if (sameMagic(info.vermagic, kernel, hasVersions)) return undefined;
  return kernelRefuses(
    "ENOEXEC",
    `The module's version magic is ${quoted(info.vermagic)} and should be ${quoted(kernel)};`,
    "build it against the kernel that loads it.",
  );
}

const GPL_COMPATIBLE = [
  "GPL",
  "GPL v2",
  "GPL and additional rights",
  "Dual BSD/GPL",
  "Dual MIT/GPL",
  "Dual MPL/GPL",
];

/** Whether GPL-only symbols are open to the module. Source: license_is_gpl_compatible. */
export const gplCompatible = (license: string | undefined): boolean =>
  license !== undefined && GPL_COMPATIBLE.includes(license);

const VERSION_ENTRY_SIZE = 64;
const VERSION_NAME_AT = 8;

/** Reads __versions; undefined for a module without MODVERSIONS. */
export function readVersions(
  elf: ElfFile,
): Result<{ readonly versions: readonly SymbolVersion[] | undefined }> {
  const section = sectionNamed(elf, "__versions");
  if (section === undefined) return { ok: true, versions: undefined };
  const bytes = contentsOf(elf, section);
  elf.image.looked += bytes.length;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const versions: SymbolVersion[] = [];
  for (let at = 0; at < bytes.length; at += VERSION_ENTRY_SIZE) {
    const name = bytes.subarray(at + VERSION_NAME_AT, at + VERSION_ENTRY_SIZE);
    const length = name.indexOf(0);
    if (at + VERSION_ENTRY_SIZE > bytes.length || length === -1) {
      return kernelDoesNotCheck(
        `Entry ${at / VERSION_ENTRY_SIZE} of ${sectionLabel(section)} is not a CRC and a name of`,
        `${VERSION_ENTRY_SIZE} bytes together;`,
        CORRUPT,
      );
    }
    versions.push({
      name: String.fromCharCode(...name.subarray(0, length)),
      crc: view.getBigUint64(at, true),
    });
  }
  return { ok: true, versions };
}
