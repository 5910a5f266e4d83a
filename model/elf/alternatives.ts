// Code that a module brings in two versions: which one the loader leaves in place.
// Source: __apply_alternatives and get_alt_insn, arch/arm64/kernel/alternative.c; struct alt_instr;
// the encodings: DDI0487 C4.1, branches, PC-relative addressing, load register (literal).

import { withImmediate } from "./apply.ts";
import type { ElfFile } from "./read.ts";
import { sectionNamed } from "./read.ts";
import type { Refusal } from "./refusal.ts";
import { CORRUPT, hex, kernelDoesNotCheck } from "./refusal.ts";
import type { LoadedSection } from "./relocate.ts";
import type { ImmediateField } from "./relocation-types.ts";

/** Which CPU capabilities are there, by the numbers of the kernel that the module was built for. */
export interface Capabilities {
  readonly has: (capability: number) => boolean;
  /** Where the kernel has alt_cb_patch_nops, the one callback that is modelled. */
  readonly patchNops: bigint | undefined;
}

/** struct alt_instr: two distances from themselves, a capability, two lengths in bytes. */
const ENTRY_SIZE = 12;
/** In the capability: the second pointer is to a function that patches. */
const ARM64_CB_BIT = 0x8000;
const NOP = 0xd503201f;
const PAGE_MASK = ~0xfffn;

interface Code {
  readonly view: DataView;
  readonly at: number;
}

/** Patches the sections in place: after relocation, before the EL2 half is looked for. */
export function applyAlternatives(
  elf: ElfFile,
  sections: readonly LoadedSection[],
  capabilities: Capabilities,
): Refusal | undefined {
  const index = sectionNamed(elf, ".altinstructions")?.index;
  const table = sections.find((section) => section.index === index);
  if (table === undefined) return undefined;
  const find = codeFinder(sections);
  const view = viewOf(table);
  for (let at = 0; at + ENTRY_SIZE <= table.bytes.length; at += ENTRY_SIZE) {
    const capability = view.getUint16(at + 8, true);
    if (!capabilities.has(capability & ~ARM64_CB_BIT)) continue;
    const original = table.address + BigInt(at + view.getInt32(at, true));
    const replacement = table.address + BigInt(at + 4 + view.getInt32(at + 4, true));
    const lengths = [view.getUint8(at + 10), view.getUint8(at + 11)] as const;
    const callback = (capability & ARM64_CB_BIT) !== 0;
    const refusal = callback
      ? patchByCallback(find, original, replacement, lengths, capabilities)
      : patch(find, original, replacement, lengths);
    if (refusal !== undefined) {
      return kernelDoesNotCheck(`Entry ${at / ENTRY_SIZE} of .altinstructions`, refusal);
    }
  }
  return undefined;
}

const viewOf = ({ bytes }: LoadedSection): DataView =>
  new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);

type CodeFinder = (address: bigint, length: number) => Code | undefined;

/** The contents of whatever section has an address; sorted, so that many entries stay cheap. */
function codeFinder(sections: readonly LoadedSection[]): CodeFinder {
  const sorted = sections
    .filter((section) => section.bytes.length > 0)
    .sort((a, b) => (a.address < b.address ? -1 : 1));
  return (address, length) => {
    let low = 0;
    let high = sorted.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (sorted[middle]!.address <= address) low = middle + 1;
      else high = middle;
    }
    const section = sorted[low - 1];
    if (section === undefined) return undefined;
    const at = address - section.address;
    if (at + BigInt(length) > BigInt(section.bytes.length)) return undefined;
    return { view: viewOf(section), at: Number(at) };
  };
}

/** Writes the replacement over the original; what is wrong, if something is. */
function patch(
  find: CodeFinder,
  original: bigint,
  replacement: bigint,
  [length, replacementLength]: readonly [number, number],
): string | undefined {
  if (length !== replacementLength) {
    return `has ${length} and ${replacementLength} bytes, where the kernel stops with BUG.`;
  }
  const to = find(original, length);
  const from = find(replacement, length);
  if (to === undefined || from === undefined) {
    return `is for ${hex(original)} and ${hex(replacement)}, not both in the module; ${CORRUPT}`;
  }
  for (let i = 0; i + 4 <= length; i += 4) {
    const step = BigInt(i);
    const insn = from.view.getUint32(from.at + i, true);
    const inside = [replacement, replacement + BigInt(length)] as const;
    const moved = movedInsn(insn, replacement + step, original + step, inside);
    if (moved === undefined) {
      return `moves ${hex(insn)}, which depends on its place: the kernel stops with BUG.`;
    }
    to.view.setUint32(to.at + i, moved, true);
  }
  return undefined;
}

function patchByCallback(
  find: CodeFinder,
  original: bigint,
  callback: bigint,
  [length, replacementLength]: readonly [number, number],
  capabilities: Capabilities,
): string | undefined {
  if (callback !== capabilities.patchNops) {
    return `is patched by the kernel's function at ${hex(callback)}, which is not modelled.`;
  }
  const to = find(original, length);
  if (to === undefined || replacementLength !== 0) {
    return `is for ${hex(original)}, not in the module, or has a replacement as well; ${CORRUPT}`;
  }
  for (let i = 0; i + 4 <= length; i += 4) to.view.setUint32(to.at + i, NOP, true);
  return undefined;
}

/** PC-relative branches by mask and value, with their immediate. */
const BRANCHES: readonly (readonly [number, number, ImmediateField, number])[] = [
  [0x7c000000, 0x14000000, "26", 26], // B, BL
  [0xff000010, 0x54000000, "19", 19], // B.cond
  [0x7e000000, 0x34000000, "19", 19], // CBZ, CBNZ
  [0x7e000000, 0x36000000, "14", 14], // TBZ, TBNZ
];
const ADRP: readonly [number, number] = [0x9f000000, 0x90000000];
/** ADR, LDR (literal), LDRSW (literal), PRFM (literal). */
const LITERALS: readonly (readonly [number, number])[] = [
  [0x9f000000, 0x10000000],
  [0xbf000000, 0x18000000],
  [0xff000000, 0x98000000],
  [0xff000000, 0xd8000000],
];

const matches = (insn: number, [mask, value]: readonly [number, number, ...unknown[]]): boolean =>
  (insn & mask) >>> 0 === value >>> 0;

/**
 * An instruction of the replacement as it must stand in the original's place: branches that leave
 * the replacement and ADRP keep their target. Undefined where the kernel has no answer.
 */
function movedInsn(
  insn: number,
  from: bigint,
  to: bigint,
  [start, end]: readonly [bigint, bigint],
): number | undefined {
  const branch = BRANCHES.find((candidate) => matches(insn, candidate));
  if (branch !== undefined) {
    const [, , field, width] = branch;
    const low = field === "26" ? 0 : 5;
    const target = from + BigInt.asIntN(width, BigInt(insn >>> low)) * 4n;
    if (target >= start && target <= end) return insn;
    return withImmediate(insn, field, Number(BigInt.asUintN(width, (target - to) >> 2n)));
  }
  if (matches(insn, ADRP)) {
    const imm = (((insn >>> 5) & 0x7ffff) << 2) | ((insn >>> 29) & 3);
    const target = (from & PAGE_MASK) + BigInt.asIntN(21, BigInt(imm)) * 4096n;
    const pages = (target - (to & PAGE_MASK)) >> 12n;
    return withImmediate(insn, "ADR", Number(BigInt.asUintN(21, pages)));
  }
  return LITERALS.some((literal) => matches(insn, literal)) ? undefined : insn;
}
