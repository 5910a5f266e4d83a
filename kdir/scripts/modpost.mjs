// Checks a linked module object and writes NAME.mod.c: struct module, vermagic, name, depends,
// notes and versions.
//
//   node modpost.mjs --kmi KMI --name NAME [--modversions] [--warn-unresolved] -o NAME.mod.c NAME.o
import { readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { BuildError, readElf, runTool, undefinedSymbols } from "./elf.mjs";

/** Where the facts about each KMI that are no C lie. */
const KMI_TABLE = join(dirname(fileURLToPath(import.meta.url)), "..", "struct-module.json");

const MODULE_NAME_MAX = 55; // MODULE_NAME_LEN - 1

/** @param {import("./elf.mjs").Elf} elf @returns {string[]} the "tag=text" entries of .modinfo */
function modinfo(elf) {
  const section = elf.sections.find(({ name }) => name === ".modinfo");
  return section === undefined
    ? []
    : section.bytes
        .toString("utf8")
        .split("\0")
        .filter((entry) => entry !== "");
}

/** @param {import("./elf.mjs").Elf} elf @param {string} path */
function refuseIncomplete(elf, path) {
  if (!modinfo(elf).some((entry) => entry.startsWith("license="))) {
    throw new BuildError(`missing MODULE_LICENSE() in ${path}`);
  }
  const sizeOf = (/** @type {string} */ wanted) =>
    elf.sections.find(({ name }) => name === wanted)?.size ?? 0;
  const hasReloc = elf.sections.some(({ name }) => name === ".hyp.reloc");
  if (sizeOf(".hyp.text") > 0 && !hasReloc) {
    throw new BuildError(
      `${path} has .hyp.text and no .hyp.reloc: was hyp/kvm_nvhe.o made by Makefile.module?`,
    );
  }
}

/** @param {string[]} names @param {boolean} warnOnly @param {string} path */
function refuseUndefinedEl2(names, warnOnly, path) {
  const missing = names.filter((name) => name.startsWith("__kvm_nvhe_"));
  if (missing.length === 0) return;
  const lines = missing.map((name) => {
    const plain = name.slice("__kvm_nvhe_".length);
    return `"${name}" undefined: the EL2 half (hyp-obj-y) defines no "${plain}"`;
  });
  if (!warnOnly) throw new BuildError(lines.join("\n"));
  for (const line of lines) process.stderr.write(`WARNING: modpost: ${path}: ${line}\n`);
}

/** CRC-32 (IEEE 802.3) of a text. @param {string} text */
function crc32(text) {
  let crc = 0xffffffff;
  for (const byte of Buffer.from(text)) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
  }
  return (crc ^ 0xffffffff) >>> 0;
}

/**
 * NON-SPEC: a kernel's tree takes each checksum from the declaration's types (genksyms); without
 * that kernel there is none to take, so the CRC-32 of the name stands in. @param {string[]} names
 */
function versionsText(names) {
  const rows = ["module_layout", ...names].map(
    (name) => `\t{ 0x${crc32(name).toString(16).padStart(8, "0")}, "${name}" },\n`,
  );
  return [
    "\nstatic const struct modversion_info ____versions[]\n",
    '\t__used __section("__versions") = {\n',
    ...rows,
    "};\n",
  ].join("");
}

/**
 * @param {import("./elf.mjs").Elf} elf
 * @param {{ name: string, vermagic: string, versions: string }} facts
 */
function modC(elf, { name, vermagic, versions }) {
  const defined = new Set(
    elf.symbols.filter(({ shndx }) => shndx !== 0).map((symbol) => symbol.name),
  );
  const init = defined.has("init_module") ? "\t.init = init_module,\n" : "";
  const exit = defined.has("cleanup_module") ? "\t.exit = cleanup_module,\n" : "";
  return `/* Made by modpost.mjs: what the loader reads of this module. */
#include <linux/elfnote.h>
#include <linux/module.h>

ELFNOTE32_LINUX(note_build_salt, LINUX_ELFNOTE_BUILD_SALT, 0);
ELFNOTE32_LINUX(note_lto_info, LINUX_ELFNOTE_LTO_INFO, 0);

MODULE_INFO(vermagic, "${vermagic}");
MODULE_INFO(name, KBUILD_MODNAME);

struct module __this_module __section(".gnu.linkonce.this_module") = {
	.name = KBUILD_MODNAME,
${init}${exit}};
${versions}
MODULE_INFO(depends, "");
`;
}

function main() {
  const { values, positionals } = parseArgs({
    options: {
      kmi: { type: "string" },
      name: { type: "string" },
      output: { type: "string", short: "o" },
      modversions: { type: "boolean", default: false },
      "warn-unresolved": { type: "boolean", default: false },
    },
    allowPositionals: true,
  });
  const { kmi, name, output } = values;
  const [path] = positionals;
  if (path === undefined || kmi === undefined || name === undefined || output === undefined) {
    throw new BuildError("usage: modpost.mjs --kmi KMI --name NAME -o OUT.mod.c IN.o");
  }
  if (name.length > MODULE_NAME_MAX)
    throw new BuildError(`module name "${name}" has more than 55 characters`);
  const row = JSON.parse(readFileSync(KMI_TABLE, "utf8")).rows[kmi];
  if (row === undefined) throw new BuildError(`KMI ${kmi} is not in struct-module.json`);
  const elf = readElf(path);
  const open = undefinedSymbols(elf);
  refuseIncomplete(elf, path);
  refuseUndefinedEl2(open, values["warn-unresolved"] === true, path);
  const imported = open.filter((symbol) => symbol !== "__this_module");
  const vermagic = values.modversions
    ? row.vermagic.replace("mod_unload", "mod_unload modversions")
    : row.vermagic;
  const versions = values.modversions ? versionsText(imported) : "";
  writeFileSync(output, modC(elf, { name, vermagic, versions }));
}

runTool("modpost", main);
