// Writes .hyp.reloc: for each ABS64 relocation in a .hyp.* section, the distance to its slot.
// Source: arch/arm64/kvm/hyp/nvhe/gen-hyprel.c of the common kernels (what it accepts and refuses).
//
//   node gen-hyprel.mjs [--warn-unresolved] -o hyp-reloc.S kvm_nvhe.tmp.o
import { writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import {
  BuildError,
  readElf,
  readRela,
  runTool,
  SHT_REL,
  SHT_RELA,
  undefinedSymbols,
} from "./elf.mjs";

const R_AARCH64_NONE = 0;
const R_AARCH64_ABS64 = 257;

/**
 * Relocations that need nothing at load, because their value does not change when the module's
 * sections move together by whole pages: what is relative to the place, and offsets in a page.
 */
const POSITION_INDEPENDENT = new Map([
  [260, "R_AARCH64_PREL64"],
  [261, "R_AARCH64_PREL32"],
  [262, "R_AARCH64_PREL16"],
  [314, "R_AARCH64_PLT32"],
  [273, "R_AARCH64_LD_PREL_LO19"],
  [274, "R_AARCH64_ADR_PREL_LO21"],
  [275, "R_AARCH64_ADR_PREL_PG_HI21"],
  [276, "R_AARCH64_ADR_PREL_PG_HI21_NC"],
  [277, "R_AARCH64_ADD_ABS_LO12_NC"],
  [278, "R_AARCH64_LDST8_ABS_LO12_NC"],
  [279, "R_AARCH64_TSTBR14"],
  [280, "R_AARCH64_CONDBR19"],
  [282, "R_AARCH64_JUMP26"],
  [283, "R_AARCH64_CALL26"],
  [284, "R_AARCH64_LDST16_ABS_LO12_NC"],
  [285, "R_AARCH64_LDST32_ABS_LO12_NC"],
  [286, "R_AARCH64_LDST64_ABS_LO12_NC"],
  [299, "R_AARCH64_LDST128_ABS_LO12_NC"],
  [287, "R_AARCH64_MOVW_PREL_G0"],
  [288, "R_AARCH64_MOVW_PREL_G0_NC"],
  [289, "R_AARCH64_MOVW_PREL_G1"],
  [290, "R_AARCH64_MOVW_PREL_G1_NC"],
  [291, "R_AARCH64_MOVW_PREL_G2"],
  [292, "R_AARCH64_MOVW_PREL_G2_NC"],
  [293, "R_AARCH64_MOVW_PREL_G3"],
]);

/** Names for the message about a relocation that .hyp.reloc cannot express. */
const REFUSED = new Map([
  [258, "R_AARCH64_ABS32"],
  [259, "R_AARCH64_ABS16"],
  [263, "R_AARCH64_MOVW_UABS_G0"],
  [264, "R_AARCH64_MOVW_UABS_G0_NC"],
  [265, "R_AARCH64_MOVW_UABS_G1"],
  [266, "R_AARCH64_MOVW_UABS_G1_NC"],
  [267, "R_AARCH64_MOVW_UABS_G2"],
  [268, "R_AARCH64_MOVW_UABS_G2_NC"],
  [269, "R_AARCH64_MOVW_UABS_G3"],
  [270, "R_AARCH64_MOVW_SABS_G0"],
  [311, "R_AARCH64_ADR_GOT_PAGE"],
  [312, "R_AARCH64_LD64_GOT_LO12_NC"],
]);

/** The four sections that the loader maps at EL2. */
const MAPPED = [".hyp.text", ".hyp.bss", ".hyp.rodata", ".hyp.data"];

/** Allocated sections that EL2 does not need: the host has applied .altinstructions by then. */
const NOT_NEEDED = [/^\.note\./, /^\.comment$/, /^\.modinfo$/, /^\.altinstructions$/];

const SHF_ALLOC = 2n;

/** @param {import("./elf.mjs").Elf} elf @param {string} path */
function refuseUnmapped(elf, path) {
  const stray = elf.sections.filter((section) => {
    const known =
      MAPPED.includes(section.name) || NOT_NEEDED.some((pattern) => pattern.test(section.name));
    return (
      (section.flags & SHF_ALLOC) !== 0n && section.type !== SHT_RELA && section.size > 0 && !known
    );
  });
  if (stray.length === 0) return;
  const names = stray.map((section) => section.name).join(", ");
  process.stderr.write(
    `WARNING: gen-hyprel: ${path}: ${names}: not mapped at EL2, a fault for code that uses it\n`,
  );
}

/** @param {import("./elf.mjs").Elf} elf @param {string} path @param {boolean} warnOnly */
function refuseUndefined(elf, path, warnOnly) {
  const names = undefinedSymbols(elf);
  if (names.length === 0) return;
  const lines = names.map(
    (name) =>
      `EL2 code needs "${name}" (__kvm_nvhe_${name}), which the EL2 half does not define; ` +
      "EL2 code reaches nothing outside the module but through struct pkvm_module_ops",
  );
  if (!warnOnly) throw new BuildError(lines.join("\n"));
  for (const line of lines) process.stderr.write(`WARNING: gen-hyprel: ${path}: ${line}\n`);
}

/**
 * The slots that one SHT_RELA section of a .hyp section makes.
 * @param {import("./elf.mjs").Elf} elf @param {import("./elf.mjs").Section} section
 */
function slotsOf(elf, section) {
  const target = elf.sections[section.info];
  const relocations = readRela(elf, section);
  for (const { type, offset, symbol } of relocations) {
    if (type === R_AARCH64_NONE || type === R_AARCH64_ABS64 || POSITION_INDEPENDENT.has(type))
      continue;
    const name = REFUSED.get(type) ?? `relocation type ${type}`;
    const place = `${target.name}+0x${offset.toString(16)}`;
    throw new BuildError(
      `${name} against "${symbol.name}" at ${place}: ` +
        ".hyp.reloc can express 64-bit absolute addresses only",
    );
  }
  const absolute = relocations.filter(({ type }) => type === R_AARCH64_ABS64);
  return absolute.map(({ offset }) => ({ section: target.name, offset }));
}

function main() {
  const { values, positionals } = parseArgs({
    options: {
      output: { type: "string", short: "o" },
      "warn-unresolved": { type: "boolean", default: false },
    },
    allowPositionals: true,
  });
  const [path] = positionals;
  if (path === undefined || values.output === undefined)
    throw new BuildError("usage: gen-hyprel.mjs -o OUT.S IN.o");
  const elf = readElf(path);
  const isHyp = (/** @type {import("./elf.mjs").Section} */ section) =>
    section.name.startsWith(".hyp.");
  const rel = elf.sections.find(
    (section) => section.type === SHT_REL && isHyp(elf.sections[section.info]),
  );
  if (rel !== undefined)
    throw new BuildError(`${path}: ${rel.name} has relocations without addends (SHT_REL)`);
  refuseUndefined(elf, path, values["warn-unresolved"] === true);
  refuseUnmapped(elf, path);
  const rela = elf.sections.filter(
    (section) => section.type === SHT_RELA && isHyp(elf.sections[section.info]),
  );
  const slots = rela.flatMap((section) => slotsOf(elf, section));
  const entries = slots.map(
    ({ section, offset }) => `\t.word __hyp_section_${section} + 0x${offset.toString(16)} - .\n`,
  );
  const head =
    "/* Made by gen-hyprel.mjs: one entry for each absolute address in the EL2 half. */\n";
  writeFileSync(
    values.output,
    `${head}\t.section .hyp.reloc, "a"\n\t.balign 4\n${entries.join("")}`,
  );
}

runTool("gen-hyprel", main);
