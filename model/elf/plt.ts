// Veneers of a module: how many .plt has room for, in which order branches take them, their code.
// Source: module_frob_arch_sections, count_plts, partition_branch_plt_relas, module_emit_plt_entry,
// arch/arm64/kernel/module-plts.c of 6.1. CHOICE: as on a CPU without Cortex-A53 erratum 843419.

import { withImmediate } from "./apply.ts";
import { R_AARCH64_CALL26, R_AARCH64_JUMP26 } from "./relocation-types.ts";
import type { ElfSymbol, Rela } from "./tables.ts";

/** Bytes of struct plt_entry: ADRP, ADD, BR. */
export const PLT_ENTRY_SIZE = 12;

/** Whether a branch may need a veneer: one within its own section never gets one. */
const needsPlt = (symbols: readonly ElfSymbol[], rela: Rela, target: number): boolean =>
  (rela.type === R_AARCH64_JUMP26 || rela.type === R_AARCH64_CALL26) &&
  symbols[rela.symbol]!.section !== target;

/** Source: cmp_rela. */
function compareRela(a: Rela, b: Rela): number {
  const addend = a.addend < b.addend ? -1 : Number(a.addend > b.addend);
  return a.type - b.type || a.symbol - b.symbol || addend;
}

/**
 * The relocations of an executable section in the order in which the kernel applies them: those
 * that may need a veneer first, equal ones together. Source: partition_branch_plt_relas and the
 * sort after it; its swaps are kept, and that it leaves the last candidate unsorted.
 */
export function orderForPlts(
  symbols: readonly ElfSymbol[],
  entries: readonly Rela[],
  target: number,
): readonly Rela[] {
  const order = [...entries];
  let front = 0;
  let back = order.length - 1;
  while (front < back) {
    if (needsPlt(symbols, order[front]!, target)) {
      front++;
    } else if (needsPlt(symbols, order[back]!, target)) {
      [order[front], order[back]] = [order[back]!, order[front]!];
    } else {
      back--;
    }
  }
  const branches = order.slice(0, front).sort(compareRela);
  return [...branches, ...order.slice(front)];
}

/** How many veneers the kernel makes room for, of relocations in that order. Source: count_plts. */
export function countPlts(
  symbols: readonly ElfSymbol[],
  ordered: readonly Rela[],
  target: number,
): number {
  let count = 0;
  ordered.forEach((rela, i) => {
    const before = ordered[i - 1];
    const duplicate = before !== undefined && compareRela(rela, before) === 0;
    if (needsPlt(symbols, rela, target) && (rela.addend !== 0n || !duplicate)) count++;
  });
  return count;
}

/** A .plt section while it fills. */
export interface PltSection {
  readonly address: bigint;
  readonly bytes: Uint8Array;
  readonly capacity: number;
  /** The targets of the veneers made so far, in order. */
  readonly targets: bigint[];
}

const ADRP_X16 = 0x90000010;
const ADD_X16_X16 = 0x91000210;
const BR_X16 = 0xd61f0200;
const PAGE_MASK = ~0xfffn;

/**
 * The address of a veneer to `target`; undefined where the kernel has no room, or none reaches it.
 * Only the last veneer is shared, as in the kernel. Source: module_emit_plt_entry, get_plt_entry.
 */
export function veneerFor(plt: PltSection, target: bigint): bigint | undefined {
  const index = plt.targets.length;
  const addressOf = (i: number) => plt.address + BigInt(i * PLT_ENTRY_SIZE);
  if (plt.targets.at(-1) === target) return addressOf(index - 1);
  if (index >= plt.capacity) return undefined;
  const address = addressOf(index);
  const pages = BigInt.asIntN(64, (target & PAGE_MASK) - (address & PAGE_MASK)) >> 12n;
  if (BigInt.asIntN(21, pages) !== pages) return undefined;
  const view = new DataView(plt.bytes.buffer, plt.bytes.byteOffset + index * PLT_ENTRY_SIZE);
  const immhilo = Number(BigInt.asUintN(21, pages));
  view.setUint32(0, withImmediate(ADRP_X16, "ADR", immhilo), true);
  view.setUint32(4, withImmediate(ADD_X16_X16, "12", Number(target & 0xfffn)), true);
  view.setUint32(8, BR_X16, true);
  plt.targets.push(target);
  return address;
}
